package holding_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/holding"
	"github.com/giftwire/giftwire/hub/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

// What a node has just taken over it does not give to a newcomer at once: the third owner
// within 2 s would let the rooms wait. Who leaves gives it up all the same.
func TestWhatWasJustTakenIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(16)
		a := w.start(t, "a")
		time.Sleep(time.Minute)
		b := w.start(t, "b")
		time.Sleep(5 * time.Second)
		w.leave(b)
		time.Sleep(100 * time.Millisecond)
		w.settled(t, "the second one drained")

		before := w.taken()
		w.start(t, "b")
		time.Sleep(2 * time.Second)
		if now := w.taken(); now != before {
			t.Errorf("%d partitions changed hands twice within 2 s", now-before)
		}
		time.Sleep(3 * time.Second)
		w.settled(t, "the second one is back")
		w.start(t, "c")
		time.Sleep(3 * time.Second) // c has just taken what it took
		w.settled(t, "a third one")
		began := time.Now()
		w.leave(a)
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("the drain took %v", took)
		}
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
