package room

import "time"

// Two things put a viewer's gifts in an order of their own (P8): first attempts are
// made in the order given, and gifts wait for the comment by which the viewer joins.
// Both need a place only for viewers who have something waiting.

// turn is a gift's place among its viewer's gifts.
type turn struct {
	viewer     *viewer
	prev, next *openGift // the viewer's gifts that may be sent, in the order given
	fresh      bool      // not attempted yet; then no later one has been
	join       *join     // the newest that it waits, or waited, for
	hold       time.Duration
}

// viewer is one who has gifts to send or a join under way.
type viewer struct {
	id          string
	first, last *openGift
	next        *openGift // the first fresh one that is held, as are those after it; nil: none
	join        *join     // the newest
}

// join is a joining comment until its hold is over.
type join struct {
	viewer *viewer
	// until ends the hold of gifts that nothing was heard of yet: JoinWait after the
	// comment came, or one flush interval after ZEGO took it.
	until time.Duration
	// patience ends the hold of gifts whose call failed while the join was under way,
	// which means that ZEGO is in trouble: to send them before the join can only get
	// them refused for good. Half of what a gift may live, so that it is tried again
	// in any case.
	patience time.Duration
	waiting  []*openGift // what it holds
	over     bool        // ZEGO has taken it, or it was given up
}

// viewers are the viewers of whom something is known.
type viewers struct {
	byID  map[string]*viewer
	taken fifo[*join] // taken joins whose hold is not over, by its end
}

// at returns the viewer, made if need be.
func (vs *viewers) at(id string) *viewer {
	v := vs.byID[id]
	if v == nil {
		if vs.byID == nil {
			vs.byID = make(map[string]*viewer)
		}
		v = &viewer{id: id}
		vs.byID[id] = v
	}
	return v
}

// leave forgets the viewer of whom nothing is left to know.
func (vs *viewers) leave(v *viewer) {
	if v.first != nil || v.join != nil {
		return
	}
	delete(vs.byID, v.id)
}

// queueUp gives an accepted gift its turn.
func (c *Core) queueUp(g *openGift) {
	v := c.viewers.at(g.gift.User.ID)
	g.stage = held
	g.turn = turn{viewer: v, prev: v.last, fresh: true}
	if v.last != nil {
		v.last.turn.next = g
	} else {
		v.first = g
	}
	v.last = g
	if v.next == nil {
		v.next = g
	}
	if v.join != nil {
		v.join.holds(g)
	}
	c.release(v)
	if g.stage == held {
		c.setAlarm(g)
	}
}

// release hands over the viewer's fresh gifts whose turn has come. Those of one game go
// together, for their lane keeps the journal's order; one of another game waits until
// those before it have been attempted.
func (c *Core) release(v *viewer) {
	for g := v.next; g != nil; g = v.next {
		before := g.turn.prev
		if g.turn.hold > c.now.Mono || (before != nil && before.turn.fresh && before.lane != g.lane) {
			return
		}
		v.next = g.turn.next
		c.makeReady(g, max(c.now.Mono, g.birth.readAt+c.cfg.Limits.FlushInterval))
	}
}

// attempted notes that the gift's first attempt is over, which may let another go.
func (c *Core) attempted(g *openGift) {
	if g.turn.fresh {
		g.turn.fresh = false
		c.release(g.turn.viewer)
	}
}

// leaveTurn takes a gift that will not be sent any more out of its viewer's gifts.
func (c *Core) leaveTurn(g *openGift) {
	v, prev, next := g.turn.viewer, g.turn.prev, g.turn.next
	if v == nil {
		return
	}
	if prev != nil {
		prev.turn.next = next
	} else {
		v.first = next
	}
	if next != nil {
		next.turn.prev = prev
	} else {
		v.last = prev
	}
	if v.next == g {
		v.next = next
	}
	g.turn = turn{}
	c.release(v)
	c.viewers.leave(v)
}

// holdAgain holds a gift whose call failed while its viewer's join is under way. It
// reports whether it did.
func (c *Core) holdAgain(g *openGift) bool {
	j := g.turn.join
	if j == nil || j.over || j.patience <= c.now.Mono {
		return false
	}
	g.stage = held
	g.turn.hold = j.patience
	j.waiting = append(j.waiting, g)
	c.setAlarm(g)
	return true
}

// holds notes that the gift waits for j.
func (j *join) holds(g *openGift) {
	g.turn.join, g.turn.hold = j, j.until
	if !j.over {
		j.waiting = append(j.waiting, g)
	}
}

// joining notes that a viewer's join is under way. Gifts that were given before it wait
// for it too, as far as they are not in a call: without the join they would be refused,
// and in a new round the joins are repeated after gifts were given (ZEGO.md, unknown
// 26). Those that wait for an earlier join already wait no longer.
func (c *Core) joining(userID string) *join {
	v := c.viewers.at(userID)
	j := &join{
		viewer:   v,
		until:    c.now.Mono + c.cfg.Limits.JoinWait,
		patience: c.now.Mono + sendUntil(c.cfg.Limits)/2,
	}
	v.join, v.next = j, nil
	for g := v.first; g != nil; g = g.turn.next {
		c.holdBack(g, j)
		switch {
		case !g.turn.fresh:
		case v.next == nil && g.stage == held:
			v.next = g
		case v.next != nil && g.stage == ready:
			// It has waited for an earlier join long enough, but not the one before it.
			g.lane.drop(g)
			g.stage = held
			c.setAlarm(g)
		}
	}
	return j
}

// holdBack lets a gift that was on its way wait for j.
func (c *Core) holdBack(g *openGift, j *join) {
	switch {
	case g.turn.join != nil && !g.turn.join.over:
		return
	case g.stage == ready:
		g.lane.drop(g)
		g.stage = held
	case g.stage != held && g.stage != resting:
		return // in a call, or in a part of a refused list
	}
	j.holds(g)
	c.setAlarm(g)
}

// joinTaken notes that ZEGO has answered the join with Code 0. That is all it ever
// says of a join, so what waits goes on one flush interval later (ZEGO.md, unknown 27).
func (c *Core) joinTaken(j *join) {
	through := c.now.Mono + c.cfg.Limits.FlushInterval
	j.until = min(j.until, through)
	c.endHold(j, through)
	c.viewers.taken.push(j)
}

// joinLost notes that the join will not be sent any more.
func (c *Core) joinLost(j *join) {
	c.endHold(j, c.now.Mono)
	c.forgetJoin(j)
}

// endHold ends the join, and lets what it holds go at the given time, or earlier where
// it would have gone earlier.
func (c *Core) endHold(j *join, at time.Duration) {
	j.over = true
	for _, g := range j.waiting {
		if g.turn.hold <= at {
			continue
		}
		g.turn.hold = at
		switch {
		case g.stage != held:
		case at > c.now.Mono:
			c.setAlarm(g)
		default:
			c.holdOver(g)
		}
	}
	j.waiting = nil
}

// holdOver lets a held gift go, if nothing else is before it.
func (c *Core) holdOver(g *openGift) {
	if g.turn.fresh {
		c.release(g.turn.viewer)
		return
	}
	c.makeReady(g, c.now.Mono)
}

// forgetJoin ends what a join means to gifts to come.
func (c *Core) forgetJoin(j *join) {
	if v := j.viewer; v.join == j {
		v.join = nil
		c.viewers.leave(v)
	}
}

// forgetJoins does so for the taken ones whose hold is over.
func (c *Core) forgetJoins() {
	for q := &c.viewers.taken; q.len() > 0 && (*q.front()).until <= c.now.Mono; {
		c.forgetJoin(q.pop())
	}
}
