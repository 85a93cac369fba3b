package verdict

import (
	"fmt"
	"maps"
	"slices"
)

// shown is where a room's gifts were shown, over all viewers.
type shown struct {
	seqs  map[uint64][]string // MsgIds by seq
	place map[string]uint64   // seq by MsgId
}

// chains checks what each viewer heard, and that all of a room heard the same.
func (j *judge) chains(chains []Chain) {
	rooms := make(map[string]*shown) // by room and epoch
	for i := range chains {
		j.chain(&chains[i], rooms)
	}
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		for id := range rooms[name].place {
			if j.effects[id] == 0 {
				j.problem("%s: %s was shown to viewers, and ZEGO never gave it", name, id)
			}
		}
	}
}

// chain checks one viewer's: seq rises by one, and what is missing was announced.
func (j *judge) chain(c *Chain, rooms map[string]*shown) {
	epoch, last, begun := "", uint64(0), false
	for _, h := range c.Heard {
		switch h.Kind {
		case Welcome:
			switch {
			case !begun: // the first
			case h.Epoch != epoch:
				j.problem("%s/%s: epoch %s after %s, on the same streams", c.Room, c.Viewer, h.Epoch, epoch)
			case !h.Resumed:
				j.problem("%s/%s: started over at %d, after %d of the same epoch", c.Room, c.Viewer, h.Seq, last)
			case h.Seq != last:
				j.problem("%s/%s: resumed at %d, after %d", c.Room, c.Viewer, h.Seq, last)
			}
			epoch, last, begun = h.Epoch, h.Seq, true
		case Lagged:
			if h.Seq != last+1 || h.To < h.Seq {
				j.problem("%s/%s: lagged %d to %d, after %d", c.Room, c.Viewer, h.Seq, h.To, last)
			}
			last = h.To
		case Gifts:
			if h.Seq != last+1 {
				j.problem("%s/%s: gifts %d, after %d, and nothing said of the rest", c.Room, c.Viewer, h.Seq, last)
			}
			last = h.Seq
			j.show(c, epoch, h, rooms)
		}
	}
}

func (j *judge) show(c *Chain, epoch string, h Heard, rooms map[string]*shown) {
	name := fmt.Sprintf("%s (epoch %s)", c.Room, epoch)
	room := rooms[name]
	if room == nil {
		room = &shown{seqs: make(map[uint64][]string), place: make(map[string]uint64)}
		rooms[name] = room
	}
	if first, known := room.seqs[h.Seq]; known {
		if !slices.Equal(first, h.MsgIDs) {
			j.problem("%s: gifts %d are not the same for %s as for others", name, h.Seq, c.Viewer)
		}
		return
	}
	room.seqs[h.Seq] = h.MsgIDs
	for _, id := range h.MsgIDs {
		if seq, twice := room.place[id]; twice {
			j.Doubled++
			j.problem("%s: %s was shown at %d and at %d", name, id, seq, h.Seq)
		}
		room.place[id] = h.Seq
	}
}
