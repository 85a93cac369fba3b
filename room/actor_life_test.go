package room_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

// hasEnded reports whether Run has returned.
func (l *living) hasEnded() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

func TestIdleActorEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, nil)
		l.give("ann", "1")
		// The call ends at 100 ms, counts for a second, and the actor lingers for two.
		l.pass(3100*ms - 1)
		if l.hasEnded() {
			t.Fatal("ended too early")
		}
		l.pass(1)
		if !l.hasEnded() {
			t.Fatal("did not end")
		}
		if l.actor.Post(room.TimerFired{}) {
			t.Error("an ended actor took an event")
		}
		if _, ok := l.actor.Attempts(t.Context(), room.MsgID{}); ok {
			t.Error("an ended actor knows a gift")
		}
	})
}

func TestEventsKeepTheActorFromEnding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, nil)
		l.give("ann", "1")
		l.pass(3 * time.Second)
		l.give("ann", "2") // lingering
		l.pass(99 * ms)
		l.wantStarts(room.ActionGifts, 100*ms)
		l.pass(1)
		l.pass(ms)
		l.wantStarts(room.ActionGifts, 100*ms, 3100*ms)
		l.pass(3 * time.Second)
		if !l.hasEnded() || len(l.decisions) != 2 {
			t.Errorf("ended %v, %d decisions", l.hasEnded(), len(l.decisions))
		}
	})
}

// TestNextActorGoesOn: the core of an ended actor can be given to the next.
func TestNextActorGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, nil)
		l.give("ann", "1")
		l.pass(time.Hour)
		if l.actor.Post(room.TimerFired{}) {
			t.Fatal("still there after an hour")
		}
		l.start()
		l.give("ann", "2")
		l.pass(time.Second)
		l.wantStarts(room.ActionGifts, 100*ms, time.Hour+100*ms)
	})
}

// TestNoEventIsLostWhenTheActorEnds: gifts that are posted at the very moment at which
// the idle actor leaves are taken by it, or by the next one.
func TestNoEventIsLostWhenTheActorEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, nil)
		var mu sync.Mutex // guards the actor's replacement, as its owner does
		restarts := 0
		post := func(g *room.Gift) {
			mu.Lock()
			defer mu.Unlock()
			for !l.actor.Post(room.GiftAccepted{Gift: g, StoredAt: time.Now().UnixMilli()}) {
				restarts++
				l.start()
			}
		}
		const rounds, posters = 300, 4
		for round := range rounds {
			var posted sync.WaitGroup
			for p := range posters {
				posted.Go(func() {
					// A call ends 100 ms after a round begins; then a second, then two.
					time.Sleep(3100 * ms)
					post(roomtest.Gift("r1", "G", fmt.Sprintf("u%d", p), fmt.Sprint(round)))
				})
			}
			posted.Wait()
		}
		l.pass(time.Minute)
		if len(l.decisions) != rounds*posters {
			t.Errorf("%d decisions of %d gifts", len(l.decisions), rounds*posters)
		}
		if restarts == 0 {
			t.Error("the actor never ended before a gift came: the race was not run")
		}
	})
}

// TestStopDuringACall: the call is not cut off, its answer decides, nothing is started.
func TestStopDuringACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, func(ctx context.Context, c room.Call) room.Answer {
			if !roomtest.Wait(ctx, time.Second) {
				return roomtest.Lost()
			}
			return roomtest.Deliver(c)
		})
		l.give("ann", "1")
		l.pass(300 * ms)
		l.stop()
		synctest.Wait()
		late := l.give("bob", "1") // taken: the core has it, and the journal
		l.pass(800*ms - 1)
		if l.hasEnded() {
			t.Fatal("ended during the call")
		}
		l.pass(1)
		if !l.hasEnded() || l.now() != 1100*ms {
			t.Fatalf("ended %v at %v", l.hasEnded(), l.now())
		}
		if len(l.decisions) != 1 || l.decisions[0].Status != room.Delivered {
			t.Errorf("decisions: %v", l.decisions)
		}
		if _, open := l.core.Attempts(late.MsgID); !open || l.core.Open() != 1 {
			t.Error("the gift that came last is not open")
		}
		if l.actor.Post(room.TimerFired{}) {
			t.Error("an ended actor took an event")
		}
		l.wantStarts(room.ActionGifts, 100*ms)
	})
}

// TestStopIsBoundedByTheCallTimeout: a platform that never answers holds nobody up.
func TestStopIsBoundedByTheCallTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, func(ctx context.Context, _ room.Call) room.Answer { return roomtest.Hang(ctx) })
		l.give("ann", "1")
		l.pass(200 * ms)
		l.stop()
		<-l.ended
		if got := l.now(); got != 5100*ms {
			t.Errorf("ended at %v", got)
		}
		if l.core.Open() != 1 || len(l.decisions) != 0 {
			t.Error("a gift whose call nobody answered was decided")
		}
	})
}

func TestStopOfAnIdleActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, nil)
		l.give("ann", "1")
		l.pass(10 * ms)
		l.stop()
		<-l.ended
		if l.now() != 10*ms || len(l.starts(room.ActionGifts)) != 0 {
			t.Errorf("ended at %v", l.now())
		}
	})
}

func TestGateHoldsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Duration
		var l *living
		var open atomic.Bool
		l = live(t, room.CoreConfig{}, nil, func(c *room.ActorConfig) {
			c.Gate = func(a room.Action) (time.Duration, bool) {
				if a == room.ActionGifts {
					asked = append(asked, l.now())
				}
				return time.Duration(len(asked)-1) * 100 * ms, open.Load()
			}
		})
		l.give("ann", "1")
		l.pass(250 * ms)
		open.Store(true)
		l.pass(time.Second)
		// No wait was asked for the first time, so the least one is kept.
		want := []time.Duration{100 * ms, 110 * ms, 210 * ms, 410 * ms}
		if fmt.Sprint(asked) != fmt.Sprint(want) {
			t.Errorf("asked at %v, want %v", asked, want)
		}
		l.wantStarts(room.ActionGifts, 410*ms)
		if n := len(l.decisions[0].Attempts); n != 1 {
			t.Errorf("%d attempts", n)
		}
	})
}

func TestAttemptsOfAPendingGift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, func(context.Context, room.Call) room.Answer {
			return roomtest.Refuse(room.ClassConfig, 100_000_004)
		})
		g := l.give("ann", "1")
		if list, open := l.actor.Attempts(t.Context(), g.MsgID); !open || len(list) != 0 {
			t.Errorf("%v %v", list, open)
		}
		l.pass(time.Second)
		list, open := l.actor.Attempts(t.Context(), g.MsgID)
		if !open || len(list) != 1 || list[0].Code != 100_000_004 || list[0].Outcome != room.NotTaken || list[0].Query {
			t.Errorf("%+v %v", list, open)
		}
		start := l.origin.Add(100 * ms).UnixMilli()
		if list[0].StartedAt != start || list[0].EndedAt != start {
			t.Errorf("at %d to %d, want %d", list[0].StartedAt, list[0].EndedAt, start)
		}
		if _, open := l.actor.Attempts(t.Context(), room.MsgID{}); open {
			t.Error("knows a gift that was never given")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, open := room.NewActor(room.ActorConfig{}).Attempts(ctx, g.MsgID); open {
			t.Error("an actor that does not run knows a gift")
		}
	})
}

func TestLikesAndCommentsAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, func(context.Context, room.Call) room.Answer { return roomtest.Lost() })
		l.actor.Post(room.Liked{Game: "G", Like: room.Like{User: roomtest.User("ann"), Amount: 3}})
		l.actor.Post(room.Commented{Game: "G", Comment: room.Comment{User: roomtest.User("ann"), Text: "hello"}})
		l.pass(time.Minute)
		if l.shed != (room.Shed{Comments: 1, Likes: 3}) || !l.hasEnded() {
			t.Errorf("shed %+v, ended %v", l.shed, l.hasEnded())
		}
		l.wantStarts(room.ActionLikes, 100*ms)
		l.wantStarts(room.ActionComments, 100*ms)
	})
}

// TestHangingQueryHoldsNoGifts: each action has its own slot.
func TestHangingQueryHoldsNoGifts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{}, func(ctx context.Context, c room.Call) room.Answer {
			switch {
			case c.Action == room.ActionQuery:
				return roomtest.Hang(ctx)
			case c.Gifts.Gifts[0].ClientID == "odd":
				return roomtest.Answered(c, room.ResultException)
			default:
				return roomtest.Deliver(c)
			}
		})
		l.give("ann", "odd")
		l.pass(1200 * ms) // the query hangs from 1.1 s on
		l.give("ann", "1")
		l.pass(time.Second)
		l.wantStarts(room.ActionQuery, 1100*ms)
		l.wantStarts(room.ActionGifts, 100*ms, 1300*ms)
	})
}

// TestPostFromManyGoroutines, on the machine's own clock: every gift is decided, each
// poster's in its order.
func TestPostFromManyGoroutines(t *testing.T) {
	const posters, each = 8, 40
	var decided atomic.Int64
	var order sync.Map // user id -> last number
	done := make(chan struct{})
	a := room.NewActor(room.ActorConfig{
		Core:   room.NewCore(room.CoreConfig{Room: "r1", OwnedSince: -time.Hour}),
		Sender: &roomtest.Sender{}, Origin: time.Now(), Linger: time.Millisecond,
		Decide: func(ds []room.Decision) {
			for _, d := range ds {
				last, _ := order.Swap(d.Gift.User.ID, d.Gift.Count)
				if last != nil && last.(int) >= d.Gift.Count {
					t.Errorf("%s: %d after %d", d.Gift.User.ID, d.Gift.Count, last)
				}
			}
			if decided.Add(int64(len(ds))) == posters*each {
				close(done)
			}
		},
	})
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { a.Run(ctx) })
	for p := range posters {
		all.Go(func() {
			for i := range each {
				g := roomtest.Gift("r1", "G", fmt.Sprintf("u%d", p), fmt.Sprint(i))
				g.Count = i
				a.Post(room.GiftAccepted{Gift: g, StoredAt: time.Now().UnixMilli()})
			}
		})
	}
	<-done
	stop()
	all.Wait()
}

func TestTakeoverBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, room.CoreConfig{OwnedSince: 500 * ms, NotBefore: 600 * ms}, nil)
		l.giveMany("ann", 1000)
		l.pass(10 * time.Second)
		starts := l.starts(room.ActionGifts)
		want := append([]time.Duration{600 * ms, 1000 * ms}, slices.Repeat([]time.Duration{1500 * ms}, 16)...)
		want = append(want, 1600*ms, 2000*ms)
		if !slices.Equal(starts, want) {
			t.Errorf("calls at %v, want %v", starts, want)
		}
	})
}
