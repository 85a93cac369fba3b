package relay_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/relay"
	"github.com/giftwire/giftwire/room"
)

func connect(tb testing.TB, url, name string) *journal.Journal {
	tb.Helper()
	j, err := journal.Open(tb.Context(), journal.Config{NATSURL: url, Node: name, Replicas: 1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := j.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return j
}

// stored is a Source over the real OUTCOMES; its states are asked for over NATS.
type stored struct {
	*world
	journal *journal.Journal
	bus     *cluster.Bus
}

func (s *stored) State(ctx context.Context, id string) (owner.RoomState, error) {
	if _, err := s.bus.Ask(ctx, "gw.ask.test", []byte(id), patience); err != nil {
		return owner.RoomState{}, err
	}
	return s.world.State(ctx, id)
}

func (s *stored) OutcomeAt(ctx context.Context, id string, record uint64) (journal.OutcomeRecord, error) {
	return s.journal.Log(s.journal.Partition(id)).OutcomeAt(ctx, record)
}

// author appends to the real OUTCOMES as an owner does.
type author struct {
	*world
	log  *journal.Partition
	last uint64
	n    uint64
}

func (a *author) decide(t *testing.T, id string) owner.News {
	t.Helper()
	news := a.world.decide(id)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n++
	d := a.records[news.Record].Rooms[1]
	delete(a.records, news.Record)
	rec := journal.OutcomeRecord{Kind: journal.KindDecisions, Node: "n0", Incarnation: "i", Term: 1, Number: a.n, Rooms: []journal.RoomDecisions{d}}
	seq, err := a.log.AppendOutcome(t.Context(), a.last, rec)
	if err != nil {
		t.Fatal(err)
	}
	a.last, a.world.last = seq, seq
	a.records[seq] = journal.OutcomeRecord{Seq: seq, Rooms: []journal.RoomDecisions{{}, d}}
	a.room(id).Record = seq
	news.Record = seq
	return news
}

// An owner and three followers over one NATS, messages lost, doubled and late, and the
// log read from JetStream.
func TestOverNATS(t *testing.T) {
	url := natstest.Start(t).URL()
	w := newWorld()
	var healed atomic.Bool
	var nodes []*node
	var first *journal.Journal
	for i := range 4 {
		name := fmt.Sprintf("n%d.example", i)
		j := connect(t, url, name)
		bus := cluster.NewBus(j)
		if first == nil {
			first = j
			sub, err := bus.Serve("gw.ask.test", func([]byte) []byte { return []byte("ok") })
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(sub.Close)
		}
		nodes = append(nodes, start(t, relay.Config{
			Node: name, Source: &stored{world: w, journal: j, bus: bus},
			Bus: &faults{lose: 0.3, double: 0.2, late: 0.2, seed: uint64(i), healed: healed.Load, next: relay.Over(bus)},
		}))
	}
	const id = "room-1"
	a := &author{world: w, log: first.Log(first.Partition(id))}
	own := nodes[0]
	from := make([]uint64, len(nodes))
	for i := range 200 {
		if i < 2*len(nodes) && i%2 == 0 {
			from[i/2] = nodes[i/2].follow(t, id).Record
		}
		news := a.decide(t, id)
		if i != 150 {
			own.Teller.Decided(news)
		} else { // the owner died, and this is the next one
			own.Teller.Announce(w.heads())
		}
	}
	game := room.Game{State: room.GameRunning, Round: "1"}
	w.play(id, game)
	own.Teller.GameChanged(id, "mg", game)
	healed.Store(true)
	for i, n := range nodes {
		n.Crowd.Set(id, i+1)
		eventually(t, func() string { return cmp.Diff(w.since(id, from[i]), n.records(id)) })
		eventually(t, func() string {
			s, _ := n.Follower.Room(id)
			return cmp.Diff(game, s.Game)
		})
		t.Logf("node %d: %+v", i, n.Stats())
	}
	eventually(t, func() string {
		got := make([]int, len(nodes))
		for i, n := range nodes {
			got[i] = n.Crowd.Viewers(id)
		}
		if slices.Equal(got, []int{10, 10, 10, 10}) {
			return ""
		}
		return fmt.Sprintf("viewers: %v", got)
	})
	for _, n := range nodes {
		n.stop() // before its connection
	}
}

// BenchmarkFollow is what a followed room costs a node that has many.
func BenchmarkFollow(b *testing.B) {
	j := connect(b, natstest.Start(b).URL(), "n1")
	w := newWorld()
	r, err := relay.New(relay.Config{Node: "n1", Source: w, Audience: ears{newHall()}, Bus: relay.Over(cluster.NewBus(j)), Others: func() bool { return true }})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }() // joined below
	defer func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}()
	b.ReportAllocs()
	before := held()
	for i := range b.N {
		timed, stop := context.WithTimeout(ctx, time.Minute)
		if _, err := r.Follower.Follow(timed, fmt.Sprint("room-", i)); err != nil {
			b.Fatal(err)
		}
		stop()
	}
	b.ReportMetric(float64(held()-before)/float64(b.N), "B/room")
}

// held is the memory in use, stacks included.
func held() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
