package journal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
)

// TestRandomFaults: under load, the cable loses one direction or is cut, again and
// again. Whatever was told as stored is stored, once, in order; what was told as
// unavailable is not; done is called once.
func TestRandomFaults(t *testing.T) {
	f := startFaulty(t, journal.Pace{})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	faults := rand.New(rand.NewPCG(seed, 0))
	stop := make(chan struct{})
	var submitting sync.WaitGroup
	var mu sync.Mutex
	fate := make(map[string]error) // by client id
	calls := make(map[string]int)
	var pending sync.WaitGroup
	for v := range 4 {
		submitting.Go(func() {
			tick := time.NewTicker(500 * time.Microsecond)
			defer tick.Stop()
			for n := 1; ; n++ {
				select {
				case <-stop:
					return
				case <-tick.C:
				}
				e := gift("r1", v*1_000_000+n)
				pending.Add(1)
				err := f.Submit(e, func(_ journal.Receipt, err error) {
					mu.Lock()
					defer mu.Unlock()
					fate[e.Gift.ClientID] = err
					calls[e.Gift.ClientID]++
					pending.Done()
				})
				if err != nil {
					pending.Done()
				}
			}
		})
	}
	for range 8 {
		fault := &f.deaf
		if faults.IntN(2) == 0 {
			fault = &f.mute
		}
		stay(faults.IntN(200)) // as it should be
		fault.Store(true)
		stay(faults.IntN(250))
		f.cut()
		stay(300) // a connection is tried again after 250 ms
	}
	f.cut()
	close(stop)
	submitting.Wait()
	pending.Wait()

	stored := 0
	for id, err := range fate {
		if calls[id] != 1 {
			t.Errorf("done of %s was called %d times", id, calls[id])
		}
		if err == nil {
			stored++
		} else if !errors.Is(err, journal.ErrUnavailable) {
			t.Errorf("%s: %v", id, err)
		}
	}
	got, _ := readGifts(t, f.Log(0), stored+1)
	seen := make(map[string]bool)
	newest := make(map[int]int)
	for _, e := range got[1:] {
		id := e.Gift.ClientID
		if err, ok := fate[id]; seen[id] || !ok || err != nil {
			t.Errorf("%s is stored; before: %v, told: %v", id, seen[id], err)
		}
		seen[id] = true
		var n int
		if _, err := fmt.Sscanf(id, "c-%d", &n); err != nil {
			t.Fatal(err)
		}
		if viewer := n / 1_000_000; n <= newest[viewer] {
			t.Errorf("gift %d of viewer %d comes after %d", n, viewer, newest[viewer])
		} else {
			newest[viewer] = n
		}
	}
	if len(got) != stored+1 {
		t.Errorf("%d gifts stored, %d told so", len(got)-1, stored)
	}
	s := f.Stats()
	t.Logf("%d stored, %d refused, %d repeats", stored, len(fate)-stored, s.Resends)
	if s.Resends == 0 || stored == 0 {
		t.Error("no fault was met, or nothing else")
	}
}
