//go:build linux

package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
	"github.com/giftwire/giftwire/hub/wire"
)

// The first flush after a start is the first call that comes before the next start;
// the first start of all is no restart.
func TestFlushes(t *testing.T) {
	begun := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return begun.Add(time.Duration(s) * time.Second) }
	call := func(s int, action string) verdict.Arrival { return verdict.Arrival{At: at(s), Action: action} }
	got := flushes([]time.Time{at(0), at(10), at(20), at(30)}, []verdict.Arrival{
		call(1, "SendDanmakuGifts"), call(11, "SendDanmakuComments"), call(13, "SendDanmakuGifts"), call(14, "SendDanmakuGifts"),
		call(31, "SendDanmakuGifts"),
	})
	if diff := cmp.Diff([]time.Duration{time.Second, 3 * time.Second}, got); diff != "" {
		t.Error(diff)
	}
}

// A rejected says nothing of a sending that was left without an answer: the viewer asks
// again, whatever it draws. Nor does it end a gift that was accepted.
func TestRejected(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	draw := rand.New(rand.NewPCG(1, 1))
	refused := wire.Rejected{Code: wire.CodeUnavailable, RetryAfterMS: 100}
	ended := 0
	for range 100 {
		g := &given{}
		g.sent(now)
		g.rejected(refused, now, draw)
		if g.Refused {
			ended++
		}
		doubtful := &given{}
		doubtful.sent(now)
		doubtful.lost(now)
		doubtful.sent(now)
		doubtful.rejected(refused, now, draw)
		accepted := &given{Gift: verdict.Gift{Accepted: []string{"m"}}}
		accepted.ask(now)
		accepted.rejected(refused, now, draw)
		for _, g := range []*given{doubtful, accepted} {
			if g.Refused || g.decided() || !g.due.After(now) {
				t.Fatalf("%+v", g)
			}
		}
	}
	if ended == 0 || ended == 100 {
		t.Errorf("%d of 100 viewers gave up", ended)
	}
	g := &given{}
	g.sent(now)
	g.rejected(wire.Rejected{Code: wire.CodeConflict}, now, draw)
	if !g.Refused || !g.decided() {
		t.Errorf("%+v", g)
	}
}

// A result says that a gift was accepted, where the answer to an earlier sending may have
// been lost; else it contradicts.
func TestResultWithoutAccepted(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for _, lost := range []bool{true, false} {
		g := &given{}
		g.sent(now)
		if lost {
			g.lost(now)
		}
		v := &viewer{gifts: map[string]*given{"c-1": g}, open: map[string]*given{"c-1": g}}
		v.hear(wire.Result{ID: "c-1", Status: verdict.Delivered})
		if (len(g.Accepted) == 1) != lost || !g.decided() {
			t.Errorf("lost %v: %+v", lost, g)
		}
	}
}

func TestBucket(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	b := &bucket{perSecond: 15, burst: 20}
	n := 0
	for i := range 10_000 { // ten seconds
		if b.take(now.Add(time.Duration(i) * time.Millisecond)) {
			n++
		}
	}
	if n < 20+149 || n > 20+150 {
		t.Errorf("%d sendings in ten seconds", n)
	}
}

func TestChoose(t *testing.T) {
	all, err := choose("", false)
	if err != nil || len(all) != len(scenarios()) {
		t.Errorf("%d scenarios, %v", len(all), err)
	}
	two, err := choose("power,kill", false)
	if err != nil || len(two) != 2 || two[0].name != "power" || two[1].name != "kill" {
		t.Errorf("%v, %v", two, err)
	}
	many, err := choose("idle,away", true)
	if err != nil || len(many) != 2 || many[0].many == nil || many[1].name != "away" {
		t.Errorf("%v, %v", many, err)
	}
	if usual, err := choose("", true); err != nil || len(usual) != len(clusterScenarios()) {
		t.Errorf("%d scenarios of many nodes, %v", len(usual), err)
	}
	if _, err := choose("kill", true); err == nil {
		t.Error("a scenario of one node among those of many")
	}
	if _, err := choose("kill,nothing", false); err == nil {
		t.Error("a scenario that does not exist")
	}
}
