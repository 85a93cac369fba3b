package audience

import (
	"time"

	"github.com/giftwire/giftwire/hub/wire"
)

// chat is what a room's members are told merged over time, best effort.
type chat struct {
	dirty    bool // in the house's list of halls to visit
	comments []wire.Comment
	likes    int64 // since the last event
	total    int64 // likes of the room in this process
	presence bool  // how many there are may have changed
	told     int   // viewers in the last presence event
	toldAt   time.Time
	// newcomers have come since the last presence event: as many as come in a second.
	newcomers []newcomer
}

// newcomer is a member, and the number of viewers that its welcome has told.
type newcomer struct {
	*Member
	told int
}

// comment merges a comment, under mu.
func (h *hall) comment(c wire.Comment) {
	if len(h.members) == 0 {
		return
	}
	if len(h.chat.comments) >= commentsMax {
		h.house.counts.unshown.Add(1)
		return
	}
	h.chat.comments = append(h.chat.comments, c)
	h.visit()
}

// like merges likes, under mu.
func (h *hall) like(count int) {
	h.chat.total += int64(count)
	if len(h.members) == 0 {
		return
	}
	h.chat.likes += int64(count)
	h.visit()
}

// counted notes that a viewer has come or gone, here or elsewhere, under mu. Who comes was told by its
// welcome; that needs to be made up for only where someone was told otherwise.
func (h *hall) counted() {
	c := &h.chat
	if viewers := h.viewers(); viewers <= 1 && !c.presence && c.told <= 1 {
		c.told = viewers
		return
	}
	c.presence = true
	h.visit()
}

// visit asks the house to call flush soon, under mu.
func (h *hall) visit() {
	if !h.chat.dirty {
		h.chat.dirty = true
		h.house.visit(h)
	}
}

// flush tells what was merged. It is called once for each visit.
func (h *hall) flush(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &h.chat
	c.dirty = false
	if len(c.comments) > 0 {
		h.tell(item{event: wire.Encode(wire.Comments{Comments: c.comments}), kind: kindComments})
		c.comments = nil
	}
	if c.likes > 0 {
		h.tell(item{event: wire.Encode(wire.Likes{Count: c.likes, Total: c.total}), kind: kindLikes})
		c.likes = 0
	}
	if !c.presence {
		return
	}
	if now.Sub(c.toldAt) < presenceEvery {
		h.visit() // again, until the second is over
		return
	}
	c.presence = false
	viewers := h.viewers()
	it := item{event: wire.Encode(wire.Presence{Viewers: viewers}), kind: kindPresence}
	if viewers != c.told {
		c.told, c.toldAt = viewers, now
		h.tell(it)
	} else { // as before for everyone who heard of it; a newcomer may have been told otherwise
		for _, n := range c.newcomers {
			if n.told != viewers {
				n.hear([]entry{{item: it, pos: n.from.pos}})
			}
		}
	}
	c.newcomers = nil
}
