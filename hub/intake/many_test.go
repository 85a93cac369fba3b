package intake_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// TestManyAtOnce: whatever the journal says and whoever repeats, every submission
// gets one answer, a gift is in the journal's hands once at a time, and it is never
// rejected to one and accepted to another from the same publish.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	j := &judge{t: t, held: make(map[room.MsgID]int)}
	b := newBench(t, func(cfg *intake.Config) { cfg.Journal = j })
	var users, told sync.WaitGroup
	for range 16 {
		users.Go(func() {
			for range 200 {
				told.Add(1)
				g := rockets(fmt.Sprintf("c-%d", rand.IntN(20)), 10*(1+rand.IntN(2)))
				b.Submit(t.Context(), g, func(intake.Verdict) { told.Done() }) // panics when told twice
			}
		})
	}
	users.Wait()
	told.Wait()
	j.tasks.Wait()
	b.Close()
	if err := b.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if n := b.Stats().InFlight; n != 0 {
		t.Errorf("%d in flight", n)
	}
}

// judge is a journal that decides at random, and counts.
type judge struct {
	t     *testing.T
	tasks sync.WaitGroup
	mu    sync.Mutex
	held  map[room.MsgID]int
}

func (j *judge) Submit(e journal.Entry, done func(journal.Receipt, error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.held[e.Gift.MsgID]++; j.held[e.Gift.MsgID] > 1 {
		j.t.Errorf("%s is in the journal's hands twice", e.Gift.ClientID)
	}
	j.tasks.Go(func() {
		j.mu.Lock()
		j.held[e.Gift.MsgID]--
		j.mu.Unlock()
		done(journal.Receipt{}, []error{nil, nil, journal.ErrUnavailable, journal.ErrUnknown}[rand.IntN(4)])
	})
	return nil
}
