package owner

import (
	"cmp"
	"context"
	"hash/fnv"
	"maps"
	"slices"
	"sync"

	"github.com/giftwire/giftwire/hub/internal/stage"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// chunks is into how many parts the rooms of a partition are cut, so that a
// snapshot writes only those that changed and none outgrows a record: at 100,000
// rooms a part has 390 rooms of about 300 bytes, and what their games reported.
const chunks = 256

// entry is what the owner knows of one room. Guarded by rooms.mu, but for core,
// which belongs to the actor while one runs.
type entry struct {
	name   string
	seq    uint64 // of the newest gifts event
	chain  chain  // the room's entries in OUTCOMES
	totals journal.Totals
	open   int // gifts journaled and not decided
	game   game
	joins  joins
	core   *room.Core      // nil until the room has something to do
	actor  stage.Performer // nil while the room is idle
}

// openGift is a gift that is journaled and not decided.
type openGift struct {
	gift     *room.Gift
	position journal.Position
	node     string
	storedAt int64
}

// rooms is the state of a partition: the fold of its log, and what is open. All
// access is through its methods, or between Lock and Unlock where several things
// must be seen together; nothing blocks while it is locked.
type rooms struct {
	sync.Mutex

	byChunk [chunks]map[string]*entry
	count   int
	unsaved

	open    map[room.MsgID]*openGift
	waiters []waiter
	memory  memory
	newIDs  []journal.ID // decided since the stored memory was last written
	read    uint64       // GIFTS sequence up to which every record has been taken in
	log     logHead

	takeoverAt int64 // when the term's takeover was stored, Unix ms
	// strayAt is the same of the last takeover before which nobody had released: calls of
	// the owner that was deposed may arrive for a call's timeout after it.
	strayAt int64
	covered covered // by this owner's newest stored snapshot
}

// unsaved is what has changed since the last snapshot.
type unsaved struct {
	dirty      bool // anything
	dirtyRooms [chunks]bool
	dirtyJoins [chunks]bool
}

// logHead is the partition's newest record.
type logHead struct {
	last   uint64 // OUTCOMES sequence
	term   uint64
	number uint64 // of the term's records
	// released: the record is a release, so that every call of its owner has ended. Never
	// of a snapshot, which is stored before the release.
	released bool
}

func newRooms() *rooms {
	return &rooms{open: make(map[room.MsgID]*openGift)}
}

func chunkOf(roomID string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(roomID)) // never fails
	return int(h.Sum32() % chunks)
}

// find returns the room's entry or nil.
func (r *rooms) find(roomID string) *entry {
	return r.byChunk[chunkOf(roomID)][roomID]
}

// at returns the room's entry, made if need be.
func (r *rooms) at(roomID string) *entry {
	c := chunkOf(roomID)
	if r.byChunk[c] == nil {
		r.byChunk[c] = make(map[string]*entry)
	}
	e := r.byChunk[c][roomID]
	if e == nil {
		e = &entry{name: roomID}
		r.byChunk[c][roomID] = e
		r.count++
	}
	return e
}

// fold takes a stored record in: the log's head, counters, chains and memory of its
// rooms. Records are folded in the log's order, each once.
func (r *rooms) fold(rec *journal.OutcomeRecord) {
	r.foldHead(rec)
	for i := range rec.Rooms {
		r.foldRoom(rec.Seq, &rec.Rooms[i])
		r.settle(rec, &rec.Rooms[i])
	}
	r.waiters = slices.DeleteFunc(r.waiters, func(w waiter) bool {
		if len(r.open) >= w.below {
			return false
		}
		close(w.reached)
		return true
	})
}

// foldHead moves the log's head on to the record.
func (r *rooms) foldHead(rec *journal.OutcomeRecord) {
	before := r.log
	r.log = logHead{last: rec.Seq, term: rec.Term, number: rec.Number, released: rec.Kind == journal.KindRelease}
	if rec.Kind == journal.KindTakeover {
		r.takeoverAt = rec.StoredAt
		if before.last != 0 && !before.released {
			r.strayAt = rec.StoredAt
		}
	}
	r.dirty = true
}

// waiter waits for fewer open gifts.
type waiter struct {
	below   int
	reached chan struct{}
}

// waitOpen waits until fewer than below gifts are open.
func (r *rooms) waitOpen(ctx context.Context, below int) error {
	r.Lock()
	if len(r.open) < below {
		r.Unlock()
		return nil
	}
	w := waiter{below, make(chan struct{})}
	r.waiters = append(r.waiters, w)
	r.Unlock()
	select {
	case <-w.reached:
		return nil
	case <-ctx.Done():
		r.Lock()
		r.waiters = slices.DeleteFunc(r.waiters, func(o waiter) bool { return o == w })
		r.Unlock()
		return context.Cause(ctx)
	}
}

// foldRoom moves the room's counters and chain on.
func (r *rooms) foldRoom(seq uint64, d *journal.RoomDecisions) {
	e := r.at(d.Room)
	e.seq, e.totals = d.Seq, d.Totals
	e.chain.push(seq)
	r.dirtyRooms[chunkOf(d.Room)] = true
}

// settle closes the decided gifts and remembers their ids.
func (r *rooms) settle(rec *journal.OutcomeRecord, d *journal.RoomDecisions) {
	for i := range d.Decisions {
		id := d.Decisions[i].Gift.MsgID
		if _, ok := r.open[id]; ok {
			delete(r.open, id)
			r.at(d.Room).open--
		}
		how := endingOf(d.Decisions[i].Reason)
		r.memory.remember(id.Key(), rec.Seq, how, rec.StoredAt)
		r.newIDs = append(r.newIDs, journal.ID{Key: id.Key(), Seq: rec.Seq, End: uint8(how)})
	}
}

// add takes a gift in as open.
func (r *rooms) add(g *openGift) *entry {
	e := r.at(g.gift.Room)
	r.open[g.gift.MsgID] = g
	r.dirty = true
	e.open++
	return e
}

// byAge returns the open gifts in journal order.
func (r *rooms) byAge() []*openGift {
	return slices.SortedFunc(maps.Values(r.open), func(a, b *openGift) int {
		return cmp.Or(cmp.Compare(a.position.Seq, b.position.Seq), cmp.Compare(a.position.Index, b.position.Index))
	})
}

// addTotals returns t with the decisions added.
func addTotals(t journal.Totals, decided []journal.Decided) journal.Totals {
	for i := range decided {
		count := uint64(decided[i].Gift.Count)
		switch decided[i].Status {
		case room.Delivered:
			t.Delivered++
			t.DeliveredCount += count
		case room.Failed:
			t.Failed++
			t.FailedCount += count
		default: // a decision is never pending
			t.Unresolved++
			t.UnresolvedCount += count
		}
	}
	return t
}

// accepted is how many gifts the room has accepted: all that are decided or open.
func (e *entry) accepted() uint64 {
	return e.totals.Delivered + e.totals.Failed + e.totals.Unresolved + uint64(e.open)
}
