package room

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"
)

// MsgID is the identity of one gift for its whole life, and the MsgId that ZEGO
// deduplicates by for 24 hours (ZEGO.md 1.1). It is a function of the gift, not
// of an attempt, so whatever is repeated between viewer and ZEGO (a viewer's
// retry on another node, a record read twice, two owners for a moment) is one
// gift.
type MsgID [16]byte

// msgIDNamespace is giftwire's UUIDv5 namespace. It is written into the
// streams' metadata and must never change: an id derived differently is another
// gift to ZEGO.
var msgIDNamespace = uuid.MustParse("6f1c2f0a-6f55-5f3c-9a56-6a1f8d6f9b1e")

// MsgIDNamespace is the UUIDv5 namespace of [NewMsgID], for the streams'
// metadata.
func MsgIDNamespace() string { return msgIDNamespace.String() }

// NewMsgID derives the id of the gift that the user sent into the room under
// its idempotency key clientID: UUIDv5(namespace, "appid/room/user/id"). The
// parts cannot contain a slash once [CheckRoomID], [CheckUserID] and
// [CheckClientID] have passed them, so the name is unambiguous.
func NewMsgID(appID uint32, roomID, userID, clientID string) MsgID {
	name := make([]byte, 0, 10+len(roomID)+len(userID)+len(clientID)+3)
	name = strconv.AppendUint(name, uint64(appID), 10)
	name = append(append(name, '/'), roomID...)
	name = append(append(name, '/'), userID...)
	name = append(append(name, '/'), clientID...)
	return MsgID(uuid.NewSHA1(msgIDNamespace, name))
}

// ParseMsgID reads the form that [MsgID.String] writes: 36 characters, lower
// case, hyphenated. Other spellings of a UUID are refused, so that one gift has
// one name.
func ParseMsgID(s string) (MsgID, error) {
	id, err := uuid.Parse(s)
	if err != nil || id.String() != s {
		return MsgID{}, fmt.Errorf("room: msg_id %.64q is not a lower-case hyphenated UUID", s)
	}
	return MsgID(id), nil
}

// String is the 36 character hyphenated form, within what ZEGO allows in a
// MsgId (64 characters of digits, letters, '_' and '-').
func (m MsgID) String() string { return uuid.UUID(m).String() }

// Key is the id's first 8 bytes: a hash already, so the memory of ids is keyed by
// it and compares the whole id only on a hit.
func (m MsgID) Key() uint64 { return binary.BigEndian.Uint64(m[:8]) }

// MarshalText writes [MsgID.String].
func (m MsgID) MarshalText() ([]byte, error) { return uuid.UUID(m).MarshalText() }

// UnmarshalText reads as [ParseMsgID] does.
func (m *MsgID) UnmarshalText(text []byte) error {
	id, err := ParseMsgID(string(text))
	if err != nil {
		return err
	}
	*m = id
	return nil
}

// Lengths of names, in characters, which in these alphabets are bytes.
const (
	// RoomIDMax is ZEGO's limit for a RoomId (ZEGO.md 1.1).
	RoomIDMax = 64
	// UserIDMax is ZEGO's limit for a UserId and an AnchorId.
	UserIDMax = 48
	// ClientIDMax bounds the client's idempotency key.
	ClientIDMax = 64
)

// Errors of the Check functions. They are wrapped with what was wrong; the
// value itself is repeated at most in its first 64 bytes.
var (
	ErrBadRoomID   = errors.New("room: bad room id")
	ErrBadUserID   = errors.New("room: bad user id")
	ErrBadClientID = errors.New("room: bad id")
)

// CheckRoomID accepts [A-Za-z0-9_-]{1,64}: narrower than ZEGO's 64 characters,
// because the id stands in URLs, logs and NATS subjects.
func CheckRoomID(s string) error { return checkName(s, RoomIDMax, true, ErrBadRoomID) }

// CheckUserID accepts [0-9A-Za-z]{1,48}, ZEGO's rule for UserId and AnchorId.
func CheckUserID(s string) error { return checkName(s, UserIDMax, false, ErrBadUserID) }

// CheckClientID accepts [A-Za-z0-9_-]{1,64}.
func CheckClientID(s string) error { return checkName(s, ClientIDMax, true, ErrBadClientID) }

func checkName(s string, most int, dashes bool, base error) error {
	if s == "" || len(s) > most {
		return fmt.Errorf("%w: %.64q has %d bytes, 1 to %d are allowed", base, s, len(s), most)
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case dashes && (c == '_' || c == '-'):
		default:
			return fmt.Errorf("%w: %.64q: character %q at %d is not allowed", base, s, c, i)
		}
	}
	return nil
}
