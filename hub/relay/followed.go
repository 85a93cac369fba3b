package relay

import (
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// followed is one room that this node has viewers of, or had lately.
type followed struct {
	room     string
	audience Audience
	asking   chan struct{} // 1-buffered: held by the Follow that asks for the first state
	ready    chan struct{} // closed when the first state is there

	mu       sync.Mutex // guards the following; the audience is told under it
	line     line
	state    owner.RoomState // Record and Seq are the line's
	play     play
	source   string // instance whose message of the room came last
	interest interest
	need     need
}

// interest is who wants to hear of a room.
type interest struct {
	viewers int // Follow less Unfollow
	leftAt  time.Time
	stops   []func() // end the subscriptions
	gone    bool     // no longer followed: look again
}

// play is which state of the room's game is known. The number of a change counts those
// of one instance.
type play struct {
	instance string
	number   uint64
	// heard counts what was heard, so that an answer that is older than the newest can be
	// told.
	heard uint64
}

// need is what the room needs of others.
type need struct {
	state    bool // its owner is to be asked
	mending  bool // it is in the queue, or a mender has it
	failures int  // of mending, in a row
}

// hears takes the name of whoever sent something of the room. Under mu.
func (r *followed) hears(instance []byte) {
	if string(instance) == r.source {
		return
	}
	if r.source != "" {
		r.need.state = true // another owner: perhaps the first one told less than it knew
	}
	r.source = string(instance)
}

// tell is what a line tells by. Under mu.
func (r *followed) tell(n owner.News) {
	n.Room = r.room
	t := &r.state.Totals
	for i := range n.Decisions {
		add(t, &n.Decisions[i])
	}
	r.state.Open = max(0, r.state.Open-len(n.Decisions))
	r.state.Accepted = max(r.state.Accepted, t.Delivered+t.Failed+t.Unresolved)
	r.audience.Decided(n)
}

func add(t *journal.Totals, d *room.Decision) {
	count := uint64(d.Gift.Count) //nolint:gosec // at least 1, and at most room.CountMax
	switch d.Status {
	case room.Delivered:
		t.Delivered++
		t.DeliveredCount += count
	case room.Failed:
		t.Failed++
		t.FailedCount += count
	default: // a decision is never pending
		t.Unresolved++
		t.UnresolvedCount += count
	}
}

// changed takes a change of the game in. Under mu.
func (r *followed) changed(instance []byte, number uint64, gameID string, g room.Game) {
	p := &r.play
	if string(instance) == p.instance && number <= p.number {
		return // known
	}
	p.instance, p.number = string(instance), number
	p.heard++
	r.state.Game, r.state.GameID = g, gameID
	r.audience.GameChanged(r.room, gameID, g)
}

// missedGame notes that there was a change of the game. Under mu.
func (r *followed) missedGame(instance []byte, number uint64) {
	p := &r.play
	if number > 0 && (string(instance) != p.instance || number > p.number) {
		p.instance, p.number = string(instance), number
		r.need.state = true
	}
}

// adopt takes in what the owner answered. heard is play.heard from before it was asked.
// Under mu.
func (r *followed) adopt(s owner.RoomState, heard uint64) {
	r.need.state = false
	known := r.state
	first := !r.isReady()
	if s.Record >= r.line.record || first { // else it was asked for before newer news came
		r.state = s
	}
	r.state.Game, r.state.GameID = s.Game, s.GameID
	if r.play.heard != heard {
		r.state.Game, r.state.GameID = known.Game, known.GameID // the change came after the question
	}
	switch {
	case !r.line.known:
		if s.Seq > 0 { // so that the audience knows what it was not told
			r.audience.Decided(owner.News{Room: r.room, Record: s.Record, Seq: s.Seq})
		}
		r.line.begin(s.Record, s.Seq, r.tell)
	case s.Record > r.line.record:
		// The totals are those of a record that is still to be told.
		r.state.Totals, r.state.Accepted = known.Totals, s.Accepted
		r.line.expect(s.Record, s.Seq)
	}
	switch {
	case first:
		close(r.ready)
	case r.state.Game != known.Game || r.state.GameID != known.GameID:
		r.audience.GameChanged(r.room, r.state.GameID, r.state.Game)
	}
}

func (r *followed) isReady() bool {
	select {
	case <-r.ready:
		return true
	default:
		return false
	}
}

// snapshot is the room's state. Under mu.
func (r *followed) snapshot() owner.RoomState {
	s := r.state
	s.Record, s.Seq = r.line.record, r.line.seq
	return s
}
