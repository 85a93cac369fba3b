package owner

import (
	"slices"
	"sync"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// Bounds of one record. A decision encodes to at most 2.5 KiB of gift and 16
// attempts of at most 700 bytes: 14 KiB, but for a gift that was never tried long it
// is below 1 KiB. A record that the store still finds too large is halved.
const (
	// roomDecisionsMax is one call's worth: what a gifts event carries.
	roomDecisionsMax = room.BatchMax
	// recordDecisionsMax keeps a usual record below half of the 1 MiB there are.
	recordDecisionsMax = 500
)

// notice is something to tell the listener beside decisions.
type notice struct {
	repeated *repeated
	game     *gameNews
}

type repeated struct {
	seq      uint64
	decision room.Decision
}

type gameNews struct {
	room, id string
	game     room.Game
}

// verdicts is what the rooms' actors have decided and the log has not stored yet,
// and what else the listener has to hear. Actors and reader put, the appender takes.
// It is bounded by the open gifts: a gift stays open until its decision is stored,
// and is decided once.
type verdicts struct {
	mu      sync.Mutex
	order   []string // rooms with decisions, in the order in which they came
	byRoom  map[string][]room.Decision
	notices []notice
	wake    chan struct{} // 1-buffered: something was put
}

func newVerdicts() *verdicts {
	return &verdicts{byRoom: make(map[string][]room.Decision), wake: make(chan struct{}, 1)}
}

func (v *verdicts) rouse() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// put adds a room's decisions.
func (v *verdicts) put(roomID string, decided []room.Decision) {
	v.mu.Lock()
	if _, ok := v.byRoom[roomID]; !ok {
		v.order = append(v.order, roomID)
	}
	v.byRoom[roomID] = append(v.byRoom[roomID], decided...)
	v.mu.Unlock()
	v.rouse()
}

// tell adds a notice. There is at most one per journaled entry, and the reader waits
// while the appender is behind only through the open gifts' bound: noticesMax drops
// what a reader that replays a flood of repeats would pile up. How a room's game stands
// is said once, so the newest of each room is kept whatever waits.
func (v *verdicts) tell(n notice) {
	v.mu.Lock()
	switch {
	case len(v.notices) < noticesMax:
		v.notices = append(v.notices, n)
	case n.game != nil:
		v.tellNewest(n)
	}
	v.mu.Unlock()
	v.rouse()
}

// tellNewest puts the news of a room's game in the place of those that wait, or beyond
// the bound: one more for each room.
func (v *verdicts) tellNewest(n notice) {
	for i := len(v.notices) - 1; i >= 0; i-- {
		if g := v.notices[i].game; g != nil && g.room == n.game.room {
			v.notices[i] = n
			return
		}
	}
	v.notices = append(v.notices, n)
}

// noticesMax bounds the notices that wait: 10,000 of about 2 KiB are 20 MB. A repeat
// that is dropped costs its sender another repeat.
const noticesMax = 10_000

// roomVerdicts is one room's share of the next record.
type roomVerdicts struct {
	room      string
	decisions []room.Decision
}

// take removes the next record's worth: at most most decisions, rooms in the order in
// which they came, a room's decisions in its own order; and all notices, to be told
// after that record's news.
func (v *verdicts) take(most int) ([]roomVerdicts, []notice) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []roomVerdicts
	rooms := len(v.order)
	for range rooms {
		if most == 0 {
			break
		}
		id := v.order[0]
		waiting := v.byRoom[id]
		n := min(len(waiting), roomDecisionsMax, most)
		most -= n
		out = append(out, roomVerdicts{room: id, decisions: waiting[:n:n]})
		v.order = v.order[1:]
		if n == len(waiting) {
			delete(v.byRoom, id)
			continue
		}
		v.byRoom[id] = waiting[n:]
		v.order = append(v.order, id)
	}
	notices := v.notices
	v.notices = nil
	return out, notices
}

// entriesOf turns a room's verdicts into what the log stores. Decisions of gifts that
// are not open are left out: a gift is decided once (P2).
func entriesOf(r *rooms, v roomVerdicts) journal.RoomDecisions {
	e := r.at(v.room)
	out := journal.RoomDecisions{Room: v.room, Seq: e.seq}
	out.Number, out.Prev, out.Jump = e.chain.next()
	delivered := false
	for i := range v.decisions {
		d := v.decisions[i]
		g, ok := r.open[d.Gift.MsgID]
		twice := slices.ContainsFunc(out.Decisions, func(o journal.Decided) bool { return o.Gift.MsgID == d.Gift.MsgID })
		if !ok || twice {
			continue
		}
		out.Decisions = append(out.Decisions, journal.Decided{
			Decision: d, Position: g.position, Node: g.node, StoredAt: g.storedAt,
		})
		delivered = delivered || d.Status == room.Delivered
	}
	if delivered {
		out.Seq++
	}
	out.Totals = addTotals(e.totals, out.Decisions)
	return out
}
