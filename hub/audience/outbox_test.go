package audience_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/wire"
)

// stalled lets ann in, and stalls her once she has heard everything.
func (th *theatre) stalled() *viewer {
	ann := th.join("ann", -1)
	synctest.Wait()
	ann.heard()
	ann.block()
	ann.Send(wire.Pong{}) // her writer hangs on this one
	synctest.Wait()
	return ann
}

// TestShed: what nobody misses goes first, then gifts become lagged, results stay.
func TestShed(t *testing.T) {
	t.Parallel()
	limits := audience.Limits{OutboxEvents: 6}
	open(t, limits, func(th *theatre) {
		t := th.t
		ann := th.stalled()
		bo := th.join("bo", -1)
		th.Like("r1", 1)
		th.Comment("r1", wire.Comment{Text: "x"})
		th.wait(time.Second)                         // comments, likes and presence wait
		th.Decided(news(1, delivered("ann", "a-1"))) // and two more
		synctest.Wait()
		th.Decided(news(2, delivered("bo", "b-1"))) // six
		th.expect(bo, "welcome 0 false 2", "comments 1", "likes 1 1", "presence 2", "gifts 1 ann", "result b-1 delivered", "gifts 2 bo")
		if got := th.Stats(); got.DroppedComments != 0 || !ann.Over().IsZero() {
			t.Errorf("at the bound: %+v", got)
		}
		th.Decided(news(2, failed("ann", "a-2"))) // seven: three go
		th.wait(time.Second)
		if got := th.Stats(); got.DroppedComments != 1 || got.DroppedLikes != 1 || got.DroppedPresence != 1 || got.LaggedGifts != 0 {
			t.Errorf("past the bound: %+v", got)
		}
		for i := range 5 { // 4 wait; the third of these makes 7: the gifts become lagged
			th.Decided(news(2, failed("ann", fmt.Sprintf("a-%d", 3+i))))
		}
		th.Decided(news(3, delivered("bo", "b-2")))
		th.Decided(news(4, delivered("bo", "b-3")))
		synctest.Wait()
		if got := th.Stats().LaggedGifts; got != 4 {
			t.Errorf("%d gifts events became lagged, want 4", got)
		}
		ann.unblock()
		th.expect(ann, "pong", "result a-1 delivered", "result a-2 failed", "result a-3 failed",
			"result a-4 failed", "result a-5 failed", "result a-6 failed", "result a-7 failed", "lagged 1-4")
		if !ann.Over().IsZero() {
			t.Error("over, although nothing waits")
		}
		th.Decided(news(5, delivered("bo", "b-4")))
		th.expect(ann, "gifts 5 bo")
		ann.Leave()
		bo.Leave()
	})
}

// TestShedBytes: the bound in bytes, and a viewer that reads on hears the newest.
func TestShedBytes(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{OutboxBytes: 2000}, func(th *theatre) {
		t := th.t
		ann := th.stalled()
		var seq uint64
		start := time.Now()
		for range 100 {
			th.wait(time.Millisecond)
			seq++
			th.Decided(news(seq, delivered("bo", "b")))
		}
		synctest.Wait()
		if got := ann.Over().Sub(start); got < time.Millisecond || got > 20*time.Millisecond {
			t.Errorf("over since %v", got)
		}
		ann.unblock()
		synctest.Wait()
		events := ann.heard()[1:]
		lagged, ok := events[0].(wire.Lagged)
		if !ok || lagged.From != 1 || lagged.To > 100 {
			t.Fatalf("heard %v", brief(events))
		}
		for i, e := range events[1:] {
			if g, ok := e.(wire.Gifts); !ok || g.Seq != lagged.To+1+uint64(i) {
				t.Errorf("heard %v", brief(events))
			}
		}
		th.Decided(news(101, delivered("bo", "b")))
		th.expect(ann, "gifts 101 bo")
		ann.Leave()
	})
}

// TestSlow: a viewer is told why it is ended, and when to come back.
func TestSlow(t *testing.T) {
	t.Parallel()
	end := map[string]func(*theatre, *viewer){
		"by the sweeper": func(_ *theatre, ann *viewer) { ann.Slow() },
		"by what cannot be dropped": func(th *theatre, ann *viewer) {
			for i := range 41 {
				ann.Send(wire.Rejected{ID: fmt.Sprint(i)})
			}
		},
		"by results": func(th *theatre, ann *viewer) {
			for i := range 41 {
				th.Decided(news(0, failed("ann", fmt.Sprint(i))))
			}
		},
	}
	for name, slow := range end {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open(t, audience.Limits{OutboxEvents: 10}, func(th *theatre) {
				t := th.t
				ann := th.stalled()
				bo := th.join("bo", -1)
				th.wait(time.Second)
				bo.heard()
				slow(th, ann)
				synctest.Wait()
				if ann.Ending().IsZero() || th.Stats().Slow != 1 {
					t.Errorf("ending %v, %+v", ann.Ending(), th.Stats())
				}
				th.Decided(news(1, delivered("bo", "b-1")))
				th.expect(bo, "result b-1 delivered", "gifts 1 bo")
				ann.unblock()
				synctest.Wait()
				events := ann.heard()
				bye, ok := events[len(events)-1].(wire.Bye)
				if !ok || len(events) != 2 || bye.Code != wire.ByeSlow || bye.ReconnectInMS < 1000 || bye.ReconnectInMS > 5000 {
					t.Errorf("heard %v, last %+v", brief(events), bye)
				}
				if diff := cmp.Diff([]wire.CloseCode{wire.ClosePolicy}, ann.byes); diff != "" {
					t.Errorf("closed with (-want +got):\n%s", diff)
				}
				ann.Leave()
				bo.Leave()
			})
		})
	}
}

// TestFrames: all that waits leaves as few frames as fit, each within its bound.
func TestFrames(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		t := th.t
		ann := th.stalled()
		big := strings.Repeat("x", 60_000)
		for range 12 {
			ann.Send(wire.Error{Message: big})
		}
		huge := strings.Repeat("x", wire.FrameMax+1)
		ann.Send(wire.Error{Message: huge})
		ann.Send(wire.Pong{})
		ann.frames = nil
		ann.unblock()
		synctest.Wait()
		if got := len(ann.heard()); got != 15 {
			t.Errorf("%d events, want 15", got)
		}
		if len(ann.frames) != 1+3+1+1 {
			t.Errorf("%d frames of %v bytes", len(ann.frames), ann.frames)
		}
		for i, size := range ann.frames {
			if size > wire.FrameMax && i != 4 {
				t.Errorf("frame %d has %d bytes", i, size)
			}
		}
		ann.Leave()
	})
}

// TestGiftsStay: as long as gifts can be resumed they wait for one that does not read,
// and are not turned into lagged.
func TestGiftsStay(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		t := th.t
		v := th.stalled()
		const window = 18 * 120 // flushes of a room: ZEGO's budget for the 2 minutes of history
		for seq := uint64(1); seq <= window; seq++ {
			th.Decided(news(seq, delivered("carl", "c")))
			th.wait(time.Second / 18)
		}
		v.unblock()
		synctest.Wait()
		gifts := 0
		for _, e := range v.heard() {
			switch e := e.(type) {
			case wire.Gifts:
				gifts++
			case wire.Lagged:
				t.Errorf("%+v", e)
			}
		}
		if gifts != window {
			t.Errorf("heard %d gifts events of %d", gifts, window)
		}
		v.Leave()
	})
}

// TestStalledCostNothing: one that does not read delays nobody and holds no more than
// its bound.
func TestStalledCostNothing(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		t := th.t
		stalled := []*viewer{th.stalled(), th.stalled(), th.stalled()}
		bo := th.join("bo", -1)
		th.wait(2 * time.Second)
		bo.heard()
		for seq := uint64(1); seq <= 5000; seq++ {
			th.Decided(news(seq, delivered("carl", "c")))
		}
		synctest.Wait()
		var last uint64
		for _, e := range bo.heard() {
			switch e := e.(type) {
			case wire.Gifts:
				if e.Seq != last+1 {
					t.Fatalf("%d after %d", e.Seq, last)
				}
				last = e.Seq
			case wire.Lagged: // it could not keep up with 5,000 at once
				if e.From != last+1 {
					t.Fatalf("%+v after %d", e, last)
				}
				last = e.To
			}
		}
		if last != 5000 {
			t.Errorf("heard up to %d", last)
		}
		for _, v := range stalled {
			v.unblock()
			synctest.Wait()
			if got := len(v.heard()); got > 2502 {
				t.Errorf("%d events had waited", got)
			}
			v.Leave()
		}
		bo.Leave()
	})
}
