package audience

import (
	"runtime"
	"sync"
)

// Sharing of the processors between rooms.
const (
	// turn is how many members of a room are told before other rooms have a turn: about
	// 30 µs of writing. That is what a small room waits longer beside a large one.
	turn = 4
	// smallMax is how many members a room has at most that is told in one turn: if it
	// gave way in the middle, it would wait for a large room once more each time.
	smallMax = 16
	// largeMin is how many members make a room a large one, which takes a seat at the
	// writers' table, and how many each of its writers has at least: starting one costs as
	// much as telling some.
	largeMin = 1024
	// stint is how many turns, about 1 ms, a writer keeps its seat while others wait.
	stint = 32
)

// table has a seat for each goroutine that writes to a large room: one less than there
// are processors. While all of them are kept busy by goroutines that only take turns, the
// runtime looks for what has come from the network every 10 to 20 ms, and a node's gifts
// would wait so long. (On a single processor they do.)
type table chan struct{}

func newTable() table { return make(table, max(1, runtime.GOMAXPROCS(0)-1)) }

// tellAll tells the members of the batches, those of a large room by several goroutines,
// each with a share of them. It returns when all were told.
func (h *hall) tellAll(members []*Member, batches []batch) {
	switch n := len(members); {
	case n <= smallMax:
		h.tellShare(members, n, batches)
		return
	case n < largeMin:
		h.tellShare(members, turn, batches)
		return
	}
	var others sync.WaitGroup
	shares := min(cap(h.house.table), len(members)/largeMin)
	size := (len(members) + shares - 1) / shares
	for len(members) > size {
		share := members[:size]
		others.Go(func() { h.tellLarge(share, batches) }) // joined below
		members = members[size:]
	}
	h.tellLarge(members, batches)
	others.Wait()
}

// tellLarge tells some members of a large room, as long as it has a seat.
func (h *hall) tellLarge(members []*Member, batches []batch) {
	for len(members) > 0 {
		n := min(stint*turn, len(members))
		h.house.table <- struct{}{}
		h.tellShare(members[:n], turn, batches)
		<-h.house.table
		runtime.Gosched() // whoever waits for the seat, and small rooms
		members = members[n:]
	}
}

// tellShare tells some members, size at a time.
func (h *hall) tellShare(members []*Member, size int, batches []batch) {
	for len(members) > 0 {
		var told tally
		for _, m := range members[:min(size, len(members))] {
			told.add(batches[:m.hearAll(batches)])
		}
		h.house.counts.told(told)
		if members = members[min(size, len(members)):]; len(members) > 0 {
			runtime.Gosched()
		}
	}
}
