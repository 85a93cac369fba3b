package load_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/cmd/internal/load"
	"github.com/giftwire/giftwire/cmd/internal/load/loadtest"
)

// TestMain is a worker process, too: the runs of the tests start this binary.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		if err := load.Child(os.Stdin, os.Stdout); err != nil {
			os.Exit(1) //nolint:forbidigo // a TestMain is a main
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// config is a run of a second: 150 gifts over 2 rooms and 16 viewers.
func config(urls ...string) load.Config {
	return load.Config{
		Target:    load.Target{URLs: urls, APIKey: "key", Game: "TinyLoveWar"},
		Crowd:     load.Crowd{Viewers: 16, Gifters: 10, Rooms: 2, ConnectRate: 1000},
		Gifts:     load.Gifts{Rate: 150, Even: true, GiftID: "g1", Count: 10, Join: "5", Comments: 5, Likes: 5},
		Times:     load.Times{Connect: 30 * time.Second, Load: time.Second, Settle: 30 * time.Second},
		Processes: 1, Seed: 1,
	}
}

// outcome is what a run came to.
type outcome struct {
	hub    *loadtest.Hub
	report *load.Report
	err    error
}

// runs makes all runs at once, since most of a run is waiting, and returns their
// outcomes in order.
func runs[T any](t *testing.T, tests []T, plan func(T) (loadtest.Fault, func(*load.Config))) []outcome {
	t.Helper()
	out := make([]outcome, len(tests))
	var all sync.WaitGroup
	for i, tt := range tests {
		fault, with := plan(tt)
		out[i].hub = loadtest.New(t, fault)
		cfg := config(out[i].hub.URL)
		with(&cfg)
		all.Go(func() {
			r := load.Run{Config: cfg, Command: []string{os.Args[0], "worker"}, Stderr: os.Stderr}
			out[i].report, out[i].err = r.Do(t.Context())
		})
	}
	all.Wait()
	return out
}

// A hub that keeps its promises is found to, whatever viewers do to it.
func TestRunHolds(t *testing.T) {
	t.Parallel()
	storm := func(c *load.Config) {
		c.Trouble.Storms = []time.Duration{300 * time.Millisecond, 600 * time.Millisecond}
	}
	type test struct {
		name  string
		fault loadtest.Fault
		with  func(*load.Config)
		also  func(*load.Report) bool
	}
	tests := []test{
		{"plainly", loadtest.None, func(*load.Config) {}, func(r *load.Report) bool {
			return r.Totals.Deliveries == 150*8 && r.Totals.Repeats == 0 && r.Totals.Chat == 10
		}},
		{"at random", loadtest.None, func(c *load.Config) { c.Gifts.Even = false }, nil},
		{"in storms", loadtest.None, storm, func(r *load.Report) bool { return r.Totals.Dropped >= 16 && r.Totals.Resumed >= 16 }},
		{"with churn", loadtest.None, func(c *load.Config) {
			c.Trouble.Churn, c.Trouble.Away = 20, 50*time.Millisecond
		}, func(r *load.Report) bool { return r.Totals.Left > 3 && r.Totals.Resumed == r.Totals.Left }},
		{"with slow readers", loadtest.None, func(c *load.Config) { c.Trouble.Slow = 0.25 }, func(r *load.Report) bool {
			return r.Settings.Slow == 4 && r.Totals.Deliveries == 150*8
		}},
		{"with what is announced as lost", loadtest.Lagged, func(*load.Config) {}, func(r *load.Report) bool { return r.Totals.Lagged == 2 }},
		{"in three processes", loadtest.None, func(c *load.Config) {
			c.Processes = 3
			storm(c)
		}, func(r *load.Report) bool { return r.Generator.Processes == 3 }},
		// Of 75 gifts a second and room, those after the 20th wait for up to a second. A
		// generator that waited for answers would have felt it once a room.
		{"while it stalls", loadtest.Stalls, func(*load.Config) {}, func(r *load.Report) bool {
			return r.Totals.Due == 150 && r.Latencies[load.Accept].P50 > 300 && r.Latencies[load.Result].P50 > 300
		}},
		{"without gifts", loadtest.None, func(c *load.Config) {
			c.Gifts.Rate, c.Gifts.Comments, c.Gifts.Likes, c.Crowd.Gifters = 0, 0, 0, 0
		}, func(r *load.Report) bool { return r.Totals.Due == 0 }},
	}
	for i, o := range runs(t, tests, func(tt test) (loadtest.Fault, func(*load.Config)) { return tt.fault, tt.with }) {
		tt, r := tests[i], o.report
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if o.err != nil {
				t.Fatal(o.err)
			}
			var text bytes.Buffer
			if err := r.WriteText(&text); err != nil {
				t.Error(err)
			}
			if !r.Holds || tt.also != nil && !tt.also(r) {
				t.Errorf("holds: %v, totals %+v\n%s", r.Holds, r.Totals, &text)
			}
			if got := r.Totals; got.Due != got.Sent || got.Accepted != got.Delivered || got.Due != got.Accepted {
				t.Errorf("%d due, %d sent, %d accepted, %d delivered: want as many", got.Due, got.Sent, got.Accepted, got.Delivered)
			}
			if made, deleted := o.hub.Rooms(); made != 2 || deleted != 2 {
				t.Errorf("%d rooms made, %d deleted, want 2 and 2", made, deleted)
			}
		})
	}
}

// Each promise that a hub breaks is found, and named, in the room where it was broken.
func TestRunFinds(t *testing.T) {
	t.Parallel()
	finds(t, map[loadtest.Fault]load.Kind{
		loadtest.None:          "",
		loadtest.Lagged:        "",
		loadtest.RepeatsResult: load.KindRepeatedResult,
		loadtest.OtherResult:   load.KindOtherResult,
		loadtest.NoResult:      load.KindNoResult,
		loadtest.LosesAccepted: load.KindNotAccepted,
		loadtest.OtherMsgID:    load.KindOtherResult,
		loadtest.Unanswered:    load.KindUnanswered,
		loadtest.HidesGift:     load.KindNotAccepted,
		loadtest.RejectsGiven:  load.KindRejectedGiven,
		loadtest.SkipsSeq:      load.KindSilentGap,
		loadtest.RepeatsSeq:    load.KindRepeatedSeq,
		loadtest.BadLagged:     load.KindBadLagged,
		loadtest.OtherContent:  load.KindOtherContent,
		loadtest.LosesEnd:      load.KindIncomplete,
		loadtest.NotShown:      load.KindNotShown,
		loadtest.ShownTwice:    load.KindShownTwice,
		loadtest.ShowsFailed:   load.KindShownOther,
		loadtest.NoFrame:       load.KindBadFrame,
		loadtest.StrangeAnswer: load.KindUnknownAnswer,
		loadtest.SendsAway:     load.KindNotBack,
		loadtest.NotInLedger:   load.KindNotInLedger,
		loadtest.TwiceInLedger: load.KindTwiceInLedger,
		loadtest.LedgerDiffers: load.KindLedgerDiffers,
		loadtest.LedgerInvents: load.KindLedgerUnknown,
		loadtest.Counters:      load.KindCounters,
	})
}

// So are those that are broken when viewers come back.
func TestRunFindsAfterStorms(t *testing.T) {
	t.Parallel()
	finds(t, map[loadtest.Fault]load.Kind{
		loadtest.None:         "",
		loadtest.StartsOver:   load.KindBadResume,
		loadtest.ResumesWrong: load.KindBadResume,
	}, 500*time.Millisecond)
}

func finds(t *testing.T, kinds map[loadtest.Fault]load.Kind, storms ...time.Duration) {
	t.Helper()
	faults := slices.Sorted(maps.Keys(kinds))
	cfg := config(loadtest.New(t, faults...).URL)
	cfg.Crowd.Rooms, cfg.Crowd.Viewers, cfg.Crowd.Gifters = len(faults), 6*len(faults), 4*len(faults)
	cfg.Gifts.Rate = 60 * float64(len(faults))
	cfg.Times.Settle = 5 * time.Second // for the rooms without a fault; the others never settle
	cfg.Trouble.Storms = storms
	r, err := (&load.Run{Config: cfg}).Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Holds {
		t.Error("it holds")
	}
	for i, fault := range faults {
		room, want := fmt.Sprintf("load-%s-%d", r.Run, i), kinds[fault]
		var found []load.Mismatch
		for _, m := range r.Mismatches.List {
			if m.Room == room {
				found = append(found, m)
			}
		}
		named := slices.ContainsFunc(found, func(m load.Mismatch) bool { return m.Kind == want && m.Detail != "" })
		if want == "" && len(found) > 0 || want != "" && !named {
			t.Errorf("%q: found %v, want %q", fault, found, want)
		}
	}
}

// What cannot be run is no verdict on the hub.
func TestRunCannot(t *testing.T) {
	t.Parallel()
	type test struct {
		fault loadtest.Fault
		with  func(*load.Config)
		want  string
	}
	tests := []test{
		{loadtest.Refuses, func(*load.Config) {}, "403"},
		{loadtest.ForgetsRooms, func(*load.Config) {}, "401"},
		{loadtest.RefusesLedger, func(*load.Config) {}, "410"},
		{loadtest.None, func(c *load.Config) { c.Processes = 99 }, "--processes"},
		{loadtest.None, func(c *load.Config) { c.Target.URLs = []string{"http://127.0.0.1:1"} }, "refused"},
	}
	for i, o := range runs(t, tests, func(tt test) (loadtest.Fault, func(*load.Config)) { return tt.fault, tt.with }) {
		tt := tests[i]
		t.Run(string(tt.fault)+tt.want, func(t *testing.T) {
			t.Parallel()
			if !errors.Is(o.err, load.ErrNotRun) || !strings.Contains(o.err.Error(), tt.want) {
				t.Errorf("%v, %v, want ErrNotRun with %q", o.report, o.err, tt.want)
			}
			if made, deleted := o.hub.Rooms(); made != deleted {
				t.Errorf("%d rooms made, %d deleted", made, deleted)
			}
		})
	}
}

// An interrupted run ends its load and is checked all the same.
func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	cfg := config(loadtest.New(t, loadtest.None).URL)
	cfg.Times.Load = time.Minute
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	r := load.Run{Config: cfg, Watch: func(p load.Progress) {
		if p.Phase == "load" && p.Sent > 50 {
			interrupt()
		}
	}}
	report, err := r.Do(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Holds || report.Totals.LoadSeconds > 30 || len(report.Notes) != 1 {
		t.Errorf("holds: %v after %v s, notes %q", report.Holds, report.Totals.LoadSeconds, report.Notes)
	}
}
