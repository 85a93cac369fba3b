package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// Timeline is all that the streams say of one gift. As JSON it has the fields of the
// platform API's timeline (GET /v1/rooms/{room}/gifts/{msg_id}).
type Timeline struct {
	MsgID      string `json:"msg_id"`
	ID         string `json:"id"` // the client's
	Room       string `json:"room"`
	UserID     string `json:"user_id"`
	GiftID     string `json:"gift_id"`
	Count      int64  `json:"count"`
	Value      int64  `json:"value"`
	Num        int64  `json:"num"`
	ReceiverID string `json:"receiver_id"`
	At         int64  `json:"at"` // Unix ms
	Status     string `json:"status"`
	Code       *int   `json:"code,omitzero"`
	Reason     string `json:"reason,omitzero"`
	// Events are in the order of what the records say: received, durable, each attempt
	// with its answer, outcome. The attempts of a pending gift are in no record.
	Events []Event `json:"events"`
	// Records says where it all stands, for people: GIFTS and OUTCOMES, repeats and
	// contradictions included.
	Records []string `json:"-"`
}

// Event is one thing that happened to a gift. Which members are set depends on it.
type Event struct {
	At        int64  `json:"at"` // Unix ms
	Event     string `json:"event"`
	Node      string `json:"node,omitzero"`
	N         int    `json:"n,omitzero"`
	Query     bool   `json:"query,omitzero"`
	Taken     string `json:"taken,omitzero"`
	Status    string `json:"status,omitzero"`
	Code      *int   `json:"code,omitzero"`
	Result    *int   `json:"result,omitzero"`
	Reason    string `json:"reason,omitzero"`
	RequestID string `json:"request_id,omitzero"`
	Message   string `json:"message,omitzero"`
}

// Errors of a trace.
var (
	// ErrBadID: not a MsgId as giftwire writes it.
	ErrBadID = errors.New("not a MsgId")
	// ErrNotFound: no retained record has the gift.
	ErrNotFound = errors.New("no retained record has the gift")
)

// Trace finds one gift. There is no index: it reads both streams to their ends, the
// memory that it needs is that of the gift. Errors: [ErrBadID], [ErrNotFound], or of
// reading.
func Trace(ctx context.Context, src Source, id string, o Options) (*Timeline, error) {
	t := &tracer{src: src, options: o, text: []byte(id)}
	if err := t.id.UnmarshalText(t.text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadID, err)
	}
	// OUTCOMES first, as in an audit: what was decided was accepted before.
	if err := t.scan(ctx, streamOutcomes, t.outcome); err != nil {
		return nil, err
	}
	if err := t.scan(ctx, streamGifts, t.gift); err != nil {
		return nil, err
	}
	return t.timeline()
}

// tracer is one search.
type tracer struct {
	src     Source
	options Options
	id      msgID
	text    []byte
	decided []*decided
	given   []given
	records []string
}

// decided is a decision of the gift, and where it stands.
type decided struct {
	decision
	seq uint64
}

// given is an entry of GIFTS under the id.
type given struct {
	gift
	node     string
	storedAt int64 // Unix ms
}

// recordsMax bounds what is kept of an id that was repeated without end.
const recordsMax = 100

// scan reads a stream. Only records in which the id stands are decoded.
func (t *tracer) scan(ctx context.Context, stream string, each func(Message) error) error {
	info, err := t.src.Info(ctx, stream)
	if err != nil {
		return err
	}
	return t.src.Read(ctx, Span{stream, info.First, info.Last}, func(m Message) error {
		if t.options.Progress != nil {
			t.options.Progress(stream, m.Seq-info.First+1, info.Last-info.First+1)
		}
		if !bytes.Contains(m.Data, t.text) {
			return nil
		}
		if err := each(m); err != nil {
			return fmt.Errorf("%s %d: %w", stream, m.Seq, err)
		}
		return nil
	})
}

func (t *tracer) outcome(m Message) error {
	rec, err := decodeOutcome(m.Data)
	if err != nil {
		return err
	}
	for i := range rec.Rooms {
		for j := range rec.Rooms[i].Decisions {
			if d := &rec.Rooms[i].Decisions[j]; d.Gift.MsgID == t.id && len(t.decided) < recordsMax {
				t.decided = append(t.decided, &decided{*d, m.Seq})
			}
		}
	}
	return nil
}

func (t *tracer) gift(m Message) error {
	rec, err := decodeGifts(m.Data)
	if err != nil {
		return err
	}
	for i := range rec.Entries {
		g := rec.Entries[i].Gift
		if g == nil || g.MsgID != t.id || len(t.given) == recordsMax {
			continue
		}
		note := "accepted"
		if len(t.given) > 0 {
			note = "repeated"
			first := t.given[0].gift
			if g.GiftID != first.GiftID || g.Count != first.Count || g.Asked != first.Asked {
				note = "repeated with other content, which does not count"
			}
		}
		t.given = append(t.given, given{*g, rec.Node, m.At.UnixMilli()})
		t.records = append(t.records, fmt.Sprintf("GIFTS %d/%d: %s, by node %s", m.Seq, i, note, rec.Node))
	}
	return nil
}

// timeline puts what was found in order: the first outcome that was written wins (P2).
func (t *tracer) timeline() (*Timeline, error) {
	out := &Timeline{Records: t.records}
	switch {
	case len(t.decided) > 0:
		d := t.decided[0]
		if len(t.given) == 0 {
			out.Records = append(out.Records, fmt.Sprintf("GIFTS %d/%d: its own record has left retention", d.GiftSeq, d.GiftIndex))
		}
		out.describe(&d.Gift, d.Node, d.StoredAt)
		out.Status, out.Code, out.Reason = d.Status, &d.Code, d.Reason
	case len(t.given) > 0:
		g := &t.given[0]
		out.describe(&g.gift, g.node, g.storedAt)
		out.Status = pending
	default:
		return nil, fmt.Errorf("%w: %v", ErrNotFound, t.id)
	}
	for i, d := range t.decided {
		note := d.Status
		if i > 0 {
			note = "decided again, as " + d.Status + ": the first outcome stands"
		}
		out.Records = append(out.Records, fmt.Sprintf("OUTCOMES %d: %s", d.seq, note))
		for j := range d.Attempts {
			out.attempt(&d.Attempts[j])
		}
		out.Events = append(out.Events, Event{
			At: d.At, Event: "outcome", Status: d.Status, Code: &d.Code, Reason: d.Reason, Message: d.Message,
		})
	}
	return out, nil
}

func (t *Timeline) describe(g *gift, node string, storedAt int64) {
	t.MsgID, t.ID, t.Room, t.UserID, t.GiftID = g.MsgID.String(), g.ClientID, g.Room, g.User.ID, g.GiftID
	t.Count, t.Value, t.Num, t.ReceiverID, t.At = g.Count, g.Value, g.Num, g.Receiver, g.At
	t.Events = []Event{{At: g.At, Event: "received", Node: node}, {At: storedAt, Event: "durable"}}
}

// attempt adds a call and its answer.
func (t *Timeline) attempt(a *attempt) {
	t.Events = append(t.Events, Event{At: a.StartedAt, Event: "attempt", N: a.N, Query: a.Query})
	if a.EndedAt == 0 {
		return // in flight when it was written
	}
	t.Events = append(t.Events, Event{
		At: a.EndedAt, Event: "answer", N: a.N, Taken: a.Outcome, Code: &a.Code, Result: a.Result,
		RequestID: a.RequestID, Message: a.Message,
	})
}
