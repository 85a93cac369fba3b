package load

import (
	"sync"
	"time"
)

// tally collects what the viewers of one share of a worker count and measure. Shares
// keep readers on several cores from waiting for each other.
type tally struct {
	mu     sync.Mutex
	hists  histograms
	counts counts
}

func (t *tally) count(c Count) {
	t.mu.Lock()
	t.counts[c]++
	t.mu.Unlock()
}

func (t *tally) record(m Measure, took time.Duration) {
	t.mu.Lock()
	t.hists.record(m, took)
	t.mu.Unlock()
}

func (t *tally) add(c *counts) {
	t.mu.Lock()
	t.counts.add(c)
	t.mu.Unlock()
}

// delivery is one gifts event that one viewer heard.
type delivery struct {
	caughtUp bool          // it was told before this viewer's connection stood
	measured bool          // the viewer reads as fast as it can
	first    bool          // nobody heard it before
	fanOut   time.Duration // since somebody did
	due      time.Duration // of one of its gifts; noDue
	now      time.Duration
}

func (t *tally) deliver(d delivery) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[Deliveries]++
	switch {
	case d.caughtUp:
		t.counts[CaughtUp]++
		return
	case !d.measured:
		return
	case !d.first:
		t.hists.record(FanOut, d.fanOut)
	}
	if d.due != noDue {
		t.hists.record(Seen, d.now-d.due)
	}
}

// welcome counts a connection that stands; dropped is when a storm took the one before,
// zero where none did.
func (t *tally) welcome(took time.Duration, resumed bool, dropped, now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[Welcomes]++
	if resumed {
		t.counts[Resumed]++
	}
	t.hists.record(Connect, took)
	if dropped != 0 {
		t.hists.record(Back, now-dropped)
	}
}

func (t *tally) answer(c Count, m Measure, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[c]++
	t.hists.record(m, took)
}

// take adds what was collected to the sums, and begins anew.
func (t *tally) take(hists *histograms, c *counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	hists.add(&t.hists)
	t.hists.reset()
	c.add(&t.counts)
	t.counts = counts{}
}

// reasons counts things that have names. The names are the hub's codes or the system's
// errors; past reasonsMax different ones the rest is "other".
type reasons struct {
	mu sync.Mutex
	n  map[string]int64
}

const reasonsMax = 64

func (r *reasons) count(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == nil {
		r.n = make(map[string]int64)
	}
	if _, known := r.n[name]; !known && len(r.n) >= reasonsMax {
		name = "other"
	}
	r.n[name]++
}

// take returns the counts, and begins anew.
func (r *reasons) take() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.n
	r.n = nil
	return n
}
