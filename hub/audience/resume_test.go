package audience_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/wire"
)

func TestResume(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		t := th.t
		th.Decided(news(7, delivered("bo", "b-1"))) // the first that this process hears of
		th.Decided(news(7, failed("ann", "a-1")))
		th.Decided(news(8, delivered("ann", "a-2"), failed("bo", "b-2")))
		for _, tt := range []struct {
			user  string
			since int
			want  []string
		}{
			{"ann", -1, []string{"welcome 8 false 1"}},
			{"ann", 9, []string{"welcome 8 false 1"}}, // from the future: start over
			{"ann", 8, []string{"welcome 8 true 1", "result a-2 delivered"}},
			{"ann", 7, []string{"welcome 7 true 1", "result a-1 failed", "result a-2 delivered", "gifts 8 ann"}},
			{"bo", 7, []string{"welcome 7 true 1", "result b-1 delivered", "result b-2 failed", "gifts 8 ann"}},
			{"bo", 6, []string{"welcome 6 true 1", "result b-1 delivered", "gifts 7 bo", "result b-2 failed", "gifts 8 ann"}},
			{"carl", 3, []string{"welcome 3 true 1", "lagged 4-6", "gifts 7 bo", "gifts 8 ann"}},
			{"carl", 0, []string{"welcome 0 true 1", "lagged 1-6", "gifts 7 bo", "gifts 8 ann"}},
		} {
			v := th.join(tt.user, tt.since)
			synctest.Wait()
			if diff := cmp.Diff(tt.want, brief(v.heard())); diff != "" {
				t.Errorf("%s since %d (-want +got):\n%s", tt.user, tt.since, diff)
			}
			v.Leave()
		}
	})
}

// TestResumeFromTheOwner: where this process knows nothing of the room, its owner
// does.
func TestResumeFromTheOwner(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		t := th.t
		enter := func(user string, since uint64) *viewer {
			v := &viewer{user: user}
			m, err := th.Join(audience.Joining{Room: "r1", User: user, Conn: v, Seq: 9, Since: &since, Welcome: welcome})
			if err != nil {
				t.Fatal(err)
			}
			v.Member = m
			return v
		}
		ann := enter("ann", 5)
		th.expect(ann, "welcome 5 true 1", "lagged 6-9")
		th.Decided(news(9, delivered("bo", "b-1"))) // counted before ann came, told only now
		th.Decided(news(10, delivered("bo", "b-2")))
		th.expect(ann, "gifts 10 bo")
		ann.Leave()
		// The hall is behind the owner, and so behind a viewer who comes from elsewhere.
		th.wait(0)
		since := uint64(12)
		bo := &viewer{user: "bo"}
		m, err := th.Join(audience.Joining{Room: "r1", User: "bo", Conn: bo, Seq: 12, Since: &since, Welcome: welcome})
		if err != nil {
			t.Fatal(err)
		}
		bo.Member = m
		th.expect(bo, "welcome 12 true 1")
		for seq := uint64(11); seq <= 13; seq++ {
			th.Decided(news(seq, delivered("carl", "c")))
		}
		th.expect(bo, "gifts 13 carl")
		bo.Leave()
	})
}

// TestHistoryBytes: what is kept is bounded, what is gone is announced.
func TestHistoryBytes(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{HistoryBytes: 4000}, func(th *theatre) {
		t := th.t
		for seq := uint64(1); seq <= 100; seq++ {
			th.Decided(news(seq, delivered("ann", fmt.Sprint(seq))))
		}
		ann := th.join("ann", 10)
		synctest.Wait()
		events := ann.heard()
		var last, results uint64 = 10, 0
		for _, e := range events[1:] {
			switch e := e.(type) {
			case wire.Lagged:
				if e.From != 11 || e.To < 80 {
					t.Errorf("%+v", e)
				}
				last = e.To
			case wire.Gifts:
				if last++; e.Seq != last {
					t.Errorf("%d after %d", e.Seq, last-1)
				}
			case wire.Result:
				results++
			}
		}
		if last != 100 || results == 0 || results > 20 {
			t.Errorf("up to %d, %d results", last, results)
		}
		ann.Leave()
	})
}

// TestHistoryAge: a room that nobody watches costs nothing after two minutes.
func TestHistoryAge(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		t := th.t
		th.Decided(news(1, delivered("ann", "a-1")))
		th.wait(119 * time.Second)
		ann := th.join("ann", 0)
		th.expect(ann, "welcome 0 true 1", "result a-1 delivered", "gifts 1 ann")
		th.wait(10 * time.Second)
		ann.Leave()
		ann = th.join("ann", 0)
		th.expect(ann, "welcome 0 true 1", "lagged 1-1")
		th.wait(time.Hour)
		if got := th.Stats().Rooms; got != 1 {
			t.Errorf("%d rooms, one is watched", got)
		}
		ann.Leave()
		th.wait(10 * time.Second)
		if got := th.Stats().Rooms; got != 0 {
			t.Errorf("%d rooms, none is watched", got)
		}
	})
}

// TestLaggedHidesNoResult: wherever a viewer stops that has heard lagged, it hears all
// results when it resumes from there.
func TestLaggedHidesNoResult(t *testing.T) {
	t.Parallel()
	give := func(th *theatre) {
		for seq := uint64(1); seq <= 8; seq++ {
			th.Decided(news(seq, delivered("ann", fmt.Sprint(seq))))
			synctest.Wait()
		}
	}
	for name, hear := range map[string]func(*theatre) []wire.Event{
		"from an outbox": func(th *theatre) []wire.Event {
			ann := th.stalled()
			defer ann.Leave()
			give(th)
			ann.unblock()
			synctest.Wait()
			return ann.heard()
		},
		"from history": func(th *theatre) []wire.Event {
			give(th)
			ann := th.join("ann", 0)
			defer ann.Leave()
			synctest.Wait()
			return ann.heard()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limits := audience.Limits{OutboxEvents: 12}
			if name == "from history" {
				limits = audience.Limits{HistoryBytes: 2400} // 8 results, 6 gifts events
			}
			open(t, limits, func(th *theatre) {
				t := th.t
				events := hear(th)
				lags := 0
				for cut := range events {
					c := &chain{results: make(map[string]int)}
					c.follow(events[:cut], true)
					for _, e := range events[:cut] {
						if _, is := e.(wire.Lagged); is {
							lags++
						}
					}
					again := th.join("ann", int(c.last))
					synctest.Wait()
					c.follow(again.heard(), true)
					again.Leave()
					if len(c.results) != 8 || c.fault != "" {
						t.Errorf("stopped after %v: %d results, %s", brief(events[:cut]), len(c.results), c.fault)
					}
				}
				if lags == 0 {
					t.Errorf("nothing has become lagged: %v", brief(events))
				}
			})
		})
	}
}
