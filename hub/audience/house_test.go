package audience_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// expect compares what a viewer has heard since it was last asked.
func (th *theatre) expect(v *viewer, want ...string) {
	th.t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, brief(v.heard())); diff != "" {
		th.t.Errorf("%s heard (-want +got):\n%s", v.user, diff)
	}
}

// TestTold: results go to every connection of the sender, gifts to everyone, each
// flush under the next number.
func TestTold(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		t := th.t
		ann, too, bo := th.join("ann", -1), th.join("ann", -1), th.join("bo", -1)
		th.wait(time.Second)
		ann.heard()
		too.heard()
		bo.heard()
		th.Decided(news(1, delivered("ann", "a-1"), failed("bo", "b-1"), delivered("bo", "b-2")))
		th.expect(ann, "result a-1 delivered", "gifts 1 ann bo")
		th.expect(too, "result a-1 delivered", "gifts 1 ann bo")
		th.expect(bo, "result b-1 failed", "result b-2 delivered", "gifts 1 ann bo")
		th.Decided(news(1, failed("ann", "a-2"))) // nothing delivered: the number stays
		th.expect(ann, "result a-2 failed")
		th.expect(bo)
		th.Decided(news(2, delivered("carl", "c-1"))) // not here
		th.expect(too, "result a-2 failed", "gifts 2 carl")
		th.Repeated(1, delivered("ann", "a-1"))
		th.expect(too, "result a-1 delivered")
		th.expect(bo, "gifts 2 carl")
		th.GameChanged("r1", "TinyLoveWar", room.Game{State: room.GameRunning, Round: "77"})
		th.expect(bo, "game")
		ann.Leave()
		th.Decided(news(3, delivered("ann", "a-3")))
		th.expect(too, "game", "result a-3 delivered", "gifts 3 ann")
		th.expect(ann, "gifts 2 carl", "result a-1 delivered", "game")
		too.Leave()
		bo.Leave()
		bo.Leave()
		if got := th.Viewers("r1"); got != 0 || th.Stats().Viewers != 0 {
			t.Errorf("%d viewers are left", got)
		}
	})
}

// TestOthersAreNotTold: rooms have nothing to do with each other.
func TestOthersAreNotTold(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		ann := th.join("ann", -1)
		th.expect(ann, "welcome 0 false 1")
		other := news(1, delivered("ann", "a-1"))
		other.Room = "r2"
		th.Decided(other)
		th.Comment("r2", wire.Comment{Text: "x"})
		th.Like("r2", 1)
		th.CloseRoom("r2", wire.Bye{Code: wire.ByeRoomClosed})
		th.wait(time.Minute)
		th.expect(ann)
		ann.Leave()
	})
}

// TestAcceptedBeforeResult: on the connection that sent a gift, accepted comes first,
// once, whichever of the two is told first.
func TestAcceptedBeforeResult(t *testing.T) {
	t.Parallel()
	g := gift("ann", "a-1")
	other := *g
	other.Count = 66
	rejected := wire.Rejected{ID: "a-1", Code: wire.CodeConflict}
	d := delivered("ann", "a-1")
	tests := []struct {
		name string
		do   func(*theatre, *viewer)
		want []string
	}{
		{
			"accepted first",
			func(th *theatre, v *viewer) {
				v.Expect("a-1", g.Content())
				v.Accepted("a-1", g.Content(), g.MsgID)
				th.Decided(news(0, d))
			},
			[]string{"accepted a-1", "result a-1 delivered"},
		},
		{
			"result first",
			func(th *theatre, v *viewer) {
				v.Expect("a-1", g.Content())
				th.Decided(news(0, d))
				synctest.Wait()
				v.Accepted("a-1", g.Content(), g.MsgID)
			},
			[]string{"accepted a-1", "result a-1 delivered"},
		},
		{
			"two frames, result between",
			func(th *theatre, v *viewer) {
				v.Expect("a-1", g.Content())
				v.Expect("a-1", g.Content())
				th.Decided(news(0, d))
				th.Repeated(0, d)
				synctest.Wait()
				v.Accepted("a-1", g.Content(), g.MsgID)
				v.Accepted("a-1", g.Content(), g.MsgID)
			},
			[]string{"accepted a-1", "result a-1 delivered", "result a-1 delivered", "accepted a-1"},
		},
		{
			"other content waits",
			func(th *theatre, v *viewer) {
				v.Expect("a-1", other.Content())
				th.Decided(news(0, d))
				synctest.Wait()
				v.Refused("a-1", other.Content(), rejected)
			},
			[]string{"result a-1 delivered", "rejected a-1 conflict"},
		},
		{
			"refused, then sent again",
			func(th *theatre, v *viewer) {
				v.Expect("a-1", g.Content())
				v.Refused("a-1", g.Content(), wire.Rejected{ID: "a-1", Code: wire.CodeUnavailable})
				v.Expect("a-1", g.Content())
				th.Decided(news(0, d))
				synctest.Wait()
				v.Accepted("a-1", g.Content(), g.MsgID)
			},
			[]string{"rejected a-1 unavailable", "accepted a-1", "result a-1 delivered"},
		},
		{
			"silence, then a result",
			func(th *theatre, v *viewer) {
				v.Expect("a-1", g.Content())
				v.Refused("a-1", g.Content(), nil)
				th.Decided(news(0, d))
			},
			[]string{"result a-1 delivered"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			open(t, audience.Limits{}, func(th *theatre) {
				ann := th.join("ann", -1)
				th.expect(ann, "welcome 0 false 1")
				tt.do(th, ann)
				th.expect(ann, tt.want...)
				ann.Leave()
			})
		})
	}
}

// TestGap: news that this process was not told of are announced.
func TestGap(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		ann := th.join("ann", -1)
		th.expect(ann, "welcome 0 false 1")
		th.Decided(news(3, delivered("bo", "b-1")))
		th.expect(ann, "lagged 1-2", "gifts 3 bo")
		th.Decided(news(5, failed("bo", "b-2")))
		th.expect(ann, "lagged 4-5")
		th.Decided(news(5, delivered("bo", "b-3"))) // told already that it is missing
		th.Decided(news(6, delivered("bo", "b-4")))
		th.expect(ann, "gifts 6 bo")
		later := th.join("carl", 1)
		th.expect(later, "welcome 1 true 2", "lagged 2-2", "gifts 3 bo", "lagged 4-5", "gifts 6 bo")
		ann.Leave()
		later.Leave()
	})
}

// TestPresence: at most once a second, only when changed, and right in the end.
func TestPresence(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		ann := th.join("ann", -1)
		th.wait(5 * time.Second)
		th.expect(ann, "welcome 0 false 1")
		var others []*viewer
		for range 9 {
			others = append(others, th.join("bo", -1))
		}
		th.wait(100 * time.Millisecond)
		th.expect(ann, "presence 10")
		for _, v := range others[1:] {
			v.Leave()
		}
		th.wait(999 * time.Millisecond)
		th.expect(ann)
		th.wait(101 * time.Millisecond)
		th.expect(ann, "presence 2")
		th.join("bo", -1).Leave()
		th.wait(5 * time.Second)
		th.expect(ann) // there and away again
		others[0].Leave()
		th.wait(100 * time.Millisecond)
		th.expect(ann, "presence 1")
		// Who came while another left was told a number that nobody else heard.
		others[0] = th.join("bo", -1)
		ann.Leave()
		th.wait(5 * time.Second)
		th.expect(others[0], "welcome 0 false 2", "presence 1")
		others[0].Leave()
	})
}

// elsewhere is viewers of other nodes, as a test sets them.
type elsewhere struct{ here, others int }

func (c *elsewhere) Set(_ string, viewers int) { c.here = viewers }
func (c *elsewhere) Others(string) int         { return c.others }

// TestPresenceCountsAll: viewers on other nodes are counted, in welcome and when they
// come and go.
func TestPresenceCountsAll(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		c := &elsewhere{others: 5}
		th.Among(c)
		ann := th.join("ann", -1)
		th.expect(ann, "welcome 0 false 6")
		for _, n := range []int{7, 0} {
			c.others = n
			th.CrowdChanged("r1")
			th.CrowdChanged("nobody-is-there")
			th.wait(2 * time.Second)
			th.expect(ann, "presence "+strconv.Itoa(n+1))
		}
		if c.here != 1 {
			t.Errorf("the others were told of %d viewers, want 1", c.here)
		}
		ann.Leave()
		if c.here != 0 {
			t.Errorf("after the last one has left the others were told of %d viewers", c.here)
		}
	})
}

// TestChat: comments and likes are merged for 100 ms and shown to everyone.
func TestChat(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		t := th.t
		ann := th.join("ann", -1)
		th.expect(ann, "welcome 0 false 1")
		for range 3 {
			th.Comment("r1", wire.Comment{UserID: "bo", Text: "5"})
			th.Like("r1", 7)
		}
		th.wait(100*time.Millisecond - time.Nanosecond)
		th.expect(ann)
		th.wait(time.Nanosecond)
		th.expect(ann, "comments 3", "likes 21 21")
		for range 60 {
			th.Comment("r1", wire.Comment{UserID: "bo", Text: "5"})
		}
		th.Like("r1", 1)
		th.wait(100 * time.Millisecond)
		th.expect(ann, "comments 50", "likes 1 22")
		if got := th.Stats().UnshownComments; got != 10 {
			t.Errorf("%d comments not shown, want 10", got)
		}
		ann.Leave()
		// The total outlives the hall.
		th.wait(10 * time.Second)
		if got := th.Stats().Rooms; got != 0 {
			t.Fatalf("%d rooms are kept without need", got)
		}
		ann = th.join("ann", -1)
		th.Like("r1", 1)
		th.wait(100 * time.Millisecond)
		th.expect(ann, "welcome 0 false 1", "likes 1 23")
		ann.Leave()
	})
}

// TestBye: the last event is the last, and its close code follows when it is written.
func TestBye(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		t := th.t
		ann, bo := th.join("ann", -1), th.join("bo", -1)
		th.wait(time.Second)
		ann.heard()
		bo.heard()
		bo.block()
		th.Decided(news(1, delivered("ann", "a-1")))
		th.CloseRoom("r1", wire.Bye{Code: wire.ByeRoomClosed})
		th.CloseAll(func() wire.Bye { return wire.Bye{Code: wire.ByeDraining} })
		synctest.Wait()
		th.Decided(news(2, delivered("ann", "a-2")))
		ann.Member.Bye(wire.Bye{Code: wire.ByeSlow})
		ann.Send(wire.Pong{})
		th.expect(ann, "result a-1 delivered", "gifts 1 ann", "bye")
		th.expect(bo)
		if len(bo.byes) != 0 || bo.Ending().IsZero() {
			t.Errorf("stalled: closed with %v, ending %v", bo.byes, bo.Ending())
		}
		bo.unblock()
		th.expect(bo, "gifts 1 ann", "bye")
		for _, v := range []*viewer{ann, bo} {
			if diff := cmp.Diff([]wire.CloseCode{wire.CloseNormal}, v.byes); diff != "" {
				t.Errorf("%s closed with (-want +got):\n%s", v.user, diff)
			}
			v.Leave()
		}
	})
}

// TestBrokenConnection: a failed write ends the member; the others go on.
func TestBrokenConnection(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		ann, bo := th.join("ann", -1), th.join("bo", -1)
		th.wait(time.Second)
		ann.heard()
		bo.heard()
		ann.breaks()
		th.Decided(news(1, delivered("ann", "a-1")))
		th.Decided(news(2, delivered("ann", "a-2")))
		th.expect(ann)
		th.expect(bo, "gifts 1 ann", "gifts 2 ann")
		ann.Leave()
		bo.Leave()
	})
}

// TestEnd: Run waits for every writer, and nobody comes in after it.
func TestEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, err := audience.New(audience.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, h)
		th := &theatre{House: h, t: t}
		ann := &viewer{user: "ann"}
		ann.block()
		th.enter(ann, -1)
		var ended time.Time
		start := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			stop()
			ended = time.Now()
		}()
		<-time.After(time.Minute)
		ann.unblock()
		<-done
		if took := ended.Sub(start); took != time.Minute {
			t.Errorf("Run ended after %v, with a writer that ended after a minute", took)
		}
		if _, err := h.Join(audience.Joining{Room: "r1", User: "bo", Conn: ann, Welcome: welcome}); !errors.Is(err, audience.ErrClosed) {
			t.Errorf("Join: %v", err)
		}
		h.Decided(news(1, delivered("ann", "a-1"))) // told to nobody, and harmless
		ann.Send(wire.Pong{})
		ann.Leave()
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	_, err := audience.New(audience.Limits{OutboxBytes: -1, OutboxEvents: -1, HistoryBytes: -1, HistoryAge: -1})
	for _, name := range []string{"OutboxBytes", "OutboxEvents", "HistoryBytes", "HistoryAge"} {
		if !errors.Is(err, audience.ErrBadLimits) || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}
