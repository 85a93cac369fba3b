package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// LastOutcome returns the partition's last record, read from the stream's leader;
// a record with Seq 0 when there is none. A leader that has been deposed and does not
// know it yet may name an older one: who appends behind it is refused.
func (p *Partition) LastOutcome(ctx context.Context) (OutcomeRecord, error) {
	m, err := p.j.leaderLast(ctx, streamOutcomes, outcomeSubject(p.n))
	if err != nil || m.seq == 0 {
		return OutcomeRecord{}, err
	}
	rec, _, err := outcomeOf(m)
	return rec, err
}

// FirstOutcome returns a sequence at or below that of the partition's oldest
// retained record, above that of every one that is gone.
func (p *Partition) FirstOutcome(ctx context.Context) (uint64, error) {
	return p.j.first(ctx, streamOutcomes, outcomeSubject(p.n))
}

// FirstGift is [Partition.FirstOutcome] of GIFTS.
func (p *Partition) FirstGift(ctx context.Context) (uint64, error) {
	return p.j.first(ctx, streamGifts, giftSubject(p.n))
}

// first is the sequence of a subject's oldest record, or the one after the stream's
// newest.
func (j *Journal) first(ctx context.Context, stream, subject string) (uint64, error) {
	state, err := j.state(ctx, stream)
	if err != nil {
		return 0, err
	}
	m, err := j.leaderFirst(ctx, stream, subject, state.FirstSeq)
	if err != nil || m.seq != 0 {
		return m.seq, err
	}
	return state.LastSeq + 1, nil
}

// AppendOutcome stores the record if the partition's last record still has the
// sequence expected (0: it has none), and returns its own. One append at a time.
//
// It repeats an append whose answer was lost until it knows, and waits while the
// store is away or full. The errors are [ErrFenced]: someone else has written, or
// the expected record has aged out; [ErrTooLarge]; a record that cannot be
// encoded; ctx's cause, [ErrClosed] and [ErrWedged]: then, and after a lost answer
// also with ErrFenced, the record may be stored, and the next owner replays it.
func (p *Partition) AppendOutcome(ctx context.Context, expected uint64, rec OutcomeRecord) (uint64, error) {
	data, err := encodeOutcome(rec, expected)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	unanswered := false // counted in health
	defer func() {
		if unanswered {
			p.j.health.stalled.Add(-1)
		}
	}()
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		seq, err := p.tryAppend(ctx, expected, data)
		if apiCode(err) == codeWrongLast {
			if seq, err = p.whoWrote(ctx, expected, rec); err == nil && seq == 0 {
				err = errAgain // what was in the way is not there
			}
		}
		switch {
		case err == nil:
			p.j.stats.appended(len(data))
			p.j.cfg.Hooks.appended(len(data), time.Since(begun))
			return seq, nil
		case errors.Is(err, ErrFenced), errors.Is(err, ErrFormat):
			return 0, err
		case errors.Is(err, nats.ErrConnectionClosed):
			return 0, ErrClosed
		}
		if !unanswered && time.Since(begun) >= p.j.cfg.Unanswered {
			unanswered = true
			p.j.health.stalled.Add(1)
			p.j.cfg.Logger.Warn("an append to the log has no end: repeating it", slog.Int("partition", p.n), slog.Any("error", err))
		}
		if err := p.j.pause(ctx, wait); err != nil {
			return 0, err
		}
	}
}

// tryAppend is one attempt. There is no Nats-Msg-Id: the expectation alone keeps a
// repeat from being stored twice, and a server that finds the id first would say
// "duplicate" of a record that a rival has followed.
func (p *Partition) tryAppend(ctx context.Context, expected uint64, data []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, p.j.cfg.Unanswered)
	defer cancel()
	msg := &nats.Msg{Subject: outcomeSubject(p.n), Data: data, Header: nats.Header{}}
	ack, err := p.j.js.PublishMsg(ctx, msg,
		jetstream.WithExpectLastSequencePerSubject(expected), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// whoWrote reads the last record after a refusal. It returns its sequence if it is
// the very record that was to be stored: an earlier attempt landed. 0: the last
// record is the expected one still, so the refusal was about something else.
func (p *Partition) whoWrote(ctx context.Context, expected uint64, rec OutcomeRecord) (uint64, error) {
	last, err := p.lastFrom(ctx, expected)
	if err != nil {
		return 0, err
	}
	switch {
	case last.Seq == expected:
		return 0, nil
	case last.Seq > expected && last.Node == rec.Node && last.Incarnation == rec.Incarnation &&
		last.Term == rec.Term && last.Number == rec.Number:
		return last.Seq, nil
	case last.Seq == 0:
		return 0, fmt.Errorf("%w: record %d, the last, has aged out", ErrFenced, expected)
	default:
		return 0, fmt.Errorf("%w: node %s, term %d, wrote record %d after %d",
			ErrFenced, last.Node, last.Term, last.Seq, expected)
	}
}

// lastFrom is LastOutcome for who knows that there is a record at seq. Nothing but age
// removes a last record, so who names an older one may be a leader that has been
// deposed and learns it within a heartbeat (1 s, nats-server v2.15.2, raft.go): it is
// asked again for so long.
func (p *Partition) lastFrom(ctx context.Context, seq uint64) (last OutcomeRecord, err error) {
	for range 12 {
		if last, err = p.LastOutcome(ctx); err != nil || last.Seq >= seq {
			return last, err
		}
		state, err := p.j.state(ctx, streamOutcomes)
		if err != nil {
			return OutcomeRecord{}, err
		}
		if last.Seq == 0 && state.LastSeq >= seq {
			break // it has aged out
		}
		if err := p.j.pause(ctx, 100*time.Millisecond); err != nil {
			return OutcomeRecord{}, err
		}
	}
	return last, nil
}

// ReadOutcomes calls each for the partition's records after the given sequence up
// to and including the one at upTo, which the caller knows to exist. An error of
// each ends it. Records form a chain: one that does not follow the one before, or
// after itself, is a [GoneError]. After 0, and where the log had aged out
// completely, it begins with what is retained.
func (p *Partition) ReadOutcomes(ctx context.Context, after, upTo uint64, each func(OutcomeRecord) error) error {
	last := after
	s := span{stream: streamOutcomes, subject: outcomeSubject(p.n), after: after, upTo: upTo}
	return p.j.readThrough(ctx, s, func(m message) error {
		rec, prev, err := outcomeOf(m)
		if err != nil {
			return err
		}
		if last != 0 && prev != last && prev != 0 {
			return &GoneError{Stream: streamOutcomes, After: last}
		}
		last = rec.Seq
		return each(rec)
	})
}

// OutcomeAt returns one record, or an [ErrGone].
func (p *Partition) OutcomeAt(ctx context.Context, seq uint64) (OutcomeRecord, error) {
	m, err := p.at(ctx, streamOutcomes, outcomeSubject(p.n), seq)
	if err != nil {
		return OutcomeRecord{}, err
	}
	rec, _, err := outcomeOf(m)
	return rec, err
}

func outcomeOf(m message) (rec OutcomeRecord, prev uint64, err error) {
	rec, prev, err = decodeOutcome(m.data)
	if err != nil {
		return OutcomeRecord{}, 0, fmt.Errorf("journal: %s sequence %d: %w", m.subject, m.seq, err)
	}
	rec.Seq, rec.StoredAt = m.seq, m.at.UnixMilli()
	return rec, prev, nil
}
