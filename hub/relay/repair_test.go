package relay_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/relay"
)

func TestWhatHasAgedOutIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		far.follow(t, "r1")
		own.Teller.Decided(w.decide("r1"))
		synctest.Wait()
		for range 5 { // lost
			w.decide("r1")
		}
		gone := w.since("r1", 0)[3]
		w.set(func(w *world) { w.gone = gone })
		own.Teller.Decided(w.decide("r1"))
		pass(time.Second)
		all := w.since("r1", 0)
		want := []uint64{all[0], all[4], all[5], all[6]}
		if got := far.records("r1"); !slices.Equal(got, want) {
			t.Errorf("told %v, want %v", got, want)
		}
		// And the newest is gone as well: the audience is told up to where.
		w.decide("r1")
		w.set(func(w *world) { w.gone = w.last })
		own.Teller.Announce(w.heads())
		pass(2 * time.Second)
		told := far.all("r1")
		if n := told[len(told)-1]; n.Seq != 8 || len(n.Decisions) != 0 {
			t.Errorf("told last: %+v, want that 8 was not told", n)
		}
		state, _ := w.State(t.Context(), "r1")
		if got, _ := far.Follower.Room("r1"); got != state {
			t.Errorf("Room: %+v, want %+v", got, state)
		}
		if s := far.Stats(); s.Skipped != 2 {
			t.Errorf("stats: %+v, want 2 skipped", s)
		}
	})
}

func TestRepairsWaitForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		far.follow(t, "r1")
		w.set(func(w *world) { w.away = errAway })
		w.decide("r1") // lost
		for range 200 {
			own.Teller.Decided(w.decide("r1")) // more than wait for a repair
		}
		synctest.Wait()
		asked := w.questions()
		pass(time.Minute)
		if n := w.questions() - asked; n < 3 || n > 20 {
			t.Errorf("a store that is away was asked %d times in a minute", n)
		}
		if got := far.records("r1"); len(got) != 0 {
			t.Errorf("told %v", got)
		}
		if _, err := far.Follower.Follow(t.Context(), "r2"); !errors.Is(err, errAway) {
			t.Errorf("Follow: %v", err)
		}
		w.set(func(w *world) { w.away = nil })
		pass(9 * time.Second)
		wantRecords(t, w, far, "r1", 0)
		if s := far.Stats(); s.Waiting != 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// What one repair reads is bounded.
func TestALongGapIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		far.follow(t, "r1")
		for range 3000 {
			w.decide("r1")
		}
		own.Teller.Decided(w.decide("r1"))
		pass(time.Second)
		all := w.since("r1", 0)
		if got := far.records("r1"); !slices.Equal(got, all[2000:]) {
			t.Errorf("told %d records from %d on, want %d", len(got), got[0], len(all[2000:]))
		}
	})
}

// Messages that no message may be larger than leave their place to a head.
func TestNewsThatDoNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		far.follow(t, "r1")
		news := w.decide("r1")
		for len(news.Decisions) < 4000 {
			news.Decisions = append(news.Decisions, news.Decisions[0])
		}
		own.Teller.Decided(news)
		synctest.Wait() // before any beat
		wantRecords(t, w, far, "r1", 0)
	})
}

// A record that is not of the room's chain must not make the repair go round.
func TestABrokenChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		far.follow(t, "r1")
		lost := w.decide("r1")
		w.set(func(w *world) {
			w.records[lost.Record] = journal.OutcomeRecord{Rooms: []journal.RoomDecisions{{Room: "r1", Prev: lost.Record}}}
		})
		own.Teller.Decided(w.decide("r1"))
		pass(time.Second)
		if got := far.all("r1"); len(got) != 1 || got[0].Seq != 2 {
			t.Errorf("told %+v, want the second record", got)
		}
	})
}
