package owner_test

import (
	"context"
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

// WaitFlushed is what a drain waits for.
func TestWaitFlushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego)
		store.Accept(entryOf(gift("ann", "c1")))
		synctest.Wait()
		begun := time.Now()
		if err := o.WaitFlushed(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(begun); got != 100*time.Millisecond {
			t.Errorf("flushed after %v, want one tick of 100ms", got)
		}
		zego.mu.Lock()
		zego.hang = make(chan struct{})
		zego.mu.Unlock()
		store.Accept(entryOf(gift("ann", "c2")))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := o.WaitFlushed(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		close(zego.hang)
		o.release(t)
	})
}

// A new owner starts at most two calls of an action in its first second, however many
// gifts wait: the other 18 of ZEGO's 20 may have been its predecessor's.
func TestFirstSecondOfAnOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		own(t, store, zego).release(t)
		time.Sleep(time.Minute) // no quick succession
		for i := range 5 * room.BatchMax {
			store.Accept(entryOf(gift("ann", fmt.Sprint("c", i))))
		}
		taken := time.Now()
		o := own(t, store, zego)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		early := 0
		for _, at := range zego.startsAt {
			if at.Sub(taken) < time.Second {
				early++
			}
		}
		if early != room.TakeoverCalls || len(zego.startsAt) != 5 {
			t.Errorf("%d of %d calls in the first second, want %d of 5", early, len(zego.startsAt), room.TakeoverCalls)
		}
		o.release(t)
	})
}

// Ids that could not be stored are stored with the next snapshot.
func TestFailedSnapshotLosesNoIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego, func(c *owner.Config) { c.SnapshotEvery = time.Second })
		fails := map[ownertest.Op]bool{ownertest.OpAppendIDs: true}
		store.Hook(ownertest.Hooks{Before: func(op ownertest.Op) error {
			if fails[op] {
				delete(fails, op)
				return errCrashed
			}
			return nil
		}})
		store.Accept(entryOf(gift("ann", "c1")))
		time.Sleep(time.Minute)
		o.release(t)
		store.Hook(ownertest.Hooks{})
		next := own(t, store, zego)
		store.Accept(entryOf(gift("ann", "c1")))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := zego.sends(); len(got) != 1 {
			t.Errorf("sent %d times, want once", len(got))
		}
		next.release(t)
	})
}

// What does not fit one record becomes two.
func TestTooLargeRecordIsHalved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		small := &smallStore{Store: store, most: 8}
		o := own(t, small, zego)
		for i := range 20 {
			store.Accept(entryOf(gift("ann", fmt.Sprint("c", i))))
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := stored(store); len(got) != 20 {
			t.Errorf("%d decisions stored, want 20", len(got))
		}
		if small.refused == 0 {
			t.Error("no record was too large: the test proves nothing")
		}
		o.release(t)
	})
}

// smallStore takes records of a few decisions only.
type smallStore struct {
	*ownertest.Store
	most, refused int
}

func (s *smallStore) AppendOutcome(ctx context.Context, expected uint64, rec journal.OutcomeRecord) (uint64, error) {
	n := 0
	for _, d := range rec.Rooms {
		n += len(d.Decisions)
	}
	if n > s.most {
		s.refused++
		return 0, journal.ErrTooLarge
	}
	return s.Store.AppendOutcome(ctx, expected, rec)
}

// Who has released a partition does not answer for it: the next owner may already
// decide while the release is being stored.
func TestNobodyAnswersDuringTheRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := ownertest.NewStore()
		o := own(t, store, newPlatform())
		ready := make(chan bool, 1)
		store.Hook(ownertest.Hooks{Before: func(op ownertest.Op) error {
			if op == ownertest.OpAppendOutcome {
				ready <- o.Ready()
			}
			return nil
		}})
		o.release(t)
		if <-ready {
			t.Error("ready while the release is stored")
		}
	})
}

func TestConfigFaultsAreNamedAtOnce(t *testing.T) {
	_, err := owner.New(owner.Config{SnapshotEvery: time.Hour})
	if !errors.Is(err, owner.ErrBadConfig) {
		t.Fatalf("got %v", err)
	}
	for _, name := range []string{"Store", "Sender", "Listener", "Node", "Incarnation", "SnapshotEvery"} {
		if !contains(err, name) {
			t.Errorf("%q is not named in: %v", name, err)
		}
	}
}
