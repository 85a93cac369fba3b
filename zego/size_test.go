package zego_test

import (
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
