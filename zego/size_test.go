package zego_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// anyText draws what grows most in JSON among what users type.
func anyText(most int) *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringN(0, most, 4*most),
		rapid.StringOfN(rapid.RuneFrom([]rune("\"\\/<>&'\u2028\u2029\u007f\u0085\x00\x1f\n🚀é")), 0, most, -1),
	)
}

func anyUser(t *rapid.T) room.User {
	return room.User{
		ID: anyText(48).Draw(t, "id"), Nickname: anyText(32).Draw(t, "nickname"),
		Avatar: anyText(1024).Draw(t, "avatar"), Sex: rapid.IntRange(-1, 3).Draw(t, "sex"),
	}
}

func anyGift(t *rapid.T) *room.Gift {
	number := rapid.OneOf(rapid.Int(), rapid.Just(-1<<63))
	return &room.Gift{
		User: anyUser(t), GiftID: anyText(128).Draw(t, "gift"), Receiver: anyText(48).Draw(t, "receiver"),
		Value: number.Draw(t, "value"), Num: number.Draw(t, "num"), At: rapid.Int64().Draw(t, "at"),
	}
}

// TestSizesAreUpperBounds: a room, which knows no JSON, fills calls by these.
func TestSizesAreUpperBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gift := anyGift(t)
		comment := room.Comment{User: gift.User, Text: anyText(200).Draw(t, "text")}
		like := room.Like{User: gift.User, Amount: gift.Num}
		check := func(name string, text []byte, err error, bound int) {
			if err != nil {
				return // not UTF-8: it is never sent
			}
			if len(text)+1 > bound { // 1: the comma
				t.Errorf("%s of %d bytes, bound %d: %s", name, len(text), bound, text)
			}
		}
		text, err := zego.EncodedGift(gift)
		check("gift", text, err, room.GiftSize(gift))
		text, err = zego.EncodedComment(comment)
		check("comment", text, err, room.CommentSize(comment))
		text, err = zego.EncodedLike(like)
		check("like", text, err, room.LikeSize(like))
	})
}

// TestSizeOfEveryCharacter: text of one character, so that a bound that is generous
// for others cannot hide one that is too small.
func TestSizeOfEveryCharacter(t *testing.T) {
	runes := []rune("汉🚀\u2028\u2029\ufeff\ufffd\U0010ffff")
	for r := rune(0); r < 0x180; r++ {
		runes = append(runes, r)
	}
	for _, r := range runes {
		text := strings.Repeat(string(r), 1000)
		gift := &room.Gift{User: room.User{ID: text, Nickname: text, Avatar: text}, GiftID: text, Receiver: text}
		comment := room.Comment{User: gift.User, Text: text}
		checkSize(t, strconv.QuoteRune(r), gift, comment)
	}
}

// TestSizeWithoutText: what is fixed, with the longest numbers that are ever sent.
func TestSizeWithoutText(t *testing.T) {
	gift := &room.Gift{User: room.User{Sex: room.Female}, Receiver: "r", Value: math.MinInt64, Num: math.MinInt64, At: math.MinInt64}
	checkSize(t, "no text", gift, room.Comment{User: gift.User})
	// The bounds would be useless if they were far off.
	if text, err := zego.EncodedGift(gift); err != nil || room.GiftSize(gift) > 2*len(text) {
		t.Errorf("%d bytes have the bound %d (%v)", len(text), room.GiftSize(gift), err)
	}
}

// checkSize holds the bounds of a gift, a comment, and likes of the same user.
func checkSize(t *testing.T, name string, gift *room.Gift, comment room.Comment) {
	t.Helper()
	like := room.Like{User: gift.User, Amount: math.MinInt64}
	giftText, err := zego.EncodedGift(gift)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	commentText, err := zego.EncodedComment(comment)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	likeText, err := zego.EncodedLike(like)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for _, entry := range []struct {
		kind          string
		length, bound int
	}{
		{"gift", len(giftText), room.GiftSize(gift)},
		{"comment", len(commentText), room.CommentSize(comment)},
		{"like", len(likeText), room.LikeSize(like)},
	} {
		if entry.length+1 > entry.bound { // 1: the comma
			t.Errorf("%s: a %s of %d bytes, bound %d", name, entry.kind, entry.length, entry.bound)
		}
	}
}

// TestEnvelopeFits: what a call takes beside its entries, for which a room reserves 64
// bytes and the two names.
func TestEnvelopeFits(t *testing.T) {
	d := newDoor(t, says(okEmpty))
	gifts := []*room.Gift{roomGift("a"), roomGift("b")}
	newClient(t, d.URL).SendGifts(t.Context(), room.GiftCall{Room: "r1", Game: "TinyLoveWar", Gifts: gifts})
	bound := 64 + len("r1") + len("TinyLoveWar") + room.GiftSize(gifts[0]) + room.GiftSize(gifts[1])
	if got := len(d.seen()[0].body); got > bound || got < bound/2 {
		t.Errorf("a call of %d bytes, bound %d", got, bound)
	}
}
