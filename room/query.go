package room

import "time"

// lookup is what a gift remembers of its queries.
type lookup struct {
	next     time.Duration // when it wants to be asked for
	asked    int           // queries that ended
	empty    int           // answers in a row that knew nothing of it, and count
	recorded time.Duration // Mono, since when it is known to be recorded
}

// queryWait is the pause before the query after n others: they end up at 1, 2, 4 and
// 8 s after the lookup began, then every 10 s (ZEGO.md, unknown 23), plus what the
// queries themselves took.
func queryWait(n int) time.Duration {
	switch n {
	case 0, 1:
		return time.Second
	case 2:
		return 2 * time.Second
	case 3:
		return 4 * time.Second
	default:
		return 10 * time.Second
	}
}

// newLookups orders the gifts that are looked up by when they want to be asked for.
func newLookups() giftHeap {
	return giftHeap{seat: seatQueue, before: func(a, b *openGift) bool {
		x, y := a.lookup.next, b.lookup.next
		return x < y || (x == y && a.order < b.order)
	}}
}

// startLookup ends a gift's sends and begins its queries.
func (c *Core) startLookup(g *openGift) {
	c.leaveQueue(g)
	c.leaveTurn(g)
	if g.know == recorded {
		g.lookup.recorded = c.now.Mono
	}
	c.askLater(g)
}

// askLater queues the gift for its next query.
func (c *Core) askLater(g *openGift) {
	g.stage = asking
	g.lookup.next = c.now.Mono + queryWait(g.lookup.asked)
	c.lookups.push(g)
	c.setAlarm(g)
}

// wantQuery is when the next query wants to start. The game's state does not matter:
// ZEGO answers for rounds that are over.
func (c *Core) wantQuery() time.Duration {
	if c.lookups.len() == 0 {
		return never
	}
	return c.lookups.top().lookup.next
}

// startQuery asks for the gifts that are due, and for those of the same game that will
// be within a flush interval: one call instead of several.
func (c *Core) startQuery() {
	game := c.lookups.top().gift.Game
	soon := c.now.Mono + c.cfg.Limits.FlushInterval
	var list []*openGift
	var ids []MsgID
	for c.lookups.len() > 0 && len(list) < BatchMax {
		g := c.lookups.top()
		if g.lookup.next > soon || g.gift.Game != game {
			break
		}
		c.lookups.remove(g)
		list, ids = append(list, g), append(ids, g.gift.MsgID)
	}
	c.launch(flight{gifts: list},
		Call{Action: ActionQuery, Query: &QueryCall{Room: c.cfg.Room, Game: game, MsgIDs: ids}})
}

// queryEnded takes in the answer of a query.
func (c *Core) queryEnded(f *flight, a *Answer) {
	again := &c.slots[ActionQuery].retry
	if a.Outcome == Consumed {
		*again = retry{}
	} else {
		c.backOff(again, a)
	}
	rows := c.readings(f, a)
	for i, g := range f.gifts {
		finding := rows[i].finding(a)
		g.history.add(attemptOf(f, a, &rows[i], c.now.Wall))
		g.lookup.asked++
		g.lookup.count(finding, f.started.Mono-g.sends.ended)
		fate := afterQuery(g.know, finding, g.lookup.empty)
		if fate.move == settle {
			c.settle(g, fate, verdictOf(a, &rows[i]))
			continue
		}
		if fate.know > g.know {
			g.know, g.lookup.recorded = fate.know, c.now.Mono
		}
		c.askLater(g)
	}
}

// count counts answers in a row that know nothing of the gift. One whose query started
// too soon after the last send does not count, nor does a query that failed; a row that
// is no result ends the row of them.
func (l *lookup) count(f finding, sinceSend time.Duration) {
	switch {
	case f == noRow && sinceSend >= emptyAnswersFrom:
		l.empty++
	case f == processing, f == unclear:
		l.empty = 0
	}
}

// queryHeld takes back a query that was not made.
func (c *Core) queryHeld(f *flight) {
	for _, g := range f.gifts {
		g.stage = asking
		c.lookups.push(g)
		c.setAlarm(g)
	}
}
