package hub

import (
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
)

// Times of the sweeper: one goroutine looks after all connections, so that an idle
// one costs no timer.
const (
	sweepEvery = time.Second
	// sweepTurn is how many connections are looked after before rooms have their turn: about
	// 0.1 ms. In one go 15,000 would hold up a processor for 15 ms every second.
	sweepTurn = 64
	// pingEvery is drawn within pingSpread of it for each ping, so that viewers who came
	// together are not asked together.
	pingEvery  = 25 * time.Second
	pingSpread = 2500 * time.Millisecond
	// silenceMax is how long a viewer may send nothing, not even a pong: two pings and a
	// while.
	silenceMax = 60 * time.Second
	// slowAfter is how long an outbox may be over its bound.
	slowAfter = 10 * time.Second
	// stallMax is how long a write may make no progress.
	stallMax = 30 * time.Second
	// byeGrace is how long a viewer that was told bye may take to read it and to close.
	byeGrace = 6 * time.Second
)

// sweep looks after every connection.
func (l *lobby) sweep(now time.Time) {
	for i, s := range l.sessions.list() {
		if i%sweepTurn == sweepTurn-1 {
			runtime.Gosched()
		}
		s.check(now)
	}
	l.upgrades.Sweep(now)
	l.gifts.Sweep(now)
	l.comments.Sweep(now)
	l.likes.Sweep(now)
}

// check ends a connection that has reached one of its ends, or pings it.
func (s *session) check(now time.Time) {
	socket := s.link.socket
	if ending := s.member.Ending(); !ending.IsZero() {
		if now.Sub(ending) >= byeGrace {
			socket.Kill()
		}
		return
	}
	s.catchUp(now)
	over := s.member.Over()
	switch {
	case socket.Silent(now) >= silenceMax, socket.Stalled(now) >= stallMax:
		socket.Kill()
	case !over.IsZero() && now.Sub(over) >= slowAfter:
		s.member.Slow()
	case !now.Before(s.who.Expires):
		s.member.Bye(wire.Bye{Code: wire.ByeExpiredToken})
	case !now.Before(s.nextPing) && socket.Stalled(now) == 0:
		s.nextPing = now.Add(pingEvery - pingSpread + rand.N(2*pingSpread))
		s.lobby.sessions.also(s, s.link.ping)
	}
}
