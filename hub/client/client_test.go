package client_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server that talks to each connection as f does.
func serve(t *testing.T, f func(*http.Request, *websocket.Conn)) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.Subprotocol}})
		if err != nil {
			t.Error(err)
			return
		}
		f(r, ws)
		_ = ws.Close(websocket.StatusServiceRestart, "") // the client may be gone
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/live"
}

func TestConn(t *testing.T) {
	t.Parallel()
	var asked *http.Request
	var got string
	base := serve(t, func(r *http.Request, ws *websocket.Conn) {
		asked = r
		_, frame, err := ws.Read(r.Context())
		if err != nil {
			t.Error(err)
		}
		got = string(frame)
		for _, answer := range []string{
			`[{"type":"welcome","epoch":"e2","seq":5},{"type":"news"},{"type":"gifts","seq":6,"gifts":[]}]`,
			`[{"type":"lagged","from":7,"to":9}]`, `[{"type":"bye","code":"draining","reconnect_in_ms":7}]`,
		} {
			if err := ws.Write(r.Context(), websocket.MessageText, []byte(answer)); err != nil {
				t.Error(err)
			}
		}
	})
	conn, err := client.Dial(t.Context(), client.Config{
		URL: base, Room: "r1", Token: "abc", From: client.Place{Epoch: "e&1", Seq: 3}, Header: http.Header{"Origin": {base}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Send(t.Context(), wire.GiftFrame{ID: "c-1", GiftID: "g1", Count: 20}); err != nil {
		t.Fatal(err)
	}
	var events []wire.Event
	var places []client.Place
	for err == nil {
		var e wire.Event
		if e, err = conn.Next(t.Context()); err == nil {
			events = append(events, e)
			places = append(places, conn.Place())
		}
	}
	if code := client.CloseCode(err); code != wire.CloseRestart {
		t.Errorf("ended with %v", err)
	}
	wantEvents := []wire.Event{
		wire.Welcome{Epoch: "e2", Seq: 5},
		wire.Gifts{Seq: 6, Gifts: []wire.Gift{}},
		wire.Lagged{From: 7, To: 9},
		wire.Bye{Code: wire.ByeDraining, ReconnectInMS: 7},
	}
	if diff := cmp.Diff(wantEvents, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	wantPlaces := []client.Place{{"e2", 5}, {"e2", 6}, {"e2", 9}, {"e2", 9}}
	if diff := cmp.Diff(wantPlaces, places); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if want := `{"type":"gift","id":"c-1","gift_id":"g1","count":20}`; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	if asked.URL.Path != "/live/v1/rooms/r1/ws" || asked.Header.Get("Authorization") != "Bearer abc" {
		t.Errorf("asked for %v with %v", asked.URL, asked.Header)
	}
	if diff := cmp.Diff(url.Values{"since": {"3"}, "epoch": {"e&1"}}, asked.URL.Query()); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
}

func TestAsBrowser(t *testing.T) {
	t.Parallel()
	var asked http.Header
	base := serve(t, func(r *http.Request, _ *websocket.Conn) { asked = r.Header })
	conn, err := client.Dial(t.Context(), client.Config{URL: base, Room: "r1", Token: "a.b-c_d", AsBrowser: true})
	if err != nil {
		t.Fatal(err)
	}
	if conn.Subprotocol() != wire.Subprotocol {
		t.Errorf("selected %q", conn.Subprotocol())
	}
	if _, err := conn.Next(t.Context()); client.CloseCode(err) != wire.CloseRestart {
		t.Errorf("ended with %v", err)
	}
	if got := asked.Get("Sec-WebSocket-Protocol"); got != "giftwire.v1,bearer.a.b-c_d" || asked.Get("Authorization") != "" {
		t.Errorf("asked with %v", asked)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/rooms/r1/ws" {
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"status":429,"code":"rate_limited","detail":"slowly"}`))
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(srv.Close)
	for room, want := range map[string]client.RefusedError{
		"r1": {Status: 429, Code: "rate_limited", Detail: "slowly", RetryAfter: 3 * time.Second},
		"r2": {Status: 404, Detail: "404 Not Found"},
	} {
		_, err := client.Dial(t.Context(), client.Config{URL: srv.URL, Room: room})
		var got *client.RefusedError
		if !errors.As(err, &got) {
			t.Errorf("%s: %v", room, err)
			continue
		}
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", room, diff)
		}
	}
	if _, err := client.Dial(t.Context(), client.Config{URL: "http://127.0.0.1:1", Room: "r1"}); err == nil || client.CloseCode(err) != 0 {
		t.Errorf("nobody listens: %v", err)
	}
}
