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
	do := c.Step(Now{Mono: 100 * time.Millisecond, Wall: 11_000}, TimerFired{})
	if len(do.Calls) != 0 || len(do.Decisions) != 1 || do.Decisions[0].Reason != ReasonExpired {
		t.Errorf("%d calls, %d decisions", len(do.Calls), len(do.Decisions))
	}
}
