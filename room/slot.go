package room

import "time"

// slot is where the calls of one action are made: one at a time, within the budget.
type slot struct {
	budget budget
	flight *flight       // nil: none
	heldTo time.Duration // the lease or the breaker forbids a call before
	retry  retry         // of comments, likes and queries; gifts have one a lane
}

// flight is a call that has not ended.
type flight struct {
	id      uint64
	action  Action
	started Now

	gifts    []*openGift // of a send or a query
	lane     *lane       // of a send
	suspects bool        // the send is a part of a refused list
	comments []*comment
	likes    *LikeCall
}

// newSlots gives each action its steady budget.
func newSlots(since, notBefore time.Duration) [actions]slot {
	var s [actions]slot
	for a, size := range [actions]int{
		ActionGifts: GiftCallsPerSecond, ActionComments: CommentCallsPerSecond,
		ActionLikes: LikeCallsPerSecond, ActionQuery: QueryCallsPerSecond,
	} {
		s[a].budget = newBudget(size, since, notBefore)
	}
	return s
}

// from is the first moment at which the slot allows a call that wants to start at
// wanted.
func (s *slot) from(wanted time.Duration) time.Duration {
	if s.flight != nil || wanted == never {
		return never
	}
	return max(wanted, s.heldTo, s.retry.until, s.budget.earliest())
}

// launch puts a call into its action's slot and among the step's effects.
func (c *Core) launch(f flight, call Call) {
	c.calls++
	f.id, f.action, f.started = c.calls, call.Action, c.now
	call.ID = c.calls
	for i, g := range f.gifts {
		c.book.unset(g)
		g.stage = flying
		g.seat = flightSeat{call: f.id, index: i}
	}
	s := &c.slots[call.Action]
	s.flight = &f
	s.budget.start(c.now.Mono)
	c.out.Calls = append(c.out.Calls, call)
}

// land takes the flight with this id out of its slot; nil if there is none.
func (c *Core) land(id uint64) *flight {
	for a := range c.slots {
		if f := c.slots[a].flight; f != nil && f.id == id {
			c.slots[a].flight = nil
			return f
		}
	}
	return nil
}
