package roomtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/giftwire/giftwire/room"
)

// Twin judges a core by what it is told and what it does. It shares no code with it
// and remembers everything, so it is slow and plain: every check walks whole
// histories.
type Twin struct {
	cfg     room.CoreConfig
	now     room.Now
	gifts   []*story // in journal order
	byID    map[room.MsgID]*story
	joins   []*joinStory
	calls   []*callStory
	stopped bool
	ended   bool // the game
	heldTo  map[room.Action]time.Duration
	talk    talk
}

// story is all that happened to a gift.
type story struct {
	room.GiftAccepted

	at       room.Now   // of acceptance
	join     *joinStory // that it waits, or waited, for
	old      bool       // it was too old to be sent once; a clock that goes back does not make it young
	visits   []*callStory
	decision *room.Decision
	known    known
}

// joinStory is a joining comment.
type joinStory struct {
	room.Commented

	until time.Duration // Mono, the end of what it holds
	over  bool          // taken or given up
}

// callStory is a call and what became of it.
type callStory struct {
	room.Call

	started room.Now
	endedAt time.Duration
	ended   bool
	answer  room.Answer
}

// NewTwin returns the twin of a core that is made of the same config.
func NewTwin(cfg room.CoreConfig) *Twin {
	cfg.Limits, _ = cfg.Limits.WithDefaults() // NewCore has refused bad ones
	return &Twin{
		cfg: cfg, ended: cfg.Game == room.GameEnded,
		byID: make(map[room.MsgID]*story), heldTo: make(map[room.Action]time.Duration),
	}
}

// Check judges a step: the event that the core was given, and what it did. Its error
// names the first promise that was broken.
func (t *Twin) Check(now room.Now, ev room.Event, do room.Effects) error {
	now.Mono = max(now.Mono, t.now.Mono)
	t.now = now
	t.talk.shed(do.Shed)
	if err := t.take(ev, do); err != nil {
		return err
	}
	for _, s := range t.gifts {
		s.old = s.old || t.age(s) >= t.sendable()
	}
	for i := range do.Decisions {
		if err := t.judgeDecision(&do.Decisions[i]); err != nil {
			return fmt.Errorf("decision %v %v: %w", do.Decisions[i].Status, do.Decisions[i].Reason, err)
		}
	}
	for _, call := range do.Calls {
		if err := t.judgeCall(call); err != nil {
			return fmt.Errorf("call %d %v: %w", call.ID, call.Action, err)
		}
	}
	if err := t.judgeOverdue(); err != nil {
		return err
	}
	return t.judgeRest(do)
}

// take remembers the event.
func (t *Twin) take(ev room.Event, do room.Effects) error {
	joined := 0
	switch e := ev.(type) {
	case room.GiftAccepted:
		t.takeGift(e)
	case room.Commented:
		t.takeComment(e)
	case room.Liked:
		t.talk.likes += max(e.Like.Amount, 0)
	case room.GameChanged:
		t.ended = e.Game.State == room.GameEnded
	case room.Stopped:
		t.stopped = true
	case room.CallHeld:
		if c := t.flight(e.ID); c != nil {
			t.heldTo[c.Action] = e.Until
			t.forget(c)
		}
	case room.CallEnded:
		if c := t.flight(e.ID); c != nil {
			c.ended, c.endedAt, c.answer = true, t.now.Mono, e.Answer
			joined = t.takeAnswer(c)
		}
	}
	if len(do.Joined) != joined {
		return fmt.Errorf("%d joins reported, %d were taken", len(do.Joined), joined)
	}
	return nil
}

func (t *Twin) takeGift(e room.GiftAccepted) {
	if s := t.story(e.Gift.MsgID); s != nil && s.decision == nil {
		return
	}
	s := &story{GiftAccepted: e, at: t.now, known: known{unknown: e.Recovered, sent: e.SentUntil}}
	for _, j := range slices.Backward(t.joins) {
		if j.Comment.User.ID == e.Gift.User.ID {
			s.join = j
			break
		}
	}
	t.gifts = append(t.gifts, s)
	t.byID[e.Gift.MsgID] = s
}

func (t *Twin) takeComment(e room.Commented) {
	t.talk.comments++
	if !e.Comment.Join {
		return
	}
	// A join that is as old as a gift may become is given up.
	j := &joinStory{e, t.now.Mono + min(t.cfg.Limits.JoinWait, t.sendable()), false}
	t.joins = append(t.joins, j)
	for _, s := range t.gifts {
		waits := s.join != nil && !s.join.over
		if s.Gift.User.ID == e.Comment.User.ID && !waits && !s.flies() && s.part() == nil {
			s.join = j
		}
	}
}

// takeAnswer returns how many joins the answer has taken.
func (t *Twin) takeAnswer(c *callStory) int {
	if c.answer.Outcome != room.Consumed {
		refused := c.answer.Outcome == room.NotTaken && c.answer.Class == room.ClassBadRequest
		if c.Action == room.ActionComments && refused && len(c.Comments.Comments) == 1 {
			t.endHold(c.Comments.Comments[0], t.now.Mono) // given up
		}
		return 0
	}
	joined := 0
	switch c.Action {
	case room.ActionComments:
		t.talk.commentsTaken += len(c.Comments.Comments)
		for _, m := range c.Comments.Comments {
			if !m.Join {
				continue
			}
			joined++
			t.endHold(m, t.now.Mono+t.cfg.Limits.FlushInterval)
		}
	case room.ActionLikes:
		for _, l := range c.Likes.Likes {
			t.talk.likesTaken += l.Amount
		}
	default:
	}
	return joined
}

// endHold ends what the first such join that is under way holds, at the given time if
// not earlier.
func (t *Twin) endHold(m room.Comment, at time.Duration) {
	for _, j := range t.joins {
		if j.Comment == m && !j.over {
			j.over, j.until = true, min(j.until, at)
			return
		}
	}
}

// story returns the newest story of an id, or nil.
func (t *Twin) story(id room.MsgID) *story { return t.byID[id] }

// flight returns the call in flight with that id, or nil.
func (t *Twin) flight(id uint64) *callStory {
	for _, c := range slices.Backward(t.calls) {
		if c.ID == id && !c.ended {
			return c
		}
	}
	return nil
}

// forget undoes a call that was not made.
func (t *Twin) forget(c *callStory) {
	t.calls = slices.DeleteFunc(t.calls, func(o *callStory) bool { return o == c })
	for _, s := range t.gifts {
		s.visits = slices.DeleteFunc(s.visits, func(o *callStory) bool { return o == c })
	}
}

// age is the larger of what the two clocks say.
func (t *Twin) age(s *story) time.Duration {
	return max(time.Duration(t.now.Wall-s.StoredAt)*time.Millisecond, s.AgeAtRead+t.now.Mono-s.at.Mono)
}

// sendable is the age from which a gift is not sent.
func (t *Twin) sendable() time.Duration { return min(t.cfg.Limits.GiftTTL, room.SendAgeMax) }

// flies reports whether the gift is in a call.
func (s *story) flies() bool {
	return len(s.visits) > 0 && !s.visits[len(s.visits)-1].ended
}
