package relay

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
)

const (
	// menders is how many rooms are mended at once. A read takes 1 ms, so that they do
	// 8,000 a second, and a store that is away is asked 8 times in mendMax.
	menders = 8
	// mendMax is how long one question may take.
	mendMax = 2 * time.Second
	// repairRecords and repairDecisions bound what one repair reads back: a minute of the
	// busiest room (18 calls a second), and 10 MB of gifts of 1 KiB, 80 MB for all menders.
	// What is further back is skipped.
	repairRecords   = 1000
	repairDecisions = 10_000
	// againFirst and againMost are how long a room waits after a failure.
	againFirst = 250 * time.Millisecond
	againMost  = 8 * time.Second
)

// wake has the room mended after a while if it needs anything.
func (f *Follower) wake(r *followed, after time.Duration) {
	r.mu.Lock()
	needed := !r.need.mending && r.needs()
	r.need.mending = r.need.mending || needed
	r.mu.Unlock()
	if needed {
		f.queue.put(r, after)
	}
}

// needs reports whether there is something to ask others for. The first state is
// Follow's to ask for. Under mu.
func (r *followed) needs() bool {
	if r.interest.gone {
		return false
	}
	return r.line.known && (r.need.state || r.line.gap() > 0)
}

// mend mends rooms until ctx ends.
func (f *Follower) mend(ctx context.Context) {
	for {
		r := f.queue.take(ctx)
		if r == nil {
			return
		}
		err := f.mendRoom(ctx, r)
		if err == nil {
			continue
		}
		r.mu.Lock()
		again := min(againFirst<<min(r.need.failures, 10), againMost)
		r.need.failures++
		r.mu.Unlock()
		f.relay.counts.mendsFailed.Add(1)
		f.relay.cfg.Logger.Debug("room not mended; trying again", slog.String("room", r.room), slog.Any("error", err))
		f.queue.put(r, again)
	}
}

// mendRoom closes the room's gaps and gets its state until it needs nothing more.
func (f *Follower) mendRoom(ctx context.Context, r *followed) error {
	for {
		r.mu.Lock()
		if !r.needs() {
			r.need.mending, r.need.failures = false, 0
			r.mu.Unlock()
			return nil
		}
		after, upTo := r.line.record, r.line.gap()
		r.mu.Unlock()
		var err error
		if upTo > 0 {
			err = f.repair(ctx, r, after, upTo)
		} else {
			timed, cancel := context.WithTimeout(ctx, mendMax)
			err = f.ask(timed, r)
			cancel()
		}
		if err != nil {
			return err
		}
	}
}

// repair reads a gap from the log and tells it.
func (f *Follower) repair(ctx context.Context, r *followed, after, upTo uint64) error {
	found, err := f.readBack(ctx, r.room, after, upTo)
	if err != nil {
		return err
	}
	f.relay.counts.repairs.Add(1)
	f.relay.counts.repaired.Add(uint64(len(found)))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interest.gone {
		return nil
	}
	if !r.line.fill(upTo, found, r.tell) {
		f.relay.counts.skipped.Add(1)
		r.need.state = true // the totals
	}
	return nil
}

// readBack reads the room's records after one up to and including another, against the
// chain, and returns them oldest first. Where it ends early the older ones are gone, or
// too many.
func (f *Follower) readBack(ctx context.Context, roomID string, after, upTo uint64) ([]owner.News, error) {
	var found []owner.News
	decisions := 0
	for at := upTo; at > after && len(found) < repairRecords && decisions < repairDecisions; {
		d, err := f.outcome(ctx, roomID, at)
		if err != nil {
			return nil, err
		}
		if d == nil {
			break
		}
		n := newsAt(roomID, at, d)
		found = append(found, n)
		decisions += len(n.Decisions)
		at = d.Prev
	}
	slices.Reverse(found)
	return found, nil
}

// newsAt is a room's share of a record as news.
func newsAt(roomID string, at uint64, d *journal.RoomDecisions) owner.News {
	n := owner.News{Room: roomID, Record: at, Prev: d.Prev, Seq: d.Seq}
	for i := range d.Decisions {
		n.Decisions = append(n.Decisions, d.Decisions[i].Decision)
	}
	return n
}

// outcome reads the room's share of a record; nil: it cannot be had any more.
func (f *Follower) outcome(ctx context.Context, roomID string, at uint64) (*journal.RoomDecisions, error) {
	ctx, cancel := context.WithTimeout(ctx, mendMax)
	defer cancel()
	rec, err := f.relay.cfg.Source.OutcomeAt(ctx, roomID, at)
	switch {
	case errors.Is(err, journal.ErrGone):
		return nil, nil //nolint:nilnil // told apart by the caller
	case errors.Is(err, journal.ErrFormat):
		f.relay.cfg.Logger.Error("a record cannot be read; skipping it", slog.String("room", roomID), slog.Any("error", err))
		return nil, nil //nolint:nilnil // told apart by the caller
	case err != nil:
		return nil, err
	}
	for i := range rec.Rooms {
		if d := &rec.Rooms[i]; d.Room == roomID && d.Prev < at {
			return d, nil
		}
	}
	f.relay.cfg.Logger.Error("a record is not of the room's chain; skipping it", slog.String("room", roomID), slog.Uint64("record", at))
	return nil, nil //nolint:nilnil // told apart by the caller
}

// queue is the rooms that wait for a mender, each at most once (need.mending).
type queue struct {
	wake chan struct{} // 1-buffered: there may be something for one mender

	mu    sync.Mutex // guards the following
	ready []*followed
	later []due // by time
}

type due struct {
	room *followed
	at   time.Time
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

func (q *queue) put(r *followed, after time.Duration) {
	q.mu.Lock()
	if after == 0 {
		q.ready = append(q.ready, r)
	} else {
		d := due{r, time.Now().Add(after)}
		at, _ := slices.BinarySearchFunc(q.later, d, func(a, b due) int { return cmp.Or(a.at.Compare(b.at), -1) })
		q.later = slices.Insert(q.later, at, d)
	}
	q.mu.Unlock()
	q.rouse()
}

func (q *queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for a room; nil: ctx has ended.
func (q *queue) take(ctx context.Context) *followed {
	for {
		r, next := q.pop(time.Now())
		if r != nil {
			return r
		}
		var timer <-chan time.Time // stays nil where nothing is due later
		if next > 0 {
			timer = time.After(next)
		}
		select {
		case <-q.wake:
		case <-timer:
		case <-ctx.Done():
			return nil
		}
	}
}

// pop returns a room that is due, or in how long the next one will be.
func (q *queue) pop(now time.Time) (r *followed, next time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for ; n < len(q.later) && !q.later[n].at.After(now); n++ {
		q.ready = append(q.ready, q.later[n].room)
	}
	q.later = slices.Delete(q.later, 0, n)
	if len(q.ready) == 0 {
		if len(q.later) > 0 {
			return nil, q.later[0].at.Sub(now)
		}
		return nil, 0
	}
	r = q.ready[0]
	q.ready[0] = nil
	q.ready = q.ready[1:]
	if len(q.ready)+len(q.later) > 0 {
		q.rouse() // for another mender
	}
	return r, 0
}

func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ready) + len(q.later)
}
