package ask_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/ask"
	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// Where nobody answers, the question is put again until its asker has no more time.
func TestOwnerAway(t *testing.T) {
	_, b := pair(t)
	for _, kind := range ask.Kinds() {
		began := time.Now()
		_, err := b.put(bounded(t, 200*time.Millisecond), kind)
		for _, want := range []error{owner.ErrNotReady, cluster.ErrNoAnswer, context.DeadlineExceeded} {
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", kind, err, want)
			}
		}
		if took := time.Since(began); took < 200*time.Millisecond {
			t.Errorf("%s: given up after %v", kind, took)
		}
	}
	if s := b.Stats(); s.Again < 4 || s.Silence < 4 {
		t.Errorf("%+v", s)
	}
}

// No gift waits for a takeover: the journal does not depend on it.
func TestALookupIsNotPatient(t *testing.T) {
	_, b := pair(t)
	began := time.Now()
	if _, err := b.put(bounded(t, patience), ask.KindLookup); !errors.Is(err, owner.ErrNotReady) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took < 500*time.Millisecond || took > patience/2 {
		t.Errorf("it took %v, want 500ms", took)
	}
}

// A question that is put while a partition moves is answered when it has moved.
func TestOwnershipMoves(t *testing.T) {
	a, b := pair(t)
	first, second := fullFake(t), fullFake(t)
	first.unready.Store(true)
	second.unready.Store(true)
	second.state.Seq = 7
	answered := make(chan owner.RoomState, 1)
	go func() { // joined by receive
		state, err := b.State(bounded(t, patience), "r")
		if err != nil {
			t.Error(err)
		}
		answered <- state
	}()
	poll(t, "nobody answered", func() bool { return b.Stats().Again > 0 })
	stop := a.serve(t, first)
	poll(t, "the new owner is not ready", func() bool { return a.desk.Stats().NotReady > 0 })
	stop()
	b.serve(t, second) // it moves on, to the asker's own node
	again := b.Stats().Again
	poll(t, "the own node is not ready", func() bool { return b.Stats().Again > again+2 })
	second.unready.Store(false)
	if got := receive(t, answered, "an answer"); got.Seq != 7 {
		t.Errorf("got %+v, want the second owner's", got)
	}
	if _, err := a.State(bounded(t, patience), "r"); err != nil {
		t.Errorf("the first owner's node asks: %v", err)
	}
}

// An owner whose lease ran out while it read, as a process that was stopped has, says
// nothing; who owns the partition now is heard.
func TestDeposedOwner(t *testing.T) {
	a, b := pair(t)
	f := fullFake(t)
	f.during = func(context.Context, ask.Kind) error {
		a.deposed.Store(true)
		return nil
	}
	a.serve(t, f)
	for _, kind := range ask.Kinds() {
		for _, n := range []*node{a, b} {
			a.deposed.Store(false)
			if got, err := n.put(bounded(t, 150*time.Millisecond), kind); !errors.Is(err, owner.ErrNotReady) {
				t.Errorf("%s asks for %s: %+v, %v", n.name, kind, got, err)
			}
		}
	}
	if s := a.desk.Stats(); s.Silent < 4 || s.Answered != 0 || s.NotReady != 0 {
		t.Errorf("the deposed owner's desk says %+v, want silence", s)
	}
	a.deposed.Store(true)
	f.during = func(context.Context, ask.Kind) error {
		t.Error("a deposed owner was asked")
		return nil
	}
	silent := a.desk.Stats().Silent
	if err := b.Comment("r", "g", room.Comment{}); err != nil {
		t.Fatal(err)
	}
	poll(t, "the comment is ignored", func() bool { return a.desk.Stats().Silent > silent })
	if len(f.heard) > 0 {
		t.Error("a deposed owner was told a comment")
	}
	b.serve(t, fullFake(t))
	url := b.journal.Conn().ConnectedUrl()
	c := newNode(t, url, "c")
	for range 20 {
		if _, err := c.State(bounded(t, patience), "r"); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); s.Again != 0 {
		t.Errorf("asked again %d times: the deposed owner was heard", s.Again)
	}
}

// An owner that ends while it reads has said nothing.
func TestOwnerEndsOverAQuestion(t *testing.T) {
	a, b := pair(t)
	f := fullFake(t)
	f.during = func(context.Context, ask.Kind) error {
		f.unready.Store(true)
		return nil
	}
	a.serve(t, f)
	for _, kind := range ask.Kinds() {
		for _, n := range []*node{a, b} {
			f.unready.Store(false)
			if got, err := n.put(bounded(t, 150*time.Millisecond), kind); !errors.Is(err, owner.ErrNotReady) {
				t.Errorf("%s asks for %s: %+v, %v", n.name, kind, got, err)
			}
		}
	}
	if s := a.desk.Stats(); s.Answered != 0 || s.NotReady == 0 {
		t.Errorf("the desk says %+v", s)
	}
}

// stop cuts short what is being answered, here and for others, and nothing runs after
// it.
func TestStopCutsShort(t *testing.T) {
	a, b := pair(t)
	f := fullFake(t)
	reading, ended := make(chan struct{}, 2), make(chan struct{})
	f.during = func(ctx context.Context, _ ask.Kind) error {
		reading <- struct{}{}
		<-ctx.Done()
		<-time.After(50 * time.Millisecond) // as a read does that looks at its context late
		close(ended)
		return ctx.Err()
	}
	stop := a.serve(t, f)
	ctx, cancel := context.WithCancel(bounded(t, patience))
	answered := make(chan error, 1)
	go func() { // joined by receive
		_, err := b.put(ctx, ask.KindLedger)
		answered <- err
	}()
	receive(t, reading, "the question")
	began := time.Now()
	stop()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("stop took %v", took)
	}
	select {
	case <-ended:
	default:
		t.Error("stop returned while a question was read")
	}
	poll(t, "it was not ready", func() bool { return b.Stats().Again > 0 })
	cancel()
	if err := receive(t, answered, "the answer"); !errors.Is(err, owner.ErrNotReady) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// What was read before stop and is there after it may be old by then.
func TestStopOverAQuestionHere(t *testing.T) {
	a, _ := pair(t)
	f := fullFake(t)
	reading, finish := make(chan struct{}, 1), make(chan struct{})
	f.during = func(context.Context, ask.Kind) error {
		reading <- struct{}{}
		<-finish
		return nil
	}
	stop := a.serve(t, f)
	ctx, cancel := context.WithCancel(bounded(t, patience))
	answered := make(chan error, 1)
	go func() { // joined by receive
		_, err := a.put(ctx, ask.KindState)
		answered <- err
	}()
	receive(t, reading, "the question")
	stop()
	close(finish)
	poll(t, "it asks elsewhere", func() bool { return a.Stats().Asked > 0 })
	cancel()
	if err := receive(t, answered, "the end"); !errors.Is(err, owner.ErrNotReady) {
		t.Errorf("%v", err)
	}
}

// A question that takes too long is not worked at for longer than its asker waits.
func TestSlowOwner(t *testing.T) {
	a, b := pair(t)
	f := fullFake(t)
	took := make(chan time.Duration, 1)
	f.during = func(ctx context.Context, _ ask.Kind) error {
		began := time.Now()
		<-ctx.Done()
		select {
		case took <- time.Since(began):
		default:
		}
		return ctx.Err()
	}
	a.serve(t, f)
	_, err := b.put(bounded(t, 100*time.Millisecond), ask.KindTimeline)
	if !errors.Is(err, owner.ErrNotReady) {
		t.Errorf("%v", err)
	}
	if d := receive(t, took, "the end of the question"); d > 900*time.Millisecond {
		t.Errorf("the owner worked at it for %v", d)
	}
	// The owner has a bound of its own.
	_, err = b.put(bounded(t, 1500*time.Millisecond), ask.KindTimeline)
	if !errors.Is(err, owner.ErrNotReady) || b.Stats().Again == 0 {
		t.Errorf("%v, asked again %d times", err, b.Stats().Again)
	}
}
