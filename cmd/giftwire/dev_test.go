package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/client"
)

// dev runs everything in one process, and a kill loses nothing: neither the hub's gifts
// nor what the simulated ZEGO knows.
func TestDevOutlivesAKill(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := startDev(t, data)
	token := devViewer(t, p, `{"user_id":"ann","nickname":"Ann"}`)
	ann := watchDev(t, p, token, client.Place{})
	ann.join()
	ann.give("c1", 10)
	if got := ann.result("c1"); got.Status != "delivered" {
		t.Fatalf("result %+v, want delivered", got)
	}
	ann.give("c2", 20)
	ann.accepted("c2")
	p.kill()

	p = startDev(t, data)
	again := watchDev(t, p, token, ann.conn.Place()) // the token is good over a restart
	again.give("c2", 20)
	if got := again.result("c2"); got.Status != "delivered" {
		t.Errorf("after the kill: %+v, want delivered: ZEGO remembers the join", got)
	}
	again.give("c1", 10)
	if got := again.result("c1"); got.Status != "delivered" {
		t.Errorf("repeated after the kill: %+v", got)
	}
	status, body := get(t.Context(), "http://"+p.address(t, "listen")+"/sim/state", "")
	if status != http.StatusOK || !bytes.Contains(body, []byte(`"doubled":0`)) || !bytes.Contains(body, []byte(`"delivered":2`)) {
		t.Errorf("the simulator: %d %s, want 2 delivered and none doubled", status, body)
	}
	if status, took := p.terminate(t); status != 0 {
		t.Errorf("SIGTERM: exit %d after %v", status, took)
	}
}

func startDev(t *testing.T, data string) *process {
	t.Helper()
	p := start(t, "dev", "--listen", "127.0.0.1:0", "--data", data, "--log-level", "info", "--log-format", "json")
	p.await(t, "the welcome", func() bool { return strings.Contains(p.out.String(), "Ctrl-C") })
	return p
}

func devViewer(t *testing.T, p *process, wish string) string {
	t.Helper()
	status, body := ask(t.Context(), http.MethodPost, "http://"+p.address(t, "listen")+"/v1/dev/tokens", "", wish)
	var got devToken
	if err := json.Unmarshal(body, &got); status != http.StatusOK || err != nil || got.Room != devRoom || got.Token == "" {
		t.Fatalf("token: %d %s %v", status, body, err)
	}
	return got.Token
}

func watchDev(t *testing.T, p *process, token string, from client.Place) *viewer {
	t.Helper()
	conn, err := client.Dial(t.Context(), client.Config{
		URL: "http://" + p.address(t, "listen"), Room: devRoom, Token: token, From: from, AsBrowser: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return newViewer(t, conn, "ann")
}

func TestDevTokens(t *testing.T) {
	t.Parallel()
	p := startDev(t, t.TempDir())
	base := "http://" + p.address(t, "listen")
	for _, tt := range []struct {
		body   string
		status int
	}{
		{``, 200},
		{`{}`, 200},
		{`{"room":"r1","user_id":"u1","nickname":"小明"}`, 200},
		{`{"user_id":"a-b"}`, 400},
		{`{"user_id":""}`, 400},
		{`{"nickname":"` + strings.Repeat("x", 33) + `"}`, 400},
		{`{"room":"a/b"}`, 400},
		{`{"rooom":"r1"}`, 400},
		{`[]`, 400},
		{`{"user_id":"` + strings.Repeat("x", 5000) + `"}`, 400},
	} {
		if status, body := ask(t.Context(), http.MethodPost, base+"/v1/dev/tokens", "", tt.body); status != tt.status {
			t.Errorf("%.60s: %d %s, want %d", tt.body, status, body, tt.status)
		}
	}
	// Another host's name for this machine opens nothing.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	r.Close = true
	resp, err := new(http.Transport).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("Host evil.example: %d, want 403", resp.StatusCode)
	}
	// What a page needs is there, with its policy.
	status, body := get(t.Context(), base+"/", "")
	if status != http.StatusOK || !bytes.Contains(body, []byte("giftwire")) {
		t.Errorf("page: %d", status)
	}
}

// A page that is faster than the room's making must not take the room for gone.
func TestDevAnswersWhenTheRoomIsThere(t *testing.T) {
	t.Parallel()
	open := make(chan struct{})
	h := onceOpen(open, http.NotFoundHandler())
	for want := range 2 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/rooms/demo/ws", http.NoBody))
		if status := []int{http.StatusServiceUnavailable, http.StatusNotFound}[want]; w.Code != status {
			t.Errorf("status %d, want %d", w.Code, status)
		}
		if want == 0 {
			if w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"code":"unavailable"`) {
				t.Errorf("%v %s", w.Header(), w.Body)
			}
			close(open)
		}
	}
}

// The demo page has no API key, and reads what it shows of gifts and room all the same:
// this, and nothing else.
func TestDevReadsForThePage(t *testing.T) {
	t.Parallel()
	p := startDev(t, t.TempDir())
	base := "http://" + p.address(t, "listen")
	ann := watchDev(t, p, devViewer(t, p, `{"user_id":"ann"}`), client.Place{})
	ann.join()
	ann.give("c1", 10)
	id := ann.result("c1").MsgID.String()
	for _, tt := range []struct {
		method, path string
		status       int
		has          string
	}{
		{http.MethodGet, "/v1/dev/rooms/demo", 200, `"accepted":1`},
		{http.MethodGet, "/v1/dev/rooms/nobody", 404, `room_not_found`},
		{http.MethodGet, "/v1/dev/rooms/demo/gifts/" + id, 200, `"event":"durable"`},
		{http.MethodGet, "/v1/dev/rooms/demo/gifts/x", 400, `bad_request`},
		{http.MethodGet, "/v1/dev/rooms/demo/outcomes", 404, `not_found`},
		{http.MethodPut, "/v1/dev/rooms/demo", 404, `not_found`},
		{http.MethodDelete, "/v1/dev/rooms/demo", 404, `not_found`},
		{http.MethodGet, "/v1/rooms/demo", 401, `unauthorized`},
	} {
		status, body := ask(t.Context(), tt.method, base+tt.path, "", `{"mini_game_id":"TinyLoveWar"}`)
		if status != tt.status || !bytes.Contains(body, []byte(tt.has)) {
			t.Errorf("%s %s: %d %s, want %d with %s", tt.method, tt.path, status, body, tt.status, tt.has)
		}
	}
}
