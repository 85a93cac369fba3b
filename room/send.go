package room

import (
	"slices"
	"time"
)

// makeReady puts a gift into its lane, to go at due or earlier with others.
func (c *Core) makeReady(g *openGift, due time.Duration) {
	g.lane.push(g, due)
	c.setAlarm(g)
}

// wantGifts is when the next gift call wants to start, and in which lane.
func (c *Core) wantGifts() (*lane, time.Duration) {
	if c.phase.ended {
		return nil, never
	}
	l, at := c.lanes.next(c.now.Mono)
	return l, max(at, c.phase.resumed)
}

// startGifts starts the lane's next call. Gifts that became too old while nobody
// looked are left out, so there may be no call.
func (c *Core) startGifts(l *lane) {
	list, suspects := l.takeSuspects(c.now.Mono), true
	if list == nil {
		list, suspects = l.take(), false
	}
	kept := list[:0]
	for _, g := range list {
		if g.age(c.now) >= sendUntil(c.cfg.Limits) {
			c.giveUpSending(g)
			continue
		}
		kept = append(kept, g)
	}
	if len(kept) == 0 {
		return
	}
	gifts := make([]*Gift, len(kept))
	for i, g := range kept {
		gifts[i] = g.gift
	}
	c.launch(flight{gifts: kept, lane: l, suspects: suspects},
		Call{Action: ActionGifts, Gifts: &GiftCall{Room: c.cfg.Room, Game: l.game, Gifts: gifts}})
	l.served = c.calls
}

// giftsEnded takes in the answer of a send.
func (c *Core) giftsEnded(f *flight, a *Answer) {
	again := make([]*openGift, 0, len(f.gifts))
	c.out.Decisions = slices.Grow(c.out.Decisions, len(f.gifts))
	rows := c.readings(f, a)
	for i, g := range f.gifts {
		finding := rows[i].finding(a)
		c.noteSend(g, f, a, &rows[i])
		fate := afterSend(g.know, finding)
		if fate.move == split && len(f.gifts) == 1 {
			fate = refusedAlone(g.know)
			g.sends.alone = true
		}
		switch g.know = max(g.know, fate.know); fate.move {
		case settle:
			c.settle(g, fate, verdictOf(a, &rows[i]))
		case lookUp:
			c.startLookup(g)
		case rest:
			c.rest(g)
		default: // sendAgain, split
			again = append(again, g)
		}
	}
	c.sendLater(f, a, again)
}

// noteSend writes down that a send carried the gift, whose turn is thereby over.
func (c *Core) noteSend(g *openGift, f *flight, a *Answer, row *reading) {
	g.sends.ended = c.now.Mono
	g.sends.alone = g.sends.alone && a.Outcome != Consumed
	if a.Code != 0 || a.Class > ClassRetry { // a refused connection has neither, and tells nothing new
		g.sends.class, g.sends.code, g.sends.message = a.Class, a.Code, clip(a.Message)
	}
	g.history.add(attemptOf(f, a, row, c.now.Wall))
	c.attempted(g)
}

// sendLater keeps the gifts of a call that was not consumed for another one. A refused
// list says that the endpoint is well, so it is no reason to back off.
func (c *Core) sendLater(f *flight, a *Answer, list []*openGift) {
	refused := a.Outcome == NotTaken && a.Class == ClassBadRequest
	switch {
	case a.Outcome == Consumed:
		f.lane.retry = retry{}
	case !refused:
		c.backOff(&f.lane.retry, a)
	}
	switch {
	case len(list) == 0:
	case refused:
		f.lane.suspect(halves(list)...)
	case f.suspects:
		f.lane.suspectAgain(list)
	}
	for _, g := range list {
		if g.stage == suspect {
			c.setAlarm(g)
		} else if !c.holdAgain(g) {
			c.makeReady(g, c.now.Mono)
		}
	}
}

// giftsHeld takes back a send that was not made.
func (c *Core) giftsHeld(f *flight) {
	if f.suspects {
		f.lane.suspectAgain(f.gifts)
	}
	for _, g := range f.gifts {
		if g.stage == suspect {
			c.setAlarm(g)
		} else {
			c.makeReady(g, c.now.Mono)
		}
	}
}

// rest lets a gift wait out a backoff of its own: ZEGO is well, but has not told what
// became of this gift.
func (c *Core) rest(g *openGift) {
	l := &c.cfg.Limits
	g.stage = resting
	g.sends.due = c.now.Mono + c.part(doubled(l.BackoffBase, l.BackoffMax, g.sends.rests))
	g.sends.rests++
	c.setAlarm(g)
}

// rested ends it. Gifts that rested together go together, hence the interval; one that
// goes alone has nobody to wait for.
func (c *Core) rested(g *openGift) {
	if g.sends.alone {
		g.lane.suspect([]*openGift{g})
		c.setAlarm(g)
		return
	}
	if g.turn.hold > c.now.Mono {
		g.stage = held
		c.setAlarm(g)
		return
	}
	c.makeReady(g, c.now.Mono+c.cfg.Limits.FlushInterval)
}

// giveUpSending ends the sends of a gift that is too old.
func (c *Core) giveUpSending(g *openGift) {
	fate := tooOld(g.know, g.sends.class)
	if fate.move == settle {
		c.settle(g, fate, verdict{code: g.sends.code, message: g.sends.message})
		return
	}
	c.startLookup(g)
}
