package relay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/relay"
	"github.com/giftwire/giftwire/room"
)

// pass lets time pass in a bubble.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// wantRecords compares what was told of the room with the log after a record.
func wantRecords(t *testing.T, w *world, n *node, id string, after uint64) {
	t.Helper()
	if diff := cmp.Diff(w.since(id, after), n.records(id)); diff != "" {
		t.Errorf("records told of %s (-log +told):\n%s", id, diff)
	}
}

func TestNewsReachWhoFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		far := start(t, relay.Config{Node: "b.x", Bus: bus, Source: w})
		own.Teller.Decided(w.decide("r1"))
		before := far.follow(t, "r1")
		news := w.decide("r1")
		own.Teller.Decided(news)
		own.Teller.Repeated(7, news.Decisions[0])
		w.play("r1", room.Game{State: room.GameEnded, Round: "9", WinnerTeam: 2, ResultType: 1})
		own.Teller.GameChanged("r1", "mg", room.Game{State: room.GameEnded, Round: "9", WinnerTeam: 2, ResultType: 1})
		synctest.Wait()
		told := far.all("r1")
		if diff := cmp.Diff(news, told[len(told)-1]); diff != "" {
			t.Errorf("another node's news (-sent +told):\n%s", diff)
		}
		wantRecords(t, w, far, "r1", before.Record)
		wantRecords(t, w, own, "r1", 0) // not followed here: told all the same, for senders
		if want := []string{fmt.Sprint(7, news.Decisions[0].Gift.ClientID, room.Delivered)}; !slices.Equal(far.saw().repeated, want) || !slices.Equal(own.saw().repeated, want) {
			t.Errorf("repeated: %v and %v, want %v", far.saw().repeated, own.saw().repeated, want)
		}
		want, _ := w.State(t.Context(), "r1")
		if got, ok := far.Follower.Room("r1"); !ok || got != want {
			t.Errorf("Room: %+v, %v; want %+v", got, ok, want)
		}
		if far.saw().games["r1/mg"] != want.Game || own.saw().games["r1/mg"] != want.Game {
			t.Errorf("games: %v and %v", far.saw().games, own.saw().games)
		}
		if _, ok := own.Follower.Room("r1"); ok {
			t.Error("a room is known that is not followed")
		}
		pass(5 * time.Second) // heads of all that change nothing
		wantRecords(t, w, far, "r1", before.Record)
		if s := far.Stats(); s.Repairs != 0 || s.Unreadable != 0 || s.Foreign != 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// Every order of lost, doubled and late messages, with owners that change, ends with
// every record told once and in order.
func TestFaults(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				faultsWith(t, newWires(), seed)
			})
		})
	}
}

// faultsWith has two nodes own a room in turn, and three others follow.
func faultsWith(t *testing.T, bus relay.Bus, seed uint64) {
	t.Helper()
	w := newWorld()
	var healed atomic.Bool
	id := fmt.Sprintf("room-%d", seed)
	nodes := make([]*node, 5)
	from := make([]uint64, len(nodes))
	w.decide(id)
	for i := range nodes {
		name := fmt.Sprintf("n%d", i)
		nodes[i] = start(t, relay.Config{Node: name, Source: w, Bus: &faults{
			lose: 0.3, double: 0.2, late: 0.2, seed: seed*10 + uint64(i), healed: healed.Load, next: bus,
		}})
		from[i] = nodes[i].follow(t, id).Record
	}
	var last room.Game
	for i := range 60 {
		own := nodes[i/20%2]
		if i == 20 || i == 40 {
			w.decide(id) // stored, and its owner dies before it tells
			own.Teller.Announce(w.heads())
		}
		if i%10 == 5 {
			last = room.Game{State: room.GameRunning, Round: fmt.Sprint(i)}
			w.play(id, last)
			own.Teller.GameChanged(id, "mg", last)
		}
		own.Teller.Decided(w.decide(id))
		pass(time.Duration(seed%7) * 30 * time.Millisecond)
	}
	healed.Store(true)
	pass(3 * time.Second)
	for i, n := range nodes {
		check := func() string {
			return cmp.Diff(w.since(id, from[i]), n.records(id))
		}
		for range 40 {
			if check() == "" {
				break
			}
			pass(100 * time.Millisecond)
		}
		if diff := check(); diff != "" {
			t.Errorf("node %d (-log +told):\n%s", i, diff)
		}
		if s, _ := n.Follower.Room(id); s.Game != last {
			t.Errorf("node %d: game %+v, want %+v", i, s.Game, last)
		}
		want, _ := w.State(t.Context(), id)
		if s, _ := n.Follower.Room(id); s.Record != want.Record || s.Seq != want.Seq || s.Totals != want.Totals {
			t.Errorf("node %d: state %+v, want %+v", i, s, want)
		}
	}
	for _, n := range nodes {
		n.stop()
	}
}

func TestJoinWhileNewsFly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		asked, answer := make(chan struct{}), make(chan struct{})
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: &slowSource{world: w, asked: asked, answer: answer}})
		own.Teller.Decided(w.decide("r1"))
		var states [2]owner.RoomState
		var followers sync.WaitGroup
		for i := range states {
			followers.Go(func() { states[i] = far.follow(t, "r1") })
		}
		<-asked
		own.Teller.Decided(w.decide("r1")) // in the answer, and heard before it
		answer <- struct{}{}               // the state is taken now
		<-asked
		own.Teller.Decided(w.decide("r1")) // heard before the answer comes
		synctest.Wait()
		answer <- struct{}{}
		followers.Wait()
		own.Teller.Decided(w.decide("r1"))
		synctest.Wait()
		since := w.since("r1", 0)
		wantRecords(t, w, far, "r1", since[1])
		for _, s := range states {
			if s.Record != since[1] && s.Record != since[2] {
				t.Errorf("joined at record %d, the log has %v", s.Record, since)
			}
		}
		if first := far.all("r1")[0]; first.Seq != 2 || len(first.Decisions) != 0 {
			t.Errorf("first told: %+v, want that 2 was not told", first)
		}
	})
}

// slowSource stops before and after it looks.
type slowSource struct {
	*world
	asked, answer chan struct{}
}

func (s *slowSource) State(ctx context.Context, id string) (owner.RoomState, error) {
	s.asked <- struct{}{}
	<-s.answer
	state, err := s.world.State(ctx, id)
	s.asked <- struct{}{}
	<-s.answer
	return state, err
}

func TestLostLastMessage(t *testing.T) {
	for name, lose := range map[string]func(*world, *wires, *node, *node){
		"a beat tells": func(w *world, bus *wires, own, _ *node) {
			bus.without(func() { own.Teller.Decided(w.decide("r1")) })
		},
		"a later beat tells that one was lost": func(w *world, bus *wires, own, _ *node) {
			bus.without(func() {
				own.Teller.Decided(w.decide("r1"))
				pass(3 * time.Second)
			})
		},
		"the next owner tells": func(w *world, _ *wires, own, next *node) {
			w.decide("r1") // stored, not told
			own.stop()
			next.Teller.Announce(w.heads())
		},
		"the next owner's beat was lost": func(w *world, bus *wires, own, next *node) {
			bus.without(func() {
				w.decide("r1")
				own.stop()
				next.Teller.Announce(w.heads())
				pass(2 * time.Second)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, bus := newWorld(), newWires()
				own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
				next := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
				far := start(t, relay.Config{Node: "c", Bus: bus, Source: w})
				next.follow(t, "r1")
				far.follow(t, "r1")
				own.Teller.Decided(w.decide("r1"))
				pass(3 * time.Second)
				lose(w, bus, own, next)
				pass(2 * time.Second)
				wantRecords(t, w, far, "r1", 0)
				wantRecords(t, w, next, "r1", 0)
			})
		})
	}
}

// A node that did not see the others told them nothing, and no beats.
func TestOwnerThatThoughtItWasAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		var others atomic.Bool
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w, Others: others.Load})
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		far.follow(t, "r1")
		pass(5 * time.Second)
		own.Teller.Decided(w.decide("r1"))
		pass(5 * time.Second)
		if got := far.records("r1"); len(got) != 0 {
			t.Fatalf("told %v: the test is not about what it says", got)
		}
		others.Store(true)
		pass(2 * time.Second)
		wantRecords(t, w, far, "r1", 0)
	})
}

func TestAGameThatWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		far.follow(t, "r1")
		running := room.Game{State: room.GameRunning, Round: "1"}
		w.play("r1", running)
		bus.without(func() { own.Teller.GameChanged("r1", "mg", running) })
		pass(2 * time.Second)
		if far.saw().games["r1/mg"] != running || far.saw().changes != 1 {
			t.Errorf("games: %v after %d changes", far.saw().games, far.saw().changes)
		}
	})
}

func TestUnfollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: w, Linger: time.Minute})
		synctest.Wait()
		idle := bus.subscriptions()
		far.follow(t, "r1")
		far.follow(t, "r1")
		far.Follower.Unfollow("r1")
		pass(2 * time.Minute)
		own.Teller.Decided(w.decide("r1"))
		synctest.Wait()
		far.Follower.Unfollow("r1")
		far.Follower.Unfollow("r1") // one too many
		pass(50 * time.Second)
		own.Teller.Decided(w.decide("r1")) // for who comes back
		synctest.Wait()
		wantRecords(t, w, far, "r1", 0)
		pass(20 * time.Second)
		if n := bus.subscriptions(); n != idle || far.Stats().Followed != 0 {
			t.Errorf("%d subscriptions, %d before; %d followed", n, idle, far.Stats().Followed)
		}
		own.Teller.Decided(w.decide("r1"))
		synctest.Wait()
		if s := far.follow(t, "r1"); s.Seq != 3 {
			t.Errorf("followed again: %+v", s)
		}
		told := far.all("r1")
		if n := told[len(told)-1]; n.Seq != 3 || len(n.Decisions) != 0 {
			t.Errorf("told last: %+v, want that 3 was not told", n)
		}
		// Who left and came back is not swept.
		far.Follower.Unfollow("r1")
		pass(50 * time.Second)
		far.follow(t, "r1")
		pass(time.Minute)
		if far.Stats().Followed != 1 {
			t.Error("a room with a viewer is not followed any more")
		}
	})
}

// The owner's own viewers hear it without the bus, and not twice.
func TestFollowingTheOwnRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		own.follow(t, "r1")
		own.Teller.Decided(w.decide("r1"))
		wantRecords(t, w, own, "r1", 0) // at once
		pass(2 * time.Second)
		wantRecords(t, w, own, "r1", 0)
		if s := own.Stats(); s.Heard != 0 || s.BeatsMissed != 0 || s.Nodes != 0 {
			t.Errorf("the own messages came back: %+v", s)
		}
	})
}

func TestAloneNothingIsPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		n := start(t, relay.Config{Node: "a", Bus: bus, Source: w, Others: func() bool { return false }})
		single := start(t, relay.Config{Node: "b", Source: w})
		for _, n := range []*node{n, single} {
			from := n.follow(t, "r1").Record
			n.Crowd.Set("r1", 3)
			var told []uint64
			for range 3 {
				news := w.decide("r1")
				n.Teller.Decided(news)
				n.Teller.Repeated(1, news.Decisions[0])
				n.Teller.GameChanged("r1", "mg", room.Game{State: room.GameRunning})
				told = append(told, news.Record)
			}
			n.Teller.Announce(w.heads())
			n.Chat.Like("r1", 5)
			pass(5 * time.Second)
			n.Follower.Unfollow("r1")
			if got := n.records("r1"); !slices.Equal(got, told) {
				t.Errorf("told %v, want %v after %d", got, told, from)
			}
			if len(n.saw().repeated) != 3 || n.Crowd.Viewers("r1") != 3 {
				t.Errorf("repeated %v, viewers %d", n.saw().repeated, n.Crowd.Viewers("r1"))
			}
		}
		if bus.messages() != 0 {
			t.Errorf("%d messages published", bus.messages())
		}
	})
}

func TestFollowAfterTheEnd(t *testing.T) {
	w := newWorld()
	n := start(t, relay.Config{Node: "a", Bus: newWires(), Source: w})
	n.follow(t, "r1")
	n.stop()
	if _, err := n.Follower.Follow(t.Context(), "r1"); !errors.Is(err, relay.ErrClosed) {
		t.Errorf("Follow: %v, want ErrClosed", err)
	}
	if _, err := relay.New(relay.Config{Node: "a b"}); !errors.Is(err, relay.ErrBadConfig) {
		t.Errorf("New: %v, want ErrBadConfig", err)
	}
}

// What the owners told before the end is told to the others.
func TestTheLastWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		own := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		far := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		far.follow(t, "r1")
		for range 100 {
			own.Teller.Decided(w.decide("r1"))
		}
		own.stop()
		synctest.Wait()
		wantRecords(t, w, far, "r1", 0)
		if s := far.Stats(); s.Repairs != 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}
