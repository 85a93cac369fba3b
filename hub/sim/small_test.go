package sim

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/room"
)

var faultsFlag = flag.Int("faults", 0, "most faults of a small world; 0: 2 or 3, by its size")

// path is luck that is told: the chances that are taken, by their numbers, and nothing
// else ever varies. It notes how many there were, so that a search can take each.
type path struct {
	taken []int // ascending
	asked int
}

func (p *path) chance(rate float64) bool {
	if rate == 0 {
		return false
	}
	p.asked++
	return slices.Contains(p.taken, p.asked-1)
}

func (p *path) upTo(int) int { return 0 }

// small are the worlds that are searched: one room, two gifts of one viewer, the second
// of which is submitted twice, and what may go wrong.
var small = map[string]struct {
	nodes int
	most  int // faults in go test
	rates rates
	sky   weather
}{
	// A node, its server inside: it may die at either end of each request, and an answer
	// may be lost.
	"one node": {nodes: 1, most: 2, rates: rates{crash: 1, answerLost: 1}},
	// Requests and answers get lost between two nodes and the server.
	"the server's line": {nodes: 2, most: 2, rates: rates{requestLost: 1, requestLate: 1, answerLost: 1}},
	// A node dies, and its calls fare badly: lost, or done and not heard of.
	"the way to ZEGO": {nodes: 2, most: 3, rates: rates{crash: 1}, sky: weather{lost: 1, unheard: 1}},
}

// TestSmallWorlds goes through every placement of up to three faults in small worlds.
// Where a fault changes what comes after it, the search follows: it takes a path, sees
// how many chances there were, and then takes each later one besides.
func TestSmallWorlds(t *testing.T) {
	for name, world := range small {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			most := min(world.most, smallFaults)
			if *faultsFlag > 0 {
				most = *faultsFlag
			}
			s := searchSmall(t, name, most, bugs{})
			t.Logf("%d worlds of up to %d faults, %d chances without any, in %v",
				s.worlds.Load(), most, s.chances, time.Since(begun).Round(time.Millisecond))
			if err := s.found.Load(); err != nil {
				t.Error(*err)
			}
			if s.worlds.Load() < 10 {
				t.Error("the search has found next to nothing to vary")
			}
		})
	}
}

// The search finds what it is there for: each bug needs one or two faults in the right
// places.
func TestSmallWorldsSee(t *testing.T) {
	for world, b := range map[string]bugs{
		"one node":        {tamper: head("open", "")},
		"the way to ZEGO": {tamper: readOn},
	} {
		if s := searchSmall(t, world, 2, b); s.found.Load() == nil {
			t.Errorf("%s: the bug is not found in %d worlds", world, s.worlds.Load())
		}
	}
}

func searchSmall(t *testing.T, name string, most int, b bugs) *search {
	t.Helper()
	world := small[name]
	s := &search{most: most, run: func(taken []int) (int, error) {
		p := &path{taken: taken}
		var err error
		synctest.Test(t, func(*testing.T) {
			w := newWorld(p)
			w.bugs = b
			w.embedded = world.nodes == 1
			w.rates = world.rates
			err = w.playSmall(world.nodes, world.sky)
		})
		return p.asked, err
	}}
	s.all()
	return s
}

// search enumerates paths.
type search struct {
	most    int
	run     func(taken []int) (asked int, err error)
	worlds  atomic.Int64
	chances int
	found   atomic.Pointer[error]
}

// all takes every path. The first choices are shared out among the processors.
func (s *search) all() {
	s.chances = s.try(nil)
	firsts := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for first := range firsts {
				s.below([]int{first})
			}
		})
	}
	for first := range s.chances {
		firsts <- first
	}
	close(firsts)
	workers.Wait()
}

// below takes a path and all that have it as their beginning.
func (s *search) below(taken []int) {
	if s.found.Load() != nil {
		return
	}
	asked := s.try(taken)
	if len(taken) == s.most {
		return
	}
	for next := taken[len(taken)-1] + 1; next < asked; next++ {
		s.below(append(slices.Clone(taken), next))
	}
}

func (s *search) try(taken []int) int {
	asked, err := s.run(taken)
	s.worlds.Add(1)
	if err != nil {
		err = fmt.Errorf("faults at %v: %w", taken, err)
		s.found.CompareAndSwap(nil, &err)
	}
	return asked
}

// playSmall plays two gifts and a repeat. Faults end when the second gift has been
// repeated and everything had time to be answered.
func (w *World) playSmall(nodes int, sky weather) error {
	l := w.loop
	w.limits.GiftTTL = 15 * time.Second
	w.addRooms(1, 1)
	*w.zego.weather[w.rooms[0]] = sky
	w.addNodes(nodes)
	v := w.viewers[0]
	first, second := v.wishes(), v.wishes()
	l.in(20*time.Millisecond, nil, first.try)
	l.in(250*time.Millisecond, nil, second.try) // there is a snapshot between them
	l.in(600*time.Millisecond, nil, func() {
		if p := w.anyone(); p != nil {
			second.submit(p, second.gift, second.hears)
		}
	})
	l.runUntil(3 * time.Second)
	w.heal()
	healed := l.now()
	for l.now() < healed+decidedWithin && w.err == nil {
		l.runUntil(l.now() + time.Second)
		w.judge.audit()
		if first.verdict != nil && second.verdict != nil && len(w.judge.logged) == 2 && w.owner != nil && w.owner.s != nil && w.owner.s.Ready() {
			break
		}
	}
	l.runUntil(l.now() + time.Second)
	w.judge.finish()
	for _, d := range w.judge.logged {
		if w.err == nil && d.Status == room.Unresolved {
			w.err = fmt.Errorf("%s is unresolved", d.Gift.ClientID)
		}
	}
	w.close()
	return w.err
}
