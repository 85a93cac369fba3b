package room

import (
	"errors"
	"fmt"
	"net/url"
	"unicode"
	"unicode/utf8"
)

// Bounds of what a user and a gift may carry.
const (
	// NicknameMax is ZEGO's limit for a Nickname in characters. ZEGO does not say
	// what a character is; we count code points (ZEGO.md, unknown 21).
	NicknameMax = 32
	// AvatarMax is ZEGO's limit for an Avatar URL in bytes.
	AvatarMax = 1024
	// CountMax bounds count, Value and Num of a gift. ZEGO gives no range; ours is
	// ZEGO.md's choice for unknown 20.
	CountMax = 100_000
	// CommentMax is the longest comment text in code points.
	CommentMax = 200
	// LikeMax is the most likes one frame may carry.
	LikeMax = 1000
)

// ErrBadUser is wrapped by [User.Check] with the field that is wrong.
var ErrBadUser = errors.New("room: bad user")

// Sex as ZEGO numbers it. Any other value is not sent.
const (
	Male   = 1
	Female = 2
)

// User is who gives: the identity that ZEGO and the other viewers see. It comes
// from a token or from the platform's backend, never from a viewer's frame.
type User struct {
	ID       string // [0-9A-Za-z]{1,48}
	Nickname string // 1 to 32 code points, no control characters
	Avatar   string // http or https URL, at most 1024 bytes
	Sex      int    // Male, Female, or 0: not told
}

// Check reports the first field that ZEGO would refuse, as an error that wraps
// [ErrBadUser] or [ErrBadUserID].
func (u User) Check() error {
	if err := CheckUserID(u.ID); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(u.Nickname); n < 1 || n > NicknameMax || !printable(u.Nickname) {
		return fmt.Errorf("%w: nickname must be 1 to %d characters without control characters", ErrBadUser, NicknameMax)
	}
	if err := checkAvatar(u.Avatar); err != nil {
		return fmt.Errorf("%w: avatar %w", ErrBadUser, err)
	}
	if u.Sex < 0 || u.Sex > Female {
		return fmt.Errorf("%w: sex %d is not 0, 1 or 2", ErrBadUser, u.Sex)
	}
	return nil
}

func checkAvatar(s string) error {
	if len(s) > AvatarMax {
		return fmt.Errorf("has %d bytes, at most %d are allowed", len(s), AvatarMax)
	}
	if !printable(s) {
		return errors.New("has control characters or invalid UTF-8")
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("is not an http or https URL with a host")
	}
	return nil
}

// printable refuses invalid UTF-8 and control characters: they would grow six-fold
// in JSON, and nobody types them on purpose.
func printable(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// Gift is one gift, frozen when it was accepted: a later change of nickname,
// catalogue, anchor or game does not touch it. Gifts are shared by pointer and
// never changed.
type Gift struct {
	MsgID    MsgID
	ClientID string // the client's idempotency key
	Room     string
	Game     string // MiniGameId at acceptance
	User     User
	GiftID   string
	Count    int    // how many of the gift were given at once: Value x Num
	Value    int    // gifts that make one effect: the tier
	Num      int    // how many effects
	Receiver string // resolved: the receiver asked for, or the room's anchor; may be empty
	Asked    Asked
	At       int64 // when the hub received it, Unix ms; ZEGO's Timestamp, never rewritten
}

// Asked is what the sender gave of the fields that have defaults.
type Asked struct {
	Value    int    // 0: none asked for
	Receiver string // empty: none asked for
}

// Content is what makes two submissions of one id the same gift (P4): the
// fields as sent. Nickname, catalogue and anchor may have changed meanwhile and
// do not count. Comparable with ==.
type Content struct {
	GiftID   string
	Count    int
	Value    int
	Receiver string
}

// Content returns what was sent under the gift's id.
func (g *Gift) Content() Content {
	return Content{GiftID: g.GiftID, Count: g.Count, Value: g.Asked.Value, Receiver: g.Asked.Receiver}
}

// Comment is what a viewer says. One that joins the game is how ZEGO lets the
// viewer play (ZEGO.md 2.2).
type Comment struct {
	User User
	Text string // 1 to CommentMax code points
	Join bool   // journaled, sent before the viewer's later gifts, repeated in a new round
	At   int64  // Unix ms
}

// Like is some of one viewer's likes, merged per viewer until they are sent.
type Like struct {
	User   User
	Amount int // at least 1
}

// GameState is the phase of the room's game as ZEGO's callbacks tell it.
type GameState int

// The phases. Gifts are sent while the state is unknown or running, and held
// while it is ended (ZEGO.md, unknown 24).
const (
	GameUnknown GameState = iota
	GameRunning
	GameEnded
)

// String is the name used on the wire: unknown, running, ended.
func (s GameState) String() string {
	switch s {
	case GameRunning:
		return "running"
	case GameEnded:
		return "ended"
	default:
		return "unknown"
	}
}

// Game is what is known of the round that a room plays.
type Game struct {
	State      GameState
	Round      string // ZEGO's RoundId, empty when none was reported
	WinnerTeam int    // with GameEnded: ZEGO's WinTeam
	ResultType int    // with GameEnded: ZEGO's ResultType, 0 is a normal end
}
