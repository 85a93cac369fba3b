package owner_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/owner/ownertest"
	"github.com/giftwire/giftwire/room"
)

// fill gives n gifts of two rooms in bursts of different sizes, and returns the ids of
// room r1 in the order decided.
func fill(t *testing.T, store *ownertest.Store, n int) []room.MsgID {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's dice
	for i := 0; i < n; {
		for range 1 + random.IntN(9) {
			g := gift("ann", fmt.Sprint("c", i))
			store.Accept(entryOf(g))
			other := *g
			other.Room, other.MsgID = "r2", room.NewMsgID(1, "r2", "ann", g.ClientID)
			store.Accept(entryOf(&other))
			i++
		}
		time.Sleep(150 * time.Millisecond)
	}
	time.Sleep(time.Second)
	synctest.Wait()
	var want []room.MsgID
	for _, d := range stored(store) {
		if d.Gift.Room == "r1" {
			want = append(want, d.Gift.MsgID)
		}
	}
	return want
}

// readAll pages through the ledger with the given limits in turn.
func readAll(t *testing.T, o *owning, after owner.Cursor, limits ...int) []room.MsgID {
	t.Helper()
	var got []room.MsgID
	for i := 0; ; i++ {
		limit := limits[i%len(limits)]
		page, err := o.Ledger(t.Context(), "r1", after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Rows) > limit {
			t.Fatalf("a page of %d rows, asked for %d", len(page.Rows), limit)
		}
		if len(page.Rows) == 0 {
			if page.Next != after {
				t.Errorf("an empty page moves the cursor from %+v to %+v", after, page.Next)
			}
			return got
		}
		for _, r := range page.Rows {
			got = append(got, r.Decision.Gift.MsgID)
		}
		if last := page.Rows[len(page.Rows)-1].Cursor; page.Next != last {
			t.Errorf("next is %+v, want the last row's %+v", page.Next, last)
		}
		after = page.Next
	}
}

func TestLedgerPagesHaveEachRowOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego)
		want := fill(t, store, 400)
		for _, limits := range [][]int{{1}, {3}, {7, 1, 50}, {1000}} {
			if diff := cmp.Diff(want, readAll(t, o, owner.Cursor{}, limits...)); diff != "" {
				t.Fatalf("limits %v (-want +got):\n%s", limits, diff)
			}
		}
		// From any row on.
		page, err := o.Ledger(t.Context(), "r1", owner.Cursor{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(page.Rows); i += 17 {
			if diff := cmp.Diff(want[i+1:], readAll(t, o, page.Rows[i].Cursor, 64), cmpEmpty); diff != "" {
				t.Fatalf("after row %d (-want +got):\n%s", i, diff)
			}
		}
		o.release(t)
	})
}

var cmpEmpty = cmp.Transformer("empty", func(ids []room.MsgID) []room.MsgID {
	return append([]room.MsgID{}, ids...)
})

func TestLedgerOfUnknownRoomIsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := own(t, ownertest.NewStore(), newPlatform())
		page, err := o.Ledger(t.Context(), "nobody", owner.Cursor{}, 10)
		if err != nil || len(page.Rows) != 0 {
			t.Errorf("got %+v, %v; want an empty page", page, err)
		}
		o.release(t)
	})
}

// What has aged out is said, not skipped, to whoever was reading on; whoever has read
// it all, or begins anew, goes on.
func TestLedgerCursorOlderThanRetained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego)
		fill(t, store, 60)
		ctx := t.Context()
		page, err := o.Ledger(ctx, "r1", owner.Cursor{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		early, last := page.Rows[3].Cursor, page.Rows[len(page.Rows)-1].Cursor
		cut := page.Rows[len(page.Rows)/2].Cursor.Seq
		store.Forget(cut)

		if _, err := o.Ledger(ctx, "r1", early, 10); !errors.Is(err, owner.ErrCursorGone) {
			t.Errorf("an early cursor: %v, want ErrCursorGone", err)
		}
		rest, err := o.Ledger(ctx, "r1", owner.Cursor{}, 1000)
		if err != nil || len(rest.Rows) == 0 || rest.Rows[0].Cursor.Seq < cut {
			t.Errorf("from the beginning: %d rows, %v; want what is retained", len(rest.Rows), err)
		}
		// All of the last record of r1 was read: nothing is missed when it has gone.
		store.Forget(last.Seq + 1)
		if got, err := o.Ledger(ctx, "r1", last, 10); err != nil || len(got.Rows) != 0 {
			t.Errorf("the newest cursor after its record is gone: %+v, %v; want an empty page", got, err)
		}
		// A release would find that its last record is gone, as only a log of days can.
		end(t, store, o, true)
	})
}
