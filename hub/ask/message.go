package ask

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// version is that of questions and answers.
const version = 1

const (
	// questionMax is the most bytes of a question. The largest is a comment: 200
	// characters of 4 bytes, and a user of at most 1,024 bytes of avatar, 32 characters of
	// nickname and 48 bytes of id, before JSON's escapes.
	questionMax = 16 << 10
	// textMax bounds what an answer says of a failure, in bytes.
	textMax = 256
	// ledgerMax is the most rows that a page may ask for, as in the platform API.
	ledgerMax = 1000
)

// errMessage says that a message cannot be read.
var errMessage = errors.New("ask: message cannot be read")

// kind is what is asked.
type kind string

const (
	kindState    kind = "state"
	kindLookup   kind = "lookup"
	kindTimeline kind = "timeline"
	kindLedger   kind = "ledger"
	kindComment  kind = "comment" // not answered
	kindLike     kind = "like"    // not answered
)

// question is one question, or a comment or like that is handed over.
type question struct {
	V    int    `json:"v"`
	Node string `json:"node"` // who asks
	Kind kind   `json:"kind"`
	Room string `json:"room"`
	// Within is how long the asker waits, in ms. No clocks are compared.
	Within int64 `json:"within,omitzero"`
	// UpTo is the GIFTS sequence that the owner has to have read.
	UpTo    uint64        `json:"up_to,omitzero"`
	MsgID   room.MsgID    `json:"msg_id,omitzero"`  // lookup, timeline
	After   owner.Cursor  `json:"after,omitzero"`   // ledger
	Limit   int           `json:"limit,omitzero"`   // ledger: 1 to ledgerMax
	Game    string        `json:"game,omitzero"`    // comment, like
	Comment *room.Comment `json:"comment,omitzero"` // comment
	Like    *room.Like    `json:"like,omitzero"`    // like
}

// reply is what the owner says; the field of the question's kind is set.
type reply struct {
	State    *owner.RoomState `json:"state,omitzero"`
	Known    *owner.Known     `json:"known,omitzero"`
	Timeline *owner.Timeline  `json:"timeline,omitzero"`
	Page     *owner.Page      `json:"page,omitzero"`
}

// answer is a reply, or why there is none.
type answer struct {
	V           int    `json:"v"`
	Node        string `json:"node"`
	Incarnation string `json:"incarnation"`
	Code        code   `json:"code,omitzero"`
	Text        string `json:"text,omitzero"` // of a failure, for people
	Reply       reply  `json:"reply,omitzero"`
}

// subject is where a partition's questions go.
func subject(partition int) string { return "gw.ask." + strconv.Itoa(partition) }

// encoding keeps nil slices nil, and replaces what is no UTF-8 in ZEGO's texts.
func encoding() json.Options {
	return json.JoinOptions(json.FormatNilSliceAsNull(true), jsontext.AllowInvalidUTF8(true))
}

func encodeQuestion(q *question) ([]byte, error) {
	data, err := json.Marshal(q, encoding())
	if err != nil {
		return nil, fmt.Errorf("ask: encode a question: %w", err)
	}
	return data, nil
}

// decodeQuestion reads a question and checks that it can be put. Its errors wrap
// errMessage or ErrVersion.
func decodeQuestion(data []byte) (*question, error) {
	if len(data) > questionMax {
		return nil, fmt.Errorf("%w: a question of %d bytes, at most %d are allowed", errMessage, len(data), questionMax)
	}
	q := new(question)
	if err := decode(data, q, &q.V); err != nil {
		return nil, err
	}
	if q.Room == "" || q.Within < 0 || q.Within > int64(questionLongest/time.Millisecond) {
		return nil, fmt.Errorf("%w: room %.64q, within %d", errMessage, q.Room, q.Within)
	}
	ok := false
	switch q.Kind {
	case kindState, kindLookup, kindTimeline:
		ok = true
	case kindLedger:
		ok = q.Limit >= 1 && q.Limit <= ledgerMax && q.After.Index >= owner.WholeRecord
	case kindComment: // nobody waits for one, so it must not wait
		ok = q.Comment != nil && q.UpTo == 0
	case kindLike:
		ok = q.Like != nil && q.UpTo == 0
	}
	if !ok {
		return nil, fmt.Errorf("%w: a question of kind %.32q", errMessage, string(q.Kind))
	}
	return q, nil
}

// encodeAnswer encodes an answer of at most most bytes: a ledger page that is larger is
// cut, and its Next says where it goes on.
func encodeAnswer(a *answer, most int) ([]byte, error) {
	for {
		data, err := json.Marshal(a, encoding())
		if err != nil {
			return nil, fmt.Errorf("ask: encode an answer: %w", err)
		}
		if len(data) <= most {
			return data, nil
		}
		page, ok := cut(a.Reply.Page, len(data), most)
		if !ok {
			return nil, fmt.Errorf("ask: an answer of %d bytes, at most %d fit", len(data), most)
		}
		a.Reply.Page = page
	}
}

// cut is a page without its last rows, so that about most of its bytes are left; false:
// there is but one row. It takes at least one row and keeps at least one.
func cut(p *owner.Page, bytes, most int) (*owner.Page, bool) {
	if p == nil || len(p.Rows) < 2 {
		return nil, false
	}
	n := len(p.Rows)
	keep := max(1, min(n-1, n*most/bytes))
	return &owner.Page{Rows: p.Rows[:keep], Next: p.Rows[keep-1].Cursor}, true
}

// decodeAnswer reads an answer to a question of the kind. Its errors wrap errMessage or
// ErrVersion.
func decodeAnswer(data []byte, to kind) (*answer, error) {
	if len(data) > cluster.MessageMax {
		return nil, fmt.Errorf("%w: an answer of %d bytes", errMessage, len(data))
	}
	a := new(answer)
	if err := decode(data, a, &a.V); err != nil {
		return nil, err
	}
	if a.Code == codeOK && !a.Reply.answers(to) {
		return nil, fmt.Errorf("%w: it is no answer to a question of kind %.32q", errMessage, string(to))
	}
	return a, nil
}

// answers reports whether the reply has what was asked for, with the gifts that its
// reader relies upon.
func (r *reply) answers(to kind) bool {
	switch to {
	case kindState:
		return r.State != nil
	case kindLookup:
		k := r.Known
		return k != nil && k.Knowledge >= owner.Unseen && k.Knowledge <= owner.Decided &&
			(k.Knowledge == owner.Unseen || k.Gift != nil) &&
			(k.Knowledge != owner.Decided || k.Decision.Gift != nil)
	case kindTimeline:
		t := r.Timeline
		return t != nil && t.Gift != nil && (t.Decision == nil || t.Decision.Gift != nil)
	case kindLedger:
		if r.Page == nil {
			return false
		}
		for i := range r.Page.Rows {
			if r.Page.Rows[i].Decision.Gift == nil {
				return false
			}
		}
		return true
	default: // nobody waits for an answer
		return false
	}
}

// decode reads a message and its version, strict on JSON and tolerant of members that
// it does not know.
func decode(data []byte, message any, v *int) error {
	err := json.Unmarshal(data, message)
	if err != nil { // perhaps because it is of another version
		var of struct {
			V int `json:"v"`
		}
		if json.Unmarshal(data, &of) != nil {
			return fmt.Errorf("%w: %w", errMessage, err)
		}
		*v = of.V
	}
	if *v != version {
		return fmt.Errorf("%w: %d, this release speaks %d", ErrVersion, *v, version)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errMessage, err)
	}
	return nil
}
