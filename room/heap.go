package room

// seat names a heap's place in the gifts that it holds. A gift sits in at most one
// heap of each seat.
type seat int

const (
	seatAlarm seat = iota // the book's alarm clocks
	seatQueue             // its lane's ready gifts, or the lookups
	seats     = iota
)

// giftHeap is a priority queue of gifts that can lose one from its middle: each gift
// remembers where it sits. Every operation is O(log n), so a room with 20,000 open
// gifts (the hub's bound) moves one in about 15 comparisons.
type giftHeap struct {
	items  []*openGift
	before func(a, b *openGift) bool // a strict order, so that runs repeat identically
	seat   seat
}

func (h *giftHeap) len() int         { return len(h.items) }
func (h *giftHeap) top() *openGift   { return h.items[0] }
func (h *giftHeap) push(g *openGift) { h.items = append(h.items, g); h.up(len(h.items) - 1) }

// holds reports whether g sits here. The zero place is "nowhere".
func (h *giftHeap) holds(g *openGift) bool {
	at := g.places[h.seat] - 1
	return at >= 0 && at < len(h.items) && h.items[at] == g
}

// remove takes g out; it has to be in.
func (h *giftHeap) remove(g *openGift) {
	at, last := g.places[h.seat]-1, len(h.items)-1
	moved := h.items[last]
	h.items[last] = nil
	h.items = h.items[:last]
	g.places[h.seat] = 0
	if at == last {
		return
	}
	h.put(at, moved)
	h.fix(moved)
}

// fix restores the order after g's key has changed.
func (h *giftHeap) fix(g *openGift) {
	h.up(g.places[h.seat] - 1)
	h.down(g.places[h.seat] - 1)
}

// rebuild restores the order after many keys have changed.
func (h *giftHeap) rebuild() {
	for i := len(h.items)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
}

func (h *giftHeap) put(at int, g *openGift) {
	h.items[at] = g
	g.places[h.seat] = at + 1
}

func (h *giftHeap) up(at int) {
	g := h.items[at]
	for at > 0 {
		parent := (at - 1) / 2
		if !h.before(g, h.items[parent]) {
			break
		}
		h.put(at, h.items[parent])
		at = parent
	}
	h.put(at, g)
}

func (h *giftHeap) down(at int) {
	g := h.items[at]
	for {
		child := 2*at + 1
		if child >= len(h.items) {
			break
		}
		if right := child + 1; right < len(h.items) && h.before(h.items[right], h.items[child]) {
			child = right
		}
		if !h.before(h.items[child], g) {
			break
		}
		h.put(at, h.items[child])
		at = child
	}
	h.put(at, g)
}
