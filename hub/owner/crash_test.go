package owner_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/owner/ownertest"
	"github.com/giftwire/giftwire/room"
)

// The owner may die at any operation of its log, before the log has stored it or
// after: every gift is decided exactly once by whoever comes next, each has one
// effect, and the totals add up (P2, P3, P5).
func TestCrashAtEveryOperation(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		crashes := 0
		for n := int64(1); ; n++ {
			var crashed bool
			synctest.Test(t, func(t *testing.T) { crashed = crashAt(t, n, stored) })
			if t.Failed() {
				t.Fatalf("died at operation %d, stored %v", n, stored)
			}
			if !crashed {
				break
			}
			crashes++
		}
		t.Logf("stored %v: survived a crash at each of %d operations", stored, crashes)
		if crashes < 30 {
			t.Errorf("only %d operations: the run is too short to prove anything", crashes)
		}
	}
}

// crashAt runs an owner that dies at its n-th operation, and then another to the end.
// It reports whether the first lived to see the n-th.
func crashAt(t *testing.T, n int64, persisted bool) (crashed bool) {
	t.Helper()
	store, zego := ownertest.NewStore(), newPlatform()
	var ops atomic.Int64
	var dead atomic.Bool
	ctx, die := context.WithCancel(t.Context())
	count := func(ownertest.Op) error {
		if dead.Load() || ops.Add(1) == n {
			dead.Store(true)
			die()
			return errCrashed
		}
		return nil
	}
	hooks := ownertest.Hooks{Before: count}
	if persisted {
		hooks = ownertest.Hooks{After: count, Before: func(ownertest.Op) error {
			if dead.Load() {
				return errCrashed
			}
			return nil
		}}
	}
	store.Hook(hooks)
	first, err := owner.New(owner.Config{
		Store: store.Hand(), Sender: zego, Listener: &audience{}, Node: "n1", Incarnation: "first", SnapshotEvery: 150 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Run(ctx) }()
	var sent []*room.Gift
	for i := range 12 {
		g := gift(fmt.Sprint("u", i%3), fmt.Sprint("c", i))
		sent = append(sent, g)
		store.Accept(entryOf(g), joinOf(fmt.Sprint("u", i%3), "5"))
		time.Sleep(60 * time.Millisecond)
	}
	time.Sleep(time.Second)
	die()
	if err := <-ended; err == nil && dead.Load() {
		t.Log("the owner released before it noticed its death") // a release is its last operation
	}
	store.Hook(ownertest.Hooks{})

	next := own(t, store, zego)
	time.Sleep(2 * time.Minute)
	synctest.Wait()
	checkConserved(t, store, zego, next, sent)
	next.release(t)
	return dead.Load()
}

func checkConserved(t *testing.T, store *ownertest.Store, zego *platform, o *owning, sent []*room.Gift) {
	t.Helper()
	decided := make(map[room.MsgID]int)
	for _, d := range stored(store) {
		decided[d.Gift.MsgID]++
		if d.Status != room.Delivered {
			t.Errorf("gift %s is %v, want delivered", d.Gift.ClientID, d.Status)
		}
	}
	for _, g := range sent {
		if decided[g.MsgID] != 1 || zego.effects[g.MsgID] != 1 {
			t.Errorf("gift %s: %d decisions, %d effects; want one of each", g.ClientID, decided[g.MsgID], zego.effects[g.MsgID])
		}
	}
	state := o.Room("r1")
	if state.Open != 0 || state.Accepted != uint64(len(sent)) || state.Totals.Delivered != uint64(len(sent)) {
		t.Errorf("state %+v, want %d accepted and delivered", state, len(sent))
	}
	var number, chain, events uint64
	for _, rec := range store.Outcomes() {
		for _, d := range rec.Rooms {
			if d.Number != number+1 || d.Prev != chain || d.Seq != events+1 {
				t.Errorf("record %d: number %d, prev %d, seq %d; want %d, %d and %d",
					rec.Seq, d.Number, d.Prev, d.Seq, number+1, chain, events+1)
			}
			number, chain, events = d.Number, rec.Seq, d.Seq
		}
	}
}
