package relay_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/relay"
	"github.com/giftwire/giftwire/room"
)

// lateSource does something between an owner's look and its answer.
type lateSource struct {
	*world

	mu    sync.Mutex
	after func()
}

func (s *lateSource) then(after func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = after
}

func (s *lateSource) State(ctx context.Context, id string) (owner.RoomState, error) {
	state, err := s.world.State(ctx, id)
	s.mu.Lock()
	after := s.after
	s.mu.Unlock()
	if after != nil {
		after()
	}
	return state, err
}

// An answer that is older than what was told meanwhile takes nothing back.
func TestAnAnswerThatComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		source := &lateSource{world: w}
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: source})
		far.follow(t, "r1")
		change := func(round string) {
			g := room.Game{State: room.GameRunning, Round: round}
			w.play("r1", g)
			own.Teller.GameChanged("r1", "mg", g)
		}
		source.then(func() {
			source.then(nil)
			change("2")
			own.Teller.Decided(w.decide("r1"))
			time.Sleep(10 * time.Millisecond)
		})
		bus.without(func() { change("1") })
		pass(3 * time.Second)
		want, _ := w.State(t.Context(), "r1")
		if got, _ := far.Follower.Room("r1"); got != want {
			t.Errorf("Room: %+v, want %+v", got, want)
		}
	})
}

// What the owner before did not come to tell of the game, the next one is asked for.
func TestAnotherOwnerKnowsAnotherGame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		next := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		far := start(t, relay.Config{Node: "c", Bus: bus, Source: w})
		far.follow(t, "r1")
		own.Teller.Decided(w.decide("r1"))
		pass(2 * time.Second)
		ended := room.Game{State: room.GameEnded, Round: "1"}
		w.play("r1", ended)
		next.Teller.Announce(w.heads())
		pass(2 * time.Second)
		if got := far.saw().games["r1/mg"]; got != ended {
			t.Errorf("game: %+v", got)
		}
		// And what the first one says late does not last.
		own.Teller.GameChanged("r1", "mg", room.Game{State: room.GameRunning, Round: "1"})
		pass(2 * time.Second)
		if got := far.saw().games["r1/mg"]; got != ended {
			t.Errorf("game: %+v", got)
		}
	})
}

func TestAnOwnerHereNeedsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		w.set(func(w *world) { w.away = errAway })
		if _, err := own.Follower.Follow(t.Context(), "r1"); !errors.Is(err, errAway) {
			t.Errorf("Follow: %v", err)
		}
		own.Teller.Decided(w.decide("r1"))
		wantRecords(t, w, own, "r1", 0)
	})
}

// A head that is a moment ahead of its message costs no read.
func TestAHeadWaitsForItsMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		own.follow(t, "r1")
		asked := w.questions()
		news := w.decide("r1")
		own.Teller.Announce(w.heads())
		pass(50 * time.Millisecond)
		own.Teller.Decided(news)
		pass(time.Second)
		if n := w.questions() - asked; n != 0 {
			t.Errorf("%d questions", n)
		}
		wantRecords(t, w, own, "r1", 0)
	})
}

func TestRoomsAreMendedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		source := &lateSource{world: w}
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: source})
		pass(1500 * time.Millisecond)
		for i := range 16 {
			far.follow(t, fmt.Sprint("r", i))
		}
		source.then(func() { time.Sleep(time.Second) })
		bus.without(func() {
			own.Teller.Decided(w.decide("r0"))
			pass(time.Second)
		})
		asked := w.questions()
		pass(2100 * time.Millisecond) // half a second to the next beat, and one for 8 rooms
		if n := w.questions() - asked; n < 16 {
			t.Errorf("%d questions, want one for each room", n)
		}
		if s := far.Stats(); s.BeatsMissed != 1 {
			t.Errorf("stats: %+v", s)
		}
		pass(2 * time.Second)
		wantRecords(t, w, far, "r0", 0)
	})
}
