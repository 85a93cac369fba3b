package audience

import (
	"slices"
	"time"
)

// outbox is what waits for one member, in order. It is bounded: see Limits. The
// gifts and lagged items of an outbox, taken together, are a row of consecutive
// sequences, so that they can be merged into one lagged item at any time.
type outbox struct {
	items []item // from head on
	head  int
	bytes int
	// over is when the bound was first passed since the outbox was last empty; zero:
	// it was not.
	over time.Time
}

// bounds are an outbox's.
type bounds struct{ events, bytes int }

func (b *outbox) len() int { return len(b.items) - b.head }

// idleCap is how many items' space an empty outbox keeps: 8 x 48 bytes.
const idleCap = 8

// add appends an item, and reports whether that exceeds the bounds.
func (b *outbox) add(it item, limit bounds) (full bool) {
	if it.kind == kindPresence {
		b.outdate()
	}
	b.items = append(b.items, it)
	b.bytes += len(it.event)
	return b.exceeds(limit)
}

// outdate drops a presence event that waits: the one that comes says it all. It comes
// once a second at most.
func (b *outbox) outdate() {
	for i := b.head; i < len(b.items); i++ {
		if b.items[i].kind == kindPresence {
			b.bytes -= len(b.items[i].event)
			b.items = slices.Delete(b.items, i, i+1)
			return
		}
	}
}

// relieve sheds what a full outbox can do without, as far as the bounds ask for it. It
// returns how many items of each kind were dropped or turned into lagged.
func (b *outbox) relieve(limit bounds, now time.Time) (shed [kinds]int) {
	if b.over.IsZero() {
		b.over = now
	}
	b.drop(&shed)
	if b.exceeds(limit) {
		b.lag(&shed)
	}
	return shed
}

func (b *outbox) exceeds(limit bounds) bool { return b.len() > limit.events || b.bytes > limit.bytes }

// drop drops what was best effort.
func (b *outbox) drop(count *[kinds]int) {
	kept := b.items[:b.head]
	for _, it := range b.items[b.head:] {
		if it.kind.bestEffort() {
			count[it.kind]++
			b.bytes -= len(it.event)
			continue
		}
		kept = append(kept, it)
	}
	clear(b.items[len(kept):])
	b.items = kept
}

// lag turns all gifts and lagged items into one lagged item: what has waited so long
// is old news, and the next gifts event is not. It stands in the last one's place, so
// that who has heard it has heard the results of its gifts, too: a viewer that resumes
// after it is not told of them again.
func (b *outbox) lag(count *[kinds]int) {
	gone := item{kind: kindLagged}
	at := 0 // where it stands in kept
	kept := b.items[:b.head]
	for _, it := range b.items[b.head:] {
		if it.kind != kindGifts && it.kind != kindLagged {
			kept = append(kept, it)
			continue
		}
		b.bytes -= len(it.event)
		if it.kind == kindGifts {
			count[kindGifts]++
		}
		if gone.to == 0 {
			gone.from = it.from
		}
		gone.to, at = it.to, len(kept)
	}
	if gone.to > 0 { // there was one, so that one place is free
		kept = append(kept, item{})
		copy(kept[at+1:], kept[at:])
		kept[at] = gone
	}
	clear(b.items[len(kept):])
	b.items = kept
}

// take moves items to dst, until their bytes reach most or there are none left, at
// least one.
func (b *outbox) take(dst []item, most int) []item {
	size := 0
	for b.head < len(b.items) {
		it := &b.items[b.head]
		counted := len(it.event) // a lagged item is encoded only now
		event := it.bytes()
		if len(dst) > 0 && size+len(event) > most {
			b.bytes += len(event) - counted
			break
		}
		size += len(event) + 1 // the comma
		b.bytes -= counted
		dst = append(dst, *it)
		*it = item{}
		b.head++
	}
	if b.head == len(b.items) {
		b.reset()
	}
	return dst
}

// reset empties the outbox.
func (b *outbox) reset() {
	clear(b.items)
	b.items = b.items[:0]
	if cap(b.items) > idleCap {
		b.items = nil
	}
	b.head, b.bytes, b.over = 0, 0, time.Time{}
}
