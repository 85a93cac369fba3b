package roomtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/giftwire/giftwire/room"
)

// World steps a core on a clock of its own and plays the platform. Every step is
// judged by a [Twin].
type World struct {
	Core *room.Core
	Twin *Twin // nil: nobody judges
	Now  room.Now
	// Platform, if set, answers each call, after some time. Without it, or where ok is
	// false, a call is in flight until End or Hold is called.
	Platform func(w *World, call room.Call) (answer room.Answer, after time.Duration, ok bool)
	// Each, if set, sees each step's effects, whose slices it may keep.
	Each func(now room.Now, ev room.Event, do room.Effects)

	Flying    []room.Call // in flight, in the order of their starts
	Decisions []room.Decision
	Idle      bool
	Err       error // the first thing that the twin objected to

	wake   time.Duration
	agenda []answerAt
	spin   spin
}

// spin counts the steps of one moment.
type spin struct {
	at    time.Duration
	steps int
}

// spinsMax is how many steps one moment may take: all gifts of a full room, and more
// than the calls that four budgets allow.
const spinsMax = 30_000

type answerAt struct {
	at    time.Duration
	event room.CallEnded
}

// NewWorld returns a world at Mono 0 and the given wall time.
func NewWorld(cfg room.CoreConfig, wall int64) *World {
	return &World{Core: room.NewCore(cfg), Twin: NewTwin(cfg), Now: room.Now{Wall: wall}}
}

// Step gives the core an event now.
func (w *World) Step(ev room.Event) {
	do := w.Core.Step(w.Now, ev)
	if w.spin.steps++; w.Now.Mono != w.spin.at {
		w.spin = spin{at: w.Now.Mono}
	}
	if w.spin.steps > spinsMax && w.Err == nil {
		w.Err = fmt.Errorf("at %v: the room spins", w.Now.Mono)
	}
	if w.Twin != nil && w.Err == nil {
		if err := w.Twin.Check(w.Now, ev, do); err != nil {
			w.Err = fmt.Errorf("at %v, after %T: %w", w.Now.Mono, ev, err)
		}
	}
	w.wake, w.Idle = do.Wake, do.Idle
	w.Decisions = append(w.Decisions, do.Decisions...)
	for _, call := range do.Calls {
		w.Flying = append(w.Flying, call)
		if w.Platform == nil {
			continue
		}
		if answer, after, ok := w.Platform(w, call); ok {
			w.agenda = append(w.agenda, answerAt{w.Now.Mono + after, room.CallEnded{ID: call.ID, Answer: answer}})
			slices.SortStableFunc(w.agenda, func(a, b answerAt) int { return int(a.at - b.at) })
		}
	}
	if w.Each != nil {
		w.Each(w.Now, ev, do)
	}
}

// Give lets the core accept a gift that is stored now.
func (w *World) Give(g *room.Gift) {
	w.Step(room.GiftAccepted{Gift: g, StoredAt: w.Now.Wall})
}

// End answers a call in flight.
func (w *World) End(id uint64, answer room.Answer) {
	w.lift(id)
	w.Step(room.CallEnded{ID: id, Answer: answer})
}

// Hold says that a call in flight was not made, and none of its action may be for d.
func (w *World) Hold(id uint64, d time.Duration) {
	w.lift(id)
	w.Step(room.CallHeld{ID: id, Until: w.Now.Mono + d})
}

func (w *World) lift(id uint64) {
	w.Flying = slices.DeleteFunc(w.Flying, func(c room.Call) bool { return c.ID == id })
	w.agenda = slices.DeleteFunc(w.agenda, func(a answerAt) bool { return a.event.ID == id })
}

// Advance lets d pass: the core is stepped whenever it asked to be, and when planned
// answers come.
func (w *World) Advance(d time.Duration) {
	for end := w.Now.Mono + d; w.Err == nil; {
		at, answers := w.next()
		if at == 0 || at > end {
			w.pass(end - w.Now.Mono)
			return
		}
		w.pass(at - w.Now.Mono)
		if answers {
			next := w.agenda[0].event
			w.End(next.ID, next.Answer)
			continue
		}
		w.Step(room.TimerFired{})
	}
}

// Settle advances until no gift is open, at most for most. It reports whether that came
// about.
func (w *World) Settle(most time.Duration) bool {
	for end := w.Now.Mono + most; w.Core.Open() > 0 && w.Err == nil; {
		at, _ := w.next()
		if at == 0 || at > end {
			return false
		}
		w.Advance(at - w.Now.Mono)
	}
	return w.Err == nil
}

// next is when something happens next, and whether that is an answer; 0: nothing will.
func (w *World) next() (at time.Duration, answers bool) {
	if len(w.agenda) > 0 && (w.wake == 0 || w.agenda[0].at <= w.wake) {
		return max(w.agenda[0].at, w.Now.Mono), true
	}
	return w.wake, false
}

func (w *World) pass(d time.Duration) {
	before := w.Now.Mono.Milliseconds()
	w.Now.Mono += d
	w.Now.Wall += w.Now.Mono.Milliseconds() - before
}
