package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/spec/spectest"
	"github.com/giftwire/giftwire/room"
)

// platformSender is ZEGO as a hub's test needs it: it delivers every gift once, or
// does not answer while silent is set.
type platformSender struct {
	silent atomic.Bool
	delay  atomic.Int64 // nanoseconds until the answer

	mu       sync.Mutex
	effects  map[room.MsgID]int
	comments []string
}

func (s *platformSender) SendGifts(ctx context.Context, call room.GiftCall) room.Answer {
	if s.silent.Load() {
		return s.silence(ctx)
	}
	select {
	case <-time.After(time.Duration(s.delay.Load())):
	case <-ctx.Done():
		return room.Answer{Outcome: room.Unknown}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ans := room.Answer{Outcome: room.Consumed, RequestID: "q1"}
	for _, g := range call.Gifts {
		s.effects[g.MsgID] = 1 // ZEGO gives a MsgId once
		ans.Rows = append(ans.Rows, room.Row{MsgID: g.MsgID, Class: room.ResultDelivered})
	}
	return ans
}

func (s *platformSender) SendComments(_ context.Context, call room.CommentCall) room.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range call.Comments {
		s.comments = append(s.comments, c.User.ID+":"+c.Text)
	}
	return room.Answer{Outcome: room.Consumed}
}

func (s *platformSender) SendLikes(context.Context, room.LikeCall) room.Answer {
	return room.Answer{Outcome: room.Consumed}
}

func (s *platformSender) QueryGifts(ctx context.Context, _ room.QueryCall) room.Answer {
	return s.silence(ctx)
}

func (s *platformSender) silence(ctx context.Context) room.Answer {
	<-ctx.Done()
	return room.Answer{Outcome: room.Unknown}
}

// given is how many different gifts had an effect.
func (s *platformSender) given() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.effects)
}

// testHub is a running hub with a journal of its own, every exchange of which is held
// against the document.
type testHub struct {
	*Hub
	sender *platformSender
	url    string
	cancel context.CancelFunc
	ended  chan error // what Run returned
}

// testCatalogue has the rocket of ZEGO.md.
func testCatalogue(tb testing.TB) room.Catalogue {
	tb.Helper()
	c, err := room.NewCatalogue([]room.GameSpec{{
		ID: "TinyLoveWar", Join: []room.JoinWord{{Text: "5", Team: "blue"}, {Text: "6", Team: "red"}},
		Gifts: []room.GiftSpec{{
			ID: "g1", Name: "Rocket", Icon: "R",
			Tiers: []room.Tier{{Value: 10, Effect: "soldier"}, {Value: 66, Effect: "general"}},
		}},
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// startHub opens the journal in dir, makes a hub, and waits until it serves. The test
// need not stop it.
func startHub(tb testing.TB, dir string, change ...func(*Config)) *testHub {
	tb.Helper()
	th := openHub(tb, journal.Config{Dir: dir, Node: "n1"}, change...)
	th.serve(tb)
	return th
}

// openHub opens the journal and makes a hub, which serve runs.
func openHub(tb testing.TB, jc journal.Config, change ...func(*Config)) *testHub {
	tb.Helper()
	log := slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	jc.Logger = log
	j, err := journal.Open(tb.Context(), jc)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := j.Close(); err != nil {
			tb.Error(err)
		}
	})
	th := &testHub{sender: &platformSender{effects: make(map[room.MsgID]int)}, ended: make(chan error, 1)}
	cfg := goodConfig(tb)
	cfg.Journal, cfg.Sender, cfg.Catalogue, cfg.Logger = j, th.sender, testCatalogue(tb), log
	cfg.Limits.Room = room.Limits{FlushInterval: 50 * time.Millisecond, CallTimeout: 300 * time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	if th.Hub, err = New(cfg); err != nil {
		tb.Fatal(err)
	}
	return th
}

// serve runs the hub behind a server until the test ends, and waits until it serves.
func (th *testHub) serve(tb testing.TB) {
	tb.Helper()
	docs, err := spectest.Load()
	if err != nil {
		tb.Fatal(err)
	}
	srv := httptest.NewServer(&spectest.Watch{Docs: docs, Next: th.Handler(), Fault: tb.Error, Coverage: answered})
	th.url = srv.URL
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	th.cancel = cancel
	go func() { // joined by stop
		th.ended <- th.Run(ctx)
		close(th.ended)
	}()
	tb.Cleanup(func() {
		th.stop(tb)
		srv.Close()
	})
	if err := th.Ready(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

// stop drains the hub and reports what Run returned; again, it does nothing.
func (th *testHub) stop(tb testing.TB) {
	tb.Helper()
	th.cancel()
	if err := <-th.ended; err != nil {
		tb.Errorf("Run: %v", err)
	}
}

func (th *testHub) call(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	status, text, _ := exchange(t, method, th.url+path, body)
	return status, text
}

// must is call, of which any other status is fatal.
func (th *testHub) must(t *testing.T, want int, method, path, body string) string {
	t.Helper()
	status, text := th.call(t, method, path, body)
	if status != want {
		t.Fatalf("%s %s: %d, want %d: %.500s", method, path, status, want, text)
	}
	return text
}

// eventually polls until the condition holds: what it waits for happens in goroutines
// and fsyncs, not on a clock of the test.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-poll.C:
		case <-deadline:
			tb.Fatalf("not within 20 s: %s", what)
		}
	}
}

const putRoom1 = `{"mini_game_id":"TinyLoveWar","anchor_id":"anchor1"}`

func (th *testHub) counters(t *testing.T, roomID string) countersBody {
	t.Helper()
	return decoded[roomBody](t, th.must(t, http.StatusOK, http.MethodGet, "/v1/rooms/"+roomID, "")).Counters
}

func TestHubDeliversThePlatformsGifts(t *testing.T) {
	th := startHub(t, t.TempDir())
	th.must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
	body := `{"gifts":[` + giftJSON("c1", "g1") + `,` + giftJSON("c2", "nope") + `,{"id":"c3","user":{"user_id":"u2"},"gift_id":"g1","count":15}]}`
	results := decoded[giftsResults](t, th.must(t, http.StatusAccepted, http.MethodPost, giftsPath, body)).Results
	if results[0].Status != "accepted" || results[1].Code != "unknown_gift" || results[2].Code != "bad_count" ||
		!strings.Contains(results[2].Message, "10, 66") {
		t.Fatalf("results %+v", results)
	}
	eventually(t, "delivered", func() bool { return th.counters(t, "r1").Delivered == 1 })
	if got, want := th.counters(t, "r1"), (countersBody{Accepted: 1, Delivered: 1}); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
	page := decoded[outcomesBody](t, th.must(t, http.StatusOK, http.MethodGet, "/v1/rooms/r1/outcomes", ""))
	if len(page.Outcomes) != 1 || page.Outcomes[0].Gift.Value != 10 || page.Outcomes[0].Gift.Num != 2 || page.Outcomes[0].Gift.ReceiverID != "anchor1" {
		t.Errorf("ledger %+v", page)
	}
	tl := decoded[timelineBody](t, th.must(t, http.StatusOK, http.MethodGet, "/v1/rooms/r1/gifts/"+results[0].MsgID, ""))
	var story []string
	for _, e := range tl.Events {
		story = append(story, e.Event)
	}
	if got := strings.Join(story, " "); got != "received durable attempt answer outcome" || tl.Events[0].Node != "n1" {
		t.Errorf("timeline %s, %+v", got, tl.Events[0])
	}
	// The same again is the same gift; other content is not.
	again := decoded[giftsResults](t, th.must(t, http.StatusAccepted, http.MethodPost, giftsPath,
		`{"gifts":[`+giftJSON("c1", "g1")+`,{"id":"c1","user":{"user_id":"u1"},"gift_id":"g1","count":66}]}`)).Results
	if again[0].MsgID != results[0].MsgID || again[1].Code != "conflict" || th.sender.given() != 1 {
		t.Errorf("repeat: %+v; %d effects", again, th.sender.given())
	}
	admin := router{routes: adminRoutes(serveReady("n1", th.checks), th.metrics.handler())}.handler()
	wantLines(t, scrape(t, admin), `giftwire_gifts_accepted_total 1`, `giftwire_gifts_repeated_total 1`,
		`giftwire_gifts_rejected_total{code="bad_count"} 1`, `giftwire_gift_results_total{reason="ok",status="delivered"} 1`,
		`giftwire_gifts_open 0`, `giftwire_ready 1`, `giftwire_partitions_owned 1`)
	if w := get(t, th.AdminHandler(), http.MethodGet, "/readyz"); w.Code != http.StatusOK {
		t.Errorf("readyz: %d %s", w.Code, w.Body)
	}
}

// What was answered accepted is in the very next answers about the room.
func TestHubShowsWhatItHasAccepted(t *testing.T) {
	th := startHub(t, t.TempDir())
	th.sender.silent.Store(true)
	th.must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
	for n := range 30 {
		body := fmt.Sprintf(`{"gifts":[%s]}`, giftJSON(fmt.Sprintf("c%d", n), "g1"))
		result := decoded[giftsResults](t, th.must(t, http.StatusAccepted, http.MethodPost, giftsPath, body)).Results[0]
		if got, want := th.counters(t, "r1"), (countersBody{Accepted: uint64(n + 1), Pending: uint64(n + 1)}); got != want {
			t.Fatalf("counters %+v, want %+v", got, want)
		}
		th.must(t, http.StatusOK, http.MethodGet, "/v1/rooms/r1/gifts/"+result.MsgID, "")
	}
}

// What is open when a node ends is in the journal, and the next run goes on with it.
func TestHubRestartGoesOnWithOpenGifts(t *testing.T) {
	dir := t.TempDir()
	var ids []string
	t.Run("first", func(t *testing.T) {
		th := startHub(t, dir)
		th.sender.silent.Store(true)
		th.must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
		body := `{"gifts":[` + giftJSON("c1", "g1") + `,` + giftJSON("c2", "g1") + `]}`
		for _, r := range decoded[giftsResults](t, th.must(t, http.StatusAccepted, http.MethodPost, giftsPath, body)).Results {
			ids = append(ids, r.MsgID)
		}
		th.stop(t)
		status, text := th.call(t, http.MethodPost, giftsPath, body)
		wantProblem(t, status, text, http.StatusServiceUnavailable, codeDraining)
		if w := get(t, th.AdminHandler(), http.MethodGet, "/readyz"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("readyz of an ended hub: %d", w.Code)
		}
	})
	t.Run("second", func(t *testing.T) {
		th := startHub(t, dir)
		eventually(t, "both delivered", func() bool { return th.counters(t, "r1").Delivered == 2 })
		if got, want := th.counters(t, "r1"), (countersBody{Accepted: 2, Delivered: 2}); got != want {
			t.Errorf("counters %+v, want %+v", got, want)
		}
		for _, id := range ids {
			tl := decoded[timelineBody](t, th.must(t, http.StatusOK, http.MethodGet, "/v1/rooms/r1/gifts/"+id, ""))
			if tl.Gift.Status != "delivered" {
				t.Errorf("gift %s: %s", id, tl.Gift.Status)
			}
		}
	})
}

func TestHubDeletedRoomKeepsItsLedger(t *testing.T) {
	th := startHub(t, t.TempDir())
	th.must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
	body := `{"gifts":[` + giftJSON("c1", "g1") + `]}`
	th.must(t, http.StatusAccepted, http.MethodPost, giftsPath, body)
	eventually(t, "delivered", func() bool { return th.counters(t, "r1").Delivered == 1 })
	th.must(t, http.StatusNoContent, http.MethodDelete, "/v1/rooms/r1", "")
	late := `{"gifts":[` + giftJSON("c1", "g1") + `,` + giftJSON("c2", "g1") + `]}`
	results := decoded[giftsResults](t, th.must(t, http.StatusAccepted, http.MethodPost, giftsPath, late)).Results
	if results[0].Status != "accepted" || results[1].Code != "room_closed" {
		t.Errorf("gifts of a deleted room: %+v, want the repeat accepted and the new one room_closed", results)
	}
	if page := decoded[outcomesBody](t, th.must(t, http.StatusOK, http.MethodGet, "/v1/rooms/r1/outcomes", "")); len(page.Outcomes) != 1 {
		t.Errorf("ledger of a deleted room: %d rows", len(page.Outcomes))
	}
	th.must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
	if got := th.counters(t, "r1"); got.Delivered != 1 {
		t.Errorf("revived: %+v", got)
	}
}

func TestTwoHubsInOneProcess(t *testing.T) {
	a, b := startHub(t, t.TempDir()), startHub(t, t.TempDir())
	for i, th := range []*testHub{a, b} {
		th.must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
		for n := range i + 1 {
			th.must(t, http.StatusAccepted, http.MethodPost, giftsPath, fmt.Sprintf(`{"gifts":[%s]}`, giftJSON(fmt.Sprintf("c%d", n), "g1")))
		}
		eventually(t, "delivered", func() bool { return th.counters(t, "r1").Delivered == uint64(i+1) })
	}
	if a.sender.given() != 1 || b.sender.given() != 2 {
		t.Errorf("effects %d and %d, want 1 and 2", a.sender.given(), b.sender.given())
	}
	a.stop(t)
	b.must(t, http.StatusOK, http.MethodGet, "/v1/rooms/r1", "")
}

func TestHubBeforeRun(t *testing.T) {
	j, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	cfg := goodConfig(t)
	cfg.Journal = j
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := get(t, h.Handler(), http.MethodGet, "/v1/rooms/r1", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+testKey) })
	wantProblem(t, w.Code, w.Body.String(), http.StatusServiceUnavailable, codeUnavailable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Ready(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Ready of a hub that does not run: %v", err)
	}
	if err := h.Run(ctx); err != nil {
		t.Errorf("Run whose context has ended: %v", err)
	}
	if err := h.Run(ctx); err == nil {
		t.Error("Run can be called twice")
	}
}

// A journal that is lost ends the hub: it must not go on without.
func TestHubEndsWithItsJournal(t *testing.T) {
	j, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	cfg := goodConfig(t)
	cfg.Journal = j
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Run(t.Context()) }()
	if err := h.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("Run returned nil though its journal was closed")
	}
}
