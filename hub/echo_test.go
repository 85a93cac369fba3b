package hub

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// testRouter serves a few routes that show what handlers are given.
func testRouter(logs io.Writer, proxies ...netip.Prefix) http.Handler {
	text := func(f func(r *http.Request) string) handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			_, err := io.WriteString(w, f(r))
			return err
		}
	}
	return router{
		log:     slog.New(slog.NewTextHandler(logs, nil)),
		proxies: proxies,
		routes: []route{
			{method: http.MethodGet, path: "/room/:room/gift/:gift", handle: text(func(r *http.Request) string {
				return r.PathValue("room") + "|" + r.PathValue("gift")
			})},
			{method: http.MethodGet, path: "/addr", handle: text(func(r *http.Request) string { return r.RemoteAddr })},
			{method: http.MethodPost, path: "/read", body: 8, handle: func(w http.ResponseWriter, r *http.Request) error {
				body, err := readBody(w, r)
				if err != nil {
					return err
				}
				_, err = w.Write(body)
				return err
			}},
			{method: http.MethodGet, path: "/panic", handle: func(http.ResponseWriter, *http.Request) error { panic("ouch") }},
			{method: http.MethodGet, path: "/fail", handle: func(http.ResponseWriter, *http.Request) error {
				return errors.New("secret cause")
			}},
			{method: http.MethodGet, path: "/busy", handle: func(http.ResponseWriter, *http.Request) error {
				return newProblem(http.StatusServiceUnavailable, codeUnavailable, "not now").after(1500*time.Millisecond).with("X-Test", "1")
			}},
		},
	}.handler()
}

func get(t *testing.T, h http.Handler, method, target string, prepare ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, http.NoBody)
	for _, p := range prepare {
		p(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// problemOf decodes a problem document and checks its shape.
func problemOf(t *testing.T, w *httptest.ResponseRecorder) problemBody {
	t.Helper()
	if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("status %d, content type %q, want a problem; body %s", w.Code, ct, w.Body)
	}
	var p problemBody
	if err := json.Unmarshal(w.Body.Bytes(), &p, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("problem %s: %v", w.Body, err)
	}
	if p.Status != w.Code || p.Title != http.StatusText(w.Code) || p.Code == "" {
		t.Fatalf("problem %s does not fit status %d", w.Body, w.Code)
	}
	return p
}

func TestRouterParametersAreUnescaped(t *testing.T) {
	h := testRouter(io.Discard)
	for target, want := range map[string]string{
		"/room/r1/gift/g1":     "r1|g1",
		"/room/r%31/gift/g1":   "r1|g1",
		"/room/a%2Fb/gift/g1":  "a/b|g1",
		"/room/a%20b/gift/g%7": "a b|g%7", // refused by the names' checks
	} {
		r := &http.Request{Method: http.MethodGet, Header: http.Header{}, Body: http.NoBody}
		path, query, _ := strings.Cut(target, "?")
		r.URL = httptest.NewRequest(http.MethodGet, "/", nil).URL
		r.URL.RawPath, r.URL.RawQuery = path, query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Body.String(); got != want {
			t.Errorf("%s: handler sees %q, want %q", target, got, want)
		}
	}
}

func TestRouterAnswersProblems(t *testing.T) {
	var logs bytes.Buffer
	h := testRouter(&logs)
	tests := []struct {
		method, target string
		status         int
		code           string
	}{
		{http.MethodGet, "/nothing", 404, codeNotFound},
		{http.MethodGet, "/", 404, codeNotFound},
		{http.MethodDelete, "/addr", 405, codeMethodNotAllowed},
		{http.MethodGet, "/panic", 500, codeInternal},
		{http.MethodGet, "/fail", 500, codeInternal},
		{http.MethodGet, "/busy", 503, codeUnavailable},
	}
	for _, tt := range tests {
		w := get(t, h, tt.method, tt.target)
		if p := problemOf(t, w); w.Code != tt.status || p.Code != tt.code {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.target, w.Code, p.Code, tt.status, tt.code)
		}
		if strings.Contains(w.Body.String(), "secret cause") {
			t.Errorf("%s tells the cause: %s", tt.target, w.Body)
		}
	}
	if w := get(t, h, http.MethodDelete, "/addr"); !strings.Contains(w.Header().Get("Allow"), "GET") {
		t.Errorf("405 without a useful Allow: %q", w.Header().Get("Allow"))
	}
	if w := get(t, h, http.MethodGet, "/busy"); w.Header().Get("Retry-After") != "2" || w.Header().Get("X-Test") != "1" {
		t.Errorf("headers %v, want Retry-After 2 (1.5 s rounded up) and X-Test", w.Header())
	}
	if !strings.Contains(logs.String(), "ouch") || !strings.Contains(logs.String(), "secret cause") {
		t.Errorf("the log misses the panic or the error: %s", logs.String())
	}
}

func TestRouterHead(t *testing.T) {
	if w := get(t, testRouter(io.Discard), http.MethodHead, "/addr"); w.Code != http.StatusOK {
		t.Errorf("HEAD answers %d, want 200", w.Code)
	}
}

func TestRouterBoundsBodies(t *testing.T) {
	srv := httptest.NewServer(testRouter(io.Discard))
	defer srv.Close()
	for body, want := range map[string]int{"12345678": 200, "123456789": 413} {
		for _, chunked := range []bool{false, true} {
			var rd io.Reader = strings.NewReader(body)
			if chunked {
				rd = io.MultiReader(rd) // hides the length
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/read", rd)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%d bytes (chunked %v): %d, want %d", len(body), chunked, resp.StatusCode, want)
			}
		}
	}
}

func TestRouterClientAddress(t *testing.T) {
	proxy := netip.MustParsePrefix("10.1.0.0/16")
	tests := []struct {
		name, remote, forwarded string
		proxies                 []netip.Prefix
		want                    string
	}{
		{"direct", "192.0.2.1:99", "", nil, "192.0.2.1"},
		{"header without a trusted proxy", "192.0.2.1:99", "198.51.100.7", nil, "192.0.2.1"},
		{"loopback is not trusted by itself", "127.0.0.1:99", "198.51.100.7", nil, "127.0.0.1"},
		{"loopback is not trusted beside a proxy", "127.0.0.1:99", "198.51.100.7", []netip.Prefix{proxy}, "127.0.0.1"},
		{"through the proxy", "10.1.2.3:99", "198.51.100.7", []netip.Prefix{proxy}, "198.51.100.7"},
		{"a spoofed first hop", "10.1.2.3:99", "203.0.113.9, 198.51.100.7", []netip.Prefix{proxy}, "198.51.100.7"},
		{"not our proxy", "10.2.2.3:99", "198.51.100.7", []netip.Prefix{proxy}, "10.2.2.3"},
		{"IPv6", "[2001:db8::1]:99", "", nil, "2001:db8::1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := get(t, testRouter(io.Discard, tt.proxies...), http.MethodGet, "/addr", func(r *http.Request) {
				r.RemoteAddr = tt.remote
				if tt.forwarded != "" {
					r.Header.Set("X-Forwarded-For", tt.forwarded)
				}
			})
			if got := w.Body.String(); got != tt.want {
				t.Errorf("handler sees %q, want %q", got, tt.want)
			}
		})
	}
}
