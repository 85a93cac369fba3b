package sim

import (
	"context"
	"slices"
	"time"

	"github.com/giftwire/giftwire/hub/internal/stage"
	"github.com/giftwire/giftwire/room"
)

// performer is a room at work: the real core, and in place of the goroutine around it
// the loop. It keeps to what room.Actor promises: events in their order, one call an
// action in flight, an answer or a timeout for each, and an end when it has been idle.
type performer struct {
	w     *World
	o     *ownership
	room  string
	cfg   room.ActorConfig
	ended func()

	box     []room.Event
	bell    bool // takeIn is planned
	wake    time.Duration
	idleAt  time.Duration // Mono; -1: not idle
	flying  int
	stopped bool
	over    bool

	order order // P8
}

// linger is how long a room keeps its core when nothing is left to do.
const linger = 2 * time.Second

// perform implements [stage.Perform].
func (o *ownership) perform(roomID string, cfg room.ActorConfig, first room.Event, ended func()) stage.Performer {
	a := &performer{w: o.p.w, o: o, room: roomID, cfg: cfg, ended: ended, idleAt: -1, order: o.order(roomID)}
	o.rooms = append(o.rooms, a)
	a.Post(first)
	return a
}

// Post implements [stage.Performer].
func (a *performer) Post(ev room.Event) bool {
	if a.over {
		return false
	}
	a.box = append(a.box, ev)
	if a.w.bugs.reorder {
		slices.Reverse(a.box)
	}
	if !a.bell {
		a.bell = true
		a.w.loop.in(a.w.loop.between(0, 500*time.Microsecond), a.o.p, a.takeIn)
	}
	return true
}

// Attempts implements [stage.Performer].
func (a *performer) Attempts(context.Context, room.MsgID) ([]room.Attempt, bool) { return nil, false }

func (a *performer) takeIn() {
	a.bell = false
	events := a.box
	a.box = nil
	for _, ev := range events {
		a.step(ev)
	}
}

func (a *performer) now() room.Now {
	return room.Now{
		Mono: time.Since(a.cfg.Origin),
		Wall: time.Now().UnixMilli() + a.o.p.skew,
	}
}

// step steps the core and does what it says.
func (a *performer) step(ev room.Event) {
	now := a.now()
	a.order.saw(now.Mono, ev)
	if alter := a.w.bugs.event; alter != nil {
		ev = alter(ev)
	}
	do := a.cfg.Core.Step(now, ev)
	for _, call := range do.Calls {
		a.start(call)
	}
	if len(do.Decisions) > 0 {
		a.cfg.Decide(do.Decisions)
		a.o.rouse()
	}
	if len(do.Joined) > 0 {
		a.order.joined(do.Joined)
		a.cfg.Joined(do.Joined)
	}
	for _, alarm := range do.Alarms {
		a.w.tally.Alarms++
		a.w.loop.note("alarm %v %d", alarm.Class, alarm.Code)
	}
	if a.wake = do.Wake; do.Wake != 0 {
		a.plan(do.Wake)
	}
	switch {
	case !do.Idle:
		a.idleAt = -1
	case a.idleAt < 0:
		a.idleAt = now.Mono
		a.w.loop.in(linger, a.o.p, a.leave)
	}
}

// plan wakes the core at a time of its own.
func (a *performer) plan(at time.Duration) {
	a.w.loop.in(at-time.Since(a.cfg.Origin), a.o.p, func() {
		if a.wake == at && !a.over {
			a.step(room.TimerFired{})
		}
	})
}

// leave ends a room that has been idle for long enough.
func (a *performer) leave() {
	if a.over || len(a.box) > 0 || a.idleAt < 0 || time.Since(a.cfg.Origin)-a.idleAt < linger {
		return
	}
	a.end()
}

func (a *performer) end() {
	a.over = true
	a.o.forget(a)
	a.ended()
}

// stop ends the room when its calls in flight have ended.
func (a *performer) stop() {
	a.stopped = true
	a.step(room.Stopped{})
	if a.flying == 0 && !a.over {
		a.end()
	}
}

// start makes a call, if the lease allows.
func (a *performer) start(call room.Call) {
	a.flying++
	if wait, ok := a.o.p.gate(); !ok {
		a.w.loop.in(0, a.o.p, func() {
			a.land(room.CallHeld{ID: call.ID, Until: time.Since(a.cfg.Origin) + wait})
		})
		return
	}
	if now := a.w.owner; now != nil && now != a.o && now.s != nil {
		a.w.fault("P7: %s starts a call, and %s owns the partition", a.o.p.incarnation, now.p.incarnation)
	}
	a.order.starts(a, call)
	if alter := a.w.bugs.call; alter != nil {
		call = alter(call)
	}
	ended := false
	end := func(answer room.Answer) {
		if !ended {
			ended = true
			a.w.loop.note("%s answer %v %d: %v %v %d, %d rows", a.room, call.Action, call.ID, answer.Outcome, answer.Class, answer.Code, len(answer.Rows))
			a.land(room.CallEnded{ID: call.ID, Answer: answer})
		}
	}
	a.w.zego.take(a.o.p, call, func(after time.Duration, answer room.Answer) {
		a.w.loop.in(after, a.o.p, func() { end(answer) })
	})
	a.w.loop.in(callTimeout, a.o.p, func() { end(room.Answer{Message: "no answer in time"}) })
}

// land takes the end of a call in.
func (a *performer) land(ev room.Event) {
	a.flying--
	a.step(ev)
	if a.stopped && a.flying == 0 && !a.over {
		a.end()
	}
}
