package holding_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/holding"
	"github.com/giftwire/giftwire/hub/journal"
)

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

// taken is how many takeovers there were.
func (w *world) taken() int {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.takes
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
