package sim

import (
	"math"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

// Report is how a run went.
type Report struct {
	Seed uint64
	Tally
	Hash  uint64   // of the trace
	Trace []string // where it was asked for
	Err   error    // the first promise that was broken
}

// Bounds of a run.
const (
	// healedFor is how long the healed world is watched.
	healedFor = 5 * time.Minute
	// decidedWithin is P12 for gifts: a minute that a gift may be sent, 5 s of the last
	// call, half a minute before an empty answer counts, and a minute and a half of
	// queries that get none.
	decidedWithin = 4 * time.Minute
	// flushedWithin is P12 for a gift that is given after healing.
	flushedWithin = 20 * time.Second
)

// Run runs the world of a seed in a bubble. The same seed gives the same trace.
func Run(t *testing.T, seed uint64, trace bool) (r Report) {
	t.Helper()
	return run(t, seed, trace, bugs{})
}

func run(t *testing.T, seed uint64, trace bool, b bugs) (r Report) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w := newWorld(newDice(seed))
		w.bugs = b
		w.loop.trace.keep = trace
		w.playSafely()
		r = w.sum(seed)
	})
	return r
}

func (w *World) sum(seed uint64) Report {
	w.tally.Events = w.loop.trace.count
	return Report{Seed: seed, Tally: w.tally, Hash: w.loop.trace.sum, Trace: w.loop.trace.lines, Err: w.err}
}

// playSafely takes a panic of the code under test for what it is: a broken promise, of a
// seed that can be replayed.
func (w *World) playSafely() {
	defer func() {
		if r := recover(); r != nil {
			w.fault("P13: panic: %v\n%s", r, debug.Stack())
			w.close()
		}
	}()
	w.play()
}

// play is one run: load and faults, then healing, then the reckoning.
func (w *World) play() {
	l := w.loop
	w.embedded = l.luck.upTo(3) == 0
	nodes := 2 + l.luck.upTo(2)
	if w.embedded {
		nodes = 1
	}
	w.draw()
	w.limits.GiftTTL = pick(l, []time.Duration{3 * time.Second, 15 * time.Second, time.Minute})
	w.addRooms(1+l.luck.upTo(3), 1+l.luck.upTo(4))
	w.addNodes(nodes)
	busy := l.between(10*time.Second, 40*time.Second)
	for _, id := range w.rooms {
		if l.luck.upTo(4) > 0 {
			l.in(l.between(0, 3*time.Second), nil, func() { w.round(id, true) })
		}
	}
	for _, v := range w.viewers {
		w.give(v, busy)
	}
	w.nemesis(busy)
	for at := l.now(); at < busy && w.err == nil; at += 250 * time.Millisecond {
		l.runUntil(at)
	}
	if l.luck.upTo(30) == 0 { // a day takes as long to simulate as thirty runs without
		w.longOutage()
	}
	w.heal()
	w.watch()
	w.close()
}

// draw draws how rough the run is: from fair weather to a storm.
func (w *World) draw() {
	rough := math.Pow(float64(w.loop.luck.upTo(1000))/1000, 2) // mostly mild
	some := func(most float64) float64 { return rough * most * float64(w.loop.luck.upTo(1000)) / 1000 }
	w.rates = rates{
		requestLost: some(0.1), requestLate: some(0.05), answerLost: some(0.1),
		publishRefused: some(0.05), saveRefused: some(0.1), lookupFails: some(0.5),
		crash:  some(0.01),
		repeat: 0.25, giveUp: 0.2, poison: some(0.1), joins: 0.2, storming: 1,
	}
}

// give lets a viewer give gifts, alone and in bursts, until the end.
func (w *World) give(v *viewer, end time.Duration) {
	l := w.loop
	pauses := []time.Duration{50 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second, 10 * time.Second}
	l.in(l.between(0, pick(l, pauses)), nil, func() {
		if l.now() > end || w.healed {
			return
		}
		if l.luck.chance(w.rates.joins) {
			v.joins()
		}
		for range 1 + l.luck.upTo(3) {
			v.wishes().try()
		}
		w.give(v, end)
	})
}

// longOutage is a day on which ZEGO, or everything, is away.
func (w *World) longOutage() {
	l := w.loop
	away := l.between(20*time.Hour, 25*time.Hour)
	l.note("away for %v", away)
	w.tally.Weather++
	w.rates.crash = 0
	w.asleep = true
	defer func() { w.asleep = false }()
	l.runUntil(l.now() + 20*time.Second) // what is under way ends, or waits for ZEGO
	if l.luck.upTo(2) == 0 {
		w.zego.gone = true
		l.runUntil(l.now() + away)
		w.zego.gone = false
		return
	}
	w.dark = true
	for _, p := range append([]*process(nil), w.processes...) {
		w.crash(p)
	}
	l.runUntil(l.now() + away)
	w.dark = false
	for _, name := range w.nodes {
		w.start(name)
	}
	w.place()
}

// heal ends all faults.
func (w *World) heal() {
	l := w.loop
	l.note("healed")
	w.healed = true
	w.rates = rates{}
	w.server.stall, w.server.full = 0, 0
	if w.server.down {
		w.server.restart()
	}
	for _, p := range append([]*process(nil), w.processes...) {
		p.skew = 0
		p.thaw()
		p.reconnect()
		p.online()
	}
	for _, id := range w.rooms {
		*w.zego.weather[id] = weather{}
		w.round(id, true)
	}
}

// watch lets the healed world run, and demands P12.
func (w *World) watch() {
	l := w.loop
	healed := l.now()
	var probes []*wish
	l.in(15*time.Second, nil, func() {
		for _, v := range w.viewers {
			s := v.wishes()
			s.gift.GiftID = "g1"
			probes = append(probes, s)
			s.try()
		}
	})
	l.runUntil(healed + 15*time.Second + flushedWithin)
	w.judge.audit()
	for _, s := range probes {
		if d := w.judge.logged[s.id()]; d == nil || d.Status.String() != "delivered" {
			w.fault("P12: %s of %s, given 15 s after all was well, is not delivered within %v", s.gift.ID, s.gift.User.ID, flushedWithin)
		}
	}
	for step := time.Second; l.now() < healed+healedFor; {
		l.runUntil(l.now() + step)
		w.judge.audit()
		if len(w.judge.logged) == len(w.judge.open) {
			if w.tally.Longest == 0 {
				w.tally.Longest = l.now() - healed
			}
		} else {
			w.tally.Longest = 0
		}
		if w.tally.Longest == 0 && l.now() > healed+decidedWithin {
			break
		}
	}
	w.judge.finish()
}

// close ends what is left, so that the bubble can end.
func (w *World) close() {
	for _, p := range w.processes {
		p.dead = true
		for len(p.tasks) > 0 {
			p.tasks[0].kill()
		}
	}
}
