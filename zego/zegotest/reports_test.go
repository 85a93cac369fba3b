package zegotest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

const callbackSecret = "callbacksecret0123456789abcdef00"

// listener takes callbacks and checks each as a hub would.
type listener struct {
	t      *testing.T
	verify *zego.Verifier
	now    func() time.Time
	answer func(try int) (status int, body string)

	mu     sync.Mutex
	bodies []string
	seen   []zego.Callback
	at     []time.Time
}

func newListener(t *testing.T, scheme zego.Scheme, now func() time.Time) *listener {
	t.Helper()
	v, err := zego.NewVerifier(zego.VerifierConfig{AppID: appID, Secret: zego.NewSecret(callbackSecret), Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return &listener{t: t, verify: v, now: now, answer: func(int) (int, string) { return 200, `{"Code":200,"Message":"succeed"}` }}
}

// RoundTrip is the listener without a network.
func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	l.ServeHTTP(rec, r)
	return rec.Result(), nil
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		l.t.Error(err)
	}
	got, err := l.verify.Verify(body, l.now())
	if err != nil {
		l.t.Errorf("%v: %s", err, body)
	}
	l.mu.Lock()
	l.bodies = append(l.bodies, string(body))
	l.seen = append(l.seen, got)
	l.at = append(l.at, time.Now())
	try := len(l.seen)
	l.mu.Unlock()
	status, text := l.answer(try)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// all is what arrived, and when.
func (l *listener) all() ([]zego.Callback, []string, []time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.seen), slices.Clone(l.bodies), slices.Clone(l.at)
}

// types is what arrived: 1 for a start, 2 for a settlement.
func (l *listener) types() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, c := range l.seen {
		b.WriteByte('0' + byte(c.Type))
	}
	return b.String()
}

// reporting is a simulator in a bubble that reports to the listener until the test
// ends.
func reporting(t *testing.T, change func(*zegotest.ReportConfig)) (*zegotest.Server, *listener) {
	t.Helper()
	l := newListener(t, zego.SchemeMD5, time.Now)
	cfg := zegotest.Config{
		AppID: appID, ServerSecret: zego.NewSecret(secret),
		Reports: zegotest.ReportConfig{URL: "http://hub.example/v1/zego/callback", Secret: zego.NewSecret(callbackSecret), Transport: l},
	}
	if change != nil {
		change(&cfg.Reports)
	}
	if cfg.Reports.Scheme != zego.SchemeMD5 {
		l.verify = newListener(t, cfg.Reports.Scheme, time.Now).verify
	}
	s, err := zegotest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, l
}

func TestReportsOfARound(t *testing.T) {
	for name, change := range map[string]func(*zegotest.ReportConfig){
		"as the table":  nil,
		"sha1":          func(c *zegotest.ReportConfig) { c.Scheme = zego.SchemeSHA1 },
		"as an example": func(c *zegotest.ReportConfig) { c.Style.Example = true },
		"snake case":    func(c *zegotest.ReportConfig) { c.Style.SnakeCase = true },
		"escaped":       func(c *zegotest.ReportConfig) { c.Style.Escaped = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, l := reporting(t, change)
				s.StartGame("r1", game)
				synctest.Wait()
				s.SettleGame("r1", zego.Settlement{WinTeam: 2, ResultType: 1, UserSize: 7, ExtraData: `{"k":1}`})
				synctest.Wait()
				at := time.Now().UnixMilli() / 1000 * 1000
				want := []zego.Callback{
					{ReportID: "report-1", Type: zego.ReportStart, MiniGameID: game, RoomID: "r1", RoundID: "1", At: at},
					{
						ReportID: "report-2", Type: zego.ReportSettlement, MiniGameID: game, RoomID: "r1", RoundID: "1", At: at,
						Result: zego.Settlement{WinTeam: 2, ResultType: 1, UserSize: 7, ExtraData: `{"k":1}`},
					},
				}
				seen, bodies, _ := l.all()
				if diff := cmp.Diff(want, seen); diff != "" {
					t.Error(diff)
				}
				marks := map[string]string{
					"as the table": `"ReportTime":946684800000`, "as an example": `"WinTeam":"2"`, "snake case": `"win_team":2`,
					"escaped": `%22WinTeam%22%3A2`, "sha1": `"Signature"`,
				}
				if !strings.Contains(bodies[1], marks[name]) {
					t.Errorf("%s lacks %s", bodies[1], marks[name])
				}
				if got := s.Reports(); got != (zegotest.ReportCounts{Queued: 2, Tries: 2, Delivered: 2}) {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// TestReportsAreRepeated after 2, 4, 8, 16 and 32 s, and then lost.
func TestReportsAreRepeated(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(try int) (int, string)
		want   []time.Duration
		counts zegotest.ReportCounts
	}{
		{
			"never taken", func(int) (int, string) { return 500, "" },
			[]time.Duration{0, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second},
			zegotest.ReportCounts{Queued: 1, Tries: 6, Lost: 1},
		},
		{
			"Code 500", func(int) (int, string) { return 200, `{"Code":500}` },
			[]time.Duration{0, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second},
			zegotest.ReportCounts{Queued: 1, Tries: 6, Lost: 1},
		},
		{
			"taken at last", func(try int) (int, string) {
				if try < 3 {
					return 200, "<html>"
				}
				return 200, `{"Code":200}`
			},
			[]time.Duration{0, 2 * time.Second, 4 * time.Second},
			zegotest.ReportCounts{Queued: 1, Tries: 3, Delivered: 1},
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, l := reporting(t, nil)
			l.answer = tt.answer
			s.StartGame("r1", game)
			last := time.Now()
			time.Sleep(5 * time.Minute)
			var gaps []time.Duration
			seen, _, times := l.all()
			for _, at := range times {
				gaps = append(gaps, at.Sub(last))
				last = at
			}
			if diff := cmp.Diff(tt.want, gaps); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
			if got := s.Reports(); got != tt.counts {
				t.Errorf("%s: %+v, want %+v", tt.name, got, tt.counts)
			}
			if ids := cmp.Diff(seen[0], seen[len(seen)-1]); ids != "" {
				t.Errorf("%s: a repeat is another report: %s", tt.name, ids)
			}
		})
	}
}

func TestDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := reporting(t, nil)
		round := func(d zegotest.Delivery) string {
			t.Helper()
			before := len(l.types())
			s.SetDelivery(d)
			s.StartGame("r1", game)
			synctest.Wait()
			s.SettleGame("r1", zego.Settlement{})
			synctest.Wait()
			return l.types()[before:]
		}
		for _, tt := range []struct {
			delivery zegotest.Delivery
			want     string
		}{
			{zegotest.Delivery{}, "12"},
			{zegotest.Delivery{Duplicate: true}, "1122"},
			{zegotest.Delivery{Reorder: true}, "21"},
			{zegotest.Delivery{Reorder: true, Duplicate: true}, "2121"},
			{zegotest.Delivery{Never: true}, ""},
			{zegotest.Delivery{}, "12"},
		} {
			if got := round(tt.delivery); got != tt.want {
				t.Errorf("%+v: %s, want %s", tt.delivery, got, tt.want)
			}
		}
		if got := s.Reports(); got.Lost != 2 || got.Delivered != 14 {
			t.Errorf("%+v", got)
		}
	})
}

// TestOneSlowReportHoldsUpNoOther.
func TestOneSlowReportHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := reporting(t, nil)
		l.answer = func(try int) (int, string) {
			if try == 1 {
				return 500, ""
			}
			return 200, `{"Code":200}`
		}
		s.StartGame("r1", game)
		synctest.Wait()
		s.StartGame("r2", game)
		synctest.Wait()
		if seen, _, _ := l.all(); len(seen) != 2 || seen[1].RoomID != "r2" {
			t.Errorf("%+v", seen)
		}
	})
}

func TestReportsAreBounded(t *testing.T) {
	s, err := zegotest.New(zegotest.Config{
		AppID: appID, ServerSecret: zego.NewSecret(secret),
		Reports: zegotest.ReportConfig{URL: "http://hub.example/", Secret: zego.NewSecret(callbackSecret)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 1500 { // nobody runs it
		s.StartGame("r1", game)
	}
	if got := s.Reports(); got != (zegotest.ReportCounts{Queued: 1500, Lost: 500}) {
		t.Errorf("%+v", got)
	}
}

// TestReportsOverHTTP: with the own transport, and Run ends while one is repeated.
func TestReportsOverHTTP(t *testing.T) {
	l := newListener(t, zego.SchemeMD5, time.Now)
	hub := httptest.NewServer(l)
	defer hub.Close()
	l.answer = func(try int) (int, string) {
		if try == 2 {
			return 404, ""
		}
		return 200, `{"Code":200}`
	}
	s, err := zegotest.New(zegotest.Config{
		AppID: appID, ServerSecret: zego.NewSecret(secret),
		Reports: zegotest.ReportConfig{URL: hub.URL + "/v1/zego/callback", Secret: zego.NewSecret(callbackSecret)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for _, want := range []string{"1", "12"} {
		if want == "1" {
			s.StartGame("r1", game)
		} else {
			s.SettleGame("r1", zego.Settlement{})
		}
		for l.types() != want {
			<-poll.C
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	want := []zego.Callback{{Type: zego.ReportStart, RoomID: "r1"}, {Type: zego.ReportSettlement, RoomID: "r1"}}
	seen, _, _ := l.all()
	if diff := cmp.Diff(want, seen, cmpopts.IgnoreFields(zego.Callback{}, "ReportID", "MiniGameID", "RoundID", "At")); diff != "" {
		t.Error(diff)
	}
}
