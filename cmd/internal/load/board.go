package load

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
)

// board is what a worker's viewers have heard of one room: each gifts event is read once
// and compared with what every other viewer hears. A comparison with the bytes of an
// event that is on the board costs next to nothing, which is what lets one core hear
// hundreds of thousands of events a second.
type board struct {
	room string
	// recent are the newest events, by sequence; the fast path reads them without a lock.
	// 32 events x 10 KB x 500 rooms = 160 MB at worst; a viewer that is further behind
	// than 32 flushes (1.8 s at the least) takes the slow path.
	recent [recentEvents]atomic.Pointer[event]
	// Set at birth: read looks at a new event's gifts and says when one of them was due.
	read func(gifts []wire.Gift) (due time.Duration)
	seed maphash.Seed

	mu    sync.Mutex      // guards all below
	head  uint64          // the highest sequence heard
	marks map[uint64]mark // of events that may have left recent
}

const (
	recentEvents = 32
	// marksMax is how many events are remembered for late comers: 18 flushes a second make
	// it 228 s, more than a hub keeps to resume from. 40 bytes each.
	marksMax = 4096
)

// event is one gifts event.
type event struct {
	seq   uint64
	raw   []byte
	first time.Duration // when the first viewer heard it
	due   time.Duration // when one of its gifts was due; noDue: none is ours
}

// mark is what stays of an event.
type mark struct {
	hash  uint64
	first time.Duration
	due   time.Duration
}

const noDue time.Duration = -1

func newBoard(room string, read func([]wire.Gift) time.Duration) *board {
	return &board{room: room, read: read, seed: maphash.MakeSeed(), marks: make(map[uint64]mark)}
}

// giftsPrefix is how a gifts event begins when this project's hub writes it.
const giftsPrefix = `{"type":"gifts","seq":`

// quick takes the gifts event that text begins with, if it is the one on the board, and
// returns its length.
func (b *board) quick(text []byte) (e *event, size int) {
	if len(text) < len(giftsPrefix) || string(text[:len(giftsPrefix)]) != giftsPrefix {
		return nil, 0
	}
	var seq uint64
	for _, c := range text[len(giftsPrefix):min(len(text), len(giftsPrefix)+20)] {
		if c < '0' || c > '9' {
			break
		}
		seq = seq*10 + uint64(c-'0')
	}
	if e = b.recent[seq%recentEvents].Load(); e == nil || e.seq != seq || !bytes.HasPrefix(text, e.raw) {
		return nil, 0
	}
	return e, len(e.raw)
}

// heard takes an event that is not on the board, or another one of its sequence: then
// same is false.
func (b *board) heard(raw []byte, gifts wire.Gifts, now time.Duration) (e event, same bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	hash := maphash.Bytes(b.seed, raw)
	if m, known := b.marks[gifts.Seq]; known {
		return event{seq: gifts.Seq, first: m.first, due: m.due}, m.hash == hash
	}
	e = event{seq: gifts.Seq, raw: bytes.Clone(raw), first: now, due: b.read(gifts.Gifts)}
	b.marks[e.seq] = mark{hash: hash, first: now, due: e.due}
	if e.seq > b.head {
		b.head = e.seq
		kept := e
		b.recent[e.seq%recentEvents].Store(&kept)
	}
	if len(b.marks) > 2*marksMax {
		for seq := range b.marks {
			if seq+marksMax < b.head {
				delete(b.marks, seq)
			}
		}
	}
	return e, true
}
