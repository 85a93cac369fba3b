package room_test

import (
	"testing"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

// oneGift is a world where one gift's first call is in flight.
func oneGift(t *testing.T, limits room.Limits) (*roomtest.World, *room.Gift) {
	t.Helper()
	w := roomtest.NewWorld(room.CoreConfig{Room: "r1", OwnedSince: -time.Hour, Limits: limits}, wall0)
	w.Twin = nil // these tests say themselves what is right
	g := roomtest.Gift("r1", "G", "ann", "1")
	w.Give(g)
	w.Advance(100 * time.Millisecond)
	if len(w.Flying) != 1 || w.Flying[0].Action != room.ActionGifts {
		t.Fatalf("%d calls in flight, want the gift's", len(w.Flying))
	}
	return w, g
}

// A gift that ZEGO still works on (10006) is not decided: it is sent again under its id,
// and the row that says what became of it counts.
func TestPendingResultIsSentAgain(t *testing.T) {
	w, g := oneGift(t, room.Limits{})
	var asked [][]room.MsgID
	w.Platform = func(_ *roomtest.World, c room.Call) (room.Answer, time.Duration, bool) {
		if c.Action == room.ActionGifts {
			asked = append(asked, roomtest.IDs(c))
		}
		return roomtest.Deliver(c), time.Millisecond, true
	}
	w.End(w.Flying[0].ID, room.Answer{Outcome: room.Consumed, Rows: []room.Row{roomtest.Row(g.MsgID, room.ResultPending)}})
	if len(w.Decisions) != 0 {
		t.Fatalf("10006 decides: %+v", w.Decisions[0])
	}
	w.Advance(10 * time.Second)
	if len(asked) != 1 || len(asked[0]) != 1 || asked[0][0] != g.MsgID {
		t.Errorf("sent again: %v, want %v once", asked, g.MsgID)
	}
	if len(w.Decisions) != 1 || w.Decisions[0].Status != room.Delivered {
		t.Errorf("decided %+v, want delivered", w.Decisions)
	}
}

// A gift whose send had no answer may have been given. When it is too old to be sent it
// is not failed, but asked about, and ZEGO's row decides.
func TestExpiredUnknownGiftIsLookedUp(t *testing.T) {
	w, g := oneGift(t, room.Limits{GiftTTL: time.Second})
	w.End(w.Flying[0].ID, roomtest.Lost())
	queries := 0
	w.Platform = func(_ *roomtest.World, c room.Call) (room.Answer, time.Duration, bool) {
		if c.Action == room.ActionQuery {
			queries++
			return roomtest.Deliver(c), time.Millisecond, true
		}
		return roomtest.Lost(), time.Millisecond, true
	}
	w.Advance(30 * time.Second)
	if len(w.Decisions) != 1 || w.Decisions[0].Status != room.Delivered || w.Decisions[0].Gift != g {
		t.Errorf("decided %+v, want the gift delivered, as ZEGO says", w.Decisions)
	}
	if queries == 0 {
		t.Error("ZEGO was never asked")
	}
}
