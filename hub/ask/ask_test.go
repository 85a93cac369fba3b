package ask_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/ask"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// The answer is the same wherever the owner is.
func TestOwnerHereAndElsewhere(t *testing.T) {
	a, b := pair(t)
	f := fullFake(t)
	a.serve(t, f)
	for _, n := range []*node{a, b} {
		for _, kind := range ask.Kinds() {
			got, err := n.put(bounded(t, patience), kind)
			if err != nil {
				t.Fatalf("%s asks for %s: %v", n.name, kind, err)
			}
			if diff := cmp.Diff(f.answerOf(kind), got); diff != "" {
				t.Errorf("%s asks for %s (-want +got):\n%s", n.name, kind, diff)
			}
		}
	}
	if here, there := a.Stats(), b.Stats(); here.Asked != 0 || there.Asked != 4 {
		t.Errorf("%d requests by the owner, %d by the other node; want 0 and 4", here.Asked, there.Asked)
	}
	if s := a.desk.Stats(); s.Answered != 4 {
		t.Errorf("the desk says %+v", s)
	}
}

func TestErrorsTravel(t *testing.T) {
	a, b := pair(t)
	f := fullFake(t)
	a.serve(t, f)
	odd := errors.New("odd " + strings.Repeat("é", 300))
	a.newest = func(context.Context, int) (uint64, error) { return 0, nil }
	b.newest = a.newest
	for _, c := range []struct{ is, here, there error }{
		{owner.ErrUnknownGift, owner.ErrUnknownGift, owner.ErrUnknownGift},
		{owner.ErrCursorGone, owner.ErrCursorGone, owner.ErrCursorGone},
		{&journal.GoneError{Stream: "OUTCOMES", After: 7}, journal.ErrGone, journal.ErrGone},
		{odd, odd, ask.ErrFailed},
	} {
		for n, want := range map[*node]error{a: c.here, b: c.there} {
			for _, kind := range []ask.Kind{ask.KindLookup, ask.KindTimeline, ask.KindLedger} {
				f.during = func(context.Context, ask.Kind) error { return fmt.Errorf("read: %w", c.is) }
				if _, err := n.put(bounded(t, patience), kind); !errors.Is(err, want) || errors.Is(err, owner.ErrNotReady) {
					t.Errorf("%s asks for %s, %v: %v", n.name, kind, c.is, err)
				}
			}
		}
	}
	if s := b.Stats(); s.Again != 0 {
		t.Errorf("asked again %d times for what does not change", s.Again)
	}
}

func TestBusyOwner(t *testing.T) {
	for kind, places := range map[ask.Kind]int{ask.KindLookup: ask.QuestionsMax, ask.KindLedger: ask.PagesMax} {
		t.Run(string(kind), func(t *testing.T) {
			a, b := pair(t)
			f := fullFake(t)
			reading, finish := make(chan struct{}, places), make(chan struct{})
			f.during = func(_ context.Context, k ask.Kind) error {
				if k == kind {
					reading <- struct{}{}
					<-finish
				}
				return nil
			}
			a.serve(t, f)
			answered := make(chan error, places)
			for range places {
				go func() { // joined by receive
					_, err := b.put(bounded(t, patience), kind)
					answered <- err
				}()
				receive(t, reading, "a question")
			}
			_, err := b.put(bounded(t, 100*time.Millisecond), kind)
			if !errors.Is(err, ask.ErrBusy) || !errors.Is(err, owner.ErrNotReady) {
				t.Errorf("one more: %v, want busy", err)
			}
			other := ask.KindLedger
			if kind == other {
				other = ask.KindState
			}
			if _, err := b.put(bounded(t, patience), other); err != nil {
				t.Errorf("a question of the other sort: %v", err)
			}
			close(finish)
			for range places {
				if err := receive(t, answered, "an answer"); err != nil && !errors.Is(err, owner.ErrNotReady) {
					t.Error(err)
				}
			}
			if _, err := b.put(bounded(t, patience), kind); err != nil {
				t.Errorf("after that: %v", err)
			}
		})
	}
}

// Whoever was told that something is stored sees it.
func TestTheOwnerCatchesUp(t *testing.T) {
	for _, kind := range []ask.Kind{ask.KindState, ask.KindTimeline} {
		t.Run(string(kind), func(t *testing.T) {
			a, b := pair(t)
			f := fullFake(t)
			f.read.Store(8)
			a.serve(t, f)
			for _, n := range []*node{a, b} {
				f.read.Store(8)
				n.stored.Store(9)
				if _, err := n.put(bounded(t, 100*time.Millisecond), kind); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v, though the owner is behind", n.name, err)
				}
				f.read.Store(9)
				if _, err := n.put(bounded(t, patience), kind); err != nil {
					t.Errorf("%s: %v", n.name, err)
				}
			}
		})
	}
}

// A gift that came in through a third node is not called unknown.
func TestAnUnknownGiftIsLookedForOnceMore(t *testing.T) {
	a, b := pair(t)
	f := fullFake(t)
	a.serve(t, f)
	f.during = func(context.Context, ask.Kind) error {
		if f.read.Load() < 5 {
			return owner.ErrUnknownGift
		}
		return nil
	}
	for _, n := range []*node{a, b} {
		f.read.Store(4)
		n.newest = func(context.Context, int) (uint64, error) {
			f.read.Store(5) // as it does soon
			return 5, nil
		}
		if _, err := n.put(bounded(t, patience), ask.KindTimeline); err != nil {
			t.Errorf("%s: %v", n.name, err)
		}
		f.read.Store(4)
		n.newest = func(context.Context, int) (uint64, error) { return 0, nil }
		if _, err := n.put(bounded(t, patience), ask.KindTimeline); !errors.Is(err, owner.ErrUnknownGift) {
			t.Errorf("%s, of a gift that nobody took: %v", n.name, err)
		}
		n.newest = func(context.Context, int) (uint64, error) { return 0, journal.ErrClosed }
		if _, err := n.put(bounded(t, patience), ask.KindTimeline); !errors.Is(err, owner.ErrNotReady) {
			t.Errorf("%s, without the log's leader: %v", n.name, err)
		}
		if _, err := n.StateNow(bounded(t, patience), "r"); !errors.Is(err, owner.ErrNotReady) {
			t.Errorf("%s, the state without the log's leader: %v", n.name, err)
		}
		n.newest = func(context.Context, int) (uint64, error) { return 9, nil }
		if _, err := n.StateNow(bounded(t, 100*time.Millisecond), "r"); !errors.Is(err, owner.ErrNotReady) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, though the owner is behind the log", n.name, err)
		}
	}
}

func TestCancelledAsker(t *testing.T) {
	a, b := pair(t)
	f := fullFake(t)
	reading := make(chan struct{}, 100)
	f.during = func(ctx context.Context, _ ask.Kind) error {
		reading <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	a.serve(t, f)
	for _, n := range []*node{a, b} {
		ctx, cancel := context.WithCancel(bounded(t, patience))
		answered := make(chan error, 1)
		go func() { // joined by receive
			_, err := n.put(ctx, ask.KindLedger)
			answered <- err
		}()
		receive(t, reading, "the question")
		began := time.Now()
		cancel()
		if err := receive(t, answered, "the end"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", n.name, err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: it took %v", n.name, took)
		}
	}
}

// Comments and likes of a node come in order, and hold up nobody where they are not
// taken.
func TestChat(t *testing.T) {
	a, b := pair(t)
	f := fullFake(t)
	if err := b.Comment("r", "g", room.Comment{Text: "into the void"}); err != nil {
		t.Errorf("without an owner: %v", err)
	}
	if err := b.bus.Flush(bounded(t, patience)); err != nil {
		t.Fatal(err)
	}
	a.serve(t, f)
	for _, n := range []*node{a, b} {
		for i := range 20 {
			if err := n.Comment("r", "g", room.Comment{Text: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := n.Like("r", "g", room.Like{User: room.User{ID: "ann"}, Amount: 3}); err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			if got := receive(t, f.heard, "a comment"); got != fmt.Sprint(i) {
				t.Errorf("%s: comment %d is %s", n.name, i, got)
			}
		}
		if got := receive(t, f.heard, "likes"); got != "ann" {
			t.Errorf("%s: likes of %s", n.name, got)
		}
	}
	f.unready.Store(true)
	if err := a.Comment("r", "g", room.Comment{Text: "late"}); !errors.Is(err, owner.ErrNotReady) {
		t.Errorf("here, not ready: %v", err)
	}
	if err := b.Comment("r", "g", room.Comment{Text: "late"}); err != nil {
		t.Errorf("elsewhere, not ready: %v", err)
	}
	poll(t, "it was dropped", func() bool { return a.desk.Stats().Dropped == 1 })
}

// Nodes of another release are told so at once, and not believed.
func TestAnotherRelease(t *testing.T) {
	a, b := pair(t)
	stop := a.serve(t, fullFake(t))
	for data, code := range map[string]ask.Code{
		`{"v":2,"kind":"state","room":"r"}`: ask.CodeVersion, `{"v":1,"kind":"dance","room":"r"}`: ask.CodeFailed,
	} {
		got, err := b.bus.Ask(bounded(t, patience), ask.Subject(0), []byte(data), patience)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := ask.DecodeAnswer(got, ask.KindState); err != nil || answer.Code != code || answer.Node != "a" || answer.Incarnation != "a1" {
			t.Errorf("%s: %+v, %v", data, answer, err)
		}
	}
	if s := a.desk.Stats(); s.Foreign != 1 || s.Unreadable != 1 {
		t.Errorf("%+v", s)
	}
	stop()
	for said, want := range map[string][]error{
		`{"v":2}`:                      {owner.ErrNotReady, ask.ErrVersion},
		`{"v":1,"code":"version"}`:     {owner.ErrNotReady, ask.ErrVersion},
		`{"v":1,"code":"quite other"}`: {ask.ErrFailed},
		`rubbish`:                      {ask.ErrFailed},
	} {
		sub, err := a.bus.Serve(ask.Subject(0), func([]byte) []byte { return []byte(said) })
		if err != nil {
			t.Fatal(err)
		}
		if err := a.bus.Flush(bounded(t, patience)); err != nil {
			t.Fatal(err)
		}
		again := b.Stats().Again
		_, err = b.State(bounded(t, patience), "r")
		for _, w := range want {
			if !errors.Is(err, w) {
				t.Errorf("%s: %v, want %v", said, err, w)
			}
		}
		if b.Stats().Again != again {
			t.Errorf("%s: asked again", said)
		}
		sub.Close()
		if err := a.bus.Flush(bounded(t, patience)); err != nil {
			t.Fatal(err)
		}
	}
	if s := b.Stats(); s.Foreign != 2 {
		t.Errorf("%+v", s)
	}
}

// elsewhere is what a node has heard.
type elsewhere map[string]owner.RoomState

func (e elsewhere) Room(roomID string) owner.RoomState { return e[roomID] }

// A node that is alone asks nobody, and says at once that it is not ready.
func TestAlone(t *testing.T) {
	desk, err := ask.NewDesk(ask.DeskConfig{Node: "n", Partitions: 2})
	if err != nil {
		t.Fatal(err)
	}
	asker, err := ask.New(ask.Config{
		Desk: desk, Node: "n", Partition: func(roomID string) int { return len(roomID) - 1 },
		Elsewhere: elsewhere{"rr": {Seq: 3}},
	})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Asker: asker}
	began := time.Now()
	for _, kind := range ask.Kinds() {
		if _, err := n.put(context.Background(), kind); !errors.Is(err, owner.ErrNotReady) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := n.Comment("r", "g", room.Comment{}); !errors.Is(err, owner.ErrNotReady) {
		t.Errorf("comment: %v", err)
	}
	f := fullFake(t)
	f.unready.Store(true)
	f.open = 4
	stop, err := desk.Serve(0, "i", f)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range ask.Kinds() {
		if _, err := n.put(context.Background(), kind); !errors.Is(err, owner.ErrNotReady) {
			t.Errorf("%s, while it is taken over: %v", kind, err)
		}
	}
	if took := time.Since(began); took > 300*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	if got := n.Room("r"); got != (owner.RoomState{}) {
		t.Errorf("knows %+v of a room that is taken over", got)
	}
	if _, err := desk.Serve(0, "i", f); !errors.Is(err, ask.ErrBadConfig) {
		t.Errorf("served twice: %v", err)
	}
	if _, err := desk.Serve(2, "i", f); !errors.Is(err, ask.ErrBadConfig) {
		t.Errorf("a partition that does not exist: %v", err)
	}
	f.unready.Store(false)
	if got := n.Room("r"); got != f.state || n.Room("rr").Seq != 3 || n.OpenGifts() != 4 {
		t.Errorf("knows %+v, %d open", got, n.OpenGifts())
	}
	stop()
	if got := n.Room("r"); got != (owner.RoomState{}) || n.OpenGifts() != 0 {
		t.Errorf("knows %+v of what it does not own any more", got)
	}
}

func TestBadConfig(t *testing.T) {
	if _, err := ask.NewDesk(ask.DeskConfig{}); !errors.Is(err, ask.ErrBadConfig) {
		t.Errorf("desk: %v", err)
	}
	if _, err := ask.New(ask.Config{}); !errors.Is(err, ask.ErrBadConfig) {
		t.Errorf("asker: %v", err)
	}
}
