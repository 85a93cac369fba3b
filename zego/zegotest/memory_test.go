package zegotest_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// TestRepeatsMeetTheFirstOutcome: within 24 h of the first consumption, rolling.
func TestRepeatsMeetTheFirstOutcome(t *testing.T) {
	w := newWorld(t)
	result := func(roomID string, g zego.Gift) string {
		t.Helper()
		got, err := w.give(t, roomID, g)
		if err != nil {
			t.Fatal(err)
		}
		return got[0]
	}
	if got := result("r1", gift("failed", "u1", 10, 1)); got != "failed=10003" {
		t.Error(got)
	}
	w.join(t, "r1", "u1")
	if got := result("r1", gift("given", "u1", 10, 2)); got != "given=0" {
		t.Error(got)
	}
	for _, wait := range []time.Duration{0, 23 * time.Hour, time.Hour - 1} {
		w.clock.advance(wait)
		if got := result("r1", gift("failed", "u1", 10, 1)); got != "failed=10003" {
			t.Errorf("a failure is given again after joining: %s", got)
		}
		if got := result("r1", gift("given", "u1", 10, 2)); got != "given=0" || w.Effects("given") != 1 {
			t.Errorf("%s, %d effects", got, w.Effects("given"))
		}
	}
	if tally := w.Tally(); tally.Repeats != 6 || tally.Consumed != 2 || tally.Conflicts != 0 {
		t.Errorf("%+v", tally)
	}
	w.clock.advance(1)
	if got := result("r1", gift("failed", "u1", 10, 1)); got != "failed=0" || w.Effects("failed") != 1 {
		t.Errorf("after 24 h it is a new gift: %s", got)
	}
	if got := result("r1", gift("given", "u1", 10, 2)); got != "given=0" || w.Effects("given") != 2 || w.Tally().Doubled != 1 {
		t.Errorf("after 24 h it is given again: %s, %d effects", got, w.Effects("given"))
	}
}

// TestIdsAreOnePerApp: rooms and games share the memory, the strictest reading.
func TestIdsAreOnePerApp(t *testing.T) {
	var logged bytes.Buffer
	w := newWorld(t, func(cfg *zegotest.Config) { cfg.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
	w.join(t, "r1", "u1")
	w.join(t, "r2", "u1")
	first := gift("m", "u1", 10, 1)
	if got, err := w.give(t, "r1", first); err != nil || got[0] != "m=0" {
		t.Fatal(got, err)
	}
	changes := map[string]func(*zego.Gift){
		"value":     func(g *zego.Gift) { g.Info.Value = 66 },
		"num":       func(g *zego.Gift) { g.Info.Num = 9 },
		"gift":      func(g *zego.Gift) { g.Info.GiftID = "g2" },
		"receiver":  func(g *zego.Gift) { g.ReceiverID = "x" },
		"user":      func(g *zego.Gift) { g.User.UserID = "u2" },
		"nickname":  func(g *zego.Gift) { g.User.Nickname = "x" },
		"sex":       func(g *zego.Gift) { g.User.Sex = 2 },
		"timestamp": func(g *zego.Gift) { g.Timestamp++ },
	}
	for name, change := range changes {
		other := first
		change(&other)
		if got, err := w.give(t, "r1", other); err != nil || got[0] != "m=0" {
			t.Errorf("other %s: %v %v", name, got, err)
		}
	}
	if got, err := w.give(t, "r2", first); err != nil || got[0] != "m=0" {
		t.Errorf("another room: %v %v", got, err)
	}
	want := uint64(len(changes) + 1)
	if tally := w.Tally(); tally.Conflicts != want || w.Effects("m") != 1 || tally.DeliveredCount != 10 {
		t.Errorf("%+v, %d effects, want %d conflicts", tally, w.Effects("m"), want)
	}
	if n := strings.Count(logged.String(), "level=ERROR"); n != int(want) || !strings.Contains(logged.String(), "msg_id=m") {
		t.Errorf("%d loud lines, want %d:\n%s", n, want, logged.String())
	}
	// The same payload is no conflict.
	if _, err := w.give(t, "r1", first); err != nil || w.Tally().Conflicts != want {
		t.Error("a plain repeat is a conflict")
	}
}

func TestIdTwiceInOneList(t *testing.T) {
	w := newWorld(t)
	w.join(t, "r1", "u1")
	entry := validBodies()[zego.ActionGifts]
	entry = entry[strings.Index(entry, "[")+1 : len(entry)-2]
	got := w.post(t, zego.ActionGifts, `{"RoomId":"r1","MiniGameId":"TinyLoveWar","GiftList":[`+entry+`,`+entry+`]}`)
	if len(got.Data.Results) != 2 || got.Data.Results[0] != got.Data.Results[1] || got.Data.Results[0].Result != 0 || w.Effects("m1") != 1 {
		t.Errorf("%s, %d effects", got.text, w.Effects("m1"))
	}
}

// TestBeingProcessed: while a list is being processed, repeats get 10006; then they
// get the first outcome.
func TestBeingProcessed(t *testing.T) {
	w := newWorld(t)
	w.join(t, "r1", "u1")
	w.Fail(zegotest.Rule{Action: zego.ActionGifts, Times: 1, Fault: zegotest.Fault{Hold: true}})
	first := make(chan []string, 1)
	go func() {
		got, err := w.give(t, "r1", gift("a", "u1", 10, 1), gift("b", "u1", 10, 1))
		if err != nil {
			t.Error(err)
		}
		first <- got
	}()
	w.await(t, func() bool {
		a := w.Arrivals(1, 1) // after the comment
		return len(a) == 1 && a[0].Working
	})
	got, err := w.give(t, "r1", gift("c", "u1", 10, 1), gift("b", "u1", 10, 1))
	if want := []string{"c=0", "b=10006"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("meanwhile: %v %v, want %v", got, err, want)
	}
	if got := w.query(t, "r1", "a", "b"); len(got) != 0 {
		t.Errorf("not consumed so far, and a row: %v", got)
	}
	w.Release()
	if got, want := <-first, []string{"a=0", "b=0"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, err := w.give(t, "r1", gift("b", "u1", 10, 1)); err != nil || got[0] != "b=0" || w.Effects("b") != 1 {
		t.Errorf("afterwards: %v %v, %d effects", got, err, w.Effects("b"))
	}
	if tally := w.Tally(); tally.Pending != 1 || tally.Repeats != 1 {
		t.Errorf("%+v", tally)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	w := newWorld(t, func(cfg *zegotest.Config) {
		cfg.Memory.IDs, cfg.Memory.Effects, cfg.Memory.Arrivals, cfg.Memory.Rooms = 10, 5, 4, 2
		cfg.Memory.Viewers = 1
	})
	w.join(t, "r1", "u1")
	w.join(t, "r1", "u2") // one too many
	for i := range 15 {
		w.clock.advance(time.Second)
		if _, err := w.give(t, "r1", gift("m"+strconv.Itoa(i), "u1", 10, 1)); err != nil {
			t.Fatal(err)
		}
	}
	s := w.Stats()
	want := zegotest.Dropped{Arrivals: 13, Effects: 10, Remembered: 5, Accounts: 5}
	if s.Dropped != want || s.Tally.Delivered != 15 || s.Calls != 17 {
		t.Errorf("%+v, want %+v dropped", s, want)
	}
	if w.Effects("m4") != 0 || w.Effects("m5") != 1 {
		t.Errorf("effects of m4 %d, of m5 %d", w.Effects("m4"), w.Effects("m5"))
	}
	if l := w.Ledger(0, 100); len(l) != 5 || l[0].Seq != 11 {
		t.Errorf("%+v", l)
	}
	if a := w.Arrivals(2, 2); len(a) != 2 || a[0].Seq != 14 || a[1].Seq != 15 {
		t.Errorf("%+v", a)
	}
	if got, err := w.give(t, "r1", gift("x", "u2", 10, 1)); err != nil || got[0] != "x=10003" {
		t.Errorf("a viewer too many: %v %v", got, err)
	}
	w.clock.advance(time.Second)
	if _, err := w.give(t, "r2", gift("y", "u1", 10, 1)); err != nil {
		t.Errorf("the second room: %v", err)
	}
	if got := w.post(t, zego.ActionQuery, `{"RoomId":"r3","MiniGameId":"TinyLoveWar","MsgIdList":["a"]}`); got.Code != 7210000 {
		t.Errorf("a room too many: %s", got.text)
	}
	if w.StartGame("r3", game) != "" || w.SetState("r3", zegotest.Ended) || w.Join("r3", game, "u") {
		t.Error("a room too many was made")
	}
	if _, ok := w.Room("r3"); ok {
		t.Error("a room too many is there")
	}
}

// TestMemoryIsPruned: after 24 h nothing is left of what was remembered, so the
// bound is not reached by old ids.
func TestMemoryIsPruned(t *testing.T) {
	w := newWorld(t, func(cfg *zegotest.Config) { cfg.Memory.IDs = 10 })
	w.join(t, "r1", "u1")
	for day := range 5 {
		for i := range 10 {
			if _, err := w.give(t, "r1", gift("d"+strconv.Itoa(day)+"m"+strconv.Itoa(i), "u1", 10, 1)); err != nil {
				t.Fatal(err)
			}
		}
		w.clock.advance(24 * time.Hour)
	}
	if d := w.Stats().Dropped; d.Remembered != 0 || d.Accounts != 40 {
		t.Errorf("%+v", d)
	}
}
