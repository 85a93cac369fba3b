package room

import (
	"runtime"
	"sync"
	"testing"
)

// TestMailboxLosesNothing: whatever put said yes to has been taken by the time the
// mailbox is shut, and nothing is taken afterwards.
func TestMailboxLosesNothing(t *testing.T) {
	for range 300 {
		m := newMailbox()
		const posters = 4
		var accepted [posters]int
		var all sync.WaitGroup
		for p := range posters {
			all.Go(func() {
				for m.put(CallEnded{ID: uint64(p)}) {
					accepted[p]++
					if accepted[p]%3 == p%3 {
						runtime.Gosched()
					}
				}
			})
		}
		var taken [posters]int
		var spare []Event
		for n := 0; ; n++ {
			<-m.bell
			events := m.take(spare)
			for _, ev := range events {
				taken[ev.(CallEnded).ID]++
			}
			spare = events
			if n > 5 && m.shutIfEmpty() {
				break
			}
		}
		all.Wait()
		if taken != accepted {
			t.Fatalf("taken %v, accepted %v", taken, accepted)
		}
		if len(m.take(nil)) != 0 {
			t.Fatal("something was put into a shut mailbox")
		}
	}
}
