package room

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// The entries as ZEGO.md describes them, for an encoder that escapes all it may.
type (
	jsonUser struct {
		UserID   string `json:"UserId"`
		Nickname string
		Avatar   string
		Sex      int
	}
	jsonGift struct {
		UserInfo jsonUser
		GiftInfo struct {
			GiftID string `json:"GiftId"`
			Value  int
			Num    int
		}
		ReceiverID string `json:"ReceiverId"`
		Timestamp  int64
		MsgID      string `json:"MsgId"`
	}
	jsonComment struct {
		UserInfo jsonUser
		Content  string
	}
	jsonLike struct {
		UserInfo jsonUser
		Amount   int
	}
)

// TestSizesAreUpperBounds, and not by much: a call should hold what it can.
func TestSizesAreUpperBounds(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("\"\\/<>&\x00\n\u2028\u2029😀ä'\x7f"))),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(t *rapid.T) {
		u := User{ID: text.Draw(t, "id"), Nickname: text.Draw(t, "nickname"), Avatar: text.Draw(t, "avatar"), Sex: Female}
		user := jsonUser{u.ID, u.Nickname, u.Avatar, u.Sex}
		g := &Gift{
			MsgID: MsgID{1}, User: u, GiftID: text.Draw(t, "gift"), Receiver: text.Draw(t, "receiver"),
			Value: rapid.Int().Draw(t, "value"), Num: rapid.Int().Draw(t, "num"), At: rapid.Int64().Draw(t, "at"),
		}
		gift := jsonGift{UserInfo: user, ReceiverID: g.Receiver, Timestamp: g.At, MsgID: g.MsgID.String()}
		gift.GiftInfo.GiftID, gift.GiftInfo.Value, gift.GiftInfo.Num = g.GiftID, g.Value, g.Num
		content := text.Draw(t, "content")
		amount := rapid.Int().Draw(t, "amount")
		for name, c := range map[string]struct {
			bound int
			entry any
		}{
			"gift":    {GiftSize(g), gift},
			"comment": {CommentSize(Comment{User: u, Text: content}), jsonComment{user, content}},
			"like":    {LikeSize(Like{User: u, Amount: amount}), jsonLike{user, amount}},
		} {
			encoded, err := json.Marshal(c.entry)
			if err != nil {
				t.Fatal(err)
			}
			if len(encoded)+1 > c.bound { // and a comma
				t.Fatalf("%s: %d bytes, bound %d", name, len(encoded)+1, c.bound)
			}
		}
	})
}

func TestSizesAreClose(t *testing.T) {
	g := &Gift{GiftID: "g1", Receiver: "anchor1", User: User{ID: "u1", Nickname: "アン😀", Avatar: "http://a.example/x"}}
	encoded, err := json.Marshal(jsonGift{
		UserInfo: jsonUser{g.User.ID, g.User.Nickname, g.User.Avatar, 1}, ReceiverID: g.Receiver, MsgID: g.MsgID.String(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if waste := GiftSize(g) - len(encoded); waste > 120 {
		t.Errorf("the bound is %d bytes more than a usual gift takes", waste)
	}
}
