package audience

import "time"

// history is what was told to a room lately: its gifts events for everyone, its
// results for their senders. It is bounded by bytes and age, of each.
type history struct {
	gifts, results ring
	// floor is the highest sequence that is not in gifts: it was before, or was dropped.
	floor uint64
	// enough is the lowest sequence from which a viewer can go on without the log: what
	// followed it is here, results of the same sequence too, or cannot be had any more.
	enough uint64
	log    anchor
}

// anchor is where the log goes on that history begins with.
type anchor struct {
	known bool   // something of the log was told here
	older uint64 // the room's newest record that is not here; 0: there is none
	low   uint64 // positions below are free
}

// middle is a hall's first position: there is as much room for what is read from the log
// as for what will be told.
const middle = 1 << 62

func newHistory(base uint64) history {
	return history{floor: base, enough: base + 1, log: anchor{low: middle}}
}

// past is one event of history.
type past struct {
	item
	pos    uint64
	record uint64 // OUTCOMES sequence; 0: it is not of the log
	user   string // of a result: its sender
	at     time.Time
}

// overhead of a past in bytes, counted against the bound, so that many small events
// are bounded, too.
const overhead = 128

func (h *history) addGifts(p past, bytes int) {
	h.gifts.add(p)
	for h.gifts.bytes > bytes {
		h.dropGifts()
	}
}

// dropGifts drops the oldest gifts event.
func (h *history) dropGifts() {
	p := h.gifts.drop()
	h.floor = p.to
	h.dropped(p)
}

// dropped notes that something is in the log alone.
func (h *history) dropped(p past) {
	h.enough = max(h.enough, p.to+1)
	h.log.older = max(h.log.older, p.record)
}

func (h *history) addResult(p past, bytes int) {
	h.results.add(p)
	for h.results.bytes > bytes {
		h.dropped(h.results.drop())
	}
}

// forget drops what is older than the time given.
func (h *history) forget(before time.Time) {
	for h.gifts.len() > 0 && h.gifts.front().at.Before(before) {
		h.dropGifts()
	}
	for h.results.len() > 0 && h.results.front().at.Before(before) {
		h.dropped(h.results.drop())
	}
}

func (h *history) empty() bool { return h.gifts.len() == 0 && h.results.len() == 0 }

// since returns what a member of user, which has heard everything up to the sequence
// given, has missed: in order, with lagged in place of what is gone. Results that were
// decided at that sequence are in it, too: they may or may not have been heard. Those
// that are older than the first gifts event come before lagged, as in outbox.lag.
func (h *history) since(seq uint64, user string) []item {
	var out []item
	gone := func() {
		if seq < h.floor {
			out = append(out, item{kind: kindLagged, from: seq + 1, to: h.floor})
			seq = h.floor
		}
	}
	from := seq
	gifts, results := h.gifts.all(), h.results.all()
	for len(gifts)+len(results) > 0 {
		if len(results) == 0 || len(gifts) > 0 && gifts[0].pos < results[0].pos {
			gone()
			if it := gifts[0].item; it.to > seq {
				out = append(out, it.after(seq))
			}
			gifts = gifts[1:]
			continue
		}
		if r := results[0]; r.user == user && r.to >= from {
			out = append(out, r.item)
		}
		results = results[1:]
	}
	gone()
	return out
}

// after cuts what a lagged item says of sequences up to seq.
func (it item) after(seq uint64) item {
	if it.kind == kindLagged && it.from <= seq {
		return item{kind: kindLagged, from: seq + 1, to: it.to}
	}
	return it
}

// ring is a queue of pasts.
type ring struct {
	pasts []past // from head on
	head  int
	bytes int
}

func (r *ring) len() int     { return len(r.pasts) - r.head }
func (r *ring) all() []past  { return r.pasts[r.head:] }
func (r *ring) front() *past { return &r.pasts[r.head] }

func (r *ring) add(p past) {
	r.pasts = append(r.pasts, p)
	r.bytes += len(p.event) + overhead
}

func (r *ring) drop() past {
	p := r.pasts[r.head]
	r.pasts[r.head] = past{}
	r.head++
	r.bytes -= len(p.event) + overhead
	switch {
	case r.head == len(r.pasts):
		*r = ring{}
	case r.head > len(r.pasts)/2: // the slice is moved at most once for each past
		n := copy(r.pasts, r.pasts[r.head:])
		clear(r.pasts[n:])
		r.pasts, r.head = r.pasts[:n], 0
	}
	return p
}
