package hub

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/ask"
	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/holding"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/relay"
)

// partitions are those that this node owns.
type partitions struct {
	holding *holding.Holding[*held]
	count   int
	stored  *stored      // how far they should have read
	bus     *cluster.Bus // nil: there are no other nodes
	log     *slog.Logger

	// lost ends everything: on a node that is alone there is nobody else to take a
	// partition over. Set by run before anything is held.
	lost context.CancelCauseFunc

	mu    sync.Mutex
	stats []owner.Stats // as read at, see Stats
	read  time.Time
}

// held is a partition that this node owns, or takes over just now.
type held struct {
	*owner.Partition

	number      int
	incarnation string
	desk        *ask.Desk
	serving     func(*owner.Partition) // called once it is ready
	failed      func(error)
}

// Run implements holding.Partition: questions are answered while the partition runs.
func (p *held) Run(ctx context.Context) error {
	stop, err := p.desk.Serve(p.number, p.incarnation, p.Partition)
	if err != nil {
		return err
	}
	defer stop()
	ended := make(chan struct{})
	var announced sync.WaitGroup
	announced.Go(func() {
		select {
		case <-p.Served():
			p.serving(p.Partition)
		case <-ended:
		}
	})
	err = p.Partition.Run(ctx)
	close(ended)
	announced.Wait()
	if err != nil {
		p.failed(err)
	}
	return err
}

// freeSubject is where a node tells that it has released a partition: its number
// follows.
const freeSubject = "gw.free."

// run owns what belongs to this node, as the incarnation, until ctx ends.
func (ps *partitions) run(ctx context.Context, incarnation string) error {
	if ps.bus == nil {
		alive, lost := context.WithCancelCause(ctx)
		defer lost(nil)
		ps.lost = lost
		ps.holding.Run(alive, incarnation)
		if ctx.Err() == nil {
			return context.Cause(alive)
		}
		return nil
	}
	sub, err := ps.bus.Subscribe(freeSubject+"*", func(subject string, _ []byte) {
		if n, err := strconv.Atoi(strings.TrimPrefix(subject, freeSubject)); err == nil {
			ps.holding.Freed(n)
		}
	})
	if err != nil {
		return err
	}
	defer sub.Close()
	ps.holding.Run(ctx, incarnation)
	return nil
}

// failed hears that a partition was lost.
func (ps *partitions) failed(n int, err error) {
	if ps.bus == nil {
		ps.lost(fmt.Errorf("partition %d: %w", n, err))
	}
}

// released tells the other nodes that a partition is free. They would find it out by
// themselves, half a second later.
func (ps *partitions) released(n int) {
	if ps.bus == nil {
		return
	}
	if err := ps.bus.Publish(freeSubject+strconv.Itoa(n), nil); err != nil {
		ps.log.Debug("a released partition is not announced", slog.Int("partition", n), slog.Any("error", err))
	}
}

// each calls f with every partition that is held.
func (ps *partitions) each(f func(n int, p *owner.Partition)) {
	for n := range ps.count {
		if p, ok := ps.holding.Get(n); ok {
			f(n, p.Partition)
		}
	}
}

// ready counts the partitions that are served here.
func (ps *partitions) ready() int {
	ready := 0
	ps.each(func(_ int, p *owner.Partition) {
		if p.Ready() {
			ready++
		}
	})
	return ready
}

// state is that of a room of a partition that is served here; false: it is not.
func (ps *partitions) state(n int, roomID string) (owner.RoomState, bool) {
	p, ok := ps.holding.Get(n)
	if !ok {
		return owner.RoomState{}, false
	}
	state := p.Room(roomID)
	return state, state.Owner != ""
}

// crowded lists the rooms here with at least so many open gifts.
func (ps *partitions) crowded(least int) []relay.Load {
	var loads []relay.Load
	ps.each(func(_ int, p *owner.Partition) {
		for id, open := range p.Crowded(least) {
			loads = append(loads, relay.Load{Room: id, Open: open})
		}
	})
	return loads
}

// statsEvery is how old the owners' numbers may be: reading them looks at every open
// gift, and a scraper must not be able to keep the rooms waiting.
const statsEvery = time.Second

// Stats returns every partition's numbers, at most statsEvery old.
func (ps *partitions) Stats() []owner.Stats {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if at := time.Now(); ps.stats == nil || at.Sub(ps.read) >= statsEvery {
		ps.stats, ps.read = ps.fresh(), at
	}
	return ps.stats
}

// fresh reads every partition's numbers.
func (ps *partitions) fresh() []owner.Stats {
	var stats []owner.Stats
	ps.each(func(_ int, p *owner.Partition) { stats = append(stats, p.Stats()) })
	return stats
}

// openGifts counts what is accepted and not decided here.
func (ps *partitions) openGifts() int {
	open := 0
	ps.each(func(_ int, p *owner.Partition) { open += p.OpenGifts() })
	return open
}

// waitFlushed waits until no gift is open in the partitions that are ready, of those
// that this node has accepted up to now, or ctx ends.
func (ps *partitions) waitFlushed(ctx context.Context) error {
	return ps.poll(ctx, func() bool {
		flushed := true
		ps.each(func(n int, p *owner.Partition) {
			if p.Ready() && (p.ReadSoFar() < ps.stored.newest(n) || p.OpenGifts() > 0) {
				flushed = false
			}
		})
		return flushed
	})
}

// waitHandedOver waits until nothing is held any more, or ctx ends.
func (ps *partitions) waitHandedOver(ctx context.Context) error {
	return ps.poll(ctx, func() bool {
		held := 0
		ps.each(func(int, *owner.Partition) { held++ })
		return held == 0
	})
}

// poll asks until it is done, or ctx ends.
func (ps *partitions) poll(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
