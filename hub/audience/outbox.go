package audience

import "time"

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

// add appends an item, and sheds what the bounds ask for. It returns how many items
// of each kind were dropped or turned into lagged.
func (b *outbox) add(it item, limit bounds, now time.Time) (shed [kinds]int) {
	b.items = append(b.items, it)
	b.bytes += len(it.event)
	if !b.exceeds(limit) {
		return shed
	}
	if b.over.IsZero() {
		b.over = now
	}
	b.shed(func(k kind) bool { return k.bestEffort() }, &shed)
	if b.exceeds(limit) {
		b.lag(&shed)
	}
	return shed
}

func (b *outbox) exceeds(limit bounds) bool { return b.len() > limit.events || b.bytes > limit.bytes }

// shed drops the items of the kinds that drop tells.
func (b *outbox) shed(drop func(kind) bool, count *[kinds]int) {
	kept := b.items[:b.head]
	for _, it := range b.items[b.head:] {
		if drop(it.kind) {
			count[it.kind]++
			b.bytes -= len(it.event)
			continue
		}
		kept = append(kept, it)
	}
	clear(b.items[len(kept):])
	b.items = kept
}

// lag turns all gifts and lagged items into one lagged item, in the first one's
// place: what has waited so long is old news, and the next gifts event is not.
func (b *outbox) lag(count *[kinds]int) {
	first := -1
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
		if first < 0 {
			first = len(kept)
			kept = append(kept, item{kind: kindLagged, from: it.from, to: it.to})
			continue
		}
		kept[first].to = it.to
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
