package room

import (
	"testing"
	"time"
)

// TestNoLimitSendsAnOldID: past 23 hours no id is sent, whatever the limits say (P3).
// Limits that say otherwise are refused, so they are forced on the core here.
func TestNoLimitSendsAnOldID(t *testing.T) {
	for _, tt := range []struct {
		age   time.Duration
		calls int
	}{{SendAgeMax - time.Second, 1}, {SendAgeMax - 100*time.Millisecond, 0}, {SendAgeMax, 0}, {30 * time.Hour, 0}} {
		c := NewCore(CoreConfig{Room: "r1", OwnedSince: -time.Hour})
		c.cfg.Limits.GiftTTL = 100 * time.Hour
		g := &Gift{MsgID: MsgID{1}, Game: "G", User: User{ID: "u1"}}
		c.Step(Now{}, GiftAccepted{Gift: g, AgeAtRead: tt.age})
		do := c.Step(Now{Mono: 100 * time.Millisecond}, TimerFired{})
		if len(do.Calls) != tt.calls {
			t.Errorf("age %v: %d calls", tt.age, len(do.Calls))
		}
	}
}

// TestAgeIsLookedAtBeforeSending: a wall clock that moved by less than what sets the
// alarms anew does not let a gift be sent that is too old by it.
func TestAgeIsLookedAtBeforeSending(t *testing.T) {
	c := NewCore(CoreConfig{Room: "r1", OwnedSince: -time.Hour, Limits: Limits{GiftTTL: time.Second}})
	g := &Gift{MsgID: MsgID{1}, Game: "G", User: User{ID: "u1"}}
	c.Step(Now{Wall: 10_000}, GiftAccepted{Gift: g, StoredAt: 10_000})
	do := c.Step(Now{Mono: 600 * time.Millisecond, Wall: 11_000}, TimerFired{}) // 400 ms ahead
	if len(do.Calls) != 0 || len(do.Decisions) != 1 || do.Decisions[0].Reason != ReasonExpired {
		t.Errorf("%d calls, %d decisions", len(do.Calls), len(do.Decisions))
	}
}

// TestLanesAreForgotten: a game whose gifts are decided leaves nothing behind.
func TestLanesAreForgotten(t *testing.T) {
	c := NewCore(CoreConfig{Room: "r1", OwnedSince: -time.Hour})
	now := Now{}
	for i := range 100 {
		g := &Gift{MsgID: MsgID{byte(i + 1)}, Game: string(rune('A' + i)), User: User{ID: "u1"}}
		c.Step(now, GiftAccepted{Gift: g})
		now.Mono += 100 * time.Millisecond
		for _, call := range c.Step(now, TimerFired{}).Calls {
			c.Step(now, CallEnded{ID: call.ID, Answer: Answer{
				Outcome: Consumed, Rows: []Row{{MsgID: g.MsgID, Class: ResultDelivered}},
			}})
		}
		if len(c.lanes) > 2 || c.Open() != 0 {
			t.Fatalf("after %d games: %d lanes, %d gifts", i+1, len(c.lanes), c.Open())
		}
	}
}

// TestHeldCallsCostNoBudget: what was not sent does not count.
func TestHeldCallsCostNoBudget(t *testing.T) {
	c := NewCore(CoreConfig{Room: "r1", OwnedSince: -time.Hour})
	now := Now{}
	c.Step(now, GiftAccepted{Gift: &Gift{MsgID: MsgID{1}, Game: "G", User: User{ID: "u1"}}})
	now.Mono = 100 * time.Millisecond
	for i := range 50 {
		do := c.Step(now, TimerFired{})
		if len(do.Calls) != 1 {
			t.Fatalf("call %d was not made: wake at %v", i+1, do.Wake)
		}
		now.Mono += time.Millisecond
		c.Step(now, CallHeld{ID: do.Calls[0].ID, Until: now.Mono + 1})
		now.Mono++
	}
}

// TestRowsOfARefusalDoNotCount: the timeline shows no result where nothing was taken.
func TestRowsOfARefusalDoNotCount(t *testing.T) {
	c := NewCore(CoreConfig{Room: "r1", OwnedSince: -time.Hour})
	id := MsgID{1}
	c.Step(Now{}, GiftAccepted{Gift: &Gift{MsgID: id, Game: "G", User: User{ID: "u1"}}})
	call := c.Step(Now{Mono: 100 * time.Millisecond}, TimerFired{}).Calls[0]
	c.Step(Now{Mono: time.Second}, CallEnded{ID: call.ID, Answer: Answer{
		Outcome: NotTaken, Class: ClassRetry, Code: 1, Rows: []Row{{MsgID: id, Class: ResultDelivered}},
	}})
	list, open := c.Attempts(id)
	if !open || len(list) != 1 || list[0].HasRow {
		t.Errorf("%+v, open %v", list, open)
	}
}

// TestNothingIsKept: what was open, waited or joined leaves no memory behind.
func TestNothingIsKept(t *testing.T) {
	c := NewCore(CoreConfig{Room: "r1", OwnedSince: -time.Hour})
	now := Now{}
	u := User{ID: "ann"}
	c.Step(now, GiftAccepted{Gift: &Gift{MsgID: MsgID{1}, Game: "G", User: u}})
	c.Step(now, Commented{Game: "G", Comment: Comment{User: u, Text: "5", Join: true}})
	c.Step(now, GiftAccepted{Gift: &Gift{MsgID: MsgID{2}, Game: "G", User: u}})
	c.Step(now, Liked{Game: "G", Like: Like{User: u, Amount: 1}})
	var do Effects
	for step := 0; !do.Idle; step++ {
		if do.Wake > 0 {
			now.Mono = do.Wake
		}
		do = c.Step(now, TimerFired{})
		for len(do.Calls) > 0 {
			var next []Call
			for _, call := range do.Calls {
				a := Answer{Outcome: Consumed}
				if call.Gifts != nil {
					for _, g := range call.Gifts.Gifts {
						a.Rows = append(a.Rows, Row{MsgID: g.MsgID, Class: ResultDelivered})
					}
				}
				do = c.Step(now, CallEnded{ID: call.ID, Answer: a})
				next = append(next, do.Calls...)
			}
			do.Calls = next
		}
		if c.Open() == 0 && len(c.viewers.byID) > 0 && c.viewers.taken.len() == 0 {
			t.Fatal("a viewer is remembered for nothing")
		}
		if step > 1000 {
			t.Fatal("never idle")
		}
	}
	if c.book.gifts != nil || c.book.alarms.items != nil || c.lookups.items != nil || c.viewers.byID != nil ||
		len(c.lanes) > 0 || c.likes.sums != nil || c.comments.joins.items != nil || c.slots[ActionGifts].budget.ends != nil {
		t.Errorf("an idle core keeps %+v", c.waiting)
	}
}
