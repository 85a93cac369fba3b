package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// viewer gives gifts, joins, and does what a client does that hears nothing: it tries
// again under the same id, on whatever node answers.
type viewer struct {
	w    *World
	user room.User
	room string
	ids  int
}

// wish is one gift that a viewer wants to give, under one id.
type wish struct {
	v       *viewer
	gift    intake.Gift
	tries   int
	verdict *intake.Verdict
	asks    int // submits
	answers int // of which were answered
	gaveUp  bool
}

// patience is how long a viewer waits for an answer before it tries again.
const patience = 3 * time.Second

// id is the MsgID that the gift must have.
func (s *wish) id() room.MsgID {
	return room.NewMsgID(appID, s.gift.Room, s.gift.User.ID, s.gift.ID)
}

// wishes for a new gift.
func (v *viewer) wishes() *wish {
	v.ids++
	l := v.w.loop
	count := pick(l, []int{1, 1, 10, 20, 66})
	id := pick(l, []string{"g1", "g2"})
	if l.luck.chance(v.w.rates.poison) {
		id = poison
	}
	s := &wish{v: v, gift: intake.Gift{
		Room: v.room, User: v.user, ID: fmt.Sprintf("c%d", v.ids), GiftID: id, Count: count,
	}}
	v.w.wishes = append(v.w.wishes, s)
	return s
}

// try submits the gift once, to a process that is there.
func (s *wish) try() {
	w := s.v.w
	if w.asleep {
		s.gaveUp = true
		return
	}
	s.tries++
	p := w.anyone()
	if p != nil {
		s.submit(p, s.gift, func(v intake.Verdict) { s.hears(v) })
	}
	tries := s.tries
	w.loop.in(patience, nil, func() {
		if s.verdict != nil || s.tries != tries {
			return
		}
		if !w.healed && s.tries > 3 && w.loop.luck.chance(w.rates.giveUp) {
			s.gaveUp = true
			return
		}
		s.try()
	})
}

// submit hands a gift to a process; its answer travels, unless the process dies first.
func (s *wish) submit(p *process, g intake.Gift, hears func(intake.Verdict)) {
	l := s.v.w.loop
	s.asks++
	l.spawn(p, func() {
		p.intake.Submit(context.Background(), g, func(v intake.Verdict) {
			s.v.w.judge.answered(s, g, v)
			l.in(l.between(time.Millisecond, 10*time.Millisecond), p, func() { hears(v) })
		})
	})
}

// hears takes the verdict in. Who is refused tries again later.
func (s *wish) hears(v intake.Verdict) {
	w := s.v.w
	if s.verdict != nil {
		return
	}
	switch v.Outcome {
	case intake.Accepted:
		s.verdict = &v
		w.tally.Accepted++
		if w.loop.luck.chance(w.rates.repeat) {
			w.loop.in(w.loop.between(0, 15*time.Second), nil, s.again)
		}
	case intake.Rejected:
		w.tally.Rejected++
		tries := s.tries
		w.loop.in(v.RetryAfter+w.loop.between(500*time.Millisecond, 3*time.Second), nil, func() {
			if s.verdict == nil && s.tries == tries && !s.gaveUp {
				s.try()
			}
		})
	default: // unknown: a viewer is told nothing
	}
}

// again repeats an accepted gift, with its content or with another.
func (s *wish) again() {
	w := s.v.w
	p := w.anyone()
	if p == nil {
		return
	}
	g := s.gift
	if w.loop.luck.chance(0.3) {
		g.Count = 2 * g.Count
	}
	w.tally.Resubmits++
	s.submit(p, g, func(intake.Verdict) {})
}

// joins sends the comment by which the viewer joins the game.
func (v *viewer) joins() {
	p := v.w.anyone()
	if p == nil {
		return
	}
	v.w.loop.spawn(p, func() {
		p.intake.Comment(intake.Comment{Room: v.room, User: v.user, Text: "1"}, func(intake.Verdict) {})
	})
}

// report hands a callback of ZEGO to a process, as the hub's HTTP handler does; it comes
// again until it is stored.
func (w *World) report(c journal.Callback, tries int) {
	p := w.anyone()
	stored := false
	if p != nil {
		w.loop.spawn(p, func() {
			// An error of either kind is no answer to ZEGO, which repeats the report.
			_ = p.publisher.Submit(journal.Entry{Callback: &c}, func(_ journal.Receipt, err error) { stored = stored || err == nil })
		})
	}
	w.loop.in(2*time.Second, nil, func() {
		if !stored && (tries > 0 || w.healed) {
			w.report(c, tries-1)
		}
	})
}
