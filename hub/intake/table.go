package intake

import (
	"sync"
	"time"

	"github.com/giftwire/giftwire/room"
)

// Bounds of what is remembered of gifts that are stored. It bridges the time until
// the owner has read them, which knows them from then on; where the owner is another
// node it is all that this one knows.
const (
	storedFor = time.Minute
	// storedMax x about 250 bytes = 25 MB.
	storedMax = 100_000
)

// entry is what the table says of a gift that comes in.
type entry int

const (
	entryFirst  entry = iota // nobody else brings it in: go on, and settle it
	entryJoined              // it is in flight: answered when that is settled
	entryStored              // it was stored a moment ago
	entryOther               // one with other content has its id
	entryClosed              // nothing is taken any more
)

// table is the gifts that are in flight through this process, and those that it
// stored a moment ago, by id.
type table struct {
	mu      sync.Mutex // guards all below
	flights map[room.MsgID]*flight
	rooms   map[string]int // flights in the air by room
	air     int            // flights in the air
	stored  []landing      // oldest first; from head on
	head    int
	tasks   int // gifts and comments that are not answered yet
	closed  bool
	quiet   chan struct{} // closed when closed and tasks is 0
}

type flight struct {
	content room.Content
	answers []func(Verdict) // nil: stored
}

type landing struct {
	id room.MsgID
	at time.Time
}

func newTable() *table {
	return &table{flights: make(map[room.MsgID]*flight), rooms: make(map[string]int), quiet: make(chan struct{})}
}

// begin enters a gift.
func (t *table) begin(gift *room.Gift, answer func(Verdict)) entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(time.Now())
	if t.closed {
		return entryClosed
	}
	f := t.flights[gift.MsgID]
	switch {
	case f == nil:
		t.flights[gift.MsgID] = &flight{content: gift.Content(), answers: []func(Verdict){answer}}
		t.rooms[gift.Room]++
		t.air++
		t.tasks++
		return entryFirst
	case f.content != gift.Content():
		return entryOther
	case f.answers == nil:
		return entryStored
	default: // at most as many as the users' rates let in while one publish takes
		f.answers = append(f.answers, answer)
		return entryJoined
	}
}

// settle ends a flight and returns who waits for it. landed must follow when they
// are told.
func (t *table) settle(gift *room.Gift, stored bool) []func(Verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.flights[gift.MsgID]
	answers := f.answers
	if t.rooms[gift.Room]--; t.rooms[gift.Room] == 0 {
		delete(t.rooms, gift.Room)
	}
	t.air--
	if !stored {
		delete(t.flights, gift.MsgID)
		return answers
	}
	f.answers = nil
	t.stored = append(t.stored, landing{id: gift.MsgID, at: time.Now()})
	return answers
}

// forget drops what was stored long ago.
func (t *table) forget(now time.Time) {
	for t.head < len(t.stored) {
		oldest := t.stored[t.head]
		if now.Sub(oldest.at) < storedFor && len(t.stored)-t.head <= storedMax {
			break
		}
		delete(t.flights, oldest.id)
		t.head++
	}
	if t.head > len(t.stored)/2 { // the slice is moved at most once for each entry
		t.stored = append(t.stored[:0], t.stored[t.head:]...)
		t.head = 0
	}
}

// others counts the flights in the air besides one's own.
func (t *table) others(roomID string) (inRoom, all int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rooms[roomID] - 1, t.air - 1
}

func (t *table) inFlight() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tasks
}

// enter counts a task that is no gift; false: closed.
func (t *table) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.tasks++
	return true
}

// landed ends a task of begin or enter.
func (t *table) landed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tasks--
	if t.closed && t.tasks == 0 {
		close(t.quiet)
	}
}

func (t *table) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	if t.tasks == 0 {
		close(t.quiet)
	}
}

// idle is closed when the table is closed and every task is answered.
func (t *table) idle() <-chan struct{} { return t.quiet }
