package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/holding"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// barrier is a place that can be closed.
type barrier struct {
	mu   sync.Mutex
	open chan struct{} // nil: it is open
}

func (b *barrier) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		b.open = make(chan struct{})
	}
}

func (b *barrier) reopen() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open != nil {
		close(b.open)
		b.open = nil
	}
}

func (b *barrier) closed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// wait waits until it is open, or one of the ends.
func (b *barrier) wait(ends ...<-chan struct{}) {
	for open := b.closed(); open != nil; open = b.closed() {
		select {
		case <-open:
		case <-ends[0]:
			return
		case <-ends[len(ends)-1]:
			return
		}
	}
}

var errDead = errors.New("this process was killed")

// process is one life of a node: the real members, holding and owners, whose ways to the
// store and to ZEGO go through it.
type process struct {
	w      *bubble
	node   string
	killed chan struct{} // closed by kill -9
	frozen barrier       // SIGSTOP: nothing is sent, nothing is heard
	cut    barrier       // no way to the store; ZEGO is there
	deaf   barrier       // the watch of leases says nothing; all else works
	end    context.CancelFunc
	ended  chan struct{}

	mu   sync.Mutex // guards the following
	draw *rand.Rand
	slow time.Duration // how late the store's answers are

	members *cluster.Members
	holding *holding.Holding[*owner.Partition]
}

func (p *process) dead() bool {
	select {
	case <-p.killed:
		return true
	default:
		return false
	}
}

// between draws a duration.
func (p *process) between(low, high time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return low + time.Duration(p.draw.Int64N(int64(high-low)))
}

func (p *process) chance(of float64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.draw.Float64() < of
}

// thawed waits out a SIGSTOP. Nothing of a stopped process times out.
func (p *process) thawed() { p.frozen.wait(p.killed) }

// travel is one way between process and store: it takes a moment, or as long as the
// process is stopped, the way is cut, or the store is away; or ctx ends first.
func (p *process) travel(ctx context.Context) error {
	p.thawed()
	p.mu.Lock()
	slow := p.slow
	p.mu.Unlock()
	select {
	case <-time.After(p.between(100*time.Microsecond, 3*time.Millisecond) + slow):
	case <-ctx.Done():
	case <-p.killed:
	}
	for _, b := range []*barrier{&p.cut, &p.w.away} {
		b.wait(ctx.Done(), p.killed)
	}
	p.thawed()
	switch {
	case p.dead():
		return errDead
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return nil
}

// there asks the store something, and comes back with the answer.
func there[T any](ctx context.Context, p *process, do func() (T, error)) (T, error) {
	var none T
	if err := p.travel(ctx); err != nil {
		return none, err
	}
	v, err := do()
	if lost := p.travel(ctx); lost != nil {
		return none, lost
	}
	return v, err
}

// start begins a life of a node.
func (w *bubble) start(node string) {
	w.lives++
	p := &process{
		w: w, node: node, killed: make(chan struct{}), ended: make(chan struct{}),
		draw: rand.New(rand.NewPCG(w.seed, uint64(w.lives))),
	}
	p.members = cluster.NewMembers(&leaseWay{p}, cluster.MembersConfig{Node: node, Changed: func() { p.holding.Look() }, Logger: w.log(node)})
	var err error
	p.holding, err = holding.New(holding.Config[*owner.Partition]{
		Node: node, Partitions: len(w.logs), Roll: p.members, Logger: w.log(node),
		Last: func(ctx context.Context, n int) (journal.OutcomeRecord, error) {
			return (&logWay{Hand: w.logs[n].Hand(), p: p}).LastOutcome(ctx)
		},
		New:      p.own,
		Released: func(n int) { w.released(p, n) },
	})
	if err != nil {
		w.fault("%v", err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	p.end = cancel
	w.mu.Lock()
	w.nodes[node] = p
	w.mu.Unlock()
	w.running.Go(func() {
		defer close(p.ended)
		err := p.members.Run(ctx, func(ctx context.Context, l *cluster.Life) error {
			p.holding.Run(ctx, l.Incarnation)
			return nil
		})
		if err != nil && !p.dead() {
			w.fault("%s: %v", node, err)
		}
	})
}

// own makes a real owner.
func (p *process) own(n int, incarnation string, last journal.OutcomeRecord) (*owner.Partition, error) {
	return owner.New(owner.Config{
		Store: &logWay{Hand: p.w.logs[n].Hand(), p: p}, Sender: &zegoWay{p: p, partition: n, incarnation: incarnation},
		Listener: silence{}, Node: p.node, Incarnation: incarnation, Behind: &last, SnapshotEvery: 2 * time.Second, Logger: p.w.log(p.node),
		Gate: func(room.Action) (time.Duration, bool) { // as the hub does
			p.thawed()
			return 100 * time.Millisecond, !p.dead() && p.members.Valid()
		},
	})
}

// kill is kill -9.
func (p *process) kill() {
	close(p.killed)
	p.end()
}

// released tells the other nodes that a partition is free, if they can be reached.
func (w *bubble) released(p *process, n int) {
	for _, other := range w.all() {
		if other != p && !p.dead() && p.cut.closed() == nil && other.cut.closed() == nil && w.away.closed() == nil {
			other.holding.Freed(n)
		}
	}
}

// silence is a listener that nobody listens to.
type silence struct{}

// Decided implements [owner.Listener].
func (silence) Decided(owner.News) {}

// Repeated implements [owner.Listener].
func (silence) Repeated(uint64, room.Decision) {}

// GameChanged implements [owner.Listener].
func (silence) GameChanged(string, string, room.Game) {}

// log is where a node logs: nowhere, or with the trace of a seed that failed.
func (w *bubble) log(node string) *slog.Logger {
	if !w.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(w.t.Output(), nil)).With(slog.String("node", node))
}
