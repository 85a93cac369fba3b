package zegotest

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/giftwire/giftwire/room"
)

// characters reports whether s has 1 to most characters. ZEGO does not say what one
// is; code points are ours (ZEGO.md, unknown 21).
func characters(s string, most int) bool {
	n := utf8.RuneCountInString(s)
	return n >= 1 && n <= most
}

func checkLength(name string, given bool, length, most int) error {
	if !given || length == 0 || length > most {
		return fmt.Errorf("%s must have 1 to %d entries", name, most)
	}
	return nil
}

func (u userInfo) check() error {
	switch {
	case room.CheckUserID(u.UserID) != nil:
		return fmt.Errorf("UserId must have 1 to %d digits and English letters", room.UserIDMax)
	case !characters(u.Nickname, room.NicknameMax):
		return fmt.Errorf("the Nickname must have 1 to %d characters", room.NicknameMax)
	case len(u.Avatar) > room.AvatarMax, !strings.HasPrefix(u.Avatar, "http://") && !strings.HasPrefix(u.Avatar, "https://"):
		// The documented example has the bare "http://", so more cannot be asked for.
		return fmt.Errorf("the Avatar must be an HTTP or HTTPS URL of at most %d bytes", room.AvatarMax)
	case u.Sex != nil && *u.Sex != room.Male && *u.Sex != room.Female:
		return errors.New("the Sex must be 1 or 2")
	}
	return nil
}

func (b *giftsBody) check(choices BodyChoices) error {
	if err := checkLength("GiftList", b.GiftList != nil, lengthOf(b.GiftList), choices.ListMax); err != nil {
		return err
	}
	for i, g := range *b.GiftList {
		if err := g.check(); err != nil {
			return fmt.Errorf("GiftList[%d]: %w", i, err)
		}
	}
	return nil
}

func (g giftEntry) check() error {
	if err := g.User.check(); err != nil {
		return err
	}
	switch {
	case g.Info.GiftID == "":
		return errors.New("GiftId is missing")
	case g.Info.Value != nil && *g.Info.Value < 1:
		return errors.New("the Value must be at least 1")
	case g.Info.Num == nil || *g.Info.Num < 1:
		return errors.New("the Num must be at least 1")
	case g.Timestamp < 1:
		return errors.New("the Timestamp must be Unix milliseconds")
	case room.CheckClientID(g.MsgID) != nil:
		return errors.New("MsgId must have 1 to 64 digits, English letters, _ or -")
	}
	return nil
}

// value is 1 where nothing was agreed.
func (g giftEntry) value() int {
	if g.Info.Value == nil {
		return 1
	}
	return *g.Info.Value
}

func (b *commentsBody) check(choices BodyChoices) error {
	if err := checkLength("CommentList", b.CommentList != nil, lengthOf(b.CommentList), choices.ListMax); err != nil {
		return err
	}
	for i, c := range *b.CommentList {
		if err := c.User.check(); err != nil {
			return fmt.Errorf("CommentList[%d]: %w", i, err)
		}
		if c.Content == "" {
			return fmt.Errorf("CommentList[%d]: Content is missing", i)
		}
	}
	return nil
}

func (b *likesBody) check(choices BodyChoices) error {
	if err := checkLength("LikeList", b.LikeList != nil, lengthOf(b.LikeList), choices.ListMax); err != nil {
		return err
	}
	for i, l := range *b.LikeList {
		if err := l.User.check(); err != nil {
			return fmt.Errorf("LikeList[%d]: %w", i, err)
		}
		if l.amount() < 1 {
			return fmt.Errorf("LikeList[%d]: Amount must be at least 1", i)
		}
	}
	return nil
}

func (l likeEntry) amount() int {
	if l.Amount == nil {
		return 1
	}
	return *l.Amount
}

// The result query looks back 30 days by default, at most 90.
const (
	daysDefault = 30
	daysMax     = 90
)

func (b *queryBody) check(choices BodyChoices) error {
	if err := checkLength("MsgIdList", b.MsgIDList != nil, lengthOf(b.MsgIDList), choices.IDListMax); err != nil {
		return err
	}
	for i, id := range *b.MsgIDList {
		if room.CheckClientID(id) != nil {
			return fmt.Errorf("MsgIdList[%d] must have 1 to 64 digits, English letters, _ or -", i)
		}
	}
	if d := b.Duration; d != nil && (*d < 1 || *d > daysMax) {
		return fmt.Errorf("the Duration must be 1 to %d days", daysMax)
	}
	return nil
}

func (b *queryBody) days() int {
	if b.Duration == nil {
		return daysDefault
	}
	return *b.Duration
}

func (b *launchBody) check(BodyChoices) error {
	return userInfo{UserID: b.AnchorID, Nickname: b.Nickname, Avatar: b.Avatar, Sex: b.Sex}.check()
}

func lengthOf[T any](list *[]T) int {
	if list == nil {
		return 0
	}
	return len(*list)
}
