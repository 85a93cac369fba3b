package room

import "time"

// Bounds of the comments that wait, at about 300 bytes each. A call carries 50 and 45
// calls a second are allowed, so either bound is reached only while ZEGO is away.
const (
	// joinsMax is how many joining comments may wait. The oldest is given up; its
	// viewer's gifts go on.
	joinsMax = 20_000
	// commentsMax is how many other comments may wait. The oldest is dropped.
	commentsMax = 1_000
)

// comment is a comment that waits.
type comment struct {
	Comment

	game string
	size int
	came time.Duration // Mono
	join *join         // nil: it does not join
	// alone: the list that it was in was refused (7200004), so it goes in a call of its
	// own. Comments are small and few are wrong, so lists are not bisected: 50 calls are
	// 1.1 s of the budget.
	alone bool
}

// comments are those that wait: joining ones go first.
type comments struct {
	joins fifo[*comment]
	plain fifo[*comment]
	tick  time.Duration // when they are due; never when none waits
}

func (q *comments) waiting() int { return q.joins.len() + q.plain.len() }

// commented takes a comment in.
func (c *Core) commented(e Commented) {
	m := &comment{Comment: e.Comment, game: e.Game, size: CommentSize(e.Comment), came: c.now.Mono}
	q := &c.comments
	if q.waiting() == 0 {
		q.tick = c.now.Mono + c.cfg.Limits.FlushInterval
	}
	if !e.Comment.Join {
		q.plain.push(m)
		if q.plain.len() > commentsMax {
			c.dropComment(q.plain.pop())
		}
		return
	}
	m.join = c.joining(e.Comment.User.ID)
	q.joins.push(m)
	if q.joins.len() > joinsMax {
		c.dropComment(q.joins.pop())
	}
}

// dropComment gives a comment up.
func (c *Core) dropComment(m *comment) {
	c.out.Shed.Comments++
	if m.join != nil {
		c.joinLost(m.join)
	}
}

// wantComments is when the next comment call wants to start.
func (c *Core) wantComments() time.Duration {
	if c.comments.waiting() >= BatchMax {
		return c.now.Mono
	}
	return c.comments.tick
}

// startComments starts the next call, unless all that waited was too old.
func (c *Core) startComments() {
	list := c.takeComments()
	if c.comments.waiting() == 0 {
		c.comments.tick = never
	}
	if len(list) == 0 {
		return
	}
	call := &CommentCall{Room: c.cfg.Room, Game: list[0].game, Comments: make([]Comment, len(list))}
	for i, m := range list {
		call.Comments[i] = m.Comment
	}
	c.launch(flight{comments: list}, Call{Action: ActionComments, Comments: call})
}

// takeComments removes what one call carries: the oldest joins of one game, then other
// comments of the same.
func (c *Core) takeComments() []*comment {
	var list []*comment
	bytes := 0
	for _, q := range []*fifo[*comment]{&c.comments.joins, &c.comments.plain} {
		for q.len() > 0 && len(list) < BatchMax {
			m := *q.front()
			if m.join != nil && c.now.Mono-m.came >= sendUntil(c.cfg.Limits) {
				c.dropComment(q.pop())
				continue
			}
			if len(list) == 0 {
				bytes = envelopeSize(c.cfg.Room, m.game)
			} else if m.game != list[0].game || m.alone || bytes+m.size > BatchBytes {
				break
			}
			bytes += m.size
			list = append(list, q.pop())
			if m.alone {
				return list
			}
		}
	}
	return list
}

// commentsEnded takes in the answer of a comment call.
func (c *Core) commentsEnded(f *flight, a *Answer) {
	again := &c.slots[ActionComments].retry
	refused := a.Outcome == NotTaken && a.Class == ClassBadRequest
	switch {
	case a.Outcome == Consumed:
		*again = retry{}
	case !refused:
		c.backOff(again, a)
	}
	var joins []*comment
	for _, m := range f.comments {
		switch {
		case m.join == nil && a.Outcome != Consumed:
			c.out.Shed.Comments++
		case m.join == nil:
		case a.Outcome == Consumed:
			c.out.Joined = append(c.out.Joined, m.Comment)
			c.joinTaken(m.join)
		case refused && len(f.comments) == 1:
			c.dropComment(m)
		default:
			m.alone = m.alone || refused
			joins = append(joins, m)
		}
	}
	c.returnJoins(joins)
}

// returnJoins puts joins back before those that wait. They have waited already.
func (c *Core) returnJoins(joins []*comment) {
	if len(joins) == 0 {
		return
	}
	c.comments.joins.pushFront(joins)
	c.comments.tick = min(c.comments.tick, c.now.Mono)
}

// commentsHeld takes back a call that was not made.
func (c *Core) commentsHeld(f *flight) {
	var joins, plain []*comment
	for _, m := range f.comments {
		if m.join != nil {
			joins = append(joins, m)
		} else {
			plain = append(plain, m)
		}
	}
	c.comments.plain.pushFront(plain)
	c.returnJoins(joins)
	c.comments.tick = min(c.comments.tick, c.now.Mono)
}
