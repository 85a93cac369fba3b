package ask_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/ask"
	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is far more than anything here takes.
const patience = 20 * time.Second

// node is one node of a cluster of one partition.
type node struct {
	*ask.Asker
	name    string
	journal *journal.Journal
	bus     *cluster.Bus
	desk    *ask.Desk

	deposed atomic.Bool
	stored  atomic.Uint64
	newest  func(context.Context, int) (uint64, error)
}

func newNode(tb testing.TB, url, name string) *node {
	tb.Helper()
	j, err := journal.Open(tb.Context(), journal.Config{NATSURL: url, Node: name, Replicas: 1, Partitions: 1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := j.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	n := &node{name: name, journal: j, bus: cluster.NewBus(j)}
	n.newest = func(ctx context.Context, p int) (uint64, error) { return j.Log(p).LastGift(ctx) }
	n.desk, err = ask.NewDesk(ask.DeskConfig{
		Bus: n.bus, Node: name, Partitions: 1, Valid: func() bool { return !n.deposed.Load() },
	})
	if err != nil {
		tb.Fatal(err)
	}
	n.Asker, err = ask.New(ask.Config{
		Desk: n.desk, Bus: n.bus, Node: name, Partition: func(string) int { return 0 },
		Stored: func(int) uint64 { return n.stored.Load() },
		Newest: func(ctx context.Context, p int) (uint64, error) { return n.newest(ctx, p) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// pair is two nodes over one NATS.
func pair(tb testing.TB) (a, b *node) {
	tb.Helper()
	url := natstest.Start(tb).URL()
	return newNode(tb, url, "a"), newNode(tb, url, "b")
}

// serve answers for the partition until stop, or the test ends; the servers know of it
// when it returns.
func (n *node) serve(tb testing.TB, p ask.Partition) (stop func()) {
	tb.Helper()
	end, err := n.desk.Serve(0, n.name+"1", p)
	if err != nil {
		tb.Fatal(err)
	}
	var ended atomic.Bool
	stop = func() {
		if ended.CompareAndSwap(false, true) {
			end()
			if err := n.bus.Flush(bounded(tb, patience)); err != nil {
				tb.Error(err)
			}
		}
	}
	tb.Cleanup(stop)
	if err := n.bus.Flush(bounded(tb, patience)); err != nil {
		tb.Fatal(err)
	}
	return stop
}

func bounded(tb testing.TB, d time.Duration) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d) // cleanups use it, too
	tb.Cleanup(cancel)
	return ctx
}

func receive[T any](tb testing.TB, c <-chan T, what string) T {
	tb.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		tb.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// poll waits until something is so.
func poll(tb testing.TB, what string, so func() bool) {
	tb.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !so(); <-tick.C {
		if time.Now().After(end) {
			tb.Fatalf("waited in vain until %s", what)
		}
	}
}

// fake is a partition that says what it is told to.
type fake struct {
	unready  atomic.Bool
	read     atomic.Uint64
	state    owner.RoomState
	known    owner.Known
	timeline owner.Timeline
	page     owner.Page
	open     int
	// during, if set, is called while a question reads; its error is the question's.
	during func(ctx context.Context, kind ask.Kind) error
	heard  chan string // comments and likes
}

func (f *fake) reads(ctx context.Context, kind ask.Kind) error {
	if f.during == nil {
		return nil
	}
	return f.during(ctx, kind)
}

func (f *fake) Ready() bool       { return !f.unready.Load() }
func (f *fake) ReadSoFar() uint64 { return f.read.Load() }
func (f *fake) OpenGifts() int    { return f.open }

func (f *fake) Room(string) owner.RoomState {
	_ = f.reads(context.Background(), ask.KindState) // a state is read without errors
	return f.state
}

func (f *fake) Lookup(ctx context.Context, _ room.MsgID) (owner.Known, error) {
	return f.known, f.reads(ctx, ask.KindLookup)
}

func (f *fake) Timeline(ctx context.Context, _ string, _ room.MsgID) (owner.Timeline, error) {
	return f.timeline, f.reads(ctx, ask.KindTimeline)
}

func (f *fake) Ledger(ctx context.Context, _ string, _ owner.Cursor, _ int) (owner.Page, error) {
	return f.page, f.reads(ctx, ask.KindLedger)
}

func (f *fake) Comment(_, _ string, c room.Comment) error {
	if !f.Ready() {
		return owner.ErrNotReady
	}
	f.heard <- c.Text
	return nil
}

func (f *fake) Like(_, _ string, l room.Like) error {
	f.heard <- l.User.ID
	return nil
}

// put puts a question of the kind and returns what the fake has for it.
func (n *node) put(ctx context.Context, kind ask.Kind) (any, error) {
	var id room.MsgID
	switch kind {
	case ask.KindState:
		return n.State(ctx, "r")
	case ask.KindLookup:
		return n.Lookup(ctx, "r", id)
	case ask.KindTimeline:
		return n.Timeline(ctx, "r", id)
	default:
		return n.Ledger(ctx, "r", owner.Cursor{Seq: 1}, 10)
	}
}

// answerOf is what the fake says to a question of the kind.
func (f *fake) answerOf(kind ask.Kind) any {
	switch kind {
	case ask.KindState:
		return f.state
	case ask.KindLookup:
		return f.known
	case ask.KindTimeline:
		return f.timeline
	default:
		return f.page
	}
}

// fullFake has an answer to everything.
func fullFake(tb testing.TB) *fake {
	tb.Helper()
	f := &fake{
		state: full[owner.RoomState](tb), known: full[owner.Known](tb), timeline: full[owner.Timeline](tb),
		page: full[owner.Page](tb), heard: make(chan string, 100),
	}
	f.known.Knowledge = owner.Decided
	return f
}
