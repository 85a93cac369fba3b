package hub

import (
	"runtime"
	"testing"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// TestStalledViewersOverTCP: with the system's buffers in between, too, viewers that do
// not read cost what their outboxes may hold, and one that reads misses nothing.
func TestStalledViewersOverTCP(t *testing.T) {
	const stalled, flushes = 30, 1500
	st := newStage(t, func(cfg *lobbyConfig) { cfg.limits.Seats.User = stalled + 1 })
	for range stalled {
		st.rawGuest().until(finText) // the welcome; then it reads no more
	}
	ann := st.welcomed("ann")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var gifts []room.Decision // 40 of them are an event of 10 KB, 1,500 events 15 MB
	for range 40 {
		gifts = append(gifts, room.Decision{Status: room.Delivered, Gift: &room.Gift{
			ClientID: "c", Room: "r1", User: room.User{ID: "giver", Nickname: "Giver", Avatar: "https://e.example/a.png"},
		}})
	}
	for seq := uint64(1); seq <= flushes; seq++ {
		st.house.Decided(owner.News{Room: "r1", Seq: seq, Decisions: gifts})
		if got := await[wire.Gifts](ann); got.Seq != seq { // paced by the viewer that reads
			t.Fatalf("ann hears %d, want %d", got.Seq, seq)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	stats := st.house.Stats()
	// On a slow machine it takes so long that they are told bye for it.
	if stats.LaggedGifts < stalled*flushes/2 && stats.Slow < stalled {
		t.Errorf("%d events became lagged, %d viewers were slow; the viewers have not stalled", stats.LaggedGifts, stats.Slow)
	}
	// The events are shared: together the outboxes hold the last few MiB, once. What each
	// has of its own is a frame of at most 256 KiB that is being written.
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > stalled*wire.FrameMax+8<<20 {
		t.Errorf("the heap has grown by %d KiB", grown>>10)
	}
}
