package owner_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/owner/ownertest"
	"github.com/giftwire/giftwire/room"
)

// busy is a partition with a gift that its ended game holds, in record 2 of 42, and 40
// gifts of another room that are decided.
func busy(t *testing.T, store *ownertest.Store, zego *platform) *owning {
	t.Helper()
	o := own(t, store, zego, func(c *owner.Config) { c.SnapshotEvery = 10 * time.Second })
	store.Accept(report("p1", "77", room.GameEnded))
	store.Accept(entryOf(gift("ann", "held")))
	for i := range 40 {
		store.Accept(entryOf(elsewhere(i)))
		time.Sleep(200 * time.Millisecond)
	}
	time.Sleep(10 * time.Second)
	synctest.Wait()
	if got := len(o.heard.decided()); got != 40 {
		t.Fatalf("%d gifts decided, want 40", got)
	}
	return o
}

// elsewhere is a gift in a room where nothing is held.
func elsewhere(i int) *room.Gift {
	g := gift("bo", fmt.Sprint("c", i))
	g.Room, g.MsgID = "r2", room.NewMsgID(1, "r2", "bo", g.ClientID)
	return g
}

// Old history goes when a stream is nearly full, a part at a time, and what an owner
// needs stays.
func TestHistoryMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := busy(t, store, zego)
		all := uint64(len(store.Outcomes()))

		store.SetFull(0.79, 0.79)
		time.Sleep(10 * time.Second)
		if gifts, outcomes := store.Retained(); gifts != 1 || outcomes != 1 {
			t.Errorf("retained from %d and %d, want all below 80 %%", gifts, outcomes)
		}
		store.SetFull(0.79, 0.81)
		time.Sleep(10 * time.Second)
		if gifts, outcomes := store.Retained(); gifts != 1 || outcomes != 1+(all-1)/4 {
			t.Errorf("retained from %d and %d, want the oldest quarter of %d outcomes gone", gifts, outcomes, all)
		}
		before := 1 + (all-1)/4
		store.SetFull(0.95, 0.95)
		time.Sleep(10 * time.Second)
		if gifts, outcomes := store.Retained(); gifts != 2 || outcomes != before+(all-before)/2 {
			t.Errorf("retained from %d and %d, want the open gift 2 and half of %d to %d", gifts, outcomes, before, all)
		}
		if n := o.Stats().Purges; n != 3 {
			t.Errorf("%d purges counted, want 3", n)
		}
		time.Sleep(5 * time.Minute) // the held gift expires
		if gifts, outcomes := store.Retained(); gifts != 42 || outcomes < all || outcomes > uint64(len(store.Outcomes())) {
			t.Errorf("retained from %d and %d, want the newest that was read, and the last outcome", gifts, outcomes)
		}
		o.release(t)
	})
}

// After a purge the next owner knows all it has to, and gives nothing twice.
func TestNothingIsForgottenWithTheHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := busy(t, store, zego)
		store.SetFull(0.95, 0.95)
		time.Sleep(10 * time.Second)
		store.Hook(ownertest.Hooks{Before: func(ownertest.Op) error { return errCrashed }})
		want := o.Room("r2")
		o.stop()
		if err := o.wait(t); err == nil {
			t.Fatal("the first owner has released, want a crash")
		}
		store.Hook(ownertest.Hooks{})

		next := own(t, store, zego)
		store.Accept(entryOf(elsewhere(3)))
		time.Sleep(2 * time.Minute) // the held gift expires
		synctest.Wait()
		if got := next.Room("r2"); got != want || got.Accepted != 40 {
			t.Errorf("room %+v, want %+v", got, want)
		}
		if s := next.Room("r1"); s.Totals.Failed != 1 || s.Open != 0 {
			t.Errorf("room of the held gift %+v, want it failed", s)
		}
		if n := len(zego.sends()); n != 40 {
			t.Errorf("ZEGO got %d gifts, want 40", n)
		}
		if _, err := next.Lookup(t.Context(), elsewhere(3).MsgID); !errors.Is(err, journal.ErrGone) {
			t.Errorf("looked up: %v, want its outcome gone", err)
		}
		if got := next.heard.again; len(got) != 1 || got[0].Gift.ClientID != "c3" || got[0].Status != room.Delivered || got[0].Reason != room.ReasonOK {
			t.Errorf("told %+v of the repeat, want it delivered, as it was", got)
		}
		if s := next.Stats(); s.Repeats != 1 || s.Lost != 0 {
			t.Errorf("stats %+v, want one repeat and nothing lost", s)
		}
		next.release(t)
	})
}

// Nothing is purged that no snapshot covers.
func TestWithoutASnapshotNothingGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		store.Hook(ownertest.Hooks{Before: func(op ownertest.Op) error {
			if op == ownertest.OpSaveChunk {
				return errCrashed
			}
			return nil
		}})
		o := busy(t, store, zego)
		store.SetFull(0.95, 0.95)
		time.Sleep(time.Minute)
		if gifts, outcomes := store.Retained(); gifts != 1 || outcomes != 1 {
			t.Errorf("retained from %d and %d, want all", gifts, outcomes)
		}
		store.Hook(ownertest.Hooks{})
		o.release(t)
	})
}
