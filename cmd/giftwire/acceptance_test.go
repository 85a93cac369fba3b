package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// The main job, through the real binary: the examples of ZEGO's page, refusals,
// repeats, and what everyone in the room sees.
func TestMainJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.serve(t)
	n.put(t, "r1")
	ann, bob := n.watch(t, "r1", "ann", client.Place{}), n.watch(t, "r1", "bob", client.Place{})

	bob.give("b1", 10) // he has not joined
	if got := bob.result("b1"); got.Status != "failed" || got.Code != 10003 || got.Reason != room.ReasonNotJoined {
		t.Errorf("a gift of a viewer who has not joined: %+v", got)
	}
	ann.join()
	for _, tt := range []struct {
		id                string
		count, value, num int
	}{{"c10", 10, 10, 1}, {"c20", 20, 10, 2}, {"c66", 66, 66, 1}, {"c660", 660, 66, 10}} {
		ann.give(tt.id, tt.count)
		id := ann.accepted(tt.id)
		if got := ann.result(tt.id); got.Status != "delivered" || got.MsgID != id || got.Reason != room.ReasonOK {
			t.Errorf("%d rockets: %+v", tt.count, got)
		}
		if e := w.effect(t, id); e.Value != tt.value || e.Num != tt.num || e.Receiver != "anchor1" {
			t.Errorf("%d rockets came to ZEGO as %+v, want Value %d, Num %d", tt.count, e, tt.value, tt.num)
		}
	}
	thirty := 30
	ann.send(wire.GiftFrame{ID: "v30", GiftID: "g1", Count: 30, Value: &thirty})
	ann.give("c15", 15)
	for _, id := range []string{"v30", "c15"} {
		got := ann.rejected(id)
		if got.Code != wire.CodeBadCount || !strings.Contains(got.Message, "10, 66") {
			t.Errorf("%s: %+v, want bad_count that names the tiers 10 and 66", id, got)
		}
	}
	ann.give("c20", 20) // the same again
	ann.give("c10", 20) // other content
	if got := ann.rejected("c10"); got.Code != wire.CodeConflict {
		t.Errorf("other content under an id: %+v, want conflict", got)
	}
	until(t, "second accepted of c20", func(ctx) bool { return count(ann, "c20") == 2 })
	if got := w.sim.Effects(ann.accepted("c20").String()); got != 1 {
		t.Errorf("the same id twice had %d effects", got)
	}
	c := n.settled(t, "r1")
	if c.Accepted != 5 || c.Delivered != 4 || c.Failed != 1 {
		t.Errorf("counters %+v, want 5 accepted, 4 delivered, 1 failed", c)
	}
	sameGifts(t, 4, ann, bob)
	w.withinBudget(t)
	if status, took := n.terminate(t); status != 0 || took > 20*time.Second {
		t.Errorf("SIGTERM: exit %d after %v, want 0 within 20s", status, took)
	}
	bye := expect(bob, "bye", func(wire.Bye) bool { return true })
	if bye.Code != wire.ByeDraining || bye.ReconnectInMS <= 0 {
		t.Errorf("bye %+v, want draining with a time to come back", bye)
	}
}

// count is how often the gift was accepted, as far as the viewer has heard.
func count(v *viewer, id string) int {
	n := 0
	for _, a := range heard[wire.Accepted](v) {
		if a.ID == id {
			n++
		}
	}
	return n
}

// sameGifts checks that every viewer saw the same gifts, each once, in seq order.
func sameGifts(t *testing.T, want int, viewers ...*viewer) {
	t.Helper()
	var first []string
	for _, v := range viewers {
		var lines []string
		until(t, fmt.Sprintf("%d gifts for %s", want, v.user), func(ctx) bool {
			lines = lines[:0]
			for i, e := range heard[wire.Gifts](v) {
				if i > 0 && e.Seq != heard[wire.Gifts](v)[i-1].Seq+1 {
					t.Errorf("%s: seq %d after %d", v.user, e.Seq, heard[wire.Gifts](v)[i-1].Seq)
				}
				for _, g := range e.Gifts {
					lines = append(lines, fmt.Sprint(e.Seq, " ", g.MsgID))
				}
			}
			return len(lines) >= want
		})
		if len(lines) != want || len(slices.Compact(slices.Sorted(slices.Values(lines)))) != want {
			t.Errorf("%s saw %d gifts, want %d different ones: %v", v.user, len(lines), want, lines)
		}
		if first == nil {
			first = lines
		}
		if !slices.Equal(first, lines) {
			t.Errorf("%s saw %v, %s saw %v", v.user, lines, viewers[0].user, first)
		}
	}
}

// effect is what ZEGO gave for a gift, which must be once.
func (w *world) effect(t *testing.T, id room.MsgID) zegotest.Effect {
	t.Helper()
	if n := w.sim.Effects(id.String()); n != 1 {
		t.Errorf("gift %s had %d effects, want 1", id, n)
	}
	for _, e := range w.sim.Ledger(0, 1000) {
		if e.MsgID == id.String() {
			return e
		}
	}
	t.Errorf("gift %s is not in ZEGO's ledger", id)
	return zegotest.Effect{}
}

// withinBudget checks what arrived at ZEGO's door.
func (w *world) withinBudget(t *testing.T) {
	t.Helper()
	for _, b := range w.sim.Budget() {
		if limit := b.Action.PerSecond(); b.Worst > limit {
			t.Errorf("%s in room %s: %d calls in a sliding second, %d are allowed", b.Action, b.Room, b.Worst, limit)
		}
	}
}

// Kill -9 loses nothing that was accepted, and gives nothing twice (P1 to P4).
func TestKillAndRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.serve(t)
	n.put(t, "r1")
	ann := n.watch(t, "r1", "ann", client.Place{})
	ann.join()
	ann.give("before", 10)
	ann.result("before")
	// ZEGO processes the next calls, and the answers never come.
	rule := w.sim.Fail(zegotest.Rule{Action: zego.ActionGifts, Fault: zegotest.HangAfter()})
	var ids []room.MsgID
	for i := range 25 {
		ann.give(fmt.Sprint("c", i), 10*(i+1))
		ids = append(ids, ann.accepted(fmt.Sprint("c", i)))
	}
	n.kill()
	w.sim.Clear(rule)
	w.sim.Release()

	n = w.serve(t)
	again := n.watch(t, "r1", "ann", ann.conn.Place())
	again.give("c3", 40) // the same content
	again.give("c4", 990)
	if got := again.accepted("c3"); got != ids[3] {
		t.Errorf("repeated after the restart: msg_id %s, want %s", got, ids[3])
	}
	if got := again.rejected("c4"); got.Code != wire.CodeConflict {
		t.Errorf("other content after the restart: %+v, want conflict", got)
	}
	if got := again.result("c3"); got.Status != "delivered" {
		t.Errorf("result after the restart: %+v", got)
	}
	c := n.settled(t, "r1")
	if c.Accepted != 26 || c.Delivered != 26 {
		t.Errorf("counters %+v, want 26 accepted and delivered", c)
	}
	for _, id := range ids {
		w.effect(t, id)
	}
	w.withinBudget(t)
	welcome := expect(again, "welcome", func(wire.Welcome) bool { return true })
	if first := expect(ann, "welcome", func(wire.Welcome) bool { return true }); welcome.Epoch != first.Epoch {
		t.Errorf("epoch %s after the restart, %s before", welcome.Epoch, first.Epoch)
	}
	// The ledger has each gift once.
	status, body := get(t.Context(), "http://"+n.public+"/v1/rooms/r1/outcomes?limit=1000", testAPIKey)
	if status != http.StatusOK || strings.Count(string(body), `"status":"delivered"`) != 26 {
		t.Errorf("ledger: %d, %d delivered; want 26", status, strings.Count(string(body), `"status":"delivered"`))
	}
}

// ZEGO is away for ten seconds, in four ways: gifts wait, and are delivered once each.
func TestZegoAway(t *testing.T) {
	t.Parallel()
	const away = 10 * time.Second
	fault := func(f zegotest.Fault) func(*testing.T, *world) func() {
		return func(_ *testing.T, w *world) func() {
			rule := w.sim.Fail(zegotest.Rule{Action: zego.ActionGifts, Fault: f})
			return func() {
				w.sim.Clear(rule)
				w.sim.Release()
			}
		}
	}
	for name, goAway := range map[string]func(*testing.T, *world) (back func()){
		"hanging":     fault(zegotest.HangBefore()),
		"502 in HTML": fault(zegotest.Gateway(http.StatusBadGateway)),
		"answer lost": fault(zegotest.DropAfter()),
		"refused": func(t *testing.T, w *world) func() {
			t.Helper()
			w.http.CloseClientConnections()
			_ = w.http.Listener.Close() // nobody listens any more
			return func() { w.open(t, w.address) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			n := w.serve(t)
			n.put(t, "r1")
			ann, bob := n.watch(t, "r1", "ann", client.Place{}), n.watch(t, "r1", "bob", client.Place{})
			ann.join()
			ann.give("before", 10)
			ann.result("before")
			back := goAway(t, w)
			gone := time.Now()
			var ids []room.MsgID
			for i := range 20 {
				ann.give(fmt.Sprint("c", i), 10)
				ids = append(ids, ann.accepted(fmt.Sprint("c", i)))
			}
			time.AfterFunc(away, back)
			for i := range ids {
				if got := ann.result(fmt.Sprint("c", i)); got.Status != "delivered" {
					t.Errorf("gift %d: %+v", i, got)
				}
				w.effect(t, ids[i])
			}
			if took := time.Since(gone); name != "answer lost" && took < away {
				t.Errorf("delivered after %v, while ZEGO was away", took)
			}
			sameGifts(t, 21, ann, bob)
			w.withinBudget(t)
		})
	}
}
