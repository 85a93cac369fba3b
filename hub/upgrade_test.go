package hub

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
)

// TestKnock: the checks of an upgrade, in their order, by a plain request.
func TestKnock(t *testing.T) {
	st := newStage(t)
	good := st.token("ann")
	long := strings.Repeat("a", 65)
	tests := []struct {
		name, path string
		token      string
		headers    []string // name, value ...
		set        func()
		status     int
		code       string
	}{
		{name: "all is well", token: good, status: 426, code: codeUpgradeRequired},
		{name: "own host", token: good, headers: []string{"Origin", st.url}, status: 426, code: codeUpgradeRequired},
		{name: "allowed origin", token: good, headers: []string{"Origin", "https://live.example.com"}, status: 426, code: codeUpgradeRequired},
		{name: "resume", path: "/v1/rooms/r1/ws?since=3&epoch=e1", token: good, status: 426, code: codeUpgradeRequired},
		{name: "another epoch", path: "/v1/rooms/r1/ws?since=3&epoch=e0", token: good, status: 426, code: codeUpgradeRequired},
		{name: "epoch alone", path: "/v1/rooms/r1/ws?epoch=e1", token: good, status: 426, code: codeUpgradeRequired},

		{name: "bad room", path: "/v1/rooms/a.b/ws", status: 400, code: codeBadRoom},
		{name: "room too long", path: "/v1/rooms/" + long + "/ws", token: good, status: 400, code: codeBadRoom},
		{name: "room with a slash", path: "/v1/rooms/a%2Fb/ws", token: good, status: 400, code: codeBadRoom},
		{name: "token in the query", path: "/v1/rooms/r1/ws?token=" + good, token: good, status: 400, code: codeTokenInQuery},
		{name: "access_token in the query", path: "/v1/rooms/r1/ws?access_token=", status: 400, code: codeTokenInQuery},
		{name: "jwt in the query", path: "/v1/rooms/r1/ws?since=1&jwt=x", status: 400, code: codeTokenInQuery},
		{name: "since is no number", path: "/v1/rooms/r1/ws?since=x&epoch=e1", token: good, status: 400, code: codeBadRequest},
		{name: "since is negative", path: "/v1/rooms/r1/ws?since=-1&epoch=e1", token: good, status: 400, code: codeBadRequest},
		{name: "since is empty", path: "/v1/rooms/r1/ws?since=&epoch=e1", token: good, status: 400, code: codeBadRequest},

		{name: "no token", status: 401, code: codeUnauthorized},
		{name: "no token, no such room", path: "/v1/rooms/nope/ws", status: 401, code: codeUnauthorized},
		{name: "garbage", token: "garbage", status: 401, code: codeUnauthorized},
		{name: "the API key", token: testKey, status: 401, code: codeUnauthorized},
		{
			name: "expired", status: 401, code: codeUnauthorized,
			token: st.token("ann", func(id *auth.Identity) { id.Expires = time.Now().Add(-time.Second) }),
		},
		{name: "bad claims", token: st.token("not a user"), status: 401, code: codeUnauthorized},
		{name: "another scheme", headers: []string{"Authorization", "Basic " + good}, status: 401, code: codeUnauthorized},

		{
			name: "for another room", status: 403, code: codeWrongRoom,
			token: st.token("ann", func(id *auth.Identity) { id.Room = "r2" }),
		},
		{name: "foreign origin", token: good, headers: []string{"Origin", "https://evil.example"}, status: 403, code: codeForeignOrigin},
		{name: "foreign port", token: good, headers: []string{"Origin", "http://127.0.0.1:1"}, status: 403, code: codeForeignOrigin},
		{name: "hidden origin", token: good, headers: []string{"Origin", "null"}, status: 403, code: codeForeignOrigin},
		{name: "empty origin", token: good, headers: []string{"Origin", ""}, status: 426, code: codeUpgradeRequired},
		{name: "allowed host, other scheme", token: good, headers: []string{"Origin", "http://live.example.com"}, status: 403, code: codeForeignOrigin},
		{name: "below an allowed host", token: good, headers: []string{"Origin", "https://live.example.com.evil.example"}, status: 403, code: codeForeignOrigin},
		{
			name: "foreign origin, no such room", path: "/v1/rooms/nope/ws", token: good,
			headers: []string{"Origin", "https://evil.example"}, status: 403, code: codeForeignOrigin,
		},

		{name: "no such room", path: "/v1/rooms/nope/ws", token: good, status: 404, code: codeRoomNotFound},
		{
			name: "owner away", token: good, status: 503, code: codeUnavailable,
			set: func() { st.serves.Store(false) },
		},
		{
			name: "draining", token: good, status: 503, code: codeDraining,
			set: func() { st.shut.Store(newProblem(503, codeDraining, "x").after(time.Second)) },
		},
		{name: "starting: rooms are not known yet", path: "/v1/rooms/nope/ws", token: good, status: 503, code: codeDraining},
		{name: "draining, no token", status: 401, code: codeUnauthorized},
	}
	for _, tt := range tests {
		if tt.set != nil {
			tt.set()
		}
		if tt.path == "" {
			tt.path = "/v1/rooms/r1/ws"
		}
		options := []func(*http.Request){header("Authorization", "")}
		if tt.token != "" {
			options = append(options, header("Authorization", "Bearer "+tt.token))
		}
		for i := 0; i+1 < len(tt.headers); i += 2 {
			options = append(options, header(tt.headers[i], tt.headers[i+1]))
		}
		t.Run(tt.name, func(t *testing.T) {
			status, text, h := exchange(t, http.MethodGet, st.url+tt.path, "", options...)
			wantProblem(t, status, text, tt.status, tt.code)
			if (h.Get("Retry-After") != "") != (status == 503) || (h.Get("WWW-Authenticate") != "") != (status == 401) {
				t.Errorf("headers %v", h)
			}
			if tt.token != "" && strings.Contains(text, tt.token) {
				t.Errorf("the answer repeats the token: %s", text)
			}
		})
	}
}

// TestKnockTooOften: upgrades are limited by address.
func TestKnockTooOften(t *testing.T) {
	st := newStage(t, func(cfg *lobbyConfig) { cfg.limits.Upgrades = Rate{PerSecond: 0.1, Burst: 3} })
	token := header("Authorization", "Bearer "+st.token("ann"))
	for i := range 4 {
		status, text, h := exchange(t, http.MethodGet, st.url+"/v1/rooms/r1/ws", "", token)
		if i < 3 {
			wantProblem(t, status, text, 426, codeUpgradeRequired)
			continue
		}
		wantProblem(t, status, text, 429, codeRateLimited)
		if got := h.Get("Retry-After"); got != "10" {
			t.Errorf("Retry-After %q, want 10", got)
		}
	}
	_, err := client.Dial(t.Context(), client.Config{URL: st.url, Room: "r1", Token: st.token("bo")})
	var refused *client.RefusedError
	if !errors.As(err, &refused) || refused.Status != 429 || refused.Code != codeRateLimited {
		t.Errorf("an upgrade: %v", err)
	}
}

func TestAddressOf(t *testing.T) {
	t.Parallel()
	same := func(a, b string) bool { return addressOf(a) == addressOf(b) }
	if same("192.0.2.1", "192.0.2.2") || !same("192.0.2.1", "::ffff:192.0.2.1") {
		t.Error("IPv4 addresses are counted each")
	}
	if !same("2001:db8::1", "2001:db8::ffff:2") || same("2001:db8::1", "2001:db8:0:1::1") || !same("fe80::1%eth0", "fe80::2") {
		t.Error("IPv6 addresses are counted by /64")
	}
	if same("192.0.2.1", "unix") {
		t.Error("what is no address is counted apart")
	}
}

// TestCrossOrigin: pages of allowed origins may read the answer, others not.
func TestCrossOrigin(t *testing.T) {
	st := newStage(t)
	for origin, allowed := range map[string]string{
		"https://live.example.com": "https://live.example.com", st.url: st.url, "https://evil.example": "", "null": "", "": "",
	} {
		for _, method := range []string{http.MethodGet, http.MethodOptions} {
			options := []func(*http.Request){header("Authorization", "")}
			if origin != "" {
				options = append(options, header("Origin", origin))
			}
			status, _, h := exchange(t, method, st.url+"/v1/rooms/r1/ws", "", options...)
			if h.Get("Access-Control-Allow-Origin") != allowed || h.Get("Vary") != "Origin" || h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %q: %v", method, origin, h)
			}
			if method == http.MethodOptions && (status != 204 || h.Get("Access-Control-Allow-Headers") != "Authorization") {
				t.Errorf("preflight: %d %v", status, h)
			}
		}
	}
}

// answer is the head of the answer to an upgrade.
type answer struct {
	status int
	header http.Header
}

// handshake writes a raw upgrade and returns the answer.
func handshake(t *testing.T, st *stage, headers ...string) (answer, net.Conn) {
	t.Helper()
	return handshakeWith(t, st, nil, headers...)
}

// handshakeWith sends more bytes right behind the upgrade.
func handshakeWith(t *testing.T, st *stage, early []byte, headers ...string) (answer, net.Conn) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(st.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed already
	request := "GET /v1/rooms/r1/ws HTTP/1.1\r\nHost: " + strings.TrimPrefix(st.url, "http://") + "\r\n" +
		strings.Join(headers, "\r\n") + "\r\n\r\n"
	if _, err := conn.Write(append([]byte(request), early...)); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second)) // an error shows in the read
	var head []byte                                            // byte by byte: what follows is not ours
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		b := make([]byte, 1)
		if _, err := conn.Read(b); err != nil {
			t.Fatal(err)
		}
		head = append(head, b...)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // the body was not read, which is all that it complains of
	return answer{resp.StatusCode, resp.Header}, conn
}

// TestHandshake: sub-protocols, and requests that are no good upgrade.
func TestHandshake(t *testing.T) {
	st := newStage(t)
	token := st.token("ann")
	const up, ws, v13, key = "Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
	bearer := "Authorization: Bearer " + token
	tests := []struct {
		name     string
		headers  []string
		status   int
		protocol string
	}{
		{"native", []string{up, ws, v13, key, bearer}, 101, ""},
		{"native with protocol", []string{up, ws, v13, key, bearer, "Sec-WebSocket-Protocol: giftwire.v1"}, 101, "giftwire.v1"},
		{"browser", []string{up, ws, v13, key, "Sec-WebSocket-Protocol: giftwire.v1, bearer." + token}, 101, "giftwire.v1"},
		{"browser, token first", []string{up, ws, v13, key, "Sec-WebSocket-Protocol: bearer." + token + ",giftwire.v1"}, 101, "giftwire.v1"},
		{"two lines", []string{up, ws, v13, key, "Sec-WebSocket-Protocol: bearer." + token, "Sec-WebSocket-Protocol: giftwire.v1"}, 101, "giftwire.v1"},
		{"token alone", []string{up, ws, v13, key, "Sec-WebSocket-Protocol: bearer." + token}, 101, ""},
		{"unknown protocol", []string{up, ws, v13, key, bearer, "Sec-WebSocket-Protocol: giftwire.v2"}, 101, ""},
		{"compression is not taken", []string{up, ws, v13, key, bearer, "Sec-WebSocket-Extensions: permessage-deflate"}, 101, ""},
		{"bad token as protocol", []string{up, ws, v13, key, "Sec-WebSocket-Protocol: giftwire.v1, bearer.x"}, 401, ""},
		{"empty token as protocol", []string{up, ws, v13, key, "Sec-WebSocket-Protocol: giftwire.v1, bearer."}, 401, ""},
		{"no upgrade", []string{"Connection: close", ws, v13, key, bearer}, 426, ""},
		{"upgrade to something else", []string{up, "Upgrade: h2c", v13, key, bearer}, 426, ""},
		{"version 8", []string{up, ws, "Sec-WebSocket-Version: 8", key, bearer}, 426, ""},
		{"no key", []string{up, ws, v13, bearer}, 400, ""},
		{"two keys", []string{up, ws, v13, key, key, bearer}, 400, ""},
		{"short key", []string{up, ws, v13, "Sec-WebSocket-Key: dGhl", bearer}, 400, ""},
		{"two origins", []string{up, ws, v13, key, bearer, "Origin: " + st.url, "Origin: https://evil.example"}, 403, ""},
	}
	for _, tt := range tests {
		resp, conn := handshake(t, st, tt.headers...)
		if resp.status != tt.status || resp.header.Get("Sec-WebSocket-Protocol") != tt.protocol ||
			resp.header.Get("Sec-WebSocket-Extensions") != "" {
			t.Errorf("%s: %d %v", tt.name, resp.status, resp.header)
		}
		if tt.status == 426 && (resp.header.Get("Upgrade") != "websocket" || resp.header.Get("Sec-WebSocket-Version") != "13") {
			t.Errorf("%s: %v", tt.name, resp.header)
		}
		if tt.status != 101 && resp.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v", tt.name, resp.header)
		}
		_ = conn.Close() // the test has seen what it wanted
	}
}

// TestWelcome: the first event tells where the viewer is.
func TestWelcome(t *testing.T) {
	st := newStage(t)
	st.state.Seq, st.state.GameID, st.state.Game.Round = 41, "TinyLoveWar", "77"
	ann := st.guest("ann", func(cfg *client.Config) { cfg.AsBrowser = true })
	got := next[wire.Welcome](ann)
	want := wire.Welcome{
		Room: "r1", UserID: "ann", Node: "n1", Epoch: "e1", Seq: 41, Viewers: 1,
		Game: wire.Game{MiniGameID: "TinyLoveWar", State: "unknown", RoundID: "77"},
		Menu: wire.MenuOf(testCatalogue(t), "TinyLoveWar"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for from, seq := range map[client.Place]uint64{{Epoch: "e1", Seq: 40}: 40, {Epoch: "e1", Seq: 42}: 41, {Epoch: "e0", Seq: 40}: 41} {
		bo := st.guest("bo", func(cfg *client.Config) { cfg.From = from })
		if got := next[wire.Welcome](bo); got.Seq != seq || got.Resumed != (seq == 40) {
			t.Errorf("from %+v: %+v", from, got)
		}
		if err := bo.Close(); err != nil {
			t.Error(err)
		}
	}
}

// brokenAuth cannot check anything.
type brokenAuth struct{}

func (brokenAuth) Authenticate(context.Context, string) (auth.Identity, error) {
	return auth.Identity{}, fmt.Errorf("the secret backend is away")
}

func TestAuthenticatorAway(t *testing.T) {
	st := newStage(t)
	st.auth = brokenAuth{}
	status, text, _ := exchange(t, http.MethodGet, st.url+"/v1/rooms/r1/ws", "")
	wantProblem(t, status, text, 503, codeUnavailable)
	if strings.Contains(text, "secret backend") {
		t.Errorf("the answer tells of the inside: %s", text)
	}
}
