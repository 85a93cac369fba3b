package zego

import (
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/giftwire/giftwire/room"
)

// Bounds that ZEGO does not give; these are ours.
const (
	// ContentMax is the longest comment in code points (ZEGO.md, unknown 3).
	ContentMax = 256
	// AmountMax bounds the likes of one entry.
	AmountMax = 1_000_000
	// nameMax bounds ids that ZEGO hands out, in bytes: the catalogue's bound.
	nameMax = 128
	// msgIDMax is ZEGO's, in characters.
	msgIDMax = 64
	// daysMax is ZEGO's longest look back of a result query.
	daysMax = 90
)

// checkCall checks what all calls have in common.
func checkCall(roomID, gameID string) error {
	if n := utf8.RuneCountInString(roomID); n < 1 || n > room.RoomIDMax || !printable(roomID) {
		return fmt.Errorf("RoomId must be 1 to %d printable characters", room.RoomIDMax)
	}
	if gameID == "" || len(gameID) > nameMax || !printable(gameID) {
		return fmt.Errorf("MiniGameId must be 1 to %d printable bytes", nameMax)
	}
	return nil
}

// checkList checks a list's length.
func checkList(name string, length int) error {
	if length < 1 || length > room.BatchMax {
		return fmt.Errorf("%s has %d entries, 1 to %d are allowed", name, length, room.BatchMax)
	}
	return nil
}

// fit cuts the nickname, drops a sex that is not to be sent, and checks the rest.
func (u *User) fit() error {
	u.Nickname = cut(u.Nickname, room.NicknameMax)
	if u.Sex != room.Male && u.Sex != room.Female {
		u.Sex = 0
	}
	return room.User{ID: u.UserID, Nickname: u.Nickname, Avatar: u.Avatar, Sex: u.Sex}.Check()
}

func (g *Gift) fit() error {
	if err := g.User.fit(); err != nil {
		return err
	}
	switch {
	case g.Info.GiftID == "" || len(g.Info.GiftID) > nameMax || !printable(g.Info.GiftID):
		return fmt.Errorf("GiftId must be 1 to %d printable bytes", nameMax)
	case g.Info.Value < 1 || g.Info.Value > room.CountMax:
		return fmt.Errorf("GiftInfo.Value %d is not between 1 and %d", g.Info.Value, room.CountMax)
	case g.Info.Num < 1 || g.Info.Num > room.CountMax:
		return fmt.Errorf("GiftInfo.Num %d is not between 1 and %d", g.Info.Num, room.CountMax)
	case len(g.ReceiverID) > nameMax || !printable(g.ReceiverID):
		return fmt.Errorf("ReceiverId must be at most %d printable bytes", nameMax)
	case g.Timestamp <= 0:
		return fmt.Errorf("the Timestamp %d is not Unix ms", g.Timestamp)
	}
	return checkMsgID(g.MsgID)
}

func (c *Comment) fit() error {
	if err := c.User.fit(); err != nil {
		return err
	}
	if c.Content == "" || !printable(c.Content) {
		return fmt.Errorf("the Content must be 1 to %d printable characters", ContentMax)
	}
	c.Content = cut(c.Content, ContentMax)
	return nil
}

func (l *Like) fit() error {
	if l.Amount < 1 || l.Amount > AmountMax {
		return fmt.Errorf("the Amount %d is not between 1 and %d", l.Amount, AmountMax)
	}
	return l.User.fit()
}

// fitAll returns a copy of the list whose entries fit; the caller's stay as they
// are.
func fitAll[T any](name string, list []T, fit func(*T) error) ([]T, error) {
	if err := checkList(name, len(list)); err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	for i := range list {
		if err := fit(&list[i]); err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", name, i, err)
		}
	}
	return list, nil
}

// checkMsgID holds ZEGO's rule for a MsgId.
func checkMsgID(s string) error {
	if s == "" || len(s) > msgIDMax {
		return fmt.Errorf("MsgId has %d characters, 1 to %d are allowed", len(s), msgIDMax)
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == '-':
		default:
			return fmt.Errorf("MsgId %q: character %q is not allowed", s, c)
		}
	}
	return nil
}

// checkUnique refuses a MsgId that stands twice in one list: what ZEGO would do is
// not known (ZEGO.md, unknown 6). Lists have at most 50 entries.
func checkUnique(name string, ids []string) error {
	sorted := slices.Sorted(slices.Values(ids))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return fmt.Errorf("%s has MsgId %s twice", name, sorted[i])
		}
	}
	return nil
}

// printable refuses invalid UTF-8 and control characters, as package room does.
func printable(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// cut shortens s to at most limit code points, between graphemes. Where even the
// first grapheme is longer, a pile of combining marks, it is cut inside: a name is
// required.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	end, runes := 0, 0
	for rest, state := s, -1; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if runes += utf8.RuneCountInString(cluster); runes > limit {
			break
		}
		end += len(cluster)
	}
	if end > 0 {
		return s[:end]
	}
	for i := range s {
		if limit--; limit < 0 {
			return s[:i]
		}
	}
	return s
}
