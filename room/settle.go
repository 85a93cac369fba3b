package room

import (
	"slices"
	"time"
)

// alarmOf is when the gift has to be looked at again if nothing happens before.
func (c *Core) alarmOf(g *openGift) time.Duration {
	if g.stage == asking {
		last := g.birth.reaches(SendAgeMax, c.now)
		if g.know == recorded {
			last = min(last, g.lookup.recorded+recordedFor)
		}
		return last
	}
	tooOld := g.birth.reaches(sendUntil(c.cfg.Limits), c.now)
	switch {
	case g.stage == held && g.turn.hold > c.now.Mono:
		return min(tooOld, g.turn.hold)
	case g.stage == resting:
		return min(tooOld, g.sends.due)
	default:
		return tooOld
	}
}

// setAlarm sets the gift's alarm clock by its stage.
func (c *Core) setAlarm(g *openGift) { c.book.set(g, c.alarmOf(g)) }

// ring looks at every gift whose alarm goes off.
func (c *Core) ring() {
	for c.book.next() <= c.now.Mono {
		g := c.book.alarms.top()
		switch {
		case g.stage == asking:
			c.giveUpAsking(g)
		case g.age(c.now) >= sendUntil(c.cfg.Limits):
			c.giveUpSending(g)
		case g.stage == held:
			c.setAlarm(g) // the hold is over, but something else may be before it
			c.holdOver(g)
		case g.stage == resting:
			c.rested(g)
		default: // the clock was set by a wall clock that has moved since
			c.setAlarm(g)
		}
	}
}

// giveUpAsking ends a gift that no query decides.
func (c *Core) giveUpAsking(g *openGift) {
	fate := lookedUpEnough(g.know, g.age(c.now), c.now.Mono-g.lookup.recorded)
	if fate.move != settle {
		c.setAlarm(g)
		return
	}
	c.settle(g, fate, g.lastVerdict())
}

// leaveQueue takes the gift out of whatever queue it is in.
func (c *Core) leaveQueue(g *openGift) {
	switch {
	case g.lane.ready.holds(g):
		g.lane.drop(g)
	case c.lookups.holds(g):
		c.lookups.remove(g)
	}
}

// settle decides the gift and closes it. It is the only place that does.
func (c *Core) settle(g *openGift, f fate, v verdict) {
	c.leaveQueue(g)
	c.leaveTurn(g)
	c.book.drop(g)
	g.stage = closed
	g.lane.open--
	if v.message == "" {
		v.message = explain(f.reason)
	}
	c.out.Decisions = append(c.out.Decisions, Decision{
		Gift: g.gift, Status: f.status, Code: v.code, Reason: f.reason,
		Message: clip(v.message), At: c.now.Wall, Attempts: g.history.kept,
	})
}

// verdict is what ZEGO said of a gift, for people.
type verdict struct {
	code    int // Result or Code
	message string
}

// verdictOf is what an answer says of a gift. An answer without a row for it says
// nothing, though its own message may be "succeed".
func verdictOf(a *Answer, row *reading) verdict {
	switch {
	case row.found:
		return verdict{row.Result, row.Message}
	case a.Outcome == Consumed:
		return verdict{}
	default:
		return verdict{a.Code, a.Message}
	}
}

// lastVerdict is the last that ZEGO said of the gift.
func (g *openGift) lastVerdict() verdict {
	for _, a := range slices.Backward(g.history.kept) {
		if a.HasRow {
			return verdict{a.Result, a.Message}
		}
	}
	return verdict{g.sends.code, g.sends.message}
}

// explain says in a sentence why a gift ended so, where ZEGO did not.
func explain(r Reason) string {
	switch r {
	case ReasonOK:
		return "delivered"
	case ReasonNotStarted:
		return "the game did not start in time"
	case ReasonGameNotFound:
		return "the game was not found in time"
	case ReasonExpired:
		return "surely not given, and too late to send"
	case ReasonUnknownOutcome:
		return "no answer says whether it was given"
	default:
		return "refused"
	}
}
