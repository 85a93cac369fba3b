package audience

import (
	"slices"
	"time"

	"github.com/giftwire/giftwire/hub/owner"
)

// Lacks reports whether the house would have to tell a viewer, who has heard everything
// up to a sequence, of a gap that may be read from the room's log: after a restart, on
// another node, or when its history has been dropped or nobody watched the room here. at
// is where the room's owner says that it stands. upTo is the record from which on to read
// back: the newest that is not here.
func (h *House) Lacks(roomID string, since uint64, at owner.RoomState) (upTo uint64, lacks bool) {
	hl := h.find(roomID)
	if hl == nil {
		return at.Record, at.Record > 0
	}
	defer hl.mu.Unlock()
	hl.catchUp(at.Seq, at.Record)
	upTo = at.Record
	if l := &hl.past.log; l.known {
		upTo = l.older
	}
	return upTo, upTo > 0 && since < hl.past.enough
}

// Recall takes in what was read for Lacks: the room's news up to the record upTo, oldest
// first and without gaps, as far back as since or as can be had. seq is the room's newest
// gifts event, for a house that does not know the room yet. What does not fit the bounds
// of the history is left out; viewers who need it hear lagged, and it is not asked for
// again until something of the history has been dropped. false: nothing was taken in,
// since what is here begins elsewhere by now; ask Lacks again.
func (h *House) Recall(roomID string, seq, upTo, since uint64, news []owner.News) bool {
	hl := h.enter(roomID, func() uint64 { return seq })
	defer hl.mu.Unlock()
	if l := &hl.past.log; l.known && l.older != upTo {
		return false
	}
	if !hl.past.recall(news, h.limits.HistoryBytes) {
		since = 0
	}
	if len(news) > 0 {
		hl.record = max(hl.record, news[len(news)-1].Record)
	}
	hl.past.enough = min(hl.past.enough, since)
	return true
}

// recall puts news before everything that is here, the newest first; false: the rest of
// it does not fit.
func (h *history) recall(news []owner.News, bytes int) bool {
	now := time.Now()
	for i := len(news) - 1; i >= 0; i-- {
		n := &news[i]
		if h.log.known && n.Record > h.log.older || !h.log.known && n.Seq > h.floor {
			continue // it was told meanwhile, or will be
		}
		if !h.before(n, now, bytes) {
			return false
		}
		h.log.known, h.log.older = true, n.Prev
	}
	return true
}

// before puts one record before the others; false: it does not fit, or there is a gap.
func (h *history) before(n *owner.News, now time.Time, bytes int) bool {
	var gifts []past
	if delivered := deliveredOf(n); len(delivered) > 0 {
		if n.Seq != h.floor {
			return false
		}
		it := giftsItem(n.Seq, delivered)
		h.log.low--
		gifts = []past{{item: it, pos: h.log.low, record: n.Record, at: now}}
	}
	var results []past
	for i := len(n.Decisions) - 1; i >= 0; i-- {
		d := n.Decisions[i]
		h.log.low--
		results = append(results, past{item: resultItem(n.Seq, d), pos: h.log.low, record: n.Record, user: d.Gift.User.ID, at: now})
	}
	slices.Reverse(results)
	if h.gifts.bytes+size(gifts) > bytes || h.results.bytes+size(results) > bytes {
		return false
	}
	h.results.prepend(results)
	if len(gifts) > 0 {
		h.gifts.prepend(gifts)
		h.floor = n.Seq - 1
	}
	return true
}

func size(pasts []past) int {
	sum := 0
	for i := range pasts {
		sum += len(pasts[i].event) + overhead
	}
	return sum
}

// prepend puts older pasts before the others. It moves all of them: reading the record
// that they are from took longer.
func (r *ring) prepend(older []past) {
	r.pasts = append(append(make([]past, 0, len(older)+r.len()+1), older...), r.all()...)
	r.head = 0
	r.bytes += size(older)
}
