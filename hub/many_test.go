package hub

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/wire"
)

// Several nodes on one NATS server, in one process: what a viewer or a platform meets on
// one of them must not depend on which one it is.

// fleet is several nodes that share a NATS and a ZEGO.
type fleet struct {
	nats   string
	sender *platformSender
}

// node starts another one, and waits until it serves.
func (f *fleet) node(tb testing.TB, name string, change ...func(*Config)) *testHub {
	tb.Helper()
	jc := journal.Config{NATSURL: f.nats, Node: name, Replicas: 1, Partitions: 8}
	th := openHub(tb, jc, append([]func(*Config){func(c *Config) {
		if f.sender != nil {
			c.Sender = f.sender
		}
	}}, change...)...)
	if f.sender == nil {
		f.sender = th.sender
	}
	th.sender = f.sender
	th.serve(tb)
	return th
}

// shared waits until every partition is served by the node that it belongs to.
func shared(tb testing.TB, hubs ...*testHub) {
	tb.Helper()
	eventually(tb, "each node has its share", func() bool {
		all := 0
		for _, th := range hubs {
			if th.partitions.ready() != th.share() || th.membership.nodes() != len(hubs) {
				return false
			}
			all += th.partitions.ready()
		}
		return all == hubs[0].partitions.count
	})
}

// fleetOf starts nodes with room r1, each with its share of the partitions.
func fleetOf(t *testing.T, names ...string) (*fleet, []*testHub) {
	t.Helper()
	f := &fleet{nats: natstest.Start(t).URL()}
	var hubs []*testHub
	for _, name := range names {
		hubs = append(hubs, f.node(t, name))
	}
	shared(t, hubs...)
	hubs[0].must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
	return f, hubs
}

// TestViewersOfOneRoomOnTwoNodes: gifts, comments and numbers are the same for both.
func TestViewersOfOneRoomOnTwoNodes(t *testing.T) {
	t.Parallel()
	f, hubs := fleetOf(t, "n1", "n2")
	ann, bob := hubs[0].viewer(t, "ann"), hubs[1].viewer(t, "bob")
	if ann.welcome.Epoch != bob.welcome.Epoch {
		t.Errorf("epochs %q and %q", ann.welcome.Epoch, bob.welcome.Epoch)
	}
	// Comments and likes go to where viewers are known to be.
	hear(ann, func(p wire.Presence) bool { return p.Viewers == 2 })
	hear(bob, func(p wire.Presence) bool { return p.Viewers == 2 })
	for seq, v := range []*viewer{ann, bob, ann, bob} {
		id := fmt.Sprintf("c-%d", seq)
		v.say(rockets(id, 20))
		if got := hear(v, resultOfID(id)); got.Status != "delivered" {
			t.Errorf("%+v", got)
		}
		for _, who := range []*viewer{ann, bob} {
			if got := hear(who, func(wire.Gifts) bool { return true }); got.Seq != uint64(seq+1) || len(got.Gifts) != 1 {
				t.Errorf("gift %d: %+v", seq, got)
			}
		}
	}
	ann.say(wire.CommentFrame{ID: "t1", Text: "hello"})
	for _, who := range []*viewer{ann, bob} {
		if got := hear[wire.Comments](who); len(got.Comments) != 1 || got.Comments[0].Text != "hello" {
			t.Errorf("%+v", got)
		}
	}
	bob.say(wire.LikeFrame{Count: 7})
	for _, who := range []*viewer{ann, bob} {
		if got := hear[wire.Likes](who); got.Count != 7 {
			t.Errorf("%+v", got)
		}
	}
	var rooms [2]roomBody
	for i, th := range hubs {
		rooms[i] = decoded[roomBody](t, th.must(t, http.StatusOK, http.MethodGet, "/v1/rooms/r1", ""))
	}
	if rooms[0] != rooms[1] || rooms[0].Counters.Delivered != 4 || rooms[0].Viewers != 2 || rooms[0].Owner == "" {
		t.Errorf("the room is %+v here and %+v there", rooms[0], rooms[1])
	}
	if n := f.sender.given(); n != 4 {
		t.Errorf("%d gifts had an effect, want 4", n)
	}
	if err := bob.Cut(); err != nil {
		t.Fatal(err)
	}
	hear(ann, func(p wire.Presence) bool { return p.Viewers == 1 })
}

// P4: an id through another node is the same gift, with other content it is none.
func TestOneIDThroughTwoNodes(t *testing.T) {
	t.Parallel()
	f, hubs := fleetOf(t, "n1", "n2")
	here, there := hubs[0].viewer(t, "ann"), hubs[1].viewer(t, "ann")
	here.say(rockets("c-1", 20))
	first := hear[wire.Accepted](here)
	for _, v := range []*viewer{here, there} { // to every connection of the sender
		if got := hear(v, resultOfID("c-1")); got.Status != "delivered" || got.MsgID != first.MsgID {
			t.Errorf("%+v", got)
		}
	}
	there.say(rockets("c-1", 20))
	if got := hear[wire.Accepted](there); got.MsgID != first.MsgID {
		t.Errorf("accepted as %+v, first as %+v", got, first)
	}
	hear(there, resultOfID("c-1"))
	there.say(rockets("c-1", 66))
	if got := hear[wire.Rejected](there); got.Code != wire.CodeConflict {
		t.Errorf("%+v", got)
	}
	// Both at once.
	here.say(rockets("c-2", 20))
	there.say(rockets("c-2", 20))
	for _, v := range []*viewer{here, there} {
		hear(v, resultOfID("c-2"))
	}
	if n := f.sender.given(); n != 2 {
		t.Errorf("%d gifts had an effect, want 2", n)
	}
}

// P14: a node that is drained hands its rooms over; its viewers come back elsewhere and
// go on where they were.
func TestDrainHandsOver(t *testing.T) {
	t.Parallel()
	_, hubs := fleetOf(t, "n1", "n2")
	owner, other := hubs[0], hubs[1]
	if _, served := owner.partitions.state(owner.cfg.Journal.Partition("r1"), "r1"); !served {
		owner, other = other, owner
	}
	ann, bob := owner.viewer(t, "ann"), other.viewer(t, "bob")
	ann.say(rockets("c-1", 20))
	hear(ann, resultOfID("c-1"))
	hear(ann, func(g wire.Gifts) bool { return g.Seq == 1 })
	owner.cancel()
	if bye := hear[wire.Bye](ann); bye.Code != wire.ByeDraining || bye.ReconnectInMS == 0 {
		t.Errorf("%+v", bye)
	}
	owner.stop(t)
	bob.say(rockets("c-2", 20))
	hear(bob, resultOfID("c-2"))
	back := other.viewer(t, "ann", func(c *client.Config) { c.From = ann.Place() })
	if !back.welcome.Resumed {
		t.Errorf("%+v", back.welcome)
	}
	if got := hear(back, func(wire.Gifts) bool { return true }); got.Seq != 2 {
		t.Errorf("%+v", got)
	}
	if got := decoded[roomBody](t, other.must(t, http.StatusOK, http.MethodGet, "/v1/rooms/r1", "")); got.Owner != other.cfg.Journal.Node() {
		t.Errorf("owned by %q", got.Owner)
	}
}

// TestGameIsKnownEverywhere: a report that comes to one node counts on all, for viewers
// and for gifts of the platform, also where a room has no viewers.
func TestGameIsKnownEverywhere(t *testing.T) {
	t.Parallel()
	f := &fleet{nats: natstest.Start(t).URL()}
	var hubs []*testHub
	for _, name := range []string{"n1", "n2"} {
		hubs = append(hubs, f.node(t, name, func(c *Config) { c.Game = &callbackGame{} }))
	}
	shared(t, hubs...)
	hubs[0].must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", `{"mini_game_id":"TinyLoveWar","anchor_id":"a1","require_running":true}`)
	post := func(th *testHub, id string) string {
		return decoded[giftsResults](t, th.must(t, http.StatusAccepted, http.MethodPost, "/v1/rooms/r1/gifts",
			fmt.Sprintf(`{"gifts":[{"id":%q,"user":{"user_id":"ann"},"gift_id":"g1","count":20}]}`, id))).Results[0].Status
	}
	for i, th := range hubs {
		if got := post(th, fmt.Sprint("early-", i)); got != "rejected" {
			t.Errorf("before the game's start a gift through node %d is %s", i+1, got)
		}
	}
	hubs[0].must(t, http.StatusOK, http.MethodPost, "/v1/zego/callback", `{"state":"running"}`)
	for i, th := range hubs {
		tries := 0
		eventually(t, "gifts are taken everywhere", func() bool {
			tries++
			return post(th, fmt.Sprintf("late-%d-%d", i, tries)) == "accepted"
		})
	}
	ann := hubs[1].viewer(t, "ann")
	if ann.welcome.Game.State != "running" {
		t.Errorf("%+v", ann.welcome.Game)
	}
	hubs[0].must(t, http.StatusOK, http.MethodPost, "/v1/zego/callback", `{"state":"ended"}`)
	if got := hear[wire.Game](ann); got.State != "ended" {
		t.Errorf("%+v", got)
	}
}

// TestTwinIsRefused: two processes with one name would take each other's rooms.
func TestTwinIsRefused(t *testing.T) {
	t.Parallel()
	f := &fleet{nats: natstest.Start(t).URL()}
	f.node(t, "n1")
	twin := openHub(t, journal.Config{NATSURL: f.nats, Node: "n1", Replicas: 1})
	if err := twin.Run(t.Context()); !errors.Is(err, cluster.ErrTwin) {
		t.Errorf("Run: %v", err)
	}
}
