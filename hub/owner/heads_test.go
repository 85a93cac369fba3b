package owner_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/owner/ownertest"
	"github.com/giftwire/giftwire/room"
)

// TestHeadsAfterTakeover: a new owner knows where each room stands, of what the one
// before has decided.
func TestHeadsAfterTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego)
		store.Accept(entryOf(gift("ann", "c1")))
		time.Sleep(time.Second)
		o.release(t)

		next := own(t, store, zego)
		<-next.Served()
		if diff := cmp.Diff([]owner.Head{{Room: "r1", Record: 2, Seq: 1}}, next.Heads()); diff != "" {
			t.Errorf("heads (-want +got):\n%s", diff)
		}
		next.release(t)
	})
}

// TestCrowded: rooms are named in which so many gifts are open, and no others.
func TestCrowded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		zego.answer = func(room.GiftCall) *room.Answer { return &room.Answer{Outcome: room.NotTaken} }
		o := own(t, store, zego)
		few := gift("bo", "c3")
		few.Room = "r2"
		store.Accept(entryOf(gift("ann", "c1")), entryOf(gift("ann", "c2")), entryOf(few))
		time.Sleep(time.Second)
		for least, want := range map[int]map[string]int{1: {"r1": 2, "r2": 1}, 2: {"r1": 2}, 3: {}, 4: nil} {
			if diff := cmp.Diff(want, o.Crowded(least)); diff != "" {
				t.Errorf("rooms with %d open gifts or more (-want +got):\n%s", least, diff)
			}
		}
		o.release(t)
	})
}

// Snapshots that fail are counted in a row: a person has to know of it long before the log
// has aged out behind the last good one.
func TestFailingSnapshotsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego, often)
		store.Hook(ownertest.Hooks{Before: func(op ownertest.Op) error {
			if op == ownertest.OpSaveChunk {
				return errCrashed
			}
			return nil
		}})
		store.Accept(entryOf(gift("ann", "c1")))
		time.Sleep(time.Minute)
		if s := o.Stats(); s.Failing < 3 || s.Failed != s.Failing {
			t.Errorf("%d failed, %d in a row", s.Failed, s.Failing)
		}
		store.Hook(ownertest.Hooks{})
		time.Sleep(time.Minute)
		if s := o.Stats(); s.Failing != 0 || s.Failed < 3 || s.Snapshots == 0 {
			t.Errorf("%d stored, %d failed, %d in a row", s.Snapshots, s.Failed, s.Failing)
		}
		o.release(t)
	})
}
