package relay_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"

	"github.com/giftwire/giftwire/hub/relay"
)

// faults is what happens to messages on their way to one node: see faulty.
type faults struct {
	lose, double, late float64
	seed               uint64
	healed             func() bool
	next               relay.Bus
}

func (f *faults) Publish(subject string, data []byte) error { return f.next.Publish(subject, data) }

// Subscribe loses, doubles and turns messages round, each subscription with a random
// source of its own.
func (f *faults) Subscribe(subject string, each func(string, []byte)) (func(), error) {
	var sum uint64
	for _, c := range subject {
		sum = sum*31 + uint64(c)
	}
	random := rand.New(rand.NewPCG(f.seed, sum))
	type message struct {
		subject string
		data    []byte
	}
	var held []message
	return f.next.Subscribe(subject, func(subject string, data []byte) {
		m := message{subject, slices.Clone(data)}
		if f.healed() {
			held = nil
			each(m.subject, m.data)
			return
		}
		switch p := random.Float64(); {
		case p < f.lose:
			return
		case p < f.lose+f.late:
			held = append(held, m)
			return
		}
		each(m.subject, m.data)
		if random.Float64() < f.double {
			each(m.subject, m.data)
		}
		if len(held) > 0 && random.Float64() < 0.5 {
			at := random.IntN(len(held))
			each(held[at].subject, held[at].data)
			held = slices.Delete(held, at, at+1)
		}
	})
}

// wires is a bus in memory: in order to each subscription, by a goroutine each.
type wires struct {
	mu        sync.Mutex
	subs      map[string]map[*wire1]bool
	published int
	down      bool // everything is lost
}

type wire1 struct {
	messages chan []byte
	done     chan struct{}
}

func newWires() *wires { return &wires{subs: make(map[string]map[*wire1]bool)} }

func (w *wires) Publish(subject string, data []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.published++
	if w.down {
		return nil
	}
	for s := range w.subs[subject] {
		s.messages <- slices.Clone(data)
	}
	return nil
}

func (w *wires) Subscribe(subject string, each func(string, []byte)) (func(), error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &wire1{messages: make(chan []byte, 10_000), done: make(chan struct{})}
	if w.subs[subject] == nil {
		w.subs[subject] = make(map[*wire1]bool)
	}
	w.subs[subject][s] = true
	go func() { // ends with stop; goleak sees to it
		for {
			select {
			case data := <-s.messages:
				each(subject, data)
			case <-s.done:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.subs[subject], s)
		close(s.done)
	}), nil
}

// without loses what is published while it does something in a bubble.
func (w *wires) without(do func()) {
	set := func(down bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.down = down
	}
	synctest.Wait()
	set(true)
	do()
	synctest.Wait()
	set(false)
}

func (w *wires) messages() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.published
}

func (w *wires) subscriptions() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for s := range maps.Values(w.subs) {
		n += len(s)
	}
	return n
}
