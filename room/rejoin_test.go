package room_test

import (
	"testing"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

// TestRejoinKeepsTheOrder: a viewer joins again while an earlier join is still under
// way. A gift of before both is held back for the new join; a later one, which has
// waited for the old join long enough, must neither pass it by (P8) nor be put into its
// lane twice.
func TestRejoinKeepsTheOrder(t *testing.T) {
	w := roomtest.NewWorld(room.CoreConfig{Room: "r1", OwnedSince: -time.Hour}, wall0)
	join := func() {
		w.Step(room.Commented{Game: "G", Comment: room.Comment{User: roomtest.User("ann"), Text: "5", Join: true, At: w.Now.Wall}})
	}
	first, second := roomtest.Gift("r1", "G", "ann", "1"), roomtest.Gift("r1", "G", "ann", "2")
	w.Give(first)
	w.Advance(100 * time.Millisecond)
	send := w.Flying[0]
	join() // ZEGO never answers it
	w.Advance(100 * time.Millisecond)
	w.Give(second)
	w.Hold(send.ID, 4*time.Second) // the first gift was not sent, and waits for the lease
	w.Advance(3 * time.Second)     // the second gift has waited for the join long enough
	join()
	w.Platform = func(_ *roomtest.World, c room.Call) (room.Answer, time.Duration, bool) {
		return roomtest.Deliver(c), time.Millisecond, true
	}
	if !w.Settle(20*time.Second) || w.Err != nil {
		t.Fatalf("%d gifts are open, %v", w.Core.Open(), w.Err)
	}
	for i, want := range []*room.Gift{first, second} {
		if i >= len(w.Decisions) || w.Decisions[i].Gift != want {
			t.Errorf("decision %d is not of gift %s", i, want.ClientID)
		}
	}
}
