//go:build unix

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/auth"
)

// echo is a part behind the front: it answers with its name and what it was asked.
func echo(t *testing.T, name string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Join([]string{name, r.Method, r.Host, r.URL.Path, r.Header.Get("Authorization")}, " ")) // a test's
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func newFront(t *testing.T) http.Handler {
	t.Helper()
	tokens, err := auth.NewHS256(auth.HS256Config{Secret: []byte(strings.Repeat("k", 32))})
	if err != nil {
		t.Fatal(err)
	}
	other := echo(t, "another")
	f := &front{
		node: echo(t, "node"), admin: echo(t, "admin"), sim: echo(t, "sim"),
		callback: func() string { return other }, tokens: tokens, apiKey: "secret",
	}
	return f.handler()
}

func get(h http.Handler, method, url, body string) *httptest.ResponseRecorder {
	r, w := httptest.NewRequest(method, url, strings.NewReader(body)), httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Every path reaches what stands behind it; only what the page reads gets the key.
func TestFrontPassesOn(t *testing.T) {
	h := newFront(t)
	for path, want := range map[string]string{
		"GET /v1/rooms/demo/ws":         "node GET 127.0.0.1:8081 /v1/rooms/demo/ws ",
		"POST /v1/rooms/demo/gifts":     "node POST 127.0.0.1:8081 /v1/rooms/demo/gifts ",
		"GET /v1/dev/rooms/demo":        "node GET 127.0.0.1:8081 /v1/rooms/demo Bearer secret",
		"GET /v1/dev/rooms/r1/gifts/m1": "node GET 127.0.0.1:8081 /v1/rooms/r1/gifts/m1 Bearer secret",
		"GET /v1/dev/rooms/demo/ws":     "node GET 127.0.0.1:8081 /v1/dev/rooms/demo/ws ",
		"DELETE /v1/dev/rooms/demo":     "node DELETE 127.0.0.1:8081 /v1/dev/rooms/demo ",
		"POST /v1/zego/callback":        "another POST 127.0.0.1:8081 /v1/zego/callback ",
		"GET /sim/arrivals":             "sim GET 127.0.0.1:8081 /sim/arrivals ",
		"GET /readyz":                   "admin GET 127.0.0.1:8081 /readyz ",
	} {
		method, url, _ := strings.Cut(path, " ")
		if diff := cmp.Diff(want, get(h, method, "http://127.0.0.1:8081"+url, "").Body.String()); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	if page := get(h, http.MethodGet, "http://localhost/", ""); page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "<!doctype html>") {
		t.Errorf("the page: %d", page.Code)
	}
}

// A name that somebody else has pointed to this machine is refused.
func TestFrontIsLocal(t *testing.T) {
	h := newFront(t)
	for host, want := range map[string]int{
		"localhost:8081": 200, "127.0.0.1": 200, "[::1]:8081": 200, "evil.example": 403, "127.0.0.1.evil.example:8081": 403,
	} {
		if got := get(h, http.MethodGet, "http://"+host+"/readyz", "").Code; got != want {
			t.Errorf("%s: %d, want %d", host, got, want)
		}
	}
}

func TestFrontGivesTokens(t *testing.T) {
	h := newFront(t)
	var got viewer
	w := get(h, http.MethodPost, "http://localhost/v1/dev/tokens", `{"user_id":"ann"}`)
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if got.Token == "" || got.Room != demoRoom || got.UserID != "ann" || got.Nickname != "ann" {
		t.Errorf("%+v", got)
	}
	if w := get(h, http.MethodPost, "http://localhost/v1/dev/tokens", ""); w.Code != http.StatusOK {
		t.Errorf("without a wish: %d %s", w.Code, w.Body)
	}
	for _, bad := range []string{`{"user_id":"a b"}`, `{"room":"no room"}`, `{"admin":true}`, `{`, strings.Repeat(" ", tokenBody+1)} {
		if w := get(h, http.MethodPost, "http://localhost/v1/dev/tokens", bad); w.Code != http.StatusBadRequest {
			t.Errorf("%.30s: %d", bad, w.Code)
		}
	}
}

// A node that is away is a plain 502: the page comes back by itself.
func TestFrontOfANodeThatIsAway(t *testing.T) {
	f := &front{node: "127.0.0.1:1", admin: "127.0.0.1:1", sim: "127.0.0.1:1", callback: func() string { return "127.0.0.1:1" }}
	if w := get(f.handler(), http.MethodGet, "http://localhost/v1/rooms/demo", ""); w.Code != http.StatusBadGateway {
		t.Errorf("%d", w.Code)
	}
}
