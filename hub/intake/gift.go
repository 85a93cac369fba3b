package intake

import (
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// giftIDMax is the longest gift id, in bytes: the catalogue's bound of names. A game
// that is not in the catalogue gets the id as it is.
const giftIDMax = 128

// retryAfter is when to come back. A full backlog drains at up to 900 gifts a second
// and room; a journal that is away is mostly back within seconds.
const retryAfter = time.Second

// Fault returns what is wrong with the gift's own fields, for people; empty: nothing.
// Whether the room takes the gift is another question.
func (g Gift) Fault() string {
	switch {
	case room.CheckRoomID(g.Room) != nil:
		return "room must be 1 to 64 of A-Z, a-z, 0-9, _ and -"
	case room.CheckClientID(g.ID) != nil:
		return "id must be 1 to 64 of A-Z, a-z, 0-9, _ and -"
	case g.GiftID == "" || len(g.GiftID) > giftIDMax || !printable(g.GiftID):
		return fmt.Sprintf("gift_id must be 1 to %d bytes without control characters", giftIDMax)
	case g.Count < 1 || g.Count > room.CountMax:
		return fmt.Sprintf("count must be between 1 and %d", room.CountMax)
	case g.Value != nil && (*g.Value < 1 || *g.Value > room.CountMax):
		return fmt.Sprintf("value must be between 1 and %d", room.CountMax)
	case g.Receiver != nil && room.CheckUserID(*g.Receiver) != nil:
		return "receiver_id must be 1 to 48 of 0-9, A-Z and a-z"
	}
	if err := g.User.Check(); err != nil {
		return "user: " + err.Error()
	}
	return ""
}

// Content is what makes another submission under the same id the same gift.
func (g Gift) Content() room.Content {
	c := room.Content{GiftID: g.GiftID, Count: g.Count}
	if g.Value != nil {
		c.Value = *g.Value
	}
	if g.Receiver != nil {
		c.Receiver = *g.Receiver
	}
	return c
}

// draft is the gift as far as its sender decides it. Fault has passed it.
func (g Gift) draft(appID uint32, now time.Time) *room.Gift {
	gift := &room.Gift{
		MsgID:    room.NewMsgID(appID, g.Room, g.User.ID, g.ID),
		ClientID: g.ID,
		Room:     g.Room,
		User:     g.User,
		GiftID:   g.GiftID,
		Count:    g.Count,
		At:       now.UnixMilli(),
	}
	c := g.Content()
	gift.Asked = room.Asked{Value: c.Value, Receiver: c.Receiver}
	gift.Receiver = c.Receiver
	return gift
}

// Fault returns what is wrong with the comment's own fields; empty: nothing.
func (c Comment) Fault() string {
	if n := utf8.RuneCountInString(c.Text); n < 1 || n > room.CommentMax || !printable(c.Text) {
		return fmt.Sprintf("text must be 1 to %d characters without control characters", room.CommentMax)
	}
	return ""
}

// printable refuses invalid UTF-8 and control characters, as room does in names: in
// JSON they would grow six-fold.
func printable(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

func rejected(code wire.Code, message string) Verdict {
	return Verdict{Outcome: Rejected, Code: code, Message: message}
}

func (v Verdict) of(id room.MsgID) Verdict {
	v.MsgID = id
	return v
}

// later says that it is worth trying again.
func (v Verdict) later() Verdict {
	v.RetryAfter = retryAfter
	return v
}

func conflict(id room.MsgID) Verdict {
	return rejected(wire.CodeConflict, "another gift was sent under this id").of(id)
}

func closing() Verdict {
	return rejected(wire.CodeUnavailable, "this node is shutting down").later()
}
