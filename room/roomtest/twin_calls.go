package roomtest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/giftwire/giftwire/room"
)

// steady is our budget of an action, of ZEGO's 20, 50, 100 and 20 a second.
func steady(a room.Action) int {
	switch a {
	case room.ActionComments:
		return 45
	case room.ActionLikes:
		return 90
	default:
		return 18
	}
}

// judgeCall judges the start of a call, and remembers it.
func (t *Twin) judgeCall(call room.Call) error {
	c := &callStory{Call: call, started: t.now}
	err := errors.Join(t.judgeTime(c), t.judgeSize(c))
	switch call.Action {
	case room.ActionGifts:
		err = errors.Join(err, t.judgeSend(c))
	case room.ActionQuery:
		err = errors.Join(err, t.judgeQuery(c))
	default:
	}
	t.calls = append(t.calls, c)
	for _, id := range IDs(call) {
		if s := t.story(id); s != nil {
			s.visits = append(s.visits, c)
		}
	}
	return err
}

// judgeTime asks whether a call of this action may start now.
func (t *Twin) judgeTime(c *callStory) error {
	if n := len(t.calls); n > 0 && c.ID <= t.calls[n-1].ID {
		return errors.New("its id is not new")
	}
	size := steady(c.Action)
	var same []*callStory // the newest size calls of the action, newest first
	for _, o := range slices.Backward(t.calls) {
		if o.Action == c.Action {
			same = append(same, o)
		}
		if len(same) == size {
			break
		}
	}
	early := 0
	for _, o := range same {
		if o.started.Mono < t.cfg.OwnedSince+time.Second {
			early++
		}
	}
	switch now := t.now.Mono; {
	case t.stopped:
		return errors.New("the room is stopped")
	case len(same) > 0 && !same[0].ended:
		return errors.New("another is in flight")
	case now < t.heldTo[c.Action]:
		return errors.New("it was held")
	case now < t.cfg.NotBefore:
		return errors.New("the owner must not call yet")
	case now < t.cfg.OwnedSince+time.Second && early >= 2:
		return errors.New("third call in the first second of an owner")
	case len(same) == size && now < same[size-1].endedAt+time.Second:
		return fmt.Errorf("the call %d calls ago ended %v ago", size, now-same[size-1].endedAt)
	}
	return nil
}

// judgeSize asks whether the call's list is within bounds.
func (t *Twin) judgeSize(c *callStory) error {
	n, bytes := 0, 0
	switch c.Action {
	case room.ActionGifts:
		n = len(c.Gifts.Gifts)
		for _, g := range c.Gifts.Gifts {
			bytes += room.GiftSize(g)
		}
	case room.ActionComments:
		n = len(c.Comments.Comments)
		for _, m := range c.Comments.Comments {
			bytes += room.CommentSize(m)
		}
	case room.ActionLikes:
		n = len(c.Likes.Likes)
		for _, l := range c.Likes.Likes {
			bytes += room.LikeSize(l)
		}
	case room.ActionQuery:
		n = len(c.Query.MsgIDs)
	}
	if n < 1 || n > 50 || (bytes > 64<<10 && n > 1) {
		return fmt.Errorf("%d entries of %d bytes", n, bytes)
	}
	return nil
}

// judgeSend asks whether these gifts may be sent now, together and in this order.
func (t *Twin) judgeSend(c *callStory) error {
	if t.ended {
		return errors.New("the game is over")
	}
	first := t.story(c.Gifts.Gifts[0].MsgID)
	for i, g := range c.Gifts.Gifts {
		s := t.story(g.MsgID)
		switch {
		case s == nil || s.decision != nil:
			return errors.New("the gift is not open")
		case slices.Contains(c.Gifts.Gifts[:i], g):
			return errors.New("the gift is in it twice")
		case g.Game != c.Gifts.Game:
			return errors.New("another game's gift")
		case t.age(s) >= t.sendable():
			return fmt.Errorf("the gift is %v old", t.age(s))
		case slices.ContainsFunc(s.visits, func(v *callStory) bool { return v.Action == room.ActionQuery }):
			return errors.New("the gift was being looked up")
		case s.part() != first.part():
			return errors.New("gifts of a refused list are mixed with others")
		}
		if err := t.judgeTurn(s, c.Gifts.Gifts[:i]); err != nil {
			return err
		}
	}
	if p := first.part(); p != nil && len(c.Gifts.Gifts) > (len(p.Gifts.Gifts)+1)/2 {
		return errors.New("a refused list was not cut")
	}
	return t.judgePause(c)
}

// judgeTurn asks whether the gift's turn among its viewer's gifts has come (P8).
func (t *Twin) judgeTurn(s *story, before []*room.Gift) error {
	if s.join != nil && t.now.Mono < s.join.until && s.part() == nil {
		return errors.New("the viewer's join is under way")
	}
	if len(s.visits) > 0 {
		return nil
	}
	for _, o := range t.gifts {
		if o == s {
			break
		}
		if o.Gift.User.ID == s.Gift.User.ID && o.decision == nil && len(o.visits) == 0 &&
			!o.old && !slices.Contains(before, o.Gift) {
			return errors.New("an earlier gift of the viewer was never sent")
		}
	}
	return nil
}

// part is the refused list that the gift must be told apart from; nil: none.
func (s *story) part() *callStory {
	for _, v := range slices.Backward(s.visits) {
		switch {
		case v.ended && v.answer.Outcome == room.Consumed:
			return nil
		case v.ended && v.answer.Outcome == room.NotTaken && v.answer.Class == room.ClassBadRequest:
			return v
		}
	}
	return nil
}

// judgePause asks whether the pause after a configuration code was kept.
func (t *Twin) judgePause(c *callStory) error {
	for _, o := range slices.Backward(t.calls) {
		if o.Action != room.ActionGifts || o.Gifts.Game != c.Gifts.Game {
			continue
		}
		pause := o.answer.Outcome == room.NotTaken &&
			(o.answer.Class == room.ClassConfig || o.answer.Class == room.ClassNoGame)
		if pause && t.now.Mono < o.endedAt+t.cfg.Limits.PauseBase {
			return errors.New("the game is paused")
		}
		return nil
	}
	return nil
}

// judgeQuery asks whether these gifts may be looked up.
func (t *Twin) judgeQuery(c *callStory) error {
	for _, id := range c.Query.MsgIDs {
		s := t.story(id)
		switch {
		case s == nil || s.decision != nil:
			return errors.New("the gift is not open")
		case s.flies():
			return errors.New("the gift is in another call")
		case s.Gift.Game != c.Query.Game:
			return errors.New("another game's gift")
		}
		k := t.knows(s)
		if !k.recorded && (!k.unknown || !s.old) {
			return errors.New("the gift should be sent, not looked up")
		}
	}
	return nil
}
