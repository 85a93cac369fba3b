package audience_test

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/wire"
)

// quick is a viewer whose connection takes frames at once, unless it is stalled.
type quick struct {
	*viewer
	tried, took int
}

func (q *quick) TryFrame(frame []byte) bool {
	q.mu.Lock()
	stalled := q.stall != nil
	q.tried++
	if !stalled {
		q.took++
	}
	q.mu.Unlock()
	if stalled {
		return false
	}
	return q.WriteFrame(frame) == nil
}

func (th *theatre) quick(user string, since int) *quick {
	th.t.Helper()
	q := &quick{viewer: &viewer{user: user}}
	j := audience.Joining{Room: "r1", User: user, Conn: q, Welcome: welcome}
	if since >= 0 {
		s := uint64(since)
		j.Since = &s
	}
	m, err := th.Join(j)
	if err != nil {
		th.t.Fatal(err)
	}
	q.Member = m
	return q
}

// TestPrompt: what a room is told goes past the outbox while nothing waits in it, in
// order with everything else, and through it when the connection does not take it.
func TestPrompt(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		t := th.t
		ann := th.quick("ann", -1)
		th.expect(ann.viewer, "welcome 0 false 1")
		th.Decided(news(1, delivered("ann", "a-1"))) // a result is hers alone: the outbox has it first
		th.expect(ann.viewer, "result a-1 delivered", "gifts 1 ann")
		if ann.took != 0 {
			t.Error("an event went past a result")
		}
		th.Decided(news(2, delivered("bo", "b-1")))
		th.expect(ann.viewer, "gifts 2 bo")
		if ann.took != 1 {
			t.Errorf("taken at once: %d events, want 1", ann.took)
		}
		ann.block()
		th.Decided(news(3, delivered("bo", "b-2")))
		synctest.Wait() // declined: her writer hangs on it
		th.Decided(news(4, delivered("bo", "b-3")))
		synctest.Wait()
		if ann.tried != 2 {
			t.Errorf("tried %d times, want 2: not while a writer runs", ann.tried)
		}
		ann.unblock()
		th.expect(ann.viewer, "gifts 3 bo", "gifts 4 bo")
		th.CloseRoom("r1", wire.Bye{Code: wire.ByeRoomClosed})
		th.expect(ann.viewer, "bye")
		th.Decided(news(5, delivered("bo", "b-4")))
		th.expect(ann.viewer)
		if ann.tried != 2 {
			t.Error("tried after bye")
		}
		ann.Leave()
	})
}

// TestPromptHearsNothingTwice: who comes in the middle hears no event that it has heard.
func TestPromptHearsNothingTwice(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		for seq := uint64(1); seq <= 3; seq++ {
			th.Decided(news(seq, delivered("bo", "b")))
		}
		ann := th.quick("ann", 3)
		synctest.Wait()
		bo := &quick{viewer: &viewer{user: "bo"}}
		since := uint64(5) // from another node, which was told sooner
		m, err := th.Join(audience.Joining{Room: "r1", User: "x", Conn: bo, Seq: 5, Since: &since, Welcome: welcome})
		if err != nil {
			th.t.Fatal(err)
		}
		bo.Member = m
		synctest.Wait()
		for seq := uint64(4); seq <= 6; seq++ {
			th.Decided(news(seq, delivered("carl", "c")))
			synctest.Wait()
		}
		th.expect(ann.viewer, "welcome 3 true 1", "gifts 4 carl", "gifts 5 carl", "gifts 6 carl")
		th.expect(bo.viewer, "welcome 5 true 2", "gifts 6 carl")
		ann.Leave()
		bo.Leave()
	})
}

// TestPresenceIsConflated: of the numbers of viewers that wait for one who does not
// read, the last is enough.
func TestPresenceIsConflated(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		ann := th.stalled()
		var others []*viewer
		for n := range 4 {
			others = append(others, th.join(fmt.Sprintf("u%d", n), -1))
			th.wait(1500 * time.Millisecond)
			th.Comment("r1", wire.Comment{Text: "x"})
			th.wait(time.Second)
		}
		ann.unblock()
		th.expect(ann, "pong", "comments 1", "comments 1", "comments 1", "presence 5", "comments 1")
		for _, v := range append(others, ann) {
			v.Leave()
		}
	})
}

// sink is a connection that takes everything at once.
type sink struct{ frames *atomic.Int64 }

func (s sink) WriteFrame([]byte) error    { return nil }
func (s sink) Bye(wire.CloseCode)         {}
func (s sink) TryFrame(frame []byte) bool { s.frames.Add(1); return true }

// TestDeliveryAllocatesNothing: what a flush costs does not grow with the room.
func TestDeliveryAllocatesNothing(t *testing.T) {
	h, err := audience.New(audience.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, h)
	defer stop()
	var frames atomic.Int64
	const members = 2000
	all := make([]*audience.Member, members)
	for i := range all {
		j := audience.Joining{Room: "r1", User: fmt.Sprintf("u%d", i), Conn: sink{&frames}, Welcome: welcome}
		if all[i], err = h.Join(j); err != nil {
			t.Fatal(err)
		}
	}
	for h.Stats().Events < members {
		runtime.Gosched()
	}
	flush := news(0, delivered("giver", "1"))
	tell := func() {
		flush.Seq++
		before := frames.Load()
		h.Decided(flush)
		for frames.Load() < before+members {
			runtime.Gosched()
		}
	}
	tell()
	// A flush has its own: events, history, goroutines.
	if allocs := testing.AllocsPerRun(20, tell) / members; allocs > 0.05 {
		t.Errorf("%.3f allocations a delivery", allocs)
	}
	for _, m := range all {
		m.Leave()
	}
}

// TestLargeRoomHoldsNobodyUp: while a large room is told, others have their turns, on one
// processor, too.
func TestLargeRoomHoldsNobodyUp(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	h, err := audience.New(audience.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, h)
	defer stop()
	var order struct {
		sync.Mutex
		large, before int
		small         bool
	}
	seen := func(small bool) {
		order.Lock()
		defer order.Unlock()
		if small {
			order.small, order.before = true, order.large
			return
		}
		order.large++
	}
	const members = 5000
	var all []*audience.Member
	enter := func(room string, conn audience.Conn) {
		m, err := h.Join(audience.Joining{Room: room, User: fmt.Sprintf("u%d", len(all)), Conn: conn, Welcome: welcome})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	for range members {
		enter("r1", told{func() { seen(false) }})
	}
	enter("r2", told{func() { seen(true) }})
	for h.Stats().Events < members+1 {
		runtime.Gosched()
	}
	large, small := news(1, delivered("giver", "1")), news(1, delivered("giver", "1"))
	small.Room = "r2"
	h.Decided(large)
	for begun := false; !begun; {
		runtime.Gosched()
		order.Lock()
		begun = order.large > 0
		order.Unlock()
	}
	h.Decided(small)
	for done := false; !done; {
		runtime.Gosched()
		order.Lock()
		done = order.small && order.large == members
		order.Unlock()
	}
	if most := 64; order.before > most { // some turns of four, and who tells the small one has to have one, too
		t.Errorf("a small room waited until %d of %d members of a large one were told", order.before, members)
	}
	for _, m := range all {
		m.Leave()
	}
}

// told is a connection that says when it is told of gifts.
type told struct{ f func() }

func (c told) WriteFrame([]byte) error { return nil }
func (c told) Bye(wire.CloseCode)      {}
func (c told) TryFrame(frame []byte) bool {
	if bytes.Contains(frame, []byte(`"gifts"`)) { // not presence, which is told when it is time
		c.f()
	}
	return true
}

// TestSharesAreWhole: a room that several goroutines tell is told completely, each
// member in order.
func TestSharesAreWhole(t *testing.T) {
	t.Parallel()
	const members = 3003
	open(t, audience.Limits{}, func(th *theatre) {
		t := th.t
		var guests []*quick
		for n := range members {
			guests = append(guests, th.quick(fmt.Sprintf("u%d", n), -1))
		}
		th.wait(2 * time.Second)
		for _, g := range guests {
			g.heard()
		}
		for seq := uint64(1); seq <= 3; seq++ {
			th.Decided(news(seq, delivered("giver", "1")))
			synctest.Wait()
		}
		for _, g := range guests {
			if diff := cmp.Diff([]string{"gifts 1 giver", "gifts 2 giver", "gifts 3 giver"}, brief(g.heard())); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", g.user, diff)
			}
			g.Leave()
		}
	})
}
