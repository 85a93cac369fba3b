package hub

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// scrape returns what /metrics answers.
func scrape(t *testing.T, h http.Handler) string {
	t.Helper()
	w := get(t, h, http.MethodGet, "/metrics")
	if w.Code != http.StatusOK {
		t.Fatalf("/metrics: %d", w.Code)
	}
	return w.Body.String()
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("metrics have no line %q", line)
		}
	}
}

func TestMetricsTellWhatHappened(t *testing.T) {
	m := newMetrics(func() reading {
		return reading{
			ready: true, intake: intake.Stats{InFlight: 4}, owned: 2,
			partitions: []owner.Stats{
				{Open: 3, OldestOpen: time.Second, Rooms: 1, Repeats: 1},
				{Open: 5, OldestOpen: 3 * time.Second, Rooms: 2, Repeats: 1},
			},
			audience: audience.Stats{Viewers: 7, DroppedLikes: 9, Slow: 1},
		}
	})
	m.Accepted(3*time.Millisecond, false)
	m.Accepted(time.Millisecond, true)
	m.Rejected(wire.CodeBusy)
	m.Unknown()
	m.decided(&room.Decision{Gift: &room.Gift{At: 1000}, Status: room.Delivered, Reason: room.ReasonOK, At: 1240})
	m.called(room.ActionGifts, 7, room.Answer{Outcome: room.Consumed}, 15*time.Millisecond)
	m.alarm(room.Alarm{Class: room.ClassConfig})
	m.request("/v1/rooms/:room", "GET", 404, 0)
	text := scrape(t, router{routes: adminRoutes(serveAlive, m.handler())}.handler())
	wantLines(
		t, text,
		`giftwire_gifts_accepted_total 1`,
		`giftwire_gifts_repeated_total 1`,
		`giftwire_gifts_unanswered_total 1`,
		`giftwire_gifts_rejected_total{code="busy"} 1`,
		`giftwire_gifts_rejected_total{code="declined"} 0`, // there before the first one
		`giftwire_gift_accept_seconds_count 1`,
		`giftwire_gift_results_total{reason="ok",status="delivered"} 1`,
		`giftwire_gift_result_seconds_bucket{le="0.25"} 1`,
		`giftwire_gift_result_seconds_bucket{le="0.2"} 0`,
		`giftwire_zego_calls_total{action="gifts",class="none",outcome="consumed"} 1`,
		`giftwire_zego_call_entries_sum{action="gifts"} 7`,
		`giftwire_alarms_total{class="config"} 1`,
		`giftwire_http_requests_total{method="GET",route="/v1/rooms/:room",status="404"} 1`,
		`giftwire_ready 1`,
		`giftwire_gifts_in_flight 4`,
		`giftwire_gifts_open 8`,
		`giftwire_gifts_oldest_open_seconds 3`,
		`giftwire_owner_repeats_total 2`,
		`giftwire_partitions_owned 2`,
		`giftwire_viewers 7`,
		`giftwire_viewers_slow_total 1`,
		`giftwire_outbox_drops_total{reason="likes"} 9`,
	)
}

func TestMetricsOfTwoHubsDoNotMeet(t *testing.T) {
	a, b := newMetrics(func() reading { return reading{} }), newMetrics(func() reading { return reading{} })
	a.Unknown()
	wantLines(t, scrape(t, router{routes: adminRoutes(serveAlive, a.handler())}.handler()), `giftwire_gifts_unanswered_total 1`)
	wantLines(t, scrape(t, router{routes: adminRoutes(serveAlive, b.handler())}.handler()), `giftwire_gifts_unanswered_total 0`)
}

func TestMetricsAreWellFormed(t *testing.T) {
	m := newMetrics(func() reading { return reading{} })
	text := scrape(t, router{routes: adminRoutes(serveAlive, m.handler())}.handler())
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestOutletTellsWhatItCarried(t *testing.T) {
	var got []string
	answer := room.Answer{Outcome: room.NotTaken, Class: room.ClassRetry, Code: 1}
	o := &outlet{
		weather: weather{log: slog.New(slog.DiscardHandler)},
		next:    answering(answer),
		called: func(a room.Action, entries int, ans room.Answer, _ time.Duration) {
			if ans.Code != 1 {
				t.Errorf("answer %+v", ans)
			}
			got = append(got, a.String()+strings.Repeat("+", entries))
		},
	}
	ctx := t.Context()
	o.SendGifts(ctx, room.GiftCall{Gifts: make([]*room.Gift, 3)})
	o.SendComments(ctx, room.CommentCall{Comments: make([]room.Comment, 2)})
	o.SendLikes(ctx, room.LikeCall{Likes: make([]room.Like, 1)})
	o.QueryGifts(ctx, room.QueryCall{MsgIDs: make([]room.MsgID, 4)})
	if want := "gifts+++ comments++ likes+ query++++"; strings.Join(got, " ") != want {
		t.Errorf("told %v, want %s", got, want)
	}
}

func TestOutletJudgesAnswersForTheBreaker(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer room.Answer
		counts int // failures after one call, of one before
	}{
		{"consumed", room.Answer{Outcome: room.Consumed}, 0},
		{"a code is an answer", room.Answer{Outcome: room.NotTaken, Code: 7206001}, 0},
		{"refused connection", room.Answer{Outcome: room.NotTaken, Class: room.ClassRetry}, 2},
		{"timeout", room.Answer{Outcome: room.Unknown}, 2},
		{"our own mistake", room.Answer{Outcome: room.NotTaken, Class: room.ClassBadRequest}, 1},
	} {
		o := &outlet{weather: weather{log: slog.New(slog.DiscardHandler)}, next: answering(tt.answer), called: func(room.Action, int, room.Answer, time.Duration) {}}
		b := &o.breaker
		b.answered("r0", true, time.Now())
		b.answered("r0", false, time.Now())
		o.SendGifts(t.Context(), room.GiftCall{Room: "r1"})
		if b.failures != tt.counts {
			t.Errorf("%s: %d failures counted, want %d", tt.name, b.failures, tt.counts)
		}
	}
}

func TestOutletHoldsCallsBackWhenNothingIsHeard(t *testing.T) {
	o := &outlet{weather: weather{log: slog.New(slog.DiscardHandler)}}
	for i := range 20 {
		o.breaker.answered(fmt.Sprintf("r%d", i), false, time.Now().Add(-10*time.Second))
	}
	if c := o.check(time.Now()); c.Status != checkWarn {
		t.Errorf("check %+v, want a warning", c)
	}
	if _, ok := o.gate(room.ActionGifts); !ok {
		t.Error("the first probe is held back")
	}
	if wait, ok := o.gate(room.ActionGifts); ok || wait <= 0 {
		t.Errorf("second call: wait %v, %v", wait, ok)
	}
}

func TestRouterCountsRequests(t *testing.T) {
	m := newMetrics(func() reading { return reading{} })
	h := router{
		routes: []route{{http.MethodGet, "/v1/rooms/:room", 0, serveAlive}}, seen: m.request,
	}.handler()
	for range 3 {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v1/rooms/secret-room", http.NoBody))
	}
	text := scrape(t, router{routes: adminRoutes(serveAlive, m.handler())}.handler())
	wantLines(t, text, `giftwire_http_requests_total{method="GET",route="/v1/rooms/:room",status="200"} 3`)
	if strings.Contains(text, "secret-room") {
		t.Error("a room's name is a label")
	}
}
