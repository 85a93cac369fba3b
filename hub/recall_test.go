package hub

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
)

// P9: a viewer who was away while the node was started anew, or who comes back to a node
// that had no viewers of the room, goes on where it was: gifts events and its results.
func TestResumeFromTheLog(t *testing.T) {
	t.Parallel()
	t.Run("after a restart", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		th := startHub(t, dir)
		th.must(t, 201, "PUT", "/v1/rooms/r1", putRoom1)
		from := missesTwo(t, th)
		th.stop(t)
		if err := th.cfg.Journal.Close(); err != nil {
			t.Fatal(err)
		}
		hearsTwo(t, startHub(t, dir), from)
	})
	t.Run("on another node", func(t *testing.T) {
		t.Parallel()
		_, hubs := fleetOf(t, "n1", "n2")
		hearsTwo(t, hubs[1], missesTwo(t, hubs[0]))
	})
}

// missesTwo gives five gifts of ann, who hears of the first three.
func missesTwo(t *testing.T, th *testHub) client.Place {
	t.Helper()
	ann, bob := th.viewer(t, "ann"), th.viewer(t, "bob")
	for i := range 5 {
		id := fmt.Sprint("c-", i)
		if i == 3 {
			if err := ann.Cut(); err != nil {
				t.Fatal(err)
			}
			ann = nil
		}
		if ann == nil { // her platform gives the rest
			th.must(t, 202, "POST", "/v1/rooms/r1/gifts", fmt.Sprintf(
				`{"gifts":[{"id":%q,"user":{"user_id":"ann"},"gift_id":"g1","count":20}]}`, id))
		} else {
			ann.say(rockets(id, 20))
			hear(ann, func(g wire.Gifts) bool { return g.Seq == uint64(i+1) })
		}
		hear(bob, func(g wire.Gifts) bool { return g.Seq == uint64(i+1) })
	}
	place := bob.Place()
	place.Seq = 3
	return place
}

// hearsTwo resumes there and wants the rest.
func hearsTwo(t *testing.T, th *testHub, from client.Place) {
	t.Helper()
	ann := th.viewer(t, "ann", func(c *client.Config) { c.From = from })
	if !ann.welcome.Resumed || ann.welcome.Seq != 3 {
		t.Errorf("%+v", ann.welcome)
	}
	hear(ann, resultOfID("c-2")) // decided at the event that was heard last
	for i := 3; i < 5; i++ {
		hear(ann, resultOfID(fmt.Sprint("c-", i)))
		if got := hear(ann, func(wire.Gifts) bool { return true }); got.Seq != uint64(i+1) {
			t.Errorf("%+v, want %d", got, i+1)
		}
	}
	for _, e := range ann.heard {
		if l, ok := e.(wire.Lagged); ok {
			t.Errorf("%+v", l)
		}
	}
}

// TestManyResumeAtOnce: those who come together read the log once.
func TestManyResumeAtOnce(t *testing.T) {
	st := newQuietStage(t)
	var reads atomic.Int64
	first, goOn := make(chan struct{}), make(chan struct{})
	m := newMemoir(st.house, func(_ context.Context, _ string, upTo, since uint64) ([]owner.News, error) {
		if reads.Add(1) == 1 {
			close(first)
			<-goOn
		}
		return []owner.News{{Room: "r1", Record: upTo, Prev: upTo - 1, Seq: 7}}, nil
	})
	now := owner.RoomState{Seq: 7, Record: 40}
	var all sync.WaitGroup
	all.Go(func() { m.recall(t.Context(), "r1", 5, now) })
	<-first
	for i := range 2000 {
		all.Go(func() { m.recall(t.Context(), "r1", uint64(5+i%3), now) })
	}
	close(goOn)
	all.Wait()
	if n := reads.Load(); n != 1 {
		t.Errorf("2,001 viewers who came back read the log %d times", n)
	}
	m.recall(t.Context(), "r1", 4, now) // this one was away for longer
	m.recall(t.Context(), "r1", 4, now)
	if n := reads.Load(); n != 2 {
		t.Errorf("%d reads, want 2", n)
	}
}
