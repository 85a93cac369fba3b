package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// readMax is the most bytes of records that one ReadGifts returns, unless the
// first alone is larger, which it cannot be.
const readMax = 1 << 20

// ReadGifts returns the next records after the given stream sequence, in order,
// at least one and at most 1 MiB of them; it waits for the first. Records of this
// journal are returned only after their entries' done functions were called, so
// that an acceptance always comes before what follows from it.
//
// It ends with ctx's cause, [ErrClosed], [ErrFormat] for a record that this
// release cannot read, or a [GoneError] when records after the sequence have been
// removed unread. With several partitions that also says that they may have been:
// the record at the sequence itself is gone, and so is what follows it in the
// stream. To keep this from happening to a partition where nobody gives, a reader
// that has waited for an hour has a record without entries stored, and gets it.
func (p *Partition) ReadGifts(ctx context.Context, after uint64) ([]GiftRecord, error) {
	r := giftReader{p: p, after: after, since: time.Now(), wait: retryFirst}
	for first := true; ; first = false {
		ring := p.pub.news.bell.wait() // before looking, so that nothing is missed
		// Who has read all that is known begins with waiting: the next look is the poll's,
		// unless there are news.
		if !first || after == 0 || p.pub.news.known.Load() != after {
			recs, err := r.look(ctx)
			if err != nil || len(recs) > 0 {
				return recs, err
			}
		}
		if err := r.rest(ctx, ring); err != nil {
			return nil, err
		}
	}
}

// giftReader is one call of ReadGifts.
type giftReader struct {
	p     *Partition
	after uint64
	since time.Time     // of the last mark, or the call's begin
	wait  time.Duration // before the next look at something that should be there
	tries int           // looks that found less than there should be
}

// look reads what there is.
func (r *giftReader) look(ctx context.Context) ([]GiftRecord, error) {
	var recs []GiftRecord
	held := false // by our own publisher, which has not told its senders yet
	get := directGet{Seq: r.after + 1, NextFor: giftSubject(r.p.n), Batch: batchRecords, MaxBytes: batchBytes}
	if r.p.j.layout.partitions > 1 && r.after > 0 {
		// The record itself: if it is there, nothing behind it is gone. It must not use
		// the batch up.
		get.Seq = r.after
		get.MaxBytes += recordMax
	}
	contiguous, size := false, 0
	_, err := r.p.j.direct(ctx, streamGifts, get, func(m message) error {
		if m.seq <= r.after {
			contiguous = true
			return nil
		}
		contiguous = contiguous || m.seq == r.after+1
		rec, err := giftRecordOf(m)
		if err != nil {
			return err
		}
		held = rec.Incarnation == r.p.j.incarnation && rec.Number > r.p.pub.news.told.Load()
		if size += len(m.data); held || len(recs) > 0 && size > readMax {
			return errPast
		}
		recs = append(recs, rec)
		return nil
	})
	switch {
	case len(recs) > 0:
		// What came before an error is right. The error, if it stays, comes next time.
		if contiguous {
			return recs, nil
		}
		if err := r.check(ctx); errors.Is(err, ErrGone) || errors.Is(err, ErrClosed) {
			return nil, err
		} else if err != nil {
			return nil, nil //nolint:nilerr // nobody says whether something is gone: they are read again
		}
		return recs, nil
	case held, errors.Is(err, errPast), errors.Is(err, errNoAnswer):
		return nil, nil
	case err != nil:
		return nil, r.p.j.ended(err)
	default:
		return nil, nil
	}
}

// check asks the leader whether records after the reader's position were removed.
func (r *giftReader) check(ctx context.Context) error {
	state, err := r.p.j.state(ctx, streamGifts)
	if err != nil {
		return r.p.j.ended(err)
	}
	if state.FirstSeq > r.after+1 {
		return &GoneError{Stream: streamGifts, After: r.after, First: state.FirstSeq}
	}
	return nil
}

// rest waits for news, or for the time to look without them.
func (r *giftReader) rest(ctx context.Context, ring <-chan struct{}) error {
	p := r.p
	wait := p.j.tuning.poll
	if p.pub.news.known.Load() > r.after {
		// It is there, and the replica that answered does not have it yet; or it is our
		// own and about to be told; or it is gone.
		wait, r.wait = r.wait, min(2*r.wait, retryMost)
		if r.tries++; r.tries%16 == 0 {
			err := r.check(ctx)
			if errors.Is(err, ErrGone) || errors.Is(err, ErrClosed) {
				return err
			} // else nobody says so: it is looked for again
		}
	}
	if p.j.layout.partitions > 1 && time.Since(r.since) > p.j.tuning.mark {
		r.since = time.Now()
		p.pub.storeMark()
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ring:
	case <-t.C:
	case <-p.j.life.closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// EndOfGifts returns a stream sequence that every record which was ever acknowledged or
// read before the call is below or at. A new owner takes what is up to there for sent.
//
// Beside an embedded server that is the newest record's. Elsewhere it is that of a record
// without entries which is stored for this: a leader that has been deposed and does not
// know it yet, because it was stopped or cut off, still answers reads (nats-server
// v2.15.2, jsMsgGetRequest: its own idea of leading is all that is asked), and would name
// an older one; but only a leader that has a quorum can acknowledge. It repeats until it
// is stored; where the stream is full, nothing more gets in, and the newest record's
// has to do. The errors are ctx's cause and [ErrClosed].
func (p *Partition) EndOfGifts(ctx context.Context) (uint64, error) {
	// Another incarnation than the publishers', whose records are counted.
	mark := appendGiftRecord(nil, p.j.cfg.Node, p.j.incarnation+".end", 1, nil)
	seq, err := p.endOf(ctx, streamGifts, giftSubject(p.n), mark)
	if err != nil {
		return 0, err
	}
	p.pub.news.learn(seq)
	return seq, nil
}

// endOf is EndOfGifts of any subject, with what is to be stored.
func (p *Partition) endOf(ctx context.Context, stream, subject string, mark []byte) (uint64, error) {
	if p.j.embedded == nil {
		seq, err := p.save(ctx, subject, mark, nil)
		if !errors.Is(err, ErrUnavailable) {
			return seq, err
		}
	}
	m, err := p.j.leaderLast(ctx, stream, subject)
	return m.seq, err
}

// LastGift returns the stream sequence of the partition's newest record, as the server
// has it that takes itself for the stream's leader; 0 when there is none. What must not
// miss an acknowledged record asks [Partition.EndOfGifts].
func (p *Partition) LastGift(ctx context.Context) (uint64, error) {
	m, err := p.j.leaderLast(ctx, streamGifts, giftSubject(p.n))
	return m.seq, err
}

// GiftsAt returns the records at these stream sequences, ascending; one that has
// aged out, or is another partition's, is left out. Bound what you ask for: the
// answer is in memory at once, up to 1 MiB a record.
func (p *Partition) GiftsAt(ctx context.Context, seqs []uint64) ([]GiftRecord, error) {
	seqs = slices.Compact(slices.Sorted(slices.Values(seqs)))
	recs := make([]GiftRecord, 0, len(seqs))
	for _, seq := range seqs {
		m, err := p.at(ctx, streamGifts, giftSubject(p.n), seq)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		rec, err := giftRecordOf(m)
		if err != nil {
			return nil, err
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

// at reads one record: from any replica, and where that has none from the leader.
func (p *Partition) at(ctx context.Context, stream, subject string, seq uint64) (message, error) {
	if seq == 0 {
		return message{}, &GoneError{Stream: stream}
	}
	m, err := p.j.directAt(ctx, stream, seq)
	if err != nil {
		if m, err = p.j.leaderSure(ctx, stream, seq); err != nil {
			return message{}, err
		}
	}
	if m.seq != seq || m.subject != subject {
		return message{}, &GoneError{Stream: stream, After: seq - 1}
	}
	return m, nil
}

func giftRecordOf(m message) (GiftRecord, error) {
	rec, err := decodeGiftRecord(m.data)
	if err != nil {
		return GiftRecord{}, fmt.Errorf("journal: %s sequence %d: %w", m.subject, m.seq, err)
	}
	rec.Seq, rec.StoredAt = m.seq, m.at.UnixMilli()
	return rec, nil
}

// hintPrefix is the core subject on which a publisher tells other nodes that a
// partition has a record at a sequence. It comes after the store's answer, unlike
// the record's own subject, where subscribers also see what is not stored yet or
// never. A hint wakes; it may be lost, and decides nothing.
const hintPrefix = "gw.stored."

// hint tells the other nodes. There are none beside an embedded server.
func (j *Journal) hint(partition int, seq uint64) {
	if j.embedded != nil {
		return
	}
	// A hint that is not sent is one that is lost: the others poll.
	_ = j.nc.Publish(hintPrefix+strconv.Itoa(partition), strconv.AppendUint(nil, seq, 10))
}

// followHints wakes the readers of partitions that others write to.
func (j *Journal) followHints() (*nats.Subscription, error) {
	if j.embedded != nil {
		return nil, nil //nolint:nilnil // no other nodes, no hints
	}
	sub, err := j.nc.Subscribe(hintPrefix+"*", func(m *nats.Msg) {
		p, errPartition := strconv.Atoi(strings.TrimPrefix(m.Subject, hintPrefix))
		seq, errSeq := strconv.ParseUint(string(m.Data), 10, 64)
		if errPartition == nil && errSeq == nil && p >= 0 && p < len(j.publishers) {
			j.publishers[p].news.learn(seq)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("journal: subscribe to hints: %w", err)
	}
	return sub, nil
}
