package zegotest_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// TestBudgetOfEachAction: ZEGO's numbers a sliding second and room, and not one more.
func TestBudgetOfEachAction(t *testing.T) {
	for action, limit := range map[zego.Action]int{
		zego.ActionGifts: 20, zego.ActionComments: 50, zego.ActionLikes: 100, zego.ActionQuery: 20, zego.ActionLaunch: 20,
	} {
		w := newFuzzWorld(t)
		code := func() int { t.Helper(); return *w.serve(t, string(action), validBodies()[action], nil).Code }
		for i := range limit {
			if c := code(); c == 207 {
				t.Errorf("%s: call %d is over the budget", action, i+1)
			}
		}
		if c := code(); c != 207 {
			t.Errorf("%s: call %d has Code %d", action, limit+1, c)
		}
		w.clock.advance(time.Second - 1)
		if c := code(); c != 207 {
			t.Errorf("%s: just within the second: Code %d", action, c)
		}
		w.clock.advance(1)
		if c := code(); c == 207 {
			t.Errorf("%s: a second later", action)
		}
		b := w.Budget()
		if len(b) != 1 || b[0].Calls != uint64(limit+3) || b[0].Over != 2 || b[0].Worst != limit+2 {
			t.Errorf("%s: %+v", action, b)
		}
		if w.WorstSecond("r1", action) != limit+2 || w.WorstSecond("", action) != limit+2 || w.WorstSecond("r2", action) != 0 {
			t.Errorf("%s: worst second %d", action, w.WorstSecond("", action))
		}
	}
}

func TestBudgetIsPerRoomAndAction(t *testing.T) {
	w := newFuzzWorld(t)
	gifts := validBodies()[zego.ActionGifts]
	for range 20 {
		w.serve(t, string(zego.ActionGifts), gifts, nil)
	}
	if c := *w.serve(t, string(zego.ActionQuery), validBodies()[zego.ActionQuery], nil).Code; c != 0 {
		t.Errorf("another action: %d", c)
	}
	other := `{"RoomId":"r2"` + gifts[len(`{"RoomId":"r1"`):]
	if c := *w.serve(t, string(zego.ActionGifts), other, nil).Code; c != 0 {
		t.Errorf("another room: %d", c)
	}
	if c := *w.serve(t, string(zego.ActionGifts), gifts, nil).Code; c != 207 {
		t.Errorf("the same room: %d", c)
	}
	if w.Calls("r1", zego.ActionGifts) != 21 || w.Calls("", zego.ActionGifts) != 22 {
		t.Error(w.Budget())
	}
}

// TestRefusedCallsArrive: whatever becomes of a call, it has arrived.
func TestRefusedCallsArrive(t *testing.T) {
	w := newFuzzWorld(t)
	gifts := validBodies()[zego.ActionGifts]
	w.serve(t, string(zego.ActionGifts), gifts, map[string][]string{"Signature": {"wrong"}})
	w.serve(t, string(zego.ActionGifts), gifts[:len(gifts)-2]+`,"x":1}`, nil)
	w.serve(t, string(zego.ActionGifts), `{"RoomId":"r1","MiniGameId":5}`, nil)
	if got := w.Calls("r1", zego.ActionGifts); got != 2 {
		// The second is not JSON, so nobody knows its room.
		t.Errorf("%d calls, want 2: %+v", got, w.Arrivals(0, 9))
	}
	if a := w.Arrivals(0, 9); len(a) != 3 || a[0].Code != 100000005 || a[0].Processed || len(a[0].Entries) != 1 || a[2].Code != 7202002 {
		t.Errorf("%+v", a)
	}
}

func TestBudgetChoices(t *testing.T) {
	status := newWorld(t, func(cfg *zegotest.Config) {
		cfg.Rate = zegotest.RateChoices{Status: 429, PerSecond: map[zego.Action]int{zego.ActionGifts: 1}}
	})
	status.join(t, "r1", "u1")
	if _, err := status.give(t, "r1", gift("a", "u1", 10, 1)); err != nil {
		t.Fatal(err)
	}
	var failed *zego.Error
	if _, err := status.give(t, "r1", gift("b", "u1", 10, 1)); !errors.As(err, &failed) || failed.Status != 429 || failed.Outcome != room.Unknown {
		t.Errorf("429: %v", err)
	}
	if status.Effects("b") != 0 {
		t.Error("a call over the budget was processed")
	}

	code := newWorld(t, func(cfg *zegotest.Config) {
		cfg.Rate = zegotest.RateChoices{Code: 206, PerSecond: map[zego.Action]int{zego.ActionQuery: 1}, FixedWindow: true}
		cfg.Now = func() time.Time { return time.Unix(1_700_000_000, 900_000_000) }
	})
	code.clock.advance(900 * time.Millisecond)
	for i, want := range []int{0, 206} {
		if got := code.post(t, zego.ActionQuery, validBodies()[zego.ActionQuery]); got.Code != want {
			t.Errorf("call %d: %s", i, got.text)
		}
	}
	fixed := newWorld(t, func(cfg *zegotest.Config) { cfg.Rate.FixedWindow = true })
	fixed.clock.advance(900 * time.Millisecond)
	for i := range 40 {
		if i == 20 {
			fixed.clock.advance(100 * time.Millisecond) // the next calendar second
		}
		if got := fixed.post(t, zego.ActionQuery, validBodies()[zego.ActionQuery]); got.Code != 0 {
			t.Errorf("call %d: %s", i, got.text)
		}
	}
	if fixed.WorstSecond("r1", zego.ActionQuery) != 40 {
		t.Errorf("the worst second is a sliding one: %d", fixed.WorstSecond("r1", zego.ActionQuery))
	}
}

// TestWorstSecondIsExact: against a count over all pairs, with a log of arrivals
// that has wrapped many times.
func TestWorstSecondIsExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		s, err := zegotest.New(zegotest.Config{
			AppID: appID, ServerSecret: zego.NewSecret(secret), Now: c.Now, Memory: zegotest.MemoryChoices{Arrivals: 3},
		})
		if err != nil {
			t.Fatal(err)
		}
		w := &fuzzWorld{s, c}
		var times []time.Time
		gaps := rapid.SliceOfN(rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 200), rapid.IntRange(0, 1500)), 1, 60).Draw(rt, "gaps")
		for _, gap := range gaps {
			c.advance(time.Duration(gap) * time.Millisecond)
			times = append(times, c.Now())
			w.serve(t, string(zego.ActionQuery), validBodies()[zego.ActionQuery], nil)
		}
		worst := 0
		for i := range times {
			n := 0
			for j := range times {
				if d := times[i].Sub(times[j]); j <= i && d < time.Second {
					n++
				}
			}
			worst = max(worst, n)
		}
		if got := s.WorstSecond("r1", zego.ActionQuery); got != worst {
			rt.Errorf("worst second %d, want %d", got, worst)
		}
		if got := s.Calls("r1", zego.ActionQuery); got != len(times) || len(s.Arrivals(0, 99)) != min(3, len(times)) {
			rt.Errorf("%d calls, want %d; %d shown", got, len(times), len(s.Arrivals(0, 99)))
		}
	})
}
