package relay_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/hub/relay"
	"github.com/giftwire/giftwire/hub/wire"
)

func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		a := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		b := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		sums := func(when string, want int, nodes ...*node) {
			t.Helper()
			for i, n := range nodes {
				if got := n.Crowd.Viewers("r1"); got != want {
					t.Errorf("%s: node %d counts %d viewers, want %d", when, i, got, want)
				}
			}
		}
		b.follow(t, "r1")
		a.Crowd.Set("r1", 3)
		b.Crowd.Set("r1", 4)
		pass(1100 * time.Millisecond)
		sums("after a beat", 7, a, b)
		if b.saw().crowd["r1"] != 3 || a.saw().crowd["r1"] != 0 {
			t.Errorf("told: %v where the room is followed, %v where not", b.saw().crowd, a.saw().crowd)
		}
		a.Crowd.Set("r1", 0)
		pass(1100 * time.Millisecond)
		sums("when a node's viewers have left", 4, a, b)
		if n, told := b.saw().crowd["r1"]; n != 0 || !told {
			t.Errorf("told: %v", b.saw().crowd)
		}
		c := start(t, relay.Config{Node: "c", Bus: bus, Source: w})
		c.Crowd.Set("r1", 10)
		pass(5 * time.Second) // one beat to be seen, three until all is told
		sums("when a node has come", 14, a, b, c)
		b.stop()
		a.Crowd.Forget("b")
		c.Crowd.Forget("b")
		sums("when a node has gone", 10, a, c)
		b = start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		b.Crowd.Set("r1", 1)
		pass(5 * time.Second)
		sums("when it is back", 11, a, b, c)
		c.stop()
		again := start(t, relay.Config{Node: "c", Bus: bus, Source: w})
		again.Crowd.Set("r2", 1)
		pass(5 * time.Second)
		sums("when a node was quicker to come back than its lease to end", 1, a, b, again)
		if got := a.Crowd.Viewers("r2"); got != 1 {
			t.Errorf("r2: %d viewers", got)
		}
		b.stop() // and nobody says so
		pass(40 * time.Second)
		sums("when a node is silent", 0, a, again)
		if s := a.Stats(); s.Nodes != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// Counts whose messages were lost are right again soon.
func TestCrowdIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		a := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		b := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		id := func(i int) string { return fmt.Sprintf("room-%d", i) }
		const rooms = 30_000 // more than one message, less than one beat
		for i := range rooms {
			a.Crowd.Set(id(i), 1)
		}
		pass(2 * time.Second)
		wrong := func(want func(i int) int) (n int) {
			for i := range rooms {
				if b.Crowd.Viewers(id(i)) != want(i) {
					n++
				}
			}
			return n
		}
		if n := wrong(func(int) int { return 1 }); n != 0 {
			t.Errorf("%d rooms are wrong", n)
		}
		bus.without(func() {
			for i := range rooms {
				a.Crowd.Set(id(i), i%3)
			}
			pass(5 * time.Second)
		})
		pass(10100 * time.Millisecond)
		if n := wrong(func(i int) int { return i % 3 }); n != 0 {
			t.Errorf("%d rooms are wrong after all was told again", n)
		}
		late := start(t, relay.Config{Node: "c", Bus: bus, Source: w})
		pass(4100 * time.Millisecond)
		for i := range rooms {
			if got := late.Crowd.Viewers(id(i)); got != i%3 {
				t.Fatalf("a node that has come counts %d viewers of %s", got, id(i))
			}
		}
		if s := b.Stats(); s.Unreadable != 0 || s.BeatsMissed == 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestFullRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		var open atomic.Int64
		a := start(t, relay.Config{Node: "a", Bus: bus, Source: w, Full: func() []relay.Load {
			if open.Load() == 0 {
				return nil
			}
			return []relay.Load{{Room: "r1", Open: int(open.Load())}}
		}})
		b := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		b.follow(t, "r1")
		for _, n := range []int64{20_000, 0} {
			open.Store(n)
			pass(1100 * time.Millisecond)
			if s, _ := b.Follower.Room("r1"); s.Open != int(n) {
				t.Errorf("open: %d, want %d", s.Open, n)
			}
		}
		open.Store(20_000)
		pass(1100 * time.Millisecond)
		a.stop()
		b.Crowd.Forget("a")
		if s, _ := b.Follower.Room("r1"); s.Open != 0 {
			t.Errorf("open: %d, as a node said that is gone", s.Open)
		}
	})
}

func TestChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, bus := newWorld(), newWires()
		a := start(t, relay.Config{Node: "a", Bus: bus, Source: w})
		b := start(t, relay.Config{Node: "b", Bus: bus, Source: w})
		a.follow(t, "r1")
		b.follow(t, "r1")
		b.follow(t, "r2")
		b.Crowd.Set("r1", 1)
		pass(1100 * time.Millisecond)
		published := bus.messages()
		for i := range 60 {
			a.Chat.Comment("r1", wire.Comment{UserID: "u1", Nickname: "Ann", Text: fmt.Sprint(i), At: 5})
			a.Chat.Like("r1", 10)
			a.Chat.Comment("r3", wire.Comment{Text: "nobody elsewhere is there"})
		}
		a.Chat.Like("r1", 0)
		pass(99 * time.Millisecond)
		if len(b.saw().comments) != 0 {
			t.Error("not merged")
		}
		pass(time.Millisecond)
		if n := bus.messages() - published; n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
		if len(b.saw().comments) != 50 || !slices.Contains(b.saw().comments, "r1 0") || b.saw().likes != 600 {
			t.Errorf("shown: %v and %d likes", b.saw().comments, b.saw().likes)
		}
		if len(a.saw().comments) != 0 || a.saw().likes != 0 {
			t.Errorf("shown to the own viewers a second time: %v, %d", a.saw().comments, a.saw().likes)
		}
		if s := a.Stats(); s.ChatDropped != 11 {
			t.Errorf("stats: %+v, want 11 dropped", s)
		}
	})
}
