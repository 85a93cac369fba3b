package zegotest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// TestFaults is what a caller sees of each fault, and what ZEGO did: the rows that a
// hub is tested with.
func TestFaults(t *testing.T) {
	const short = 300 * time.Millisecond // calls that hang are given up
	for _, tt := range []struct {
		name    string
		fault   zegotest.Fault
		outcome room.Outcome
		code    int
		status  int
		given   bool
	}{
		{"nothing", zegotest.Fault{}, room.Consumed, 0, 0, true},
		{"drop before", zegotest.DropBefore(), room.Unknown, 0, 0, false},
		{"drop after", zegotest.DropAfter(), room.Unknown, 0, 0, true},
		{"hang before", zegotest.HangBefore(), room.Unknown, 0, 0, false},
		{"hang after", zegotest.HangAfter(), room.Unknown, 0, 0, true},
		{"lost without a word", zegotest.Fault{Lost: true}, room.Unknown, 0, 0, false},
		{"refused", zegotest.Refuse(7210000), room.NotTaken, 7210000, 200, false},
		{"refused by a code that nobody knows", zegotest.Refuse(42), room.NotTaken, 42, 200, false},
		{"lost, but refused", zegotest.Fault{Lost: true, Code: 7}, room.NotTaken, 7, 200, false},
		{"gateway 502", zegotest.Gateway(502), room.Unknown, 0, 502, false},
		{"gateway 504", zegotest.Gateway(504), room.Unknown, 0, 504, false},
		{"gateway 429", zegotest.Gateway(429), room.Unknown, 0, 429, false},
		{"processed, 502", zegotest.Answer(zegotest.ReplyHTML), room.Unknown, 0, 502, true},
		{"malformed", zegotest.Answer(zegotest.ReplyMalformed), room.Unknown, 0, 200, true},
		{"truncated", zegotest.Answer(zegotest.ReplyTruncated), room.Unknown, 0, 200, true},
		{"huge", zegotest.Answer(zegotest.ReplyHuge), room.Unknown, 0, 200, true},
		{"drip", zegotest.Answer(zegotest.ReplyDrip), room.Unknown, 0, 0, true},
		{"no code", zegotest.Answer(zegotest.ReplyNoCode), room.Unknown, 0, 200, true},
		{"empty", zegotest.Answer(zegotest.ReplyEmpty), room.Unknown, 0, 200, true},
		{"wrong type", zegotest.Answer(zegotest.ReplyWrongType), room.Consumed, 0, 0, true},
		{"slow", zegotest.Slow(time.Minute), room.Unknown, 0, 0, true},
		{"in a while", zegotest.Slow(10 * time.Millisecond), room.Consumed, 0, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.join(t, "r1", "u1")
			w.Fail(zegotest.Rule{Action: zego.ActionGifts, Times: 1, Fault: tt.fault})
			ctx, cancel := context.WithTimeout(t.Context(), short)
			defer cancel()
			req := zego.GiftsRequest{RoomID: "r1", MiniGameID: game, Gifts: []zego.Gift{gift("m", "u1", 10, 1)}}
			resp, err := w.client.SendDanmakuGifts(ctx, req)
			var failed *zego.Error
			switch {
			case tt.outcome == room.Consumed:
				if err != nil || resp.Results[0].Result != 0 {
					t.Errorf("%v %v", resp, err)
				}
			case !errors.As(err, &failed) || failed.Outcome != tt.outcome || failed.Code != tt.code:
				t.Errorf("%v, want %v %d", err, tt.outcome, tt.code)
			case tt.status != 0 && failed.Status != tt.status:
				t.Errorf("status %d, want %d", failed.Status, tt.status)
			}
			w.await(t, func() bool { return w.Arrivals(1, 1)[0].Done })
			if (w.Effects("m") == 1) != tt.given || (len(w.query(t, "r1", "m")) == 1) != tt.given {
				t.Errorf("%d effects, rows %v", w.Effects("m"), w.query(t, "r1", "m"))
			}
			a := w.Arrivals(1, 1)[0]
			if a.Processed != tt.given || a.Reply != tt.fault.Reply || (tt.status != 0 && a.Status != tt.status) {
				t.Errorf("log: %+v", a)
			}
			// The same MsgId again: the effect is there once, whatever happened.
			if got, err := w.give(t, "r1", gift("m", "u1", 10, 1)); err != nil || got[0] != "m=0" || w.Effects("m") != 1 {
				t.Errorf("again: %v %v, %d effects", got, err, w.Effects("m"))
			}
		})
	}
}

func TestResultFaults(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fault   zegotest.ResultFault
		row     string
		effects int
		query   []string
		again   string // what the same MsgId gets then
		after   int    // effects then
	}{
		{"10003", zegotest.ResultFault{Result: 10003}, "m=10003", 0, []string{"m=10003"}, "m=10003", 0},
		{"10003 and yet given", zegotest.ResultFault{Result: 10003, Happened: true}, "m=10003", 1, []string{"m=10003"}, "m=10003", 1},
		{"10004", zegotest.ResultFault{Result: 10004}, "m=10004", 0, []string{"m=10004"}, "m=10004", 0},
		{"10005 did not happen", zegotest.ResultFault{Result: 10005}, "m=10005", 0, []string{}, "m=10005", 0},
		{"10005 happened", zegotest.ResultFault{Result: 10005, Happened: true}, "m=10005", 1, []string{}, "m=10005", 1},
		{"10006 not recorded", zegotest.ResultFault{Result: 10006}, "m=10006", 0, []string{}, "m=0", 1},
		{"10006 and given", zegotest.ResultFault{Result: 10006, Happened: true}, "m=10006", 1, []string{"m=0"}, "m=0", 1},
		{"unknown", zegotest.ResultFault{Result: 777}, "m=777", 0, []string{"m=777"}, "m=777", 0},
		{"this user", zegotest.ResultFault{Result: 777, User: "u1"}, "m=777", 0, []string{"m=777"}, "m=777", 0},
		{"this gift", zegotest.ResultFault{Result: 777, Gift: "g1"}, "m=777", 0, []string{"m=777"}, "m=777", 0},
		{"another user", zegotest.ResultFault{Result: 777, User: "u2"}, "m=0", 1, []string{"m=0"}, "m=0", 1},
		{"another gift", zegotest.ResultFault{Result: 777, Gift: "g2"}, "m=0", 1, []string{"m=0"}, "m=0", 1},
	} {
		w := newWorld(t)
		w.join(t, "r1", "u1")
		w.Fail(zegotest.Rule{Action: zego.ActionGifts, Times: 1, Fault: zegotest.Fault{Result: tt.fault}})
		got, err := w.give(t, "r1", gift("m", "u1", 10, 1))
		if err != nil || got[0] != tt.row || w.Effects("m") != tt.effects {
			t.Errorf("%s: %v %v, %d effects", tt.name, got, err, w.Effects("m"))
		}
		if got := w.query(t, "r1", "m"); !slices.Equal(got, tt.query) {
			t.Errorf("%s: query %v, want %v", tt.name, got, tt.query)
		}
		got, err = w.give(t, "r1", gift("m", "u1", 10, 1))
		if err != nil || got[0] != tt.again || w.Effects("m") != tt.after {
			t.Errorf("%s, again: %v %v, %d effects", tt.name, got, err, w.Effects("m"))
		}
		if tally := w.Tally(); int(tally.Delivered) != tt.after || tally.Doubled != 0 {
			t.Errorf("%s: %+v", tt.name, tally)
		}
	}
}

func TestGiveResult(t *testing.T) {
	w := newWorld(t)
	w.join(t, "r1", "u1")
	w.Fail(zegotest.Rule{Fault: zegotest.GiveResult(10004)})
	got, err := w.give(t, "r1", gift("a", "u1", 10, 1), gift("b", "u2", 10, 1))
	if want := []string{"a=10004", "b=10004"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
}

// TestHeldCallOfACallerWhoLeaves: it is processed all the same.
func TestHeldCallOfACallerWhoLeaves(t *testing.T) {
	w := newWorld(t)
	w.join(t, "r1", "u1")
	w.Fail(zegotest.Rule{Action: zego.ActionGifts, Times: 1, Fault: zegotest.Fault{Hold: true}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := w.client.SendDanmakuGifts(ctx, zego.GiftsRequest{RoomID: "r1", MiniGameID: game, Gifts: []zego.Gift{gift("m", "u1", 10, 1)}})
		ended <- err
	}()
	w.await(t, func() bool { a := w.Arrivals(1, 1); return len(a) == 1 && a[0].Working })
	if w.Effects("m") != 0 {
		t.Error("a held call was processed")
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w.await(t, func() bool { return w.Arrivals(1, 1)[0].Done })
	if w.Effects("m") != 1 {
		t.Errorf("%d effects", w.Effects("m"))
	}
}

func TestRowFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault zegotest.RowFault
		want  []string
	}{
		{"reversed", zegotest.RowFault{Reversed: true}, []string{"c=10003", "b=0", "a=0"}},
		{"first left out", zegotest.RowFault{Omit: 1}, []string{"b=0", "c=10003"}},
		{"all left out", zegotest.RowFault{Omit: -1}, []string{}},
		{"more than there are", zegotest.RowFault{Omit: 9}, []string{}},
		{"doubled", zegotest.RowFault{Omit: 2, Doubled: true}, []string{"c=10003", "c=10003"}},
		{"contradicted", zegotest.RowFault{Omit: 1, Contradicted: true}, []string{"b=0", "b=10003", "c=10003", "c=0"}},
		{"foreign", zegotest.RowFault{Omit: 2, Foreign: true}, []string{"c=10003", "a-MsgId-that-nobody-sent=0"}},
		{"all at once", zegotest.RowFault{Reversed: true, Omit: 2, Doubled: true, Contradicted: true, Foreign: true}, []string{
			"a-MsgId-that-nobody-sent=0", "c=0", "c=10003", "c=10003",
		}},
	} {
		w := newWorld(t)
		w.join(t, "r1", "u1")
		w.Fail(zegotest.Rule{Fault: zegotest.Fault{Rows: tt.fault}})
		got, err := w.give(t, "r1", gift("a", "u1", 10, 1), gift("b", "u1", 10, 1), gift("c", "u2", 10, 1))
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v %v, want %v", tt.name, got, err, tt.want)
		}
		if got := w.query(t, "r1", "a", "b", "c"); !slices.Equal(got, tt.want) {
			t.Errorf("%s, query: %v, want %v", tt.name, got, tt.want)
		}
		if w.Effects("a") != 1 || w.Effects("b") != 1 || w.Effects("c") != 0 {
			t.Errorf("%s: rows changed what happened", tt.name)
		}
	}
}

func TestRules(t *testing.T) {
	w := newFuzzWorld(t)
	code := func(action zego.Action, roomID string) int {
		t.Helper()
		return *w.serve(t, string(action), strings.Replace(validBodies()[action], `"r1"`, `"`+roomID+`"`, 1), nil).Code
	}
	check := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: Code %d, want %d", what, got, want)
		}
	}
	w.Fail(zegotest.Rule{Action: zego.ActionQuery, Room: "r1", Skip: 1, Times: 2, Fault: zegotest.Refuse(1)})
	check("another action", code(zego.ActionLikes, "r1"), 0)
	check("another room", code(zego.ActionQuery, "r2"), 0)
	check("skipped", code(zego.ActionQuery, "r1"), 0)
	check("hit", code(zego.ActionQuery, "r1"), 1)
	if rules := w.Rules(); len(rules) != 1 || rules[0].Hits != 1 {
		t.Errorf("%+v", rules)
	}
	check("hit again", code(zego.ActionQuery, "r1"), 1)
	check("used up", code(zego.ActionQuery, "r1"), 0)
	if len(w.Rules()) != 0 {
		t.Errorf("%+v", w.Rules())
	}

	w.Fail(zegotest.Rule{For: time.Second, Fault: zegotest.Refuse(2)})
	w.clock.advance(time.Second - 1)
	check("within its time", code(zego.ActionLikes, "r3"), 2)
	w.clock.advance(1)
	check("after its time", code(zego.ActionLikes, "r3"), 0)

	first := w.Fail(zegotest.Rule{Fault: zegotest.Refuse(3)})
	second := w.Fail(zegotest.Rule{Fault: zegotest.Refuse(4)})
	check("the first that hits", code(zego.ActionLikes, "r4"), 3)
	if !w.Clear(first) || w.Clear(first) {
		t.Error("clearing")
	}
	check("then the next", code(zego.ActionLikes, "r4"), 4)
	w.ClearAll()
	if w.Clear(second) {
		t.Error("cleared twice")
	}
	check("none", code(zego.ActionLikes, "r4"), 0)
	for range 1001 {
		w.Fail(zegotest.Rule{})
	}
	if got := len(w.Rules()); got != 1000 {
		t.Errorf("%d rules", got)
	}
}

// TestReleaseLetsHangingCallsGoOn: with their answer, if they have one.
func TestReleaseLetsHangingCallsGoOn(t *testing.T) {
	w := newWorld(t)
	w.join(t, "r1", "u1")
	w.Fail(zegotest.Rule{Action: zego.ActionGifts, Times: 1, Fault: zegotest.HangAfter()})
	w.Fail(zegotest.Rule{Action: zego.ActionGifts, Times: 1, Fault: zegotest.HangBefore()})
	answers := make(chan string, 2)
	for i, id := range []string{"a", "b"} {
		go func() {
			got, err := w.give(t, "r1", gift(id, "u1", 10, 1))
			if err != nil {
				got = []string{id + " failed"}
			}
			answers <- got[0]
		}()
		w.await(t, func() bool { // it hangs: what is to be answered is known
			a := w.Arrivals(uint64(i)+1, 1)
			return len(a) == 1 && a[0].Reply == zegotest.ReplyHang && a[0].Status != 0
		})
	}
	w.Release()
	got := []string{<-answers, <-answers}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"a=0", "b failed"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestLateCall: a call that the network holds up is overtaken by its own repeat, and
// comes too late to give again; its caller has long gone.
func TestLateCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := zegotest.New(zegotest.Config{AppID: appID, ServerSecret: zego.NewSecret(secret)})
		if err != nil {
			t.Fatal(err)
		}
		w := &fuzzWorld{s, newClock()}
		w.clock.now = time.Now()
		s.Join("r1", game, "u1")
		s.Fail(zegotest.Rule{Times: 1, Fault: zegotest.Fault{Before: time.Minute}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			query := (&world{clock: w.clock}).sign(zego.ActionGifts).Encode()
			s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodPost, "/?"+query,
				strings.NewReader(validBodies()[zego.ActionGifts])))
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if a := s.Arrivals(0, 1)[0]; a.Done || a.Processed || s.Effects("m1") != 0 {
			t.Errorf("it has arrived too early: %+v", a)
		}
		w.serve(t, string(zego.ActionGifts), validBodies()[zego.ActionGifts], nil)
		if s.Effects("m1") != 1 || s.Tally().Repeats != 0 {
			t.Errorf("the repeat: %d effects, %+v", s.Effects("m1"), s.Tally())
		}
		<-ended
		if a := s.Arrivals(0, 1)[0]; !a.Processed || a.TookMS != 60_000 || s.Effects("m1") != 1 || s.Tally().Repeats != 1 {
			t.Errorf("the late one: %+v, %d effects, %+v", a, s.Effects("m1"), s.Tally())
		}
	})
}

// TestTimesOfFaults: in a bubble, without a network, so that they are exact.
func TestTimesOfFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault zegotest.Fault
		want  time.Duration
	}{
		{"before", zegotest.Fault{Before: time.Second}, time.Second},
		{"work", zegotest.Fault{Work: 2 * time.Second}, 2 * time.Second},
		{"after", zegotest.Slow(3 * time.Second), 3 * time.Second},
		{"all", zegotest.Fault{Before: time.Second, Work: 2 * time.Second, After: 3 * time.Second}, 6 * time.Second},
		{"drip", zegotest.Answer(zegotest.ReplyDrip), 0}, // a byte a second
	} {
		synctest.Test(t, func(t *testing.T) {
			s, err := zegotest.New(zegotest.Config{AppID: appID, ServerSecret: zego.NewSecret(secret)})
			if err != nil {
				t.Fatal(err)
			}
			clock := newClock()
			clock.now = time.Now()
			s.Fail(zegotest.Rule{Fault: tt.fault})
			start := time.Now()
			ans := (&fuzzWorld{s, clock}).serve(t, string(zego.ActionGifts), validBodies()[zego.ActionGifts], nil)
			if tt.want == 0 {
				tt.want = time.Duration(ans.length) * time.Second
			}
			if took := time.Since(start); took != tt.want {
				t.Errorf("%s: %v, want %v", tt.name, took, tt.want)
			}
			if a := s.Arrivals(0, 1)[0]; a.TookMS != tt.want.Milliseconds() {
				t.Errorf("%s: the log says %d ms", tt.name, a.TookMS)
			}
		})
	}
}
