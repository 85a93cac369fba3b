package owner_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/owner/ownertest"
)

// often makes an owner snapshot every 10 s.
func often(c *owner.Config) { c.SnapshotEvery = 10 * time.Second }

// held stops an owner within its first SaveChunk, as SIGSTOP or a lost connection does.
type held struct {
	*ownertest.Hand

	gate chan struct{}
}

func (s *held) SaveChunk(ctx context.Context, name string, data []byte) error {
	<-s.gate
	return s.Hand.SaveChunk(ctx, name, data)
}

// give has the owner decide five gifts and snapshot them.
func give(o *owning, store *ownertest.Store) owner.RoomState {
	for i := range 5 {
		store.Accept(entryOf(gift("ann", fmt.Sprint("b", i))))
		time.Sleep(time.Second)
	}
	time.Sleep(20 * time.Second)
	return o.Room("r1")
}

// inherits checks that the next owner finds the state as it was.
func inherits(t *testing.T, store *ownertest.Store, zego *platform, want owner.RoomState) {
	t.Helper()
	next := own(t, store, zego, often)
	time.Sleep(time.Second)
	if got := next.Room("r1"); got != want {
		t.Errorf("the next owner finds %+v\nwant %+v", got, want)
	}
	rows, err := next.Ledger(t.Context(), "r1", owner.Cursor{}, 100)
	if all := want.Totals.Delivered; err != nil || uint64(len(rows.Rows)) != all {
		t.Errorf("%d rows in its ledger, %v; want %d", len(rows.Rows), err, all)
	}
	next.release(t)
}

// A snapshot that was under way when its owner lost the partition does not land on the
// next one's.
func TestStaleSnapshotIsRefused(t *testing.T) {
	for _, full := range []float64{0, 0.95} { // 0.95: the log behind it is purged
		synctest.Test(t, func(t *testing.T) {
			store, zego := ownertest.NewStore(), newPlatform()
			stale := &held{store.Hand(), make(chan struct{})}
			a := own(t, stale, zego, often)
			store.Accept(entryOf(gift("ann", "a1")))
			time.Sleep(15 * time.Second) // a is stopped in its snapshot
			b := own(t, store, zego, often)
			store.SetFull(0, full)
			want := give(b, store)
			close(stale.gate) // a goes on
			if err := a.wait(t); !errors.Is(err, journal.ErrFenced) {
				t.Errorf("the stale owner ended with %v, want it fenced", err)
			}
			store.Accept(entryOf(elsewhere(1))) // b has news of another room, and snapshots them
			time.Sleep(20 * time.Second)
			if full > 0 {
				b.release(t)
				store.SetFull(0, 0)
				next := own(t, store, zego, often)
				if got := next.Room("r1"); got != want {
					t.Errorf("after a purge the next owner finds %+v, want %+v", got, want)
				}
				next.release(t)
				return
			}
			b.release(t)
			inherits(t, store, zego, want)
		})
	}
}

// silent reads no more gifts after the first record.
type silent struct{ *ownertest.Hand }

func (s *silent) ReadGifts(ctx context.Context, after uint64) ([]journal.GiftRecord, error) {
	if after >= 1 {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return s.Hand.ReadGifts(ctx, after)
}

// An owner that learns late that it has lost the partition leaves the next one's
// snapshot alone when it ends.
func TestEvictedOwnerWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		a := own(t, &silent{store.Hand()}, zego, func(c *owner.Config) { c.SnapshotEvery = 10 * time.Minute })
		store.Accept(entryOf(gift("ann", "a1")))
		time.Sleep(5 * time.Second) // decided, not in a snapshot; then a is stopped
		b := own(t, store, zego, often)
		want := give(b, store)
		a.stop() // it goes on and finds its lease gone
		if err := a.wait(t); !errors.Is(err, journal.ErrFenced) {
			t.Errorf("the evicted owner ended with %v, want it fenced", err)
		}
		store.Accept(entryOf(elsewhere(1)))
		time.Sleep(20 * time.Second)
		b.release(t)
		inherits(t, store, zego, want)
	})
}

// A write of the former owner that comes before the first one of the next is no end of
// that one: it is written over.
func TestLateWriteIsWrittenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		former := store.Hand()
		if err := former.LoadChunks(t.Context(), func(string, []byte) error { return nil }); err != nil {
			t.Fatal(err)
		}
		o := own(t, store, zego, often)
		for _, name := range []string{"head", "r7"} {
			if err := former.SaveChunk(t.Context(), name, []byte(`{"v":1,"rooms":{}}`)); err != nil {
				t.Fatal(err)
			}
		}
		want := give(o, store)
		o.release(t)
		inherits(t, store, zego, want)
	})
}

// Ready means that what was accepted before the takeover is known: else an id that is
// journaled would be called unseen.
func TestReadyWhenCaughtUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		g := gift("ann", "a1")
		store.Accept(entryOf(g))
		gate := make(chan struct{})
		store.Hook(ownertest.Hooks{Before: func(op ownertest.Op) error {
			if op == ownertest.OpReadGifts {
				<-gate
			}
			return nil
		}})
		o := own(t, store, zego)
		if _, err := o.Lookup(t.Context(), g.MsgID); o.Ready() || !errors.Is(err, owner.ErrNotReady) {
			t.Errorf("ready %v, look-up %v; want it not ready before it has read", o.Ready(), err)
		}
		close(gate)
		synctest.Wait()
		if known, err := o.Lookup(t.Context(), g.MsgID); err != nil || known.Knowledge == owner.Unseen {
			t.Errorf("look-up %+v, %v", known, err)
		}
		time.Sleep(time.Minute)
		o.release(t)
	})
}

// unreadable has a memory of ids that this release cannot read.
type unreadable struct{ *ownertest.Hand }

func (unreadable) LoadIDs(context.Context, func(int64, []journal.ID) error) error {
	return fmt.Errorf("ids: %w", journal.ErrFormat)
}

// What cannot be read is no store that is away: the partition says so and ends.
func TestUnreadableRecordsEndIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := own(t, unreadable{ownertest.NewStore().Hand()}, newPlatform())
		if err := o.wait(t); !errors.Is(err, journal.ErrFormat) {
			t.Errorf("Run ended with %v, want ErrFormat", err)
		}
	})
}

// deposed answers like a leader that does not know yet that it is none: it knows only
// what was there before the owner came, and a rival's chunk is where the owner's was.
type deposed struct {
	*ownertest.Hand

	now atomic.Bool
}

func (s *deposed) LastOutcome(ctx context.Context) (journal.OutcomeRecord, error) {
	if s.now.Load() {
		return journal.OutcomeRecord{}, nil
	}
	return s.Hand.LastOutcome(ctx)
}

func (s *deposed) SaveChunk(ctx context.Context, name string, data []byte) error {
	if s.now.Load() {
		return journal.ErrFenced
	}
	return s.Hand.SaveChunk(ctx, name, data)
}

// A leader that is behind the owner's own takeover cannot say that the partition is
// another's: the owner goes on, and snapshots later.
func TestDeposedLeaderEndsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		s := &deposed{Hand: store.Hand()}
		o := own(t, s, zego, often)
		s.now.Store(true)
		store.Accept(entryOf(gift("ann", "a1")))
		time.Sleep(30 * time.Second)
		if got := o.Stats(); got.Failed == 0 || !o.Ready() {
			t.Errorf("%+v, ready %v: want failed snapshots and an owner that goes on", got, o.Ready())
		}
		s.now.Store(false)
		o.release(t)
	})
}

// halted is the way to the store of an owner that is stopped in the middle of its
// takeover, before it reads the snapshot.
type halted struct {
	*ownertest.Hand

	goOn chan struct{}
}

func (s halted) LoadChunks(ctx context.Context, each func(string, []byte) error) error {
	<-s.goOn
	return s.Hand.LoadChunks(ctx, each)
}

// An owner that is stopped after its takeover record, and finds the snapshot of one who
// took over meanwhile, is fenced: it must not go on from that one's place in the log.
func TestStoppedWhileTakingOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		own(t, store, zego).release(t) // else the snapshot is read before the takeover, too
		time.Sleep(time.Minute)
		store.Accept(entryOf(gift("ann", "a1")))
		first := halted{store.Hand(), make(chan struct{})}
		stopped := own(t, first, zego)
		next := own(t, store, zego, often, func(c *owner.Config) { c.Node, c.Incarnation = "n2", "i2" })
		store.Accept(entryOf(gift("ann", "a2")))
		time.Sleep(30 * time.Second) // decided, and snapshotted
		close(first.goOn)
		stopped.stop() // its node has learned that it was taken for dead
		if err := stopped.wait(t); !errors.Is(err, journal.ErrFenced) {
			t.Errorf("the first owner ended with %v, want ErrFenced", err)
		}
		time.Sleep(time.Second)
		next.release(t)
		for _, rec := range store.Outcomes()[3:] { // takeover and release, and the takeover of who is stopped
			if rec.Node != "n2" {
				t.Errorf("record %d, a %v, is of %s", rec.Seq, rec.Kind, rec.Node)
			}
		}
		own(t, store, zego).release(t) // the chain is whole
	})
}
