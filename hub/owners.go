package hub

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// owners are the partitions of this process. It finds the one that a room belongs to
// and asks it; it adds nothing of its own.
type owners struct {
	partitions []*owner.Partition
	index      func(roomID string) int // which of them
	stored     *stored                 // how far they should have read

	mu    sync.Mutex
	stats []owner.Stats // as read at, see Stats
	read  time.Time
}

var (
	_ ledgers      = (*owners)(nil)
	_ roomStates   = (*owners)(nil)
	_ intake.Owner = (*owners)(nil)
	_ intake.Chat  = (*owners)(nil)
)

func (o *owners) of(roomID string) *owner.Partition { return o.partitions[o.index(roomID)] }

// Serves implements roomStates.
func (o *owners) Serves(roomID string) bool { return o.of(roomID).Ready() }

// Room implements roomStates and intake.Owner. It may lack what was accepted in the
// last milliseconds.
func (o *owners) Room(roomID string) owner.RoomState { return o.of(roomID).Room(roomID) }

// State implements ledgers.
func (o *owners) State(ctx context.Context, roomID string) (owner.RoomState, error) {
	if err := o.catchUp(ctx, o.index(roomID)); err != nil {
		return owner.RoomState{}, err
	}
	return o.Room(roomID), nil
}

// Ledger implements ledgers.
func (o *owners) Ledger(ctx context.Context, roomID string, after owner.Cursor, limit int) (owner.Page, error) {
	return o.of(roomID).Ledger(ctx, roomID, after, limit)
}

// Timeline implements ledgers.
func (o *owners) Timeline(ctx context.Context, roomID string, id room.MsgID) (owner.Timeline, error) {
	if err := o.catchUp(ctx, o.index(roomID)); err != nil {
		return owner.Timeline{}, err
	}
	return o.of(roomID).Timeline(ctx, roomID, id)
}

// Lookup implements intake.Owner.
func (o *owners) Lookup(ctx context.Context, roomID string, id room.MsgID) (owner.Known, error) {
	return o.of(roomID).Lookup(ctx, id)
}

// Comment implements intake.Chat.
func (o *owners) Comment(roomID, gameID string, c room.Comment) error {
	return o.of(roomID).Comment(roomID, gameID, c)
}

// Like implements intake.Chat.
func (o *owners) Like(roomID, gameID string, l room.Like) error {
	return o.of(roomID).Like(roomID, gameID, l)
}

// OpenGifts implements intake.Owner.
func (o *owners) OpenGifts() int {
	sum := 0
	for _, p := range o.partitions {
		sum += p.OpenGifts()
	}
	return sum
}

// serving counts the partitions that are ready.
func (o *owners) serving() int {
	ready := 0
	for _, p := range o.partitions {
		if p.Ready() {
			ready++
		}
	}
	return ready
}

// statsEvery is how old the owners' numbers may be: reading them looks at every open
// gift, and a scraper must not be able to keep the rooms waiting.
const statsEvery = time.Second

// Stats returns every partition's numbers, at most statsEvery old.
func (o *owners) Stats() []owner.Stats {
	o.mu.Lock()
	defer o.mu.Unlock()
	if at := time.Now(); o.stats == nil || at.Sub(o.read) >= statsEvery {
		o.stats, o.read = o.fresh(), at
	}
	return o.stats
}

// fresh reads every partition's numbers.
func (o *owners) fresh() []owner.Stats {
	stats := make([]owner.Stats, len(o.partitions))
	for i, p := range o.partitions {
		stats[i] = p.Stats()
	}
	return stats
}

// waitFlushed waits until no gift is open in the partitions that are ready, of those
// that were accepted up to now, or ctx ends.
func (o *owners) waitFlushed(ctx context.Context) error {
	for n, p := range o.partitions {
		err := o.catchUp(ctx, n)
		if err == nil {
			err = p.WaitFlushed(ctx)
		}
		if err != nil && !errors.Is(err, owner.ErrNotReady) {
			return err
		}
	}
	return nil
}

// catchUpPoll is how often catchUp looks. The rooms are some milliseconds behind.
const catchUpPoll = 2 * time.Millisecond

// catchUp waits until a partition has read all that this node has accepted up to now,
// or ctx ends. The error is owner.ErrNotReady or ctx's cause.
func (o *owners) catchUp(ctx context.Context, n int) error {
	p, upTo := o.partitions[n], o.stored.newest(n)
	for !p.Ready() || p.ReadSoFar() < upTo {
		if !p.Ready() {
			return owner.ErrNotReady
		}
		select {
		case <-time.After(catchUpPoll):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
