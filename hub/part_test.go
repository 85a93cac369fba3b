package hub

import (
	"context"
	"errors"
	"testing"
)

// untilStopped runs until its context ends, and returns why as a part may.
func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestPartEndsWhenAsked(t *testing.T) {
	p := begin(t.Context(), "x", untilStopped, func(err error) { t.Errorf("failed: %v", err) })
	if p.ended() {
		t.Error("ended before it was asked to")
	}
	if err := p.end(); err != nil || !p.ended() {
		t.Errorf("end: %v, ended %v", err, p.ended())
	}
}

func TestPartTellsThatItEndedByItself(t *testing.T) {
	boom := errors.New("boom")
	for _, own := range []error{nil, boom, context.Canceled} {
		failed := make(chan error, 1)
		p := begin(t.Context(), "journal", func(context.Context) error { return own }, func(err error) { failed <- err })
		err := <-failed
		want := own
		if own == nil {
			want = errEnded
		}
		if !errors.Is(err, want) || err.Error()[:12] != "hub: journal" {
			t.Errorf("told %v, want hub: journal: %v", err, want)
		}
		if got := p.end(); !errors.Is(got, want) {
			t.Errorf("end returns %v, want %v", got, want)
		}
	}
}

func TestPartFailingOnTheWayDownIsReported(t *testing.T) {
	boom := errors.New("not released")
	p := begin(t.Context(), "rooms", func(ctx context.Context) error {
		<-ctx.Done()
		return boom
	}, func(err error) { t.Errorf("told %v: it was asked to end", err) })
	if err := p.end(); !errors.Is(err, boom) {
		t.Errorf("end returns %v, want %v", err, boom)
	}
}

func TestPhaseOnlyGoesForward(t *testing.T) {
	p := phase{served: make(chan struct{})}
	if p.closed() == nil || p.check().Status != checkFail {
		t.Error("a new hub serves")
	}
	for _, next := range []int32{phaseStarting, phaseServing, phaseDraining, phaseEnded} {
		if !p.to(next) || p.to(next) {
			t.Errorf("phase %d: not entered once", next)
		}
		if serves := p.closed() == nil; serves != (next == phaseServing) || serves != p.serving() {
			t.Errorf("phase %d: serves %v", next, serves)
		}
	}
	if p.to(phaseServing) {
		t.Error("went back")
	}
}
