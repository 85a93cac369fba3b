package room

import "time"

// lane is the gifts of one game on their way into calls: a call carries one game's
// gifts only. A room has one lane, and a second while gifts of the game before are
// still open. Each has its own backoff, so a game that is gone does not hold up the
// one that is played.
type lane struct {
	game     string
	envelope int // bytes of an empty call
	open     int // open gifts of the game, wherever they are

	ready giftHeap      // by place in the journal
	bytes int           // of ready
	tick  time.Duration // when the ready gifts are due; never when there are none

	suspects [][]*openGift // parts of refused lists, each sent as a call of its own
	turn     bool          // the next call is a suspect's, if both want one
	retry    retry
	served   uint64 // id of its last call
}

func newLane(room, game string) *lane {
	return &lane{
		game: game, envelope: envelopeSize(room, game), tick: never,
		ready: giftHeap{seat: seatQueue, before: func(a, b *openGift) bool { return a.order < b.order }},
	}
}

// push makes a gift ready, to go at due or earlier with others.
func (l *lane) push(g *openGift, due time.Duration) {
	g.stage = ready
	g.sends.due = due
	l.ready.push(g)
	l.bytes += g.size
	l.tick = min(l.tick, due)
}

// drop takes a gift out of the ready ones.
func (l *lane) drop(g *openGift) {
	l.ready.remove(g)
	l.bytes -= g.size
	if l.ready.len() == 0 {
		l.tick = never
	}
}

// full reports whether a call's worth is ready: there is nothing to wait for.
func (l *lane) full() bool {
	return l.ready.len() >= BatchMax || l.envelope+l.bytes >= BatchBytes
}

// due is when the lane's next call wants to start.
func (l *lane) due(now time.Duration) time.Duration {
	l.trim()
	t := l.tick
	if len(l.suspects) > 0 || l.full() {
		t = now
	}
	if t == never {
		return never
	}
	return max(t, l.retry.until)
}

// take removes the oldest ready gifts, as many as a call holds. The order is the
// journal's, so a viewer's first attempts are in the order given (P8).
func (l *lane) take() []*openGift {
	list := make([]*openGift, 0, min(l.ready.len(), BatchMax))
	for bytes := l.envelope; l.ready.len() > 0 && len(list) < BatchMax; {
		g := l.ready.top()
		// A gift that no call could hold goes alone: the sender says what it thinks of it.
		if bytes += g.size; bytes > BatchBytes && len(list) > 0 {
			break
		}
		l.drop(g)
		list = append(list, g)
	}
	l.retick()
	return list
}

// retick sets the tick by the gifts that were left behind. A full lane needs none, so
// it looks at fewer than BatchMax gifts, or at as many as fit a call.
func (l *lane) retick() {
	if l.full() {
		return
	}
	l.tick = never
	for _, g := range l.ready.items {
		l.tick = min(l.tick, g.sends.due)
	}
}

// lanes are a room's lanes, in the order in which their games were first seen.
type lanes []*lane

// of returns the game's lane, made if need be. A room sees few games at once: their
// number is bounded by the changes of its game within a gift's life.
func (ls *lanes) of(room, game string) *lane {
	for _, l := range *ls {
		if l.game == game {
			return l
		}
	}
	l := newLane(room, game)
	*ls = append(*ls, l)
	return l
}

// next returns the lane whose call wants to start first, and when; of those that are
// due now, the one that was served longest ago.
func (ls lanes) next(now time.Duration) (*lane, time.Duration) {
	var first *lane
	at := never
	for _, l := range ls {
		due := l.due(now)
		if due == never {
			continue
		}
		due = max(due, now)
		if first == nil || due < at || (due == at && l.served < first.served) {
			first, at = l, due
		}
	}
	return first, at
}

// sweep forgets lanes that nothing is open in and nothing is owed by.
func (ls *lanes) sweep(now time.Duration) {
	kept := (*ls)[:0]
	for _, l := range *ls {
		if l.open > 0 || l.retry.until > now {
			kept = append(kept, l)
		}
	}
	clear((*ls)[len(kept):])
	*ls = kept
}
