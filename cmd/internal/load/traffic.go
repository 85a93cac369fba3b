package load

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
)

// load is the load, from start on (since the origin) for as long as it lasts, or until
// ctx ends.
func (w *worker) load(ctx context.Context, start time.Duration) {
	c := &w.plan.Config
	var all sync.WaitGroup
	defer all.Wait()
	if len(w.givers) > 0 {
		all.Go(func() { w.keep(ctx, start, c.Gifts.Rate, 1, w.gift) })
		all.Go(func() { w.keep(ctx, start, c.Gifts.Comments, 2, w.comment) })
		all.Go(func() { w.keep(ctx, start, c.Gifts.Likes, 3, w.like) })
	}
	all.Go(func() { w.keep(ctx, start, c.Trouble.Churn, 4, w.churn) })
	for _, at := range c.Trouble.Storms {
		all.Go(func() {
			if w.wait(ctx, start+at) {
				w.storm()
			}
		})
	}
	w.wait(ctx, start+c.Times.Load)
}

// keep keeps a rate: do is called when something is due, and must not wait. What it
// takes makes later calls late, not fewer.
func (w *worker) keep(ctx context.Context, start time.Duration, rate float64, stream uint64, do func(due time.Duration, dice *rand.Rand)) {
	if rate <= 0 {
		return
	}
	c := &w.plan.Config
	s := newSchedule(rate, c.Gifts.Even, w.plan.Worker, c.Processes, c.Seed+stream)
	for at := s.next(); at < c.Times.Load; at = s.next() {
		if !w.wait(ctx, start+at) {
			return
		}
		do(start+at, s.random)
	}
}

// gift is given by any giver that is not away on purpose. One whose connection was lost
// keeps the gift until it is back, as an app does.
func (w *worker) gift(due time.Duration, dice *rand.Rand) {
	v := w.anyGiver(dice)
	v.tally.count(Due)
	// Whole µs, as the gift itself says when it was due.
	due = due.Truncate(time.Microsecond)
	serial := w.book.open(who{v.board.room, v.user}, due)
	if !v.giver.post(job{serial: serial, due: due}) {
		w.book.drop(serial)
		v.tally.count(Unsent)
	}
}

// anyGiver draws a giver, if it can one that is not away on purpose: a few tries are
// enough where few are.
func (w *worker) anyGiver(dice *rand.Rand) (v *viewer) {
	for range 8 {
		if v = w.givers[dice.IntN(len(w.givers))]; !v.state().leaving {
			return v
		}
	}
	return v
}

// comment is one that joins no game.
func (w *worker) comment(due time.Duration, dice *rand.Rand) {
	w.anyGiver(dice).giver.post(job{frame: wire.CommentFrame{ID: "c", Text: "What a show!"}.Append(nil), due: due}) // best effort
}

func (w *worker) like(due time.Duration, dice *rand.Rand) {
	w.anyGiver(dice).giver.post(job{frame: wire.LikeFrame{Count: 1 + dice.IntN(10)}.Append(nil), due: due}) // best effort
}

// churn lets a viewer leave politely; it comes back by itself.
func (w *worker) churn(_ time.Duration, dice *rand.Rand) {
	for range 8 {
		v := w.viewers[dice.IntN(len(w.viewers))]
		var c *conn
		v.change(func(l *line) {
			if !v.slow && l.conn != nil && l.welcomed != 0 && !l.leaving {
				c, l.leaving = l.conn, true
			}
		})
		if c != nil {
			v.tally.count(Left)
			c.leave()
			return
		}
	}
}

// storm drops every connection at once, without a word.
func (w *worker) storm() {
	for _, v := range w.viewers {
		var c *conn
		v.change(func(l *line) {
			if l.conn != nil && l.welcomed != 0 && !l.leaving {
				c, l.dropped = l.conn, max(w.clock.now(), 1)
			}
		})
		if c != nil {
			v.tally.count(Dropped)
			c.cut()
		}
	}
}
