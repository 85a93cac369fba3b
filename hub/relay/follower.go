package relay

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// Follower is the viewers' side: it follows the rooms that this node has viewers of,
// and tells its audience of them. It is safe for concurrent use.
type Follower struct {
	relay *Relay
	queue *queue

	mu    sync.RWMutex // guards the following; taken before followed.mu
	rooms map[string]*followed
	// leaving are rooms whose last viewer left, oldest first: as many as leave within
	// Linger, 40 bytes each. Some of them may have viewers again.
	leaving []leaving
	closed  bool
}

type leaving struct {
	room *followed
	at   time.Time
}

func newFollower(r *Relay) *Follower {
	return &Follower{relay: r, queue: newQueue(), rooms: make(map[string]*followed)}
}

// Follow says that a viewer of the room is here, and returns the room's state. From the
// state's record on the audience hears everything; if that is further than what it was
// told, it hears of the difference before Follow returns. Each Follow that returns no
// error needs an Unfollow. Where the room is followed already it does not block, else it
// waits for its owner's answer. Errors: ctx's cause, those of Source.State and of the
// bus, ErrClosed.
func (f *Follower) Follow(ctx context.Context, roomID string) (owner.RoomState, error) {
	if f.relay.cfg.Bus == nil {
		return f.relay.cfg.Source.State(ctx, roomID)
	}
	r, err := f.enter(roomID)
	if err != nil {
		return owner.RoomState{}, err
	}
	if err := f.first(ctx, r); err != nil {
		f.leave(r)
		return owner.RoomState{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.snapshot(), nil
}

// enter counts a viewer in, and subscribes if it is the first.
func (f *Follower) enter(roomID string) (*followed, error) {
	for {
		r, err := f.at(roomID)
		if err != nil {
			return nil, err
		}
		r.mu.Lock()
		switch {
		case r.interest.gone: // swept between the two locks
			r.mu.Unlock()
			continue
		case r.interest.stops == nil:
			err = f.subscribe(r)
		}
		if err == nil {
			r.interest.viewers++
		}
		r.mu.Unlock()
		if err != nil {
			f.sweepOne(r)
		}
		return r, err
	}
}

func (f *Follower) at(roomID string) (*followed, error) {
	if r := f.find(roomID); r != nil {
		return r, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, ErrClosed
	}
	r := f.rooms[roomID]
	if r == nil {
		r = &followed{
			room: roomID, audience: f.relay.cfg.Audience,
			asking: make(chan struct{}, 1), ready: make(chan struct{}),
		}
		f.rooms[roomID] = r
	}
	return r, nil
}

// find returns a room that is followed, or nil.
func (f *Follower) find(roomID string) *followed {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.rooms[roomID]
}

// subscribe begins to hear of the room. Under its mu.
func (f *Follower) subscribe(r *followed) error {
	for prefix, each := range map[string]func(*followed, []byte){roomSubject: f.hear, chatSubject: f.relay.hearChat} {
		stop, err := f.relay.cfg.Bus.Subscribe(prefix+r.room, f.relay.gate.keep(func(_ string, data []byte) { each(r, data) }))
		if err != nil {
			r.unsubscribe()
			return fmt.Errorf("relay: follow %s: %w", r.room, err)
		}
		r.interest.stops = append(r.interest.stops, stop)
	}
	return nil
}

func (r *followed) unsubscribe() {
	for _, stop := range r.interest.stops {
		stop()
	}
	r.interest.stops = nil
}

// first waits until the room's state is there. Of those who wait one asks; if that
// fails it is the one to hear of it, and the next one asks.
func (f *Follower) first(ctx context.Context, r *followed) error {
	for {
		select {
		case <-r.ready:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case r.asking <- struct{}{}:
		}
		var err error
		if !r.isReady() {
			err = f.ask(ctx, r)
		}
		<-r.asking
		if err != nil {
			return err
		}
	}
}

// ask gets the room's state from its owner.
func (f *Follower) ask(ctx context.Context, r *followed) error {
	r.mu.Lock()
	heard := r.play.heard
	r.mu.Unlock()
	s, err := f.relay.cfg.Source.State(ctx, r.room)
	if err != nil {
		return fmt.Errorf("relay: state of %s: %w", r.room, err)
	}
	r.mu.Lock()
	r.adopt(s, heard)
	r.mu.Unlock()
	f.wake(r, 0)
	return nil
}

// Unfollow takes one Follow back.
func (f *Follower) Unfollow(roomID string) {
	if r := f.find(roomID); r != nil {
		f.leave(r)
	}
}

func (f *Follower) leave(r *followed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interest.viewers == 0 || r.interest.gone {
		return // one Unfollow too many
	}
	r.interest.viewers--
	if r.interest.viewers == 0 {
		r.interest.leftAt = time.Now()
		f.leaving = append(f.leaving, leaving{r, r.interest.leftAt})
	}
}

// Room returns the state of a followed room, from memory; false: it is not followed, or
// not known yet. Open is what is known of a room that fills up, else an estimate.
func (f *Follower) Room(roomID string) (owner.RoomState, bool) {
	r := f.find(roomID)
	if r == nil || !r.isReady() {
		return owner.RoomState{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.snapshot()
	s.Open = max(s.Open, f.relay.Crowd.Open(roomID))
	return s, true
}

// hear takes in a message of another node.
func (f *Follower) hear(r *followed, data []byte) {
	h, body, ok := f.relay.open(data)
	if !ok {
		return
	}
	var err error
	switch string(h.kind) {
	case kindNews:
		var b newsBody
		var n owner.News
		if b, err = read[newsBody](body); err == nil {
			n, err = b.news(r.room)
		}
		if err == nil {
			f.news(r, h.instance, n, b.Cut)
		}
	case kindRepeated:
		var b repeatedBody
		var d room.Decision
		if b, err = read[repeatedBody](body); err == nil {
			d, err = b.Decision.decision(r.room)
		}
		if err == nil {
			f.relay.cfg.Audience.Repeated(b.Seq, d)
		}
	case kindGame:
		var b gameBody
		var g room.Game
		if b, err = read[gameBody](body); err == nil {
			g, err = b.game()
		}
		if err == nil {
			f.change(r, h, func() { r.changed(h.instance, h.number, b.GameID, g) })
		}
	default:
		f.relay.counts.foreign.Add(1)
	}
	f.relay.bad(err)
}

// news takes news in.
func (f *Follower) news(r *followed, instance []byte, n owner.News, cut bool) {
	f.change(r, header{instance: instance}, func() {
		if cut {
			r.line.expect(n.Record, n.Seq)
		} else {
			r.line.take(n, r.tell)
		}
	})
}

// change changes a room by a message of it, and sees to what that needs.
func (f *Follower) change(r *followed, h header, with func()) {
	r.mu.Lock()
	if !r.interest.gone {
		r.hears(h.instance)
		with()
	}
	r.mu.Unlock()
	f.wake(r, 0)
}

// local takes in news of an owner on this node. Those of a room that is not followed are
// for a sender who lost the connection for a moment.
func (f *Follower) local(n owner.News) {
	r := f.find(n.Room)
	if r == nil {
		f.relay.cfg.Audience.Decided(n)
		return
	}
	f.change(r, header{instance: f.relay.instance}, func() {
		if !r.line.known { // nobody knows better than the owner where the room stands
			r.line.begin(n.Prev, r.line.seq, r.tell)
		}
		r.line.take(n, r.tell)
	})
}

func (f *Follower) localGame(number uint64, roomID, gameID string, g room.Game) {
	r := f.find(roomID)
	if r == nil {
		f.relay.cfg.Audience.GameChanged(roomID, gameID, g)
		return
	}
	f.change(r, header{instance: f.relay.instance}, func() { r.changed(f.relay.instance, number, gameID, g) })
}

// headGrace is how long a head that is ahead waits for the message that it is of, which
// came by another subscription: the room's own may be a moment behind.
const headGrace = 100 * time.Millisecond

// head takes in what another node's beat, or this node's owners, say of a room.
func (f *Follower) head(instance []byte, h *head) {
	r := f.find(h.Room)
	if r == nil {
		return
	}
	r.mu.Lock()
	r.hears(instance)
	r.line.expect(h.Record, h.Seq)
	r.missedGame(instance, h.Game)
	r.mu.Unlock()
	f.wake(r, headGrace)
}

// checkAll asks for the state of every followed room: heads may have been missed.
func (f *Follower) checkAll() {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, r := range f.rooms {
		r.mu.Lock()
		r.need.state = true
		r.mu.Unlock()
		f.wake(r, 0)
	}
}

// sweep gives up the rooms that nobody has wanted for a while.
func (f *Follower) sweep(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.leaving) > 0 && now.Sub(f.leaving[0].at) >= f.relay.cfg.Linger {
		l := f.leaving[0]
		f.leaving[0] = leaving{}
		f.leaving = f.leaving[1:]
		l.room.mu.Lock()
		if l.room.interest.viewers == 0 && l.room.interest.leftAt.Equal(l.at) {
			f.remove(l.room)
		}
		l.room.mu.Unlock()
	}
}

// sweepOne gives up a room that could not be subscribed to.
func (f *Follower) sweepOne(r *followed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interest.viewers == 0 && !r.interest.gone {
		f.remove(r)
	}
}

// remove takes a room out. Under mu and the room's.
func (f *Follower) remove(r *followed) {
	r.interest.gone = true
	r.unsubscribe()
	delete(f.rooms, r.room)
}

// close gives up all rooms, and takes no more.
func (f *Follower) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, r := range f.rooms {
		r.mu.Lock()
		f.remove(r)
		r.mu.Unlock()
	}
	f.leaving = nil
}
