package journal

import (
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/giftwire/giftwire/room"
)

// recordFormat is the version of every JSON record. A reader refuses another one,
// because a record that it only half understands would decide gifts wrongly; it
// ignores members that it does not know, so that nodes of two releases can share
// the streams while a rolling upgrade runs. A change of meaning raises it.
const recordFormat = 1

// ErrFormat says that a record is not JSON, is of another format, or says what
// cannot be.
var ErrFormat = errors.New("journal: record cannot be read")

// The record types below are what stands in NATS. Operators read them with the
// nats command, so they are JSON with the names of the platform API.
type (
	giftRecord struct {
		V           int     `json:"v"`
		Node        string  `json:"node"`
		Incarnation string  `json:"incarnation"`
		Number      uint64  `json:"number"`
		Entries     []entry `json:"entries"`
	}

	entry struct {
		Gift     *gift     `json:"gift,omitzero"`
		Comment  *comment  `json:"comment,omitzero"`
		Callback *callback `json:"callback,omitzero"`
	}

	gift struct {
		MsgID    msgID  `json:"msg_id"`
		ClientID string `json:"id"`
		Room     string `json:"room"`
		Game     string `json:"mini_game_id"`
		User     user   `json:"user"`
		GiftID   string `json:"gift_id"`
		Count    int    `json:"count"`
		Value    int    `json:"value"`
		Num      int    `json:"num"`
		Receiver string `json:"receiver_id,omitzero"`
		Asked    asked  `json:"asked,omitzero"`
		At       int64  `json:"at"`
	}

	asked struct {
		Value    int    `json:"value,omitzero"`
		Receiver string `json:"receiver_id,omitzero"`
	}

	user struct {
		ID       string `json:"user_id"`
		Nickname string `json:"nickname"`
		Avatar   string `json:"avatar,omitzero"`
		Sex      int    `json:"sex,omitzero"`
	}

	comment struct {
		Room string `json:"room"`
		Game string `json:"mini_game_id"`
		User user   `json:"user"`
		Text string `json:"text"`
		Join bool   `json:"join,omitzero"`
		At   int64  `json:"at"`
	}

	callback struct {
		Room     string `json:"room"`
		GameID   string `json:"mini_game_id"`
		ReportID string `json:"report_id"`
		Game     game   `json:"game"`
		At       int64  `json:"at"`
	}

	game struct {
		State      gameState `json:"state"`
		Round      string    `json:"round_id,omitzero"`
		WinnerTeam int       `json:"winner_team,omitzero"`
		ResultType int       `json:"result_type,omitzero"`
	}

	outcomeRecord struct {
		V           int    `json:"v"`
		Kind        Kind   `json:"kind"`
		Node        string `json:"node"`
		Incarnation string `json:"incarnation"`
		Term        uint64 `json:"term"`
		Number      uint64 `json:"number"`
		// Prev is the sequence that the writer expected to be the partition's last: the
		// log is a chain, and whoever replays it sees a missing link.
		Prev  uint64  `json:"prev"`
		Rooms []rooms `json:"rooms,omitempty"`
	}

	rooms struct {
		Room      string     `json:"room"`
		Number    uint64     `json:"number"`
		Prev      uint64     `json:"prev"`
		Jump      uint64     `json:"jump,omitzero"`
		Seq       uint64     `json:"seq"`
		Totals    totals     `json:"totals"`
		Decisions []decision `json:"decisions,omitempty"`
	}

	totals struct {
		Delivered       uint64 `json:"delivered"`
		Failed          uint64 `json:"failed"`
		Unresolved      uint64 `json:"unresolved"`
		DeliveredCount  uint64 `json:"delivered_count"`
		FailedCount     uint64 `json:"failed_count"`
		UnresolvedCount uint64 `json:"unresolved_count"`
	}

	decision struct {
		Gift      gift   `json:"gift"`
		GiftSeq   uint64 `json:"gift_seq"`
		GiftIndex int    `json:"gift_index"`
		Node      string `json:"node"`
		StoredAt  int64  `json:"stored_at"`

		Status   status      `json:"status"`
		Code     int         `json:"code"`
		Reason   room.Reason `json:"reason"`
		Message  string      `json:"message,omitzero"`
		At       int64       `json:"at"`
		Attempts []attempt   `json:"attempts,omitempty"`
	}

	attempt struct {
		N         int     `json:"n"`
		Query     bool    `json:"query,omitzero"`
		StartedAt int64   `json:"started_at"`
		EndedAt   int64   `json:"ended_at"`
		Outcome   outcome `json:"outcome"`
		Code      int     `json:"code"`
		Result    *int    `json:"result,omitzero"` // absent: the answer had no row of the gift
		RequestID string  `json:"request_id,omitzero"`
		Message   string  `json:"message,omitzero"`
	}
)

// msgID writes a MsgID without the garbage of room.MsgID.MarshalText: it is the
// one text of the hot path that is not a string already.
type msgID room.MsgID

// AppendText appends the hyphenated form.
func (m msgID) AppendText(b []byte) ([]byte, error) {
	for i, part := range [...][]byte{m[:4], m[4:6], m[6:8], m[8:10], m[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b, nil
}

// MarshalText is AppendText for encoders that do not know it.
func (m msgID) MarshalText() ([]byte, error) { return m.AppendText(nil) }

// UnmarshalText accepts what room.ParseMsgID does.
func (m *msgID) UnmarshalText(text []byte) error { return (*room.MsgID)(m).UnmarshalText(text) }

// The enumerations of room stand in records under their String names: numbers
// would change their meaning with the order of constants in a source file.
type (
	status    room.Status
	outcome   room.Outcome
	gameState room.GameState
)

// AppendText appends the status's name. A pending gift has no place in the log.
func (s status) AppendText(b []byte) ([]byte, error) {
	switch v := room.Status(s); v {
	case room.Delivered, room.Failed, room.Unresolved:
		return append(b, v.String()...), nil
	default:
		return b, fmt.Errorf("status %v is not a decision", v)
	}
}

// MarshalText writes the status's name.
func (s status) MarshalText() ([]byte, error) { return s.AppendText(nil) }

// UnmarshalText accepts the names of the statuses that a decision can have.
func (s *status) UnmarshalText(text []byte) error {
	v, err := byName(text, room.Delivered, room.Failed, room.Unresolved)
	*s = status(v)
	return err
}

// AppendText appends the outcome's name.
func (o outcome) AppendText(b []byte) ([]byte, error) {
	return append(b, room.Outcome(o).String()...), nil
}

// MarshalText writes the outcome's name.
func (o outcome) MarshalText() ([]byte, error) { return o.AppendText(nil) }

// UnmarshalText accepts the outcomes' names.
func (o *outcome) UnmarshalText(text []byte) error {
	v, err := byName(text, room.Unknown, room.NotTaken, room.Consumed)
	*o = outcome(v)
	return err
}

// AppendText appends the state's name.
func (s gameState) AppendText(b []byte) ([]byte, error) {
	return append(b, room.GameState(s).String()...), nil
}

// MarshalText writes the state's name.
func (s gameState) MarshalText() ([]byte, error) { return s.AppendText(nil) }

// UnmarshalText accepts the states' names.
func (s *gameState) UnmarshalText(text []byte) error {
	v, err := byName(text, room.GameUnknown, room.GameRunning, room.GameEnded)
	*s = gameState(v)
	return err
}

var (
	_ encoding.TextAppender = msgID{}
	_ encoding.TextAppender = status(0)
	_ encoding.TextAppender = outcome(0)
	_ encoding.TextAppender = gameState(0)
)

// byName returns the value whose String is text.
func byName[T fmt.Stringer](text []byte, values ...T) (T, error) {
	for _, v := range values {
		if v.String() == string(text) {
			return v, nil
		}
	}
	var none T
	return none, fmt.Errorf("unknown %T %.32q", none, text)
}
