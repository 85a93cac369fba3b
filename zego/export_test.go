package zego

import (
	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/room"
)

// EncodedGift, EncodedComment and EncodedLike are one entry of a call as it is sent.
func EncodedGift(g *room.Gift) ([]byte, error)      { return json.Marshal(giftOf(g)) }
func EncodedComment(c room.Comment) ([]byte, error) { return json.Marshal(commentOf(c)) }
func EncodedLike(l room.Like) ([]byte, error)       { return json.Marshal(likeOf(l)) }

// ParseAnswer reads an answer as the client does, rows and launch code too.
func ParseAnswer(text []byte) (code int, rows []Result, launch string, err error) {
	ans, err := parseAnswer(text)
	if err != nil {
		return 0, nil, "", err
	}
	if rows, err = ans.results(); err != nil {
		return ans.code, nil, "", err
	}
	launch, err = ans.launchCode()
	return ans.code, rows, launch, err
}

// Clean and Cut are the two ways to shorten.
var (
	Clean = clean
	Cut   = cut
)
