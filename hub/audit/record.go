package audit

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/go-json-experiment/json"
)

// recordFormat is the version of the records that this package reads.
const recordFormat = 1

// The shapes below are this package's own reading of the records: only what the audit
// and the trace need, under the names that stand in NATS. hub/journal writes them;
// nothing of it is used here.
type (
	giftRecord struct {
		V       int     `json:"v"`
		Node    string  `json:"node"`
		Entries []entry `json:"entries"`
	}

	entry struct {
		Gift *gift `json:"gift"` // nil: a comment or a callback
	}

	// gift is comparable: two are the same when all that was frozen is.
	gift struct {
		MsgID    msgID  `json:"msg_id"`
		ClientID string `json:"id"`
		Room     string `json:"room"`
		Game     string `json:"mini_game_id"`
		User     user   `json:"user"`
		GiftID   string `json:"gift_id"`
		Count    int64  `json:"count"`
		Value    int64  `json:"value"`
		Num      int64  `json:"num"`
		Receiver string `json:"receiver_id"`
		Asked    asked  `json:"asked"`
		At       int64  `json:"at"` // Unix ms
	}

	asked struct {
		Value    int64  `json:"value"`
		Receiver string `json:"receiver_id"`
	}

	user struct {
		ID       string `json:"user_id"`
		Nickname string `json:"nickname"`
		Avatar   string `json:"avatar"`
		Sex      int    `json:"sex"`
	}

	outcomeRecord struct {
		V           int         `json:"v"`
		Kind        string      `json:"kind"`
		Node        string      `json:"node"`
		Incarnation string      `json:"incarnation"`
		Term        uint64      `json:"term"`
		Number      uint64      `json:"number"`
		Prev        uint64      `json:"prev"`
		Rooms       []roomEntry `json:"rooms"`
	}

	roomEntry struct {
		Room      string     `json:"room"`
		Number    uint64     `json:"number"`
		Prev      uint64     `json:"prev"`
		Seq       uint64     `json:"seq"`
		Totals    totals     `json:"totals"`
		Decisions []decision `json:"decisions"`
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
		GiftIndex uint32 `json:"gift_index"`
		Node      string `json:"node"`
		StoredAt  int64  `json:"stored_at"` // Unix ms

		Status   string    `json:"status"`
		Code     int       `json:"code"`
		Reason   string    `json:"reason"`
		Message  string    `json:"message"`
		At       int64     `json:"at"` // Unix ms
		Attempts []attempt `json:"attempts"`
	}

	attempt struct {
		N         int    `json:"n"`
		Query     bool   `json:"query"`
		StartedAt int64  `json:"started_at"` // Unix ms
		EndedAt   int64  `json:"ended_at"`   // Unix ms
		Outcome   string `json:"outcome"`
		Code      int    `json:"code"`
		Result    *int   `json:"result"` // nil: the answer had no row of the gift
		RequestID string `json:"request_id"`
		Message   string `json:"message"`
	}
)

// Statuses and kinds as they stand in records.
const (
	delivered  = "delivered"
	failed     = "failed"
	unresolved = "unresolved"
	pending    = "pending" // in no record: a gift without a decision

	kindTakeover  = "takeover"
	kindDecisions = "decisions"
	kindRelease   = "release"
	kindMark      = "mark"
)

// errRecord says that a record is nonsense. A record of another format is [ErrFormat].
var errRecord = errors.New("cannot be read")

func decodeGifts(data []byte) (giftRecord, error) {
	var rec giftRecord
	err := decode(data, &rec, &rec.V)
	for i := range rec.Entries {
		if g := rec.Entries[i].Gift; err == nil && g != nil {
			err = g.check()
		}
	}
	return rec, err
}

func decodeOutcome(data []byte) (outcomeRecord, error) {
	var rec outcomeRecord
	if err := decode(data, &rec, &rec.V); err != nil {
		return rec, err
	}
	switch rec.Kind {
	case kindTakeover, kindDecisions, kindRelease, kindMark:
	default:
		return rec, fmt.Errorf("%w: kind %.32q", errRecord, rec.Kind)
	}
	for i := range rec.Rooms {
		r := &rec.Rooms[i]
		for j := range r.Decisions {
			d := &r.Decisions[j]
			if err := d.Gift.check(); err != nil {
				return rec, err
			}
			if d.Status != delivered && d.Status != failed && d.Status != unresolved {
				return rec, fmt.Errorf("%w: gift %v has status %.32q", errRecord, d.Gift.MsgID, d.Status)
			}
		}
	}
	return rec, nil
}

// decode reads one JSON value. Members that it does not know are another release's.
func decode(data []byte, into any, version *int) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %w", errRecord, err)
	}
	if *version != recordFormat {
		return fmt.Errorf("%w: format %d, this release reads %d", ErrFormat, *version, recordFormat)
	}
	return nil
}

func (g *gift) check() error {
	if g.MsgID == (msgID{}) || g.Room == "" {
		return fmt.Errorf("%w: a gift without msg_id or room", errRecord)
	}
	return nil
}

// fingerprint is a 64 bit fingerprint of a gift: content (what makes two submissions of an id
// the same gift, P4) in the upper half, everything that was frozen in the lower. It
// only ever compares gifts of one id, so a half that differs in truth agrees by chance
// once in four billion gifts with other content.
type fingerprint uint64

func (p fingerprint) content() uint32 { return uint32(p >> 32) }

func printOf(seed maphash.Seed, g *gift) fingerprint {
	content := struct {
		giftID string
		count  int64
		asked  asked
	}{g.GiftID, g.Count, g.Asked}
	return fingerprint(maphash.Comparable(seed, content)&^(1<<32-1) | maphash.Comparable(seed, *g)&(1<<32-1))
}

// msgID is a gift's id: a UUID, lower case and hyphenated in records.
type msgID [16]byte

// UnmarshalText reads the form that String writes.
func (m *msgID) UnmarshalText(text []byte) error {
	var out msgID
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return fmt.Errorf("msg_id %.64q is not a lower-case hyphenated UUID", text)
	}
	digits := make([]byte, 0, 32)
	for _, part := range [...][]byte{text[:8], text[9:13], text[14:18], text[19:23], text[24:]} {
		digits = append(digits, part...)
	}
	if _, err := hex.Decode(out[:], digits); err != nil || out.String() != string(text) {
		return fmt.Errorf("msg_id %.64q is not a lower-case hyphenated UUID", text)
	}
	*m = out
	return nil
}

// key is the id's first 8 bytes, by which the hub remembers it.
func (m msgID) key() uint64 { return binary.BigEndian.Uint64(m[:8]) }

// String is the 36 character hyphenated form.
func (m msgID) String() string {
	var out [36]byte
	at := 0
	for i, part := range [...][]byte{m[:4], m[4:6], m[6:8], m[8:10], m[10:]} {
		if i > 0 {
			out[at] = '-'
			at++
		}
		at += hex.Encode(out[at:], part)
	}
	return string(out[:])
}

// MarshalText writes String.
func (m msgID) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
