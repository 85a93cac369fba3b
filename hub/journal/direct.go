package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Bounds of one batch of direct gets. The server ends a batch with the record
// that reaches the bytes, so that one holds at most 512 KiB and one record.
const (
	batchRecords = 256
	batchBytes   = 512 << 10
)

// directGet asks a stream for a batch of records (nats-server, JSApiMsgGetRequest).
type directGet struct {
	Seq       uint64   `json:"seq,omitzero"`
	NextFor   string   `json:"next_by_subj,omitzero"`
	MultiLast []string `json:"multi_last,omitzero"`
	Batch     int      `json:"batch,omitzero"`
	MaxBytes  int      `json:"max_bytes,omitzero"`
}

// tail is what the end of a batch says.
type tail struct {
	pending uint64 // records that the request would match beyond the batch
	upTo    uint64 // of MultiLast: the replica's newest sequence
}

// errNoAnswer: no replica answered, or one stopped in the middle.
var errNoAnswer = errors.New("no answer")

// direct asks any replica for a batch and calls each for its records in order. A
// batch may miss the newest records, and may end early with an error after some:
// what each got is right, there may be more. No record at all is not an error.
func (j *Journal) direct(ctx context.Context, stream string, get directGet, each func(message) error) (tail, error) {
	req, err := json.Marshal(get)
	if err != nil {
		return tail{}, fmt.Errorf("journal: encode request: %w", err)
	}
	inbox := j.nc.NewInbox()
	sub, err := j.nc.SubscribeSync(inbox)
	if err != nil {
		return tail{}, fmt.Errorf("journal: subscribe: %w", err)
	}
	defer func() {
		// It fails only when the connection is closed, and then there is no subscription.
		_ = sub.Unsubscribe()
	}()
	if err := j.nc.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, req); errors.Is(err, nats.ErrConnectionClosed) {
		return tail{}, fmt.Errorf("journal: read from %s: %w", stream, err)
	} else if err != nil { // there is no connection now, and nothing is kept for later
		return tail{}, fmt.Errorf("%w: read from %s: %w", errNoAnswer, stream, err)
	}
	var prev uint64
	for {
		msg, err := j.nextAnswer(ctx, sub)
		if err != nil {
			return tail{}, err
		}
		if status := msg.Header.Get("Status"); status != "" {
			return endOfBatch(status, msg, prev)
		}
		m, before, err := parseDirect(msg)
		if err != nil {
			return tail{}, err
		}
		if before != prev {
			return tail{}, fmt.Errorf("%w: a batch of %s has a gap after %d", errNoAnswer, stream, prev)
		}
		prev = m.seq
		if err := each(m); err != nil {
			return tail{}, err
		}
	}
}

// nextAnswer waits for the next message of a batch. Some errors of the server
// send nothing (JETSTREAM.md, 6), hence the bound.
func (j *Journal) nextAnswer(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	wait, cancel := context.WithTimeout(ctx, j.tuning.direct)
	defer cancel()
	msg, err := sub.NextMsgWithContext(wait)
	switch {
	case err == nil:
		return msg, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	default:
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
}

func endOfBatch(status string, msg *nats.Msg, prev uint64) (tail, error) {
	switch status {
	case "404": // nothing (any more) from there on
		return tail{}, nil
	case "204":
		if last := number(msg, "Nats-Last-Sequence"); last != prev {
			return tail{}, fmt.Errorf("%w: a batch ended at %d, seen was %d", errNoAnswer, last, prev)
		}
		return tail{pending: number(msg, "Nats-Num-Pending"), upTo: number(msg, "Nats-UpTo-Sequence")}, nil
	case "503": // no responders
		return tail{}, errNoAnswer
	default:
		return tail{}, fmt.Errorf("journal: batch refused: %s %s", status, msg.Header.Get("Description"))
	}
}

// parseDirect reads a record of a batch, and the sequence of the one before it.
func parseDirect(msg *nats.Msg) (m message, before uint64, err error) {
	at, err := time.Parse(time.RFC3339Nano, msg.Header.Get(jetstream.TimeStampHeaer))
	if err != nil {
		return message{}, 0, fmt.Errorf("%w: time of a record: %w", ErrFormat, err)
	}
	m = message{
		subject: msg.Header.Get(jetstream.SubjectHeader), seq: number(msg, jetstream.SequenceHeader),
		at: at, header: msg.Header, data: msg.Data,
	}
	if m.seq == 0 {
		return message{}, 0, fmt.Errorf("%w: a record has no sequence", ErrFormat)
	}
	return m, number(msg, "Nats-Last-Sequence"), nil
}

// number reads a header; 0 when there is none.
func number(msg *nats.Msg, header string) uint64 {
	n, err := strconv.ParseUint(msg.Header.Get(header), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// directAt reads one record from any replica. An error says only that this one has
// not got it.
func (j *Journal) directAt(ctx context.Context, stream string, seq uint64) (message, error) {
	var got message
	_, err := j.direct(ctx, stream, directGet{Seq: seq, Batch: 1}, func(m message) error {
		got = m
		return nil
	})
	if err == nil && got.seq != seq {
		err = errNoAnswer
	}
	return got, err
}

// span is the records of one subject after a sequence up to and including upTo,
// which must be one of them.
type span struct {
	stream, subject string
	after, upTo     uint64
}

// readThrough calls each for the span's records in order. It reads again until it
// has seen the last one: an empty batch says nothing. [GoneError] when that has
// aged out.
func (j *Journal) readThrough(ctx context.Context, s span, each func(message) error) error {
	next := s.after + 1
	wait := retryFirst
	for next <= s.upTo {
		from := next
		_, err := j.direct(ctx, s.stream, directGet{
			Seq: next, NextFor: s.subject, Batch: batchRecords, MaxBytes: batchBytes,
		}, func(m message) error {
			if m.seq > s.upTo {
				return errPast
			}
			next = m.seq + 1
			return each(m)
		})
		switch {
		case errors.Is(err, errPast):
			if next <= s.upTo {
				return &GoneError{Stream: s.stream, After: next - 1}
			}
			return nil
		case err != nil && !errors.Is(err, errNoAnswer):
			return j.ended(err)
		case next > from:
			wait = retryFirst
			continue
		}
		if wait >= retryMost {
			if err := j.stillThere(ctx, s); err != nil {
				return err
			}
		}
		if err := j.pause(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, retryMost)
	}
	return nil
}

// errPast ends a batch that went beyond its span.
var errPast = errors.New("past the span")

// stillThere asks the leader whether the span's end exists.
func (j *Journal) stillThere(ctx context.Context, s span) error {
	m, err := j.leaderSure(ctx, s.stream, s.upTo)
	switch {
	case err != nil:
		return err
	case m.seq == 0 || m.subject != s.subject:
		return &GoneError{Stream: s.stream, After: s.upTo - 1}
	default:
		return nil
	}
}

// ended turns a closed connection into ErrClosed.
func (j *Journal) ended(err error) error {
	if errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrBadSubscription) && j.life.isClosed() {
		return ErrClosed
	}
	return err
}
