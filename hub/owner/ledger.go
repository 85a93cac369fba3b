package owner

import (
	"context"
	"fmt"
	"slices"

	"github.com/giftwire/giftwire/hub/journal"
)

// A page is collected in windows of entries, newest first within each because the log
// points backwards. The windows grow, because finding a window's end costs about
// 2 log2(n) reads and an entry holds 1 to 50 decisions.
const (
	windowFirst = 8
	windowMax   = 256
	// goneRetries is how often a page is begun anew because records aged out while it
	// was collected.
	goneRetries = 3
)

// Ledger returns terminal outcomes of a room after the cursor, in the order decided,
// at most limit of them (1 to 1000). Errors: ErrNotReady, ErrCursorGone when rows
// after the cursor have aged out, or of reading.
func (p *Partition) Ledger(ctx context.Context, roomID string, after Cursor, limit int) (Page, error) {
	if !p.Ready() {
		return Page{}, ErrNotReady
	}
	p.rooms.Lock()
	var head uint64
	if e := p.rooms.find(roomID); e != nil {
		head = e.chain.head()
	}
	p.rooms.Unlock()
	for try := 0; ; try++ {
		page, err := p.page(ctx, ledgerQuery{room: roomID, head: head, after: after, limit: limit})
		if !isGone(err) || try == goneRetries {
			return page, err
		}
	}
}

type ledgerQuery struct {
	room  string
	head  uint64 // OUTCOMES sequence of the room's newest entry
	after Cursor
	limit int
}

// roomEntry is one room's share of a record, read.
type roomEntry struct {
	seq uint64
	*journal.RoomDecisions
}

func (p *Partition) page(ctx context.Context, q ledgerQuery) (Page, error) {
	page := Page{Next: q.after}
	if q.head == 0 {
		return page, nil
	}
	newest, err := p.entryAt(ctx, q.room, q.head)
	if err != nil && !isGone(err) {
		return Page{}, err
	}
	from, err := p.oldestAfter(ctx, q)
	if err != nil || from.RoomDecisions == nil {
		return page, err
	}
	window := uint64(windowFirst)
	for low := from.Number; low <= newest.Number && len(page.Rows) < q.limit; {
		high := min(low+window-1, newest.Number)
		entries, err := p.entries(ctx, q.room, newest, low, high)
		if err != nil {
			return Page{}, err
		}
		for _, e := range entries {
			page.add(e, q.after, q.limit)
		}
		low, window = high+1, min(2*window, windowMax)
	}
	return page, nil
}

// add appends an entry's decisions that are after the cursor, while there is room.
func (page *Page) add(e roomEntry, after Cursor, limit int) {
	for i := range e.Decisions {
		if e.seq == after.Seq && (i <= after.Index || after.Index == WholeRecord) {
			continue
		}
		if len(page.Rows) == limit {
			return
		}
		at := Cursor{Seq: e.seq, Index: i}
		if i == len(e.Decisions)-1 {
			at.Index = WholeRecord
		}
		page.Rows = append(page.Rows, Row{Cursor: at, Decision: e.Decisions[i].Decision})
		page.Next = at
	}
}

// oldestAfter finds the oldest retained entry that may hold rows after the cursor; an
// empty one when there is none.
func (p *Partition) oldestAfter(ctx context.Context, q ledgerQuery) (roomEntry, error) {
	low := q.after.Seq
	if q.after.Index == WholeRecord || low == 0 {
		low++
	}
	first, err := p.cfg.Store.FirstOutcome(ctx)
	if err != nil {
		return roomEntry{}, err
	}
	bound := max(low, first)
	if q.head < bound {
		if q.head >= low && q.after != (Cursor{}) {
			return roomEntry{}, ErrCursorGone
		}
		return roomEntry{}, nil
	}
	e, err := p.entryAt(ctx, q.room, q.head)
	for err == nil && e.Prev >= bound {
		next := e.Prev
		if e.Jump >= bound {
			next = e.Jump
		}
		e, err = p.entryAt(ctx, q.room, next)
	}
	if err != nil {
		return roomEntry{}, err
	}
	if e.Prev >= low && q.after != (Cursor{}) {
		return roomEntry{}, ErrCursorGone
	}
	return e, nil
}

// entries returns the room's entries with numbers low to high, ascending, reached from
// the newer entry.
func (p *Partition) entries(ctx context.Context, roomID string, newer roomEntry, low, high uint64) ([]roomEntry, error) {
	var err error
	e := newer
	for e.Number > high {
		next := e.Prev
		if jumpNumber(e.Number) >= high {
			next = e.Jump
		}
		if e, err = p.entryAt(ctx, roomID, next); err != nil {
			return nil, err
		}
	}
	out := make([]roomEntry, 0, high-low+1)
	for {
		out = append(out, e)
		if e.Number <= low {
			break
		}
		if e, err = p.entryAt(ctx, roomID, e.Prev); err != nil {
			return nil, err
		}
	}
	slices.Reverse(out)
	return out, nil
}

// entryAt reads the room's entry in the record at seq.
func (p *Partition) entryAt(ctx context.Context, roomID string, seq uint64) (roomEntry, error) {
	rec, err := p.cfg.Store.OutcomeAt(ctx, seq)
	if err != nil {
		return roomEntry{}, err
	}
	d := roomOf(&rec, roomID)
	if d == nil {
		return roomEntry{}, fmt.Errorf("owner: OUTCOMES record %d has no entry of room %s, though the chain points there", seq, roomID)
	}
	return roomEntry{seq, d}, nil
}
