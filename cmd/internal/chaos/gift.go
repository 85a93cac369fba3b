//go:build linux

package main

import (
	"math/rand/v2"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
	"github.com/giftwire/giftwire/hub/wire"
)

const (
	// answerWithin is how long a viewer waits for an answer before it asks again.
	answerWithin = 5 * time.Second
	// retryDefault is used where a rejected names no time.
	retryDefault = time.Second
)

// given is one gift as its sender knows it.
type given struct {
	verdict.Gift
	count int
	// waiting: sent, and no answer yet. doubt: an earlier sending was left without one,
	// so that a later rejected says nothing of it.
	waiting, doubt bool
	due            time.Time // when to send it, again or at all; zero: not
	first          time.Time // when it was first sent
	accepted       time.Time // when that was first heard
	decidedAt      time.Time // when a result was first heard
	// again is how many answers a repeat waits for: accepted and result.
	again struct{ accepted, results int }
}

func (g *given) frame() wire.Frame { return wire.GiftFrame{ID: g.ID, GiftID: "g1", Count: g.count} }

// decided reports whether nothing more is awaited.
func (g *given) decided() bool {
	return g.Answered() && len(g.Accepted) >= g.again.accepted && len(g.Results) >= g.again.results
}

// ask sends it at once, and waits for both answers again.
func (g *given) ask(now time.Time) {
	g.due = now
	g.again.accepted, g.again.results = len(g.Accepted)+1, len(g.Results)+1
}

// sent notes a sending.
func (g *given) sent(now time.Time) {
	if g.first.IsZero() {
		g.first = now
	}
	g.doubt = g.doubt || g.waiting
	g.waiting = true
	g.due = now.Add(answerWithin)
}

// lost notes that the connection has gone: it is sent again on the next.
func (g *given) lost(now time.Time) {
	g.doubt = g.doubt || g.waiting
	g.waiting, g.due = false, now
}

// rejected notes a refusal, and decides whether its sender tries again: always where it
// must, and for one half of the others.
func (g *given) rejected(e wire.Rejected, now time.Time, draw *rand.Rand) {
	switch {
	case len(g.Accepted) > 0 && !passing(e.Code):
		g.Refused = true // a contradiction, for the judge
		return
	case !passing(e.Code), len(g.Accepted) == 0 && !g.doubt && draw.IntN(2) == 0:
		g.Refused, g.due = true, time.Time{}
		return
	}
	wait := time.Duration(e.RetryAfterMS) * time.Millisecond
	if wait <= 0 {
		wait = retryDefault
	}
	g.waiting = false
	g.due = now.Add(wait + time.Duration(draw.Int64N(int64(200*time.Millisecond))))
}

// passing codes say nothing of the gift itself.
func passing(c wire.Code) bool {
	return c == wire.CodeUnavailable || c == wire.CodeBusy || c == wire.CodeRateLimited
}
