package intake_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// purse is a wallet as the interface describes it: one price for each id, held by
// attempts. Its tests answer one call after the other.
type purse map[room.MsgID]map[string]bool

func (p purse) Reserve(_ context.Context, g room.Gift, attempt string) error {
	if p[g.MsgID] == nil {
		p[g.MsgID] = make(map[string]bool)
	}
	p[g.MsgID][attempt] = true
	return nil
}

func (p purse) Release(_ context.Context, id room.MsgID, attempt string) error {
	if delete(p[id], attempt); len(p[id]) == 0 {
		delete(p, id)
	}
	return nil
}

// TestTwoNodesAtOnce: one gift through two nodes is paid once if one of them stores it,
// whatever becomes of the other, and not at all if neither does (P4).
func TestTwoNodesAtOnce(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		first, second error // what the nodes' journals say, the second one's first
		paid          int
	}{
		"both store it":          {nil, nil, 1},
		"one cannot":             {nil, journal.ErrUnavailable, 1},
		"neither can":            {journal.ErrUnavailable, journal.ErrUnavailable, 0},
		"one does not know":      {journal.ErrUnknown, journal.ErrUnavailable, 1},
		"one has no room for it": {nil, journal.ErrTooLarge, 1},
	} {
		money := make(purse)
		pay := func(cfg *intake.Config) { cfg.Prices.Wallet = money }
		a, b := newBench(t, pay), newBench(t, pay)
		one, other := a.submit(t, rockets("c", 20)), b.submit(t, rockets("c", 20))
		if len(money) != 1 {
			t.Fatalf("%s: %d prices set aside, want one", name, len(money))
		}
		b.journal.answer(t, tc.second)
		other.verdict(t)
		a.journal.answer(t, tc.first)
		one.verdict(t)
		if len(money) != tc.paid {
			t.Errorf("%s: %d prices set aside, want %d", name, len(money), tc.paid)
		}
	}
}

// TestRepeatAfterALostAnswer: a repeat that is refused does not give back what was paid
// for an earlier submission that may be stored.
func TestRepeatAfterALostAnswer(t *testing.T) {
	t.Parallel()
	money := make(purse)
	b := newBench(t, func(cfg *intake.Config) { cfg.Prices.Wallet = money })
	for _, err := range []error{journal.ErrUnknown, journal.ErrUnavailable} {
		got := b.submit(t, rockets("c", 20))
		b.journal.answer(t, err)
		got.verdict(t)
	}
	if len(money) != 1 {
		t.Errorf("%d prices set aside, want one: the first may be stored", len(money))
	}
}

// TestRepeatOfAPurgedOutcome: a gift whose decision's record is gone is accepted again,
// whatever the room's rules are now, and not paid again; its owner hears of it.
func TestRepeatOfAPurgedOutcome(t *testing.T) {
	t.Parallel()
	b := newBench(t, withWallet(new(fakeWallet)))
	b.owner.err = fmt.Errorf("owner: %w", journal.ErrGone)
	delete(b.rooms, "r1")
	got := b.submit(t, rockets("c", 20))
	if g := b.journal.answer(t, nil); g.ClientID != "c" {
		t.Errorf("journaled %+v", g)
	}
	if v := got.verdict(t); v.Outcome != intake.Accepted || !v.Repeat {
		t.Errorf("%+v, want a repeat accepted", v)
	}
	if log := b.wallet.log(); len(log) != 0 {
		t.Errorf("wallet %v, want it not asked", log)
	}
	if n := b.Stats().LookupsFailed; n != 0 {
		t.Errorf("%d look-ups failed", n)
	}
}

// TestEndCutsReleasesOff: what a journal that ended has not stored is given back, a
// bounded number at a time and in bounded time, and what was not is counted.
func TestEndCutsReleasesOff(t *testing.T) {
	t.Parallel()
	const gifts = 100
	for name, tc := range map[string]struct {
		hangs    bool
		ended    error
		failed   uint64
		together int64
	}{
		"a wallet that answers": {false, nil, 0, 64},
		"one that hangs":        {true, errCut, gifts, 64},
	} {
		synctest.Test(t, func(t *testing.T) {
			var now, most atomic.Int64
			release := func(ctx context.Context) error {
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				if tc.hangs {
					<-ctx.Done()
					return ctx.Err()
				}
				time.Sleep(100 * time.Millisecond)
				return nil
			}
			b := newBench(t, withWallet(&fakeWallet{release: release}))
			for i := range gifts {
				b.submit(t, rockets(fmt.Sprint("c", i), 20))
			}
			b.Close()
			for range gifts {
				b.journal.answer(t, journal.ErrClosed)
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errCut)
			defer cancel()
			begun := time.Now()
			if err := b.End(ctx); !errors.Is(err, tc.ended) {
				t.Errorf("%s: End returned %v, want %v", name, err, tc.ended)
			}
			if took := time.Since(begun); took > time.Second {
				t.Errorf("%s: it took %v", name, took)
			}
			got := []uint64{b.Stats().ReleasesFailed, uint64(most.Load()), uint64(now.Load())}
			if diff := cmp.Diff([]uint64{tc.failed, uint64(tc.together), 0}, got); diff != "" {
				t.Errorf("%s: failed, at a time, left (-want +got):\n%s", name, diff)
			}
		})
	}
}

var errCut = errors.New("time is up")
