package room

import "time"

const (
	// likersMax is how many viewers' likes may wait, at about 250 bytes each. Likes of
	// further viewers are dropped.
	likersMax = 10_000
	// likesMax is the most likes of one viewer that one entry says. ZEGO gives no range;
	// LikeMax ten times a second for 100 s.
	likesMax = 1_000_000
)

// liker names whose likes are merged: a viewer's, in one game.
type liker struct{ game, user string }

// likes are those that wait, merged per viewer, in the order in which the viewers came.
type likes struct {
	queue fifo[liker]
	sums  map[liker]*Like
	tick  time.Duration // when they are due; never when none waits
}

// liked takes likes in.
func (c *Core) liked(e Liked) {
	if e.Like.Amount < 1 {
		return
	}
	q, who := &c.likes, liker{e.Game, e.Like.User.ID}
	if sum := q.sums[who]; sum != nil {
		add := min(e.Like.Amount, likesMax-sum.Amount)
		sum.User = e.Like.User
		sum.Amount += add
		c.out.Shed.Likes += e.Like.Amount - add
		return
	}
	if q.queue.len() >= likersMax {
		c.out.Shed.Likes += e.Like.Amount
		return
	}
	if q.sums == nil {
		q.sums = make(map[liker]*Like)
		q.tick = c.now.Mono + c.cfg.Limits.FlushInterval
	}
	first := Like{User: e.Like.User, Amount: min(e.Like.Amount, likesMax)}
	c.out.Shed.Likes += e.Like.Amount - first.Amount
	q.sums[who] = &first
	q.queue.push(who)
}

// wantLikes is when the next like call wants to start.
func (c *Core) wantLikes() time.Duration {
	if c.likes.queue.len() >= BatchMax {
		return c.now.Mono
	}
	return c.likes.tick
}

// startLikes starts the next call: the viewers of one game who came first.
func (c *Core) startLikes() {
	q := &c.likes
	call := &LikeCall{Room: c.cfg.Room, Game: q.queue.front().game}
	for bytes := envelopeSize(call.Room, call.Game); q.queue.len() > 0 && len(call.Likes) < BatchMax; {
		who := *q.queue.front()
		like := q.sums[who]
		bytes += LikeSize(*like)
		if who.game != call.Game || (bytes > BatchBytes && len(call.Likes) > 0) {
			break
		}
		q.queue.pop()
		delete(q.sums, who)
		call.Likes = append(call.Likes, *like)
	}
	if q.queue.len() == 0 {
		q.sums, q.tick = nil, never
	}
	c.launch(flight{likes: call}, Call{Action: ActionLikes, Likes: call})
}

// likesEnded takes in the answer of a like call: likes are tried once.
func (c *Core) likesEnded(f *flight, a *Answer) {
	again := &c.slots[ActionLikes].retry
	if a.Outcome == Consumed {
		*again = retry{}
		return
	}
	for _, like := range f.likes.Likes {
		c.out.Shed.Likes += like.Amount
	}
	c.backOff(again, a)
}

// likesHeld takes back a call that was not made.
func (c *Core) likesHeld(f *flight) {
	for _, like := range f.likes.Likes {
		c.liked(Liked{Game: f.likes.Game, Like: like})
	}
}
