package intake_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/wire"
)

func fails(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

func TestWallet(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tests := []struct {
		name    string
		reserve error
		stored  error // the journal's answer
		want    wire.Code
		outcome intake.Outcome
		calls   []string
	}{
		{name: "paid", outcome: intake.Accepted, calls: []string{"reserve c"}},
		{name: "declined", reserve: fmt.Errorf("no money: %w", intake.ErrDeclined), outcome: intake.Rejected, want: wire.CodeDeclined, calls: []string{"reserve c"}},
		{name: "wallet broken", reserve: broken, outcome: intake.Rejected, want: wire.CodeUnavailable, calls: []string{"reserve c", "release"}},
		{name: "not stored", stored: journal.ErrUnavailable, outcome: intake.Rejected, want: wire.CodeUnavailable, calls: []string{"reserve c", "release"}},
		{name: "too large", stored: journal.ErrTooLarge, outcome: intake.Rejected, want: wire.CodeBadRequest, calls: []string{"reserve c", "release"}},
		{name: "perhaps stored", stored: journal.ErrUnknown, outcome: intake.Unknown, calls: []string{"reserve c"}},
	}
	for _, tt := range tests {
		b := newBench(t, withWallet(&fakeWallet{reserve: fails(tt.reserve)}))
		got := b.submit(t, rockets("c", 20))
		if tt.reserve == nil {
			got.none(t)
			b.journal.answer(t, tt.stored)
		}
		v := got.verdict(t)
		if v.Outcome != tt.outcome || v.Code != tt.want {
			t.Errorf("%s: %+v", tt.name, v)
		}
		if diff := cmp.Diff(tt.calls, b.wallet.log()); diff != "" {
			t.Errorf("%s: wallet (-want +got):\n%s", tt.name, diff)
		}
		if n := len(b.journal.entries()); n != 0 {
			t.Errorf("%s: %d entries journaled", tt.name, n)
		}
	}
}

// TestWalletIsNotAsked for gifts that the platform has charged, and for gifts that
// nobody could give.
func TestWalletIsNotAsked(t *testing.T) {
	t.Parallel()
	b := newBench(t, withWallet(new(fakeWallet)))
	charged := rockets("c-1", 20)
	charged.Charged = true
	got := b.submit(t, charged)
	b.journal.answer(t, journal.ErrUnavailable)
	got.verdict(t)
	b.submit(t, rockets("c-2", 15)).verdict(t)
	if log := b.wallet.log(); len(log) != 0 {
		t.Errorf("wallet %v", log)
	}
}

// TestReleaseBeforeRejected: when the sender hears rejected, the money is back; a
// repeat meanwhile waits for it and pays again.
func TestReleaseBeforeRejected(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	b := newBench(t, withWallet(&fakeWallet{release: func(context.Context) error {
		<-gate
		return nil
	}}))
	got := b.submit(t, rockets("c", 20))
	b.journal.answer(t, journal.ErrUnavailable)
	repeat := b.submit(t, rockets("c", 20))
	got.none(t)
	repeat.none(t)
	if n := len(b.journal.entries()); n != 0 {
		t.Errorf("%d entries journaled while the release is not done", n)
	}
	close(gate)
	if v := got.verdict(t); v.Code != wire.CodeUnavailable {
		t.Errorf("%+v", v)
	}
	if v := repeat.verdict(t); v.Code != wire.CodeUnavailable {
		t.Errorf("repeat: %+v", v)
	}
	b.submit(t, rockets("c", 20)).none(t)
	b.journal.answer(t, nil)
	if diff := cmp.Diff([]string{"reserve c", "release", "reserve c"}, b.wallet.log()); diff != "" {
		t.Errorf("wallet (-want +got):\n%s", diff)
	}
}

// TestSlowWallet: a wallet that does not answer costs ReserveTimeout, then it is
// asked to release, three times at most.
func TestSlowWallet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		b := newBench(t, withWallet(&fakeWallet{reserve: hang, release: hang}))
		start := time.Now()
		got := b.submit(t, rockets("c", 20))
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("the submitter was held up for %v", took)
		}
		v := got.verdict(t)
		if took := time.Since(start); took != 4*2*time.Second+2*500*time.Millisecond || v.Code != wire.CodeUnavailable {
			t.Errorf("%+v after %v", v, took)
		}
		if diff := cmp.Diff([]string{"reserve c", "release", "release", "release"}, b.wallet.log()); diff != "" {
			t.Errorf("wallet (-want +got):\n%s", diff)
		}
		if got := b.Stats().ReleasesFailed; got != 1 {
			t.Errorf("%d releases failed, want 1", got)
		}
	})
}

// TestReserveOutlivesTheViewer: who reserved must be known, also when the viewer is
// gone.
func TestReserveOutlivesTheViewer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	b := newBench(t, withWallet(&fakeWallet{reserve: func(ctx context.Context) error {
		cancel()
		return ctx.Err()
	}}))
	got := make(answers, 1)
	b.Submit(ctx, rockets("c", 20), func(v intake.Verdict) { got <- v })
	b.journal.answer(t, nil)
	if v := got.verdict(t); v.Outcome != intake.Accepted {
		t.Errorf("%+v", v)
	}
}
