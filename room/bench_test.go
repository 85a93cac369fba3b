package room_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

// deliverer delivers at once, with one buffer.
type deliverer struct{ rows []room.Row }

func (d *deliverer) answer(c room.Call) room.CallEnded {
	d.rows = d.rows[:0]
	for _, g := range c.Gifts.Gifts {
		d.rows = append(d.rows, room.Row{MsgID: g.MsgID, Class: room.ResultDelivered})
	}
	return room.CallEnded{ID: c.ID, Answer: room.Answer{Outcome: room.Consumed, Rows: d.rows}}
}

func giftsOf(n, viewers int) []*room.Gift {
	gifts := make([]*room.Gift, n)
	for i := range gifts {
		gifts[i] = roomtest.Gift("r1", "G", fmt.Sprintf("u%d", i%viewers), fmt.Sprint(i))
	}
	return gifts
}

// BenchmarkCoreThroughput: one op is one gift from acceptance to decision, in calls of
// 50, on a clock that lets every call start.
func BenchmarkCoreThroughput(b *testing.B) {
	gifts := giftsOf(50_000, 200)
	c := room.NewCore(room.CoreConfig{Room: "r1", OwnedSince: -time.Hour})
	var d deliverer
	now, decided := room.Now{}, 0
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		do := c.Step(now, room.GiftAccepted{Gift: gifts[i%len(gifts)], StoredAt: now.Wall})
		now.Mono += 2 * time.Millisecond // 500 gifts a second: 10 full calls
		now.Wall += 2
		for _, call := range do.Calls {
			decided += len(c.Step(now, d.answer(call)).Decisions)
		}
	}
	b.ReportMetric(float64(decided)/b.Elapsed().Seconds(), "gifts/s")
}

// BenchmarkCoreBacklog: the same with 20,000 gifts open, the most that the hub lets one
// room have: each op takes one gift in, and every fiftieth a call of 50 ends.
func BenchmarkCoreBacklog(b *testing.B) {
	for _, open := range []int{1000, 20_000} {
		b.Run(fmt.Sprint(open), func(b *testing.B) {
			gifts := giftsOf(50_000, 200)
			c := room.NewCore(room.CoreConfig{Room: "r1", OwnedSince: -time.Hour, Limits: room.Limits{GiftTTL: 22 * time.Hour}})
			var d deliverer
			var flying []room.Call
			now := room.Now{}
			next := 0
			take := func() {
				flying = append(flying, c.Step(now, room.GiftAccepted{Gift: gifts[next%len(gifts)], StoredAt: now.Wall}).Calls...)
				next++
			}
			for next < open {
				take()
			}
			b.ReportAllocs()
			for b.Loop() {
				take()
				now.Mono += 2 * time.Millisecond
				now.Wall += 2
				if c.Open() > open && len(flying) > 0 {
					call := flying[0]
					flying = append(flying[:0], c.Step(now, d.answer(call)).Calls...)
				}
			}
		})
	}
}

// BenchmarkCoreWake: a wake-up that finds nothing to do, with a full room.
func BenchmarkCoreWake(b *testing.B) {
	c := room.NewCore(room.CoreConfig{Room: "r1", Game: room.GameEnded})
	for _, g := range giftsOf(20_000, 200) {
		c.Step(room.Now{}, room.GiftAccepted{Gift: g})
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Step(room.Now{}, room.TimerFired{})
	}
}

// BenchmarkMemory reports what a core holds when it is idle, and a gift while it waits.
func BenchmarkMemory(b *testing.B) {
	const rooms, gifts = 10_000, 20_000
	idle := held(b, func() any {
		cores := make([]*room.Core, rooms)
		for i := range cores {
			cores[i] = room.NewCore(room.CoreConfig{Room: "r1"})
			cores[i].Step(room.Now{}, room.TimerFired{})
		}
		return cores
	})
	all := giftsOf(gifts, 200)
	busy := held(b, func() any {
		c := room.NewCore(room.CoreConfig{Room: "r1", Game: room.GameEnded})
		for _, g := range all {
			c.Step(room.Now{}, room.GiftAccepted{Gift: g})
		}
		return c
	})
	for b.Loop() { // only the metrics matter
	}
	b.ReportMetric(float64(idle)/rooms, "B/idle-core")
	b.ReportMetric(float64(busy)/gifts, "B/open-gift")
}

// held is how many bytes of heap what makes returns keeps alive.
func held(b *testing.B, makes func() any) uint64 {
	b.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := makes()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return after.HeapAlloc - before.HeapAlloc
}

// BenchmarkActor: one op is one gift through the actor, its mailbox and its sender, on
// the machine's clock. The budget allows 18 calls of 50 a second, so a platform's budget
// is what limits it; here every room gets 500 gifts.
func BenchmarkActor(b *testing.B) {
	gifts := giftsOf(500, 50)
	b.ReportAllocs()
	for b.Loop() {
		done := make(chan struct{})
		decided := 0
		ctx, stop := context.WithCancel(b.Context())
		a := room.NewActor(room.ActorConfig{
			Core:   room.NewCore(room.CoreConfig{Room: "r1", OwnedSince: -time.Hour}),
			Sender: &roomtest.Sender{}, Origin: time.Now(),
			Decide: func(ds []room.Decision) {
				if decided += len(ds); decided == len(gifts) {
					close(done)
				}
			},
		})
		ended := make(chan struct{})
		go func() { defer close(ended); a.Run(ctx) }()
		for _, g := range gifts {
			a.Post(room.GiftAccepted{Gift: g, StoredAt: time.Now().UnixMilli()})
		}
		<-done
		stop()
		<-ended
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(gifts)), "ns/gift")
}
