package room

import (
	"context"
	"sync"
	"time"
)

const (
	// lingerDefault is how long an idle actor stays: most rooms get their next gift
	// within it, and so keep their goroutine.
	lingerDefault = 2 * time.Second
	// heldMin is the least time that a call waits when the gate refuses it, so that a
	// gate that knows no better does not make the loop spin.
	heldMin = 10 * time.Millisecond
)

// ActorConfig is what an actor needs. Core, Sender, Origin and Decide must be set. The
// hooks are called from the actor's loop, one at a time, but for Gate. They must not
// block, nor call Attempts.
type ActorConfig struct {
	// Core is the room. While the actor lives, nobody else touches it.
	Core *Core
	// Sender makes the calls. It is called from a goroutine a call, at most one an
	// action at a time, with a context that ends after the limits' CallTimeout, and has
	// to return soon after: the actor waits for it. If it panics, the process ends: a
	// gift whose call nobody can tell the end of must not be taken for unsent.
	Sender Sender
	// Origin is where the core's Mono counts from. Every actor of one core has the same.
	Origin time.Time
	// Linger is how long the actor stays after its core is idle. Default 2 s.
	Linger time.Duration

	// Gate, if set, is asked right before each call, from the call's goroutine. Without
	// leave nothing is sent, and nothing of this action is tried for wait (at least
	// 10 ms).
	Gate func(Action) (wait time.Duration, ok bool)
	// Ended, if set, hears of each call's answer and how long it took.
	Ended func(a Action, answer Answer, took time.Duration)
	// Decide gets the decisions of a step. The slice is its to keep.
	Decide func([]Decision)
	// Joined, if set, gets joining comments that ZEGO has taken. The slice is its to keep.
	Joined func([]Comment)
	// Alarm, if set, hears what a person has to mend.
	Alarm func(Alarm)
	// Shed, if set, hears how many comments and likes were dropped.
	Shed func(Shed)
}

// Actor is the goroutine around a [Core]: it waits, so that the core need not. It runs
// calls beside its loop and never waits for one in it.
type Actor struct {
	// Set by NewActor, never written again.
	cfg  ActorConfig
	box  *mailbox
	asks chan ask      // to Run; never closed
	done chan struct{} // closed when Run no longer touches the core

	// To Run; never closed. One call an action is in flight, so a send never blocks.
	calls chan callEnd

	// Owned by Run.
	wake   time.Duration // Mono, when the core wants to be stepped; 0: need not be
	idleAt time.Duration // Mono, since when it is idle; never: it is not
	flying int           // calls whose end has not been taken in
	wait   sync.WaitGroup
	spare  []Event
}

// ask is a question for a gift's attempts.
type ask struct {
	id    MsgID
	reply chan<- attempts // 1-buffered
}

// attempts is the answer.
type attempts struct {
	list []Attempt
	open bool
}

// callEnd is how a call's goroutine ends.
type callEnd struct {
	action Action
	event  Event // CallEnded or CallHeld
	took   time.Duration
}

// NewActor returns an actor that does nothing until Run.
func NewActor(cfg ActorConfig) *Actor {
	if cfg.Linger == 0 {
		cfg.Linger = lingerDefault
	}
	return &Actor{
		cfg: cfg, box: newMailbox(), asks: make(chan ask), done: make(chan struct{}),
		calls: make(chan callEnd, actions), idleAt: never,
	}
}

// Post gives the actor an event, before or while it runs. It never blocks and is safe
// for concurrent use; events of one poster are taken in order. False: the actor has
// ended and the event was not taken. By then the actor touches its core no more, so the
// caller may start another one on it.
func (a *Actor) Post(ev Event) bool { return a.box.put(ev) }

// Run drives the core until it has been idle for Linger, or ctx ends. Then no call is
// started any more, those in flight are waited for (at most the limits' CallTimeout),
// and what they decide is decided; a core that was ended this way starts no calls
// under another actor either. Everything that Run started has ended when it returns.
// It is called once.
func (a *Actor) Run(ctx context.Context) {
	defer a.wait.Wait() // the calls' goroutines: all have sent their end, some may not have returned
	defer close(a.done)
	timer := time.NewTimer(0) // its first tick tells what the core wants
	defer timer.Stop()
	stop := ctx.Done()
	for {
		select {
		case <-a.box.bell:
			a.takeIn(ctx)
		case end := <-a.calls:
			a.land(ctx, end)
		case q := <-a.asks:
			a.takeIn(ctx) // what was posted before the question comes before it
			a.answer(q)
		case <-timer.C:
			a.step(ctx, TimerFired{})
		case <-stop:
			stop = nil
			a.step(ctx, Stopped{})
		}
		now := a.now()
		if a.over(now, stop == nil) && a.box.shutIfEmpty() {
			return
		}
		a.rearm(timer, now)
	}
}

// takeIn steps the core with what was posted.
func (a *Actor) takeIn(ctx context.Context) {
	events := a.box.take(a.spare)
	for _, ev := range events {
		a.step(ctx, ev)
	}
	a.spare = events
}

// step steps the core and does what it says.
func (a *Actor) step(ctx context.Context, ev Event) {
	now := a.now()
	do := a.cfg.Core.Step(now, ev)
	for _, call := range do.Calls {
		a.flying++
		a.wait.Go(func() { a.calls <- a.call(ctx, call) }) // joined by land, and by Run
	}
	if len(do.Decisions) > 0 {
		a.cfg.Decide(do.Decisions)
	}
	if len(do.Joined) > 0 && a.cfg.Joined != nil {
		a.cfg.Joined(do.Joined)
	}
	for _, alarm := range do.Alarms {
		if a.cfg.Alarm != nil {
			a.cfg.Alarm(alarm)
		}
	}
	if do.Shed != (Shed{}) && a.cfg.Shed != nil {
		a.cfg.Shed(do.Shed)
	}
	a.wake = do.Wake
	switch {
	case !do.Idle:
		a.idleAt = never
	case a.idleAt == never:
		a.idleAt = now.Mono
	}
}

// call makes a call, in a goroutine of its own. It goes on when the actor is stopped:
// an answer that is thrown away leaves its gifts unknown.
func (a *Actor) call(ctx context.Context, c Call) callEnd {
	if a.cfg.Gate != nil {
		if wait, ok := a.cfg.Gate(c.Action); !ok {
			until := a.now().Mono + max(wait, heldMin)
			return callEnd{action: c.Action, event: CallHeld{ID: c.ID, Until: until}}
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Core.cfg.Limits.CallTimeout)
	defer cancel()
	begun := time.Now()
	answer := send(ctx, a.cfg.Sender, c)
	return callEnd{c.Action, CallEnded{ID: c.ID, Answer: answer}, time.Since(begun)}
}

func send(ctx context.Context, s Sender, c Call) Answer {
	switch c.Action {
	case ActionGifts:
		return s.SendGifts(ctx, *c.Gifts)
	case ActionComments:
		return s.SendComments(ctx, *c.Comments)
	case ActionLikes:
		return s.SendLikes(ctx, *c.Likes)
	default:
		return s.QueryGifts(ctx, *c.Query)
	}
}

// land takes the end of a call in.
func (a *Actor) land(ctx context.Context, end callEnd) {
	a.flying--
	if e, ok := end.event.(CallEnded); ok && a.cfg.Ended != nil {
		a.cfg.Ended(end.action, e.Answer, end.took)
	}
	a.step(ctx, end.event)
}

// over reports whether there is nothing left to do or wait for.
func (a *Actor) over(now Now, stopped bool) bool {
	if stopped {
		return a.flying == 0
	}
	return a.idleAt != never && now.Mono-a.idleAt >= a.cfg.Linger
}

// rearm sets the timer to when the core wants to be stepped, or the actor to end.
func (a *Actor) rearm(timer *time.Timer, now Now) {
	at := never
	if a.wake != 0 {
		at = a.wake
	}
	if a.idleAt != never {
		at = min(at, a.idleAt+a.cfg.Linger)
	}
	if at == never {
		timer.Stop()
		return
	}
	timer.Reset(at - now.Mono)
}

// Attempts returns what is remembered of an open gift's calls that have ended, oldest
// first. False: the gift is not open, the actor has ended, or ctx ended. It waits for
// the loop, and so for Run to begin.
func (a *Actor) Attempts(ctx context.Context, id MsgID) ([]Attempt, bool) {
	reply := make(chan attempts, 1)
	select {
	case a.asks <- ask{id, reply}:
	case <-a.done:
		return nil, false
	case <-ctx.Done():
		return nil, false
	}
	select {
	case got := <-reply:
		return got.list, got.open
	case <-ctx.Done():
		return nil, false
	}
}

func (a *Actor) answer(q ask) {
	list, open := a.cfg.Core.Attempts(q.id)
	q.reply <- attempts{list, open}
}

func (a *Actor) now() Now {
	return Now{Mono: time.Since(a.cfg.Origin), Wall: time.Now().UnixMilli()}
}
