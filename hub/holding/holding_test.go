package holding_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/holding"
	"github.com/giftwire/giftwire/hub/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is what all nodes share: who lives, and the newest record of each log.
type world struct {
	mu      sync.Mutex
	staying []string
	leases  map[string]bool // node/incarnation
	logs    []journal.OutcomeRecord
	takes   int // takeovers so far
	moving  int // partitions that nobody owns after a release, now
	most    int // of moving
	down    error
	nodes   []*node
}

func newWorld(partitions int) *world {
	return &world{leases: make(map[string]bool), logs: make([]journal.OutcomeRecord, partitions)}
}

// node is one holding with its lease.
type node struct {
	*holding.Holding[*part]

	name, incarnation string
	world             *world
	stop              context.CancelFunc
	done              chan struct{}
	refuse            error // of New
}

// Staying implements holding.Roll.
func (n *node) Staying() []string {
	n.world.mu.Lock()
	defer n.world.mu.Unlock()
	return slices.Clone(n.world.staying)
}

// Holds implements holding.Roll.
func (n *node) Holds(_ context.Context, node, incarnation string) (bool, error) {
	n.world.mu.Lock()
	defer n.world.mu.Unlock()
	return n.world.leases[node+"/"+incarnation], n.world.down
}

// part is a partition that writes takeover and release as an owner does.
type part struct {
	n      *node
	number int
	fenced chan struct{} // closed by a rival's takeover
	killed chan struct{} // closed when the process dies
	end    sync.Once
}

// Run implements holding.Partition.
func (p *part) Run(ctx context.Context) error {
	w := p.n.world
	w.append(p, journal.KindTakeover)
	select {
	case <-p.killed:
		return errors.New("killed")
	case <-p.fenced:
		return journal.ErrFenced
	case <-ctx.Done():
	}
	time.Sleep(30 * time.Millisecond) // the calls in flight
	w.append(p, journal.KindRelease)
	return nil
}

func (w *world) append(p *part, kind journal.Kind) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := &w.logs[p.number]
	if kind == journal.KindTakeover {
		w.takes++
		if last.Kind == journal.KindRelease {
			w.moving--
		}
		for _, n := range w.nodes {
			if old, ok := n.Get(p.number); ok && old != p && old.n.incarnation == last.Incarnation {
				old.end.Do(func() { close(old.fenced) })
			}
		}
	} else {
		w.moving++
		w.most = max(w.most, w.moving)
	}
	*last = journal.OutcomeRecord{Seq: last.Seq + 1, Kind: kind, Node: p.n.name, Incarnation: p.n.incarnation}
}

// start lets a node live.
func (w *world) start(t *testing.T, name string, change ...func(*node)) *node {
	t.Helper()
	n := &node{name: name, incarnation: fmt.Sprint(name, time.Now().UnixNano()), world: w, done: make(chan struct{})}
	for _, c := range change {
		c(n)
	}
	h, err := holding.New(holding.Config[*part]{
		Node: name, Partitions: len(w.logs), Roll: n,
		Last: func(_ context.Context, p int) (journal.OutcomeRecord, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.logs[p], w.down
		},
		New: func(p int, _ string, _ journal.OutcomeRecord) (*part, error) {
			return &part{n: n, number: p, fenced: make(chan struct{}), killed: make(chan struct{})}, n.refuse
		},
		Released: func(p int) {
			w.mu.Lock()
			nodes := slices.Clone(w.nodes)
			w.mu.Unlock()
			for _, other := range nodes {
				if other != n {
					other.Freed(p)
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Holding = h
	w.mu.Lock()
	w.nodes = append(w.nodes, n)
	w.staying = append(w.staying, name)
	w.leases[name+"/"+n.incarnation] = true
	w.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	n.stop = cancel
	go func() {
		defer close(n.done)
		h.Run(ctx, n.incarnation)
	}()
	t.Cleanup(func() { cancel(); <-n.done })
	w.look()
	return n
}

func (w *world) look() {
	w.mu.Lock()
	nodes := slices.Clone(w.nodes)
	w.mu.Unlock()
	for _, n := range nodes {
		n.Look()
	}
}

// leave drains a node.
func (w *world) leave(n *node) {
	w.mu.Lock()
	w.staying = slices.DeleteFunc(w.staying, func(s string) bool { return s == n.name })
	w.mu.Unlock()
	n.stop()
	<-n.done
	w.forget(n)
}

// kill ends a node without a word; its lease ends 2 s later.
func (w *world) kill(n *node) {
	for p := range w.logs {
		if old, ok := n.Get(p); ok {
			old.end.Do(func() { close(old.killed) })
		}
	}
	n.stop()
	<-n.done
	time.Sleep(2 * time.Second)
	w.forget(n)
}

func (w *world) forget(n *node) {
	w.mu.Lock()
	w.staying = slices.DeleteFunc(w.staying, func(s string) bool { return s == n.name })
	delete(w.leases, n.name+"/"+n.incarnation)
	w.nodes = slices.DeleteFunc(w.nodes, func(o *node) bool { return o == n })
	w.mu.Unlock()
	w.look()
}

// settled checks that each partition is owned by whom it belongs to, and by nobody else.
func (w *world) settled(t *testing.T, when string) {
	t.Helper()
	synctest.Wait()
	w.mu.Lock()
	staying := slices.Clone(w.staying)
	w.mu.Unlock()
	for p := range w.logs {
		var at []string
		for _, n := range w.nodes {
			if _, ok := n.Get(p); ok {
				at = append(at, n.name)
			}
		}
		if want := cluster.Place(p, staying); strings.Join(at, " ") != want {
			t.Errorf("%s: partition %d is at %v, want %s", when, p, at, want)
		}
	}
}

func TestPartitionsFollowTheNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(64)
		a := w.start(t, "a")
		time.Sleep(time.Second)
		w.settled(t, "one node")

		b := w.start(t, "b")
		time.Sleep(5 * time.Second)
		w.settled(t, "a second one")
		if w.most > 2+1 { // two are released at a time, and one may not be taken yet
			t.Errorf("%d partitions had no owner at once when a node came", w.most)
		}
		if moved := w.takes - 64; moved < 20 || moved > 44 {
			t.Errorf("%d of 64 partitions moved to the second node", moved)
		}
		c := w.start(t, "c")
		time.Sleep(5 * time.Second)
		w.settled(t, "a third one")

		began := time.Now()
		w.leave(b)
		synctest.Wait()
		time.Sleep(300 * time.Millisecond)
		w.settled(t, "the second one drained")
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("the drain took %v", took)
		}
		before := w.takes
		w.kill(a)
		time.Sleep(lookEvery)
		w.settled(t, "the first one killed")
		if w.takes == before {
			t.Error("nothing was taken from the dead")
		}
		w.leave(c)
		if w.moving != 64 {
			t.Errorf("%d of 64 partitions are released at the end", w.moving)
		}
	})
}

// lookEvery is the package's own.
const lookEvery = 500 * time.Millisecond

// What a living node owns is not taken, also if it belongs elsewhere.
func TestTheLivingAreNotRobbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(8)
		for p := range w.logs {
			w.logs[p] = journal.OutcomeRecord{Seq: 5, Kind: journal.KindDecisions, Node: "z", Incarnation: "z1"}
		}
		w.leases["z/z1"] = true
		a := w.start(t, "a")
		time.Sleep(time.Minute)
		if w.takes != 0 {
			t.Fatalf("%d partitions were taken from a living node", w.takes)
		}
		w.mu.Lock()
		delete(w.leases, "z/z1")
		w.down = errors.New("no answer")
		w.mu.Unlock()
		time.Sleep(time.Minute)
		if err := a.Trouble(); w.takes != 0 || err == nil || !strings.Contains(err.Error(), "partition 7: no answer") {
			t.Fatalf("%d taken while nothing could be known; trouble %v", w.takes, err)
		}
		w.mu.Lock()
		w.down = nil
		w.mu.Unlock()
		time.Sleep(lookEvery)
		w.settled(t, "the other one is dead")
		if err := a.Trouble(); err != nil {
			t.Errorf("trouble %v", err)
		}
	})
}

// A partition that was lost is taken again after a rest, also when its newest record is
// this node's own.
func TestLostPartitionsComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(4)
		a := w.start(t, "a")
		time.Sleep(time.Second)
		lost, _ := a.Get(2)
		lost.end.Do(func() { close(lost.fenced) })
		synctest.Wait()
		if _, ok := a.Get(2); ok || !errors.Is(a.Trouble(), journal.ErrFenced) {
			t.Fatalf("held %v, trouble %v; want it lost", ok, a.Trouble())
		}
		time.Sleep(time.Second)
		if _, ok := a.Get(2); ok {
			t.Error("taken again at once")
		}
		time.Sleep(2 * time.Second)
		w.settled(t, "after a rest")
	})
}

// What was lost without a release, and belongs to another node by the time that it may be
// taken again, is taken all the same and released: nobody else takes it from a living
// node. And what belongs elsewhere is no trouble here.
func TestWhatWasLostIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(8)
		a := w.start(t, "a")
		time.Sleep(time.Second)
		for p := range w.logs {
			lost, _ := a.Get(p)
			lost.end.Do(func() { close(lost.killed) })
		}
		synctest.Wait()
		if a.Trouble() == nil {
			t.Error("all is lost, and that is no trouble")
		}
		b := w.start(t, "b")
		time.Sleep(10 * time.Second)
		w.settled(t, "a second node has come")
		for _, n := range []*node{a, b} {
			if err := n.Trouble(); err != nil {
				t.Errorf("trouble of %s: %v", n.name, err)
			}
		}
	})
}

// A node that leaves gives up more at a time, and all of it.
func TestLeavingNodeGivesAllUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(64)
		a := w.start(t, "a")
		time.Sleep(time.Second)
		w.start(t, "b")
		time.Sleep(5 * time.Second)
		w.mu.Lock()
		w.most = 0
		w.staying = []string{"b"} // a lives on
		w.mu.Unlock()
		w.look()
		time.Sleep(400 * time.Millisecond) // 32 partitions, 8 at a time, 30 ms each
		w.settled(t, "the first one leaves")
		w.mu.Lock()
		if w.most > 8+1 {
			t.Errorf("%d partitions had no owner at once", w.most)
		}
		w.mu.Unlock()
		w.leave(a)
	})
}

func TestWhatCannotBeMadeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(3)
		a := w.start(t, "a", func(n *node) { n.refuse = errors.New("bad settings") })
		time.Sleep(time.Minute)
		if err := a.Trouble(); err == nil || !strings.Contains(err.Error(), "bad settings") {
			t.Errorf("trouble %v", err)
		}
	})
}

// Whatever comes and goes, in the end each partition is owned once.
func TestAnyHistorySettles(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			chance := rand.New(rand.NewPCG(seed, 1))
			w := newWorld(32)
			w.start(t, "n0")
			for step := range 12 {
				switch w.mu.Lock(); {
				case len(w.nodes) < 2 || len(w.nodes) < 5 && chance.IntN(2) == 0:
					w.mu.Unlock()
					w.start(t, fmt.Sprint("n", step+1))
				case chance.IntN(2) == 0:
					n := w.nodes[chance.IntN(len(w.nodes))]
					w.mu.Unlock()
					w.leave(n)
				default:
					n := w.nodes[chance.IntN(len(w.nodes))]
					w.mu.Unlock()
					w.kill(n)
				}
				time.Sleep(time.Duration(chance.IntN(2000)) * time.Millisecond)
			}
			time.Sleep(10 * time.Second)
			w.settled(t, fmt.Sprint("seed ", seed))
		})
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := holding.New(holding.Config[*part]{Node: "a"}); err == nil {
		t.Error("a config without anything is taken")
	}
}

// Sole is alone, and its former lives are over.
func TestSole(t *testing.T) {
	s := holding.Sole("a")
	if held, err := s.Holds(t.Context(), "a", "before"); held || err != nil || !slices.Equal(s.Staying(), []string{"a"}) {
		t.Errorf("%v %v %v", held, err, s.Staying())
	}
}
