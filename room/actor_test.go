package room_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// living is an actor that runs in a bubble, and what it reported.
type living struct {
	t      *testing.T
	actor  *room.Actor
	core   *room.Core
	sender *roomtest.Sender
	origin time.Time
	stop   context.CancelFunc
	ended  chan struct{}

	// Written by the actor's loop; read after synctest.Wait or the actor's end.
	decisions []room.Decision
	decidedAt []time.Duration
	alarms    []room.Alarm
	joined    []room.Comment
	shed      room.Shed
	took      []time.Duration
}

// live starts an actor whose owner has owned the room for long. Its hooks may be changed
// by change.
func live(t *testing.T, cfg room.CoreConfig, do func(context.Context, room.Call) room.Answer, change ...func(*room.ActorConfig)) *living {
	t.Helper()
	cfg.Room = "r1"
	if cfg.OwnedSince == 0 {
		cfg.OwnedSince = -time.Hour
	}
	l := &living{
		t: t, core: room.NewCore(cfg), sender: &roomtest.Sender{Do: do},
		origin: time.Now(), ended: make(chan struct{}),
	}
	l.start(change...)
	return l
}

func (l *living) start(change ...func(*room.ActorConfig)) {
	cfg := room.ActorConfig{
		Core: l.core, Sender: l.sender, Origin: l.origin,
		Decide: func(ds []room.Decision) {
			for range ds {
				l.decidedAt = append(l.decidedAt, l.now())
			}
			l.decisions = append(l.decisions, ds...)
		},
		Joined: func(cs []room.Comment) { l.joined = append(l.joined, cs...) },
		Alarm:  func(a room.Alarm) { l.alarms = append(l.alarms, a) },
		Shed:   func(s room.Shed) { l.shed.Comments += s.Comments; l.shed.Likes += s.Likes },
		Ended:  func(_ room.Action, _ room.Answer, took time.Duration) { l.took = append(l.took, took) },
	}
	for _, c := range change {
		c(&cfg)
	}
	l.actor = room.NewActor(cfg)
	ctx, stop := context.WithCancel(l.t.Context())
	l.stop, l.ended = stop, make(chan struct{})
	ended, actor := l.ended, l.actor
	go func() {
		defer close(ended)
		actor.Run(ctx)
	}()
	l.t.Cleanup(func() {
		stop()
		<-ended
	})
}

func (l *living) now() time.Duration { return time.Since(l.origin) }

// give posts a gift of the user's that is stored now.
func (l *living) give(user, id string) *room.Gift {
	l.t.Helper()
	g := roomtest.Gift("r1", "G", user, id)
	if !l.actor.Post(room.GiftAccepted{Gift: g, StoredAt: time.Now().UnixMilli()}) {
		l.t.Fatal("the actor has ended")
	}
	return g
}

func (l *living) giveMany(user string, n int) {
	for i := range n {
		l.give(user, fmt.Sprintf("%s-%d", user, i))
	}
}

// pass lets d pass, and everything that is due then happen.
func (l *living) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// starts are when calls of the action started.
func (l *living) starts(a room.Action) []time.Duration {
	var at []time.Duration
	for _, c := range l.sender.Calls(a) {
		at = append(at, c.StartedAt.Sub(l.origin))
	}
	return at
}

func (l *living) wantStarts(a room.Action, want ...time.Duration) {
	l.t.Helper()
	if got := l.starts(a); !slices.Equal(got, want) {
		l.t.Errorf("%v calls at %v, want %v", a, got, want)
	}
}

const ms = time.Millisecond

func TestTickIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, nil)
		l.pass(7 * ms)
		l.give("ann", "1")
		l.pass(60 * ms)
		l.give("bob", "1")
		l.pass(time.Second)
		l.wantStarts(room.ActionGifts, 107*ms)
		if len(l.decisions) != 2 || l.decidedAt[1] != 107*ms {
			t.Errorf("%d decisions at %v", len(l.decisions), l.decidedAt)
		}
	})
}

func TestFullBatchGoesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, nil)
		l.giveMany("ann", 49)
		l.pass(30 * ms)
		l.wantStarts(room.ActionGifts)
		l.give("bob", "1")
		l.give("bob", "2")
		l.pass(time.Second)
		l.wantStarts(room.ActionGifts, 30*ms, 130*ms)
		calls := l.sender.Calls(room.ActionGifts)
		if n := len(calls[0].Call.Gifts.Gifts); n != 50 {
			t.Errorf("%d gifts in the first call", n)
		}
	})
}

// TestFullByBytes: big gifts fill a call before there are fifty.
func TestFullByBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, nil)
		for i := range 20 {
			g := roomtest.Gift("r1", "G", "ann", fmt.Sprint(i))
			g.GiftID = string(make([]byte, 1000)) // six-fold in JSON
			l.actor.Post(room.GiftAccepted{Gift: g, StoredAt: time.Now().UnixMilli()})
		}
		l.pass(time.Second)
		l.wantStarts(room.ActionGifts, 0, 100*ms)
		for _, c := range l.sender.Calls(room.ActionGifts) {
			bytes := 0
			for _, g := range c.Call.Gifts.Gifts {
				bytes += room.GiftSize(g)
			}
			if bytes > room.BatchBytes {
				t.Errorf("a call of %d bytes", bytes)
			}
		}
	})
}

func TestSlowPlatformMakesBiggerBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, func(ctx context.Context, c room.Call) room.Answer {
			roomtest.Wait(ctx, time.Second)
			return roomtest.Deliver(c)
		})
		for i := range 40 { // one every 50 ms, for 2 s
			l.give("ann", fmt.Sprint(i))
			l.pass(50 * ms)
		}
		l.pass(5 * time.Second)
		l.wantStarts(room.ActionGifts, 100*ms, 1100*ms, 2100*ms)
		if len(l.decisions) != 40 {
			t.Errorf("%d decisions", len(l.decisions))
		}
		if l.took[0] != time.Second {
			t.Errorf("the call took %v", l.took[0])
		}
	})
}

func TestTimeoutIsUnknownAndSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := true
		l := live(t, room.CoreConfig{}, func(ctx context.Context, c room.Call) room.Answer {
			if hang {
				hang = false
				return roomtest.Hang(ctx)
			}
			return roomtest.Deliver(c)
		})
		g := l.give("ann", "1")
		l.pass(10 * time.Second)
		calls := l.sender.Calls(room.ActionGifts)
		if len(calls) != 2 || calls[0].EndedAt.Sub(calls[0].StartedAt) != 5*time.Second {
			t.Fatalf("%d calls", len(calls))
		}
		if wait := calls[1].StartedAt.Sub(calls[0].EndedAt); wait > 100*ms {
			t.Errorf("sent again after %v", wait)
		}
		if id := calls[1].Call.Gifts.Gifts[0].MsgID; id != g.MsgID {
			t.Errorf("sent again as %v", id)
		}
		d := l.decisions[0]
		if d.Status != room.Delivered || len(d.Attempts) != 2 || d.Attempts[0].Outcome != room.Unknown || d.Attempts[1].N != 2 {
			t.Errorf("%+v", d)
		}
	})
}

func TestBackoffBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{Seed: 3}, func(ctx context.Context, _ room.Call) room.Answer {
			roomtest.Wait(ctx, 7*ms)
			return roomtest.Refuse(room.ClassRetry, 7_210_000)
		})
		l.give("ann", "1")
		l.pass(2 * time.Minute)
		calls := l.sender.Calls(room.ActionGifts)
		if len(calls) < 30 {
			t.Fatalf("%d calls in a minute", len(calls))
		}
		most, longest := 100*ms, time.Duration(0)
		for i := range len(calls) - 1 {
			wait := calls[i+1].StartedAt.Sub(calls[i].EndedAt)
			if wait > most {
				t.Errorf("wait %d is %v, at most %v", i, wait, most)
			}
			longest = max(longest, wait)
			most = min(2*most, 2*time.Second)
		}
		if longest < time.Second {
			t.Errorf("the longest of %d waits is %v", len(calls), longest)
		}
		if at := l.decidedAt[0]; at != time.Minute || l.decisions[0].Reason != room.ReasonExpired {
			t.Errorf("%v at %v", l.decisions[0].Reason, at)
		}
	})
}

func TestConfigurationPausesAndAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mended atomic.Bool
		l := live(t, room.CoreConfig{}, func(_ context.Context, c room.Call) room.Answer {
			if !mended.Load() {
				return roomtest.Refuse(room.ClassConfig, 100_000_005)
			}
			return roomtest.Deliver(c)
		})
		l.give("ann", "1")
		l.pass(40 * time.Second)
		at := 100 * ms
		l.wantStarts(room.ActionGifts, at, at+time.Second, at+3*time.Second, at+7*time.Second, at+15*time.Second,
			at+25*time.Second, at+35*time.Second)
		if len(l.alarms) != 5 || l.alarms[0] != (room.Alarm{Class: room.ClassConfig, Code: 100_000_005, Message: "config"}) {
			t.Errorf("alarms: %v", l.alarms)
		}
		mended.Store(true)
		l.pass(10 * time.Second)
		if len(l.decisions) != 1 || l.decisions[0].Status != room.Delivered {
			t.Errorf("decisions: %v", l.decisions)
		}
	})
}

func TestJoinHoldsItsViewersGifts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, func(ctx context.Context, c room.Call) room.Answer {
			if c.Action == room.ActionComments {
				roomtest.Wait(ctx, 23*ms)
			}
			return roomtest.Deliver(c)
		})
		join := room.Comment{User: roomtest.User("ann"), Text: "5", Join: true, At: 9}
		l.actor.Post(room.Commented{Game: "G", Comment: join})
		l.give("ann", "1")
		l.give("bob", "1")
		l.pass(time.Second)
		l.wantStarts(room.ActionComments, 100*ms)
		l.wantStarts(room.ActionGifts, 100*ms, 223*ms)
		if len(l.joined) != 1 || l.joined[0] != join {
			t.Errorf("joined: %v", l.joined)
		}
	})
}

func TestJoinWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, func(ctx context.Context, c room.Call) room.Answer {
			if c.Action == room.ActionComments {
				return roomtest.Hang(ctx)
			}
			return roomtest.Deliver(c)
		})
		l.actor.Post(room.Commented{Game: "G", Comment: room.Comment{User: roomtest.User("ann"), Text: "5", Join: true}})
		l.pass(500 * ms)
		l.give("ann", "1")
		l.pass(10 * time.Second)
		l.wantStarts(room.ActionGifts, 2*time.Second)
	})
}

func TestQuerySchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{Limits: room.Limits{GiftTTL: 10 * time.Second, CallTimeout: 20 * time.Second}},
			func(ctx context.Context, c room.Call) room.Answer {
				if c.Action == room.ActionGifts {
					roomtest.Wait(ctx, 10*time.Second-100*ms) // the only send ends with the time to live
					return roomtest.Lost()
				}
				return room.Answer{Outcome: room.Consumed} // ZEGO does not know it
			})
		l.give("ann", "1")
		l.pass(2 * time.Minute)
		ttl := 10 * time.Second
		l.wantStarts(room.ActionGifts, 100*ms)
		l.wantStarts(room.ActionQuery, ttl+1*time.Second, ttl+2*time.Second, ttl+4*time.Second, ttl+8*time.Second,
			ttl+18*time.Second, ttl+28*time.Second, ttl+38*time.Second, ttl+48*time.Second, ttl+58*time.Second)
		if d := l.decisions[0]; d.Status != room.Failed || d.Reason != room.ReasonExpired || l.decidedAt[0] != ttl+58*time.Second {
			t.Errorf("%v %v at %v", d.Status, d.Reason, l.decidedAt)
		}
	})
}

func TestUnresolvedAfter23Hours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, func(context.Context, room.Call) room.Answer { return roomtest.Lost() })
		l.give("ann", "1")
		l.pass(25 * time.Hour)
		if d := l.decisions[0]; d.Status != room.Unresolved || d.Reason != room.ReasonUnknownOutcome || l.decidedAt[0] != 23*time.Hour {
			t.Errorf("%v %v at %v", d.Status, d.Reason, l.decidedAt)
		}
		sends := l.starts(room.ActionGifts)
		if last := sends[len(sends)-1]; last >= time.Minute {
			t.Errorf("sent at %v", last)
		}
	})
}

func TestBisectFindsTheCulprit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, func(ctx context.Context, c room.Call) room.Answer {
			roomtest.Wait(ctx, 20*ms)
			for _, g := range c.Gifts.Gifts {
				if g.ClientID == "ann-23" {
					return roomtest.Refuse(room.ClassBadRequest, 7_200_004)
				}
			}
			return roomtest.Deliver(c)
		})
		l.giveMany("ann", 50)
		l.pass(2 * time.Second)
		if n := len(l.sender.Calls(room.ActionGifts)); n > 13 {
			t.Errorf("%d calls to find one culprit", n)
		}
		refused := 0
		for _, d := range l.decisions {
			switch {
			case d.Gift.ClientID == "ann-23" && d.Status == room.Failed && d.Reason == room.ReasonRefused:
				refused++
			case d.Status != room.Delivered:
				t.Errorf("%s: %v %v", d.Gift.ClientID, d.Status, d.Reason)
			}
		}
		if len(l.decisions) != 50 || refused != 1 {
			t.Errorf("%d decisions, %d refused", len(l.decisions), refused)
		}
	})
}
