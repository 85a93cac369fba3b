package audience

import "sync/atomic"

// Stats counts what happened since New.
type Stats struct {
	Viewers int // connections now
	Rooms   int // rooms with viewers or with something to resume from, now

	Events, Frames, Bytes uint64 // written to connections

	DroppedPresence, DroppedLikes, DroppedComments uint64 // events, by a full outbox
	UnshownComments                                uint64 // comments, more than a room shows
	LaggedGifts                                    uint64 // gifts events that became lagged
	Slow                                           uint64 // connections ended for being slow
}

// counts are the running numbers of Stats.
type counts struct {
	events, frames, bytes atomic.Uint64
	dropped               [kinds]atomic.Uint64
	unshown, slow         atomic.Uint64
}

func (c *counts) wrote(events, bytes int) {
	c.events.Add(uint64(events)) //nolint:gosec // a length
	c.frames.Add(1)
	c.bytes.Add(uint64(bytes)) //nolint:gosec // a length
}

// tally is what was written to some members, counted together.
type tally struct{ events, frames, bytes int }

func (t *tally) add(batches []batch) {
	for i := range batches {
		t.events += len(batches[i].entries)
		t.frames++
		t.bytes += len(batches[i].frame)
	}
}

func (c *counts) told(t tally) {
	c.events.Add(uint64(t.events)) //nolint:gosec // a count
	c.frames.Add(uint64(t.frames)) //nolint:gosec // a count
	c.bytes.Add(uint64(t.bytes))   //nolint:gosec // a length
}

func (c *counts) shed(shed *[kinds]int) {
	for k, n := range shed {
		if n > 0 {
			c.dropped[k].Add(uint64(n)) //nolint:gosec // a count
		}
	}
}

// Stats returns the counts.
func (h *House) Stats() Stats {
	h.mu.RLock()
	rooms := len(h.halls)
	h.mu.RUnlock()
	c := &h.counts
	return Stats{
		Viewers: int(h.viewers.Load()), Rooms: rooms,
		Events: c.events.Load(), Frames: c.frames.Load(), Bytes: c.bytes.Load(),
		DroppedPresence: c.dropped[kindPresence].Load(),
		DroppedLikes:    c.dropped[kindLikes].Load(),
		DroppedComments: c.dropped[kindComments].Load(),
		UnshownComments: c.unshown.Load(),
		LaggedGifts:     c.dropped[kindGifts].Load(),
		Slow:            c.slow.Load(),
	}
}
