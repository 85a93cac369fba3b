package hub

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/room"
)

// heap is the live heap after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one's finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// side does n things with 64 hands, and waits.
func side(n int, do func(i int)) {
	var hands sync.WaitGroup
	for h := range 64 {
		hands.Go(func() {
			for i := h; i < n; i += 64 {
				do(i)
			}
		})
	}
	hands.Wait()
}

// BenchmarkIdleRooms measures what rooms cost that have had a gift and have none now:
// bytes of heap (registry, counters, the gift's id, the ledger's chain) and goroutines.
// One iteration is 10,000 rooms.
func BenchmarkIdleRooms(b *testing.B) {
	const rooms = 10_000
	for range b.N {
		th := startHub(b, b.TempDir())
		idle, before := runtime.NumGoroutine(), heap()
		name := func(i int) string { return fmt.Sprintf("room-%05d", i) }
		side(rooms, func(i int) {
			if _, err := th.rooms.Put(b.Context(), roomConfig{id: name(i), game: "TinyLoveWar", anchor: "anchor1"}); err != nil {
				b.Error(err)
			}
		})
		configured := heap()
		side(rooms, func(i int) { submitOne(b.Context(), b, th, name(i)) })
		eventually(b, "every gift delivered", func() bool { return th.sender.given() == rooms && th.partitions.openGifts() == 0 })
		eventually(b, "no actor is left", func() bool { return th.partitions.fresh()[0].Active == 0 })
		b.ReportMetric(float64(configured-before)/rooms, "B/configured-room")
		b.ReportMetric(float64(heap()-before)/rooms, "B/idle-room")
		b.ReportMetric(float64(runtime.NumGoroutine()-idle)/rooms, "goroutines/idle-room")
		th.stop(b)
	}
}

// submitOne gives a room a gift and waits until it is accepted.
func submitOne(ctx context.Context, tb testing.TB, th *testHub, roomID string) {
	tb.Helper()
	told := make(chan intake.Verdict, 1)
	th.intake.Submit(ctx, intake.Gift{
		Room: roomID, User: room.User{ID: "u1", Nickname: "u1", Avatar: DefaultAvatar}, ID: "c1", GiftID: "g1", Count: 10, Charged: true,
	}, func(v intake.Verdict) { told <- v })
	if v := <-told; v.Outcome != intake.Accepted {
		tb.Errorf("%s: %+v", roomID, v)
	}
}
