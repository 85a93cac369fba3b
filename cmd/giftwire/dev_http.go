package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/web"
)

const (
	// devTokenTTL is how long a token of dev is good: a day of trying things out.
	devTokenTTL = 24 * time.Hour
	// devTokenBody bounds the request for one.
	devTokenBody = 4 << 10
)

// devSite is what dev serves on its one address.
type devSite struct {
	hub    *hub.Hub
	tokens *auth.HS256
	sim    http.Handler
	apiKey string
	// open is closed when the room is there. The hub's paths answer from then on: a page
	// that comes before would take the room for gone.
	open <-chan struct{}
}

// handler serves page, viewers, platform API, tokens, the simulator's own API and what
// operators see.
func (d devSite) handler() http.Handler {
	mux := http.NewServeMux()
	api := onceOpen(d.open, d.hub.Handler())
	mux.Handle("/v1/", api)
	mux.HandleFunc("POST /v1/dev/tokens", devTokens(d.tokens))
	for _, path := range []string{"/rooms/{room}", "/rooms/{room}/gifts/{msg_id}"} {
		mux.Handle("GET "+devReadPath+path, devRead(api, d.apiKey))
	}
	mux.Handle(simAdminPath+"/", http.StripPrefix(simAdminPath, d.sim))
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/"} {
		mux.Handle(path, d.hub.AdminHandler())
	}
	mux.Handle("/", web.Handler())
	return onlyLocal(mux)
}

// devReadPath has what the demo page reads of the platform API.
const devReadPath = "/v1/dev"

// devRead answers as the platform API does, but asks for no key: a page has none, and
// who reaches dev owns the machine.
func devRead(api http.Handler, key string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.Clone(r.Context())
		asked.URL.Path = "/v1" + strings.TrimPrefix(r.URL.Path, devReadPath)
		asked.URL.RawPath = ""
		asked.Header.Set("Authorization", "Bearer "+key)
		api.ServeHTTP(w, asked)
	})
}

// onceOpen refuses requests until open is closed.
func onceOpen(open <-chan struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-open:
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			devProblem(w, http.StatusServiceUnavailable, "unavailable", errStarting)
		}
	})
}

var errStarting = errors.New("giftwire dev is starting")

// onlyLocal refuses requests for another host: a page of somebody else's that had its
// own name point to this machine (DNS rebinding) could else use all of this.
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if !isLoopback(host) {
			http.Error(w, "giftwire dev answers on loopback names only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// loopback checks an address that only the own machine may reach.
func (s *settings) loopback(flag, text string) string {
	host, _, err := net.SplitHostPort(s.address(flag, text))
	if err == nil && !isLoopback(host) {
		s.fault(flag, "%q is not a loopback address: dev has no real keys. Use serve", host)
	}
	return text
}

// devToken asks for a viewer token, and answers with it.
type devToken struct {
	Token    string `json:"token,omitzero"`
	Room     string `json:"room"`
	UserID   string `json:"user_id"`
	Nickname string `json:"nickname"`
}

// devTokens makes viewers out of nothing.
func devTokens(tokens *auth.HS256) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		want, err := readDevToken(w, r)
		if err != nil {
			devProblem(w, http.StatusBadRequest, "bad_request", err)
			return
		}
		want.Token, err = tokens.Token(auth.Identity{
			User: room.User{ID: want.UserID, Nickname: want.Nickname}, Room: want.Room,
			Can: auth.CanAll, Expires: time.Now().Add(devTokenTTL),
		})
		if err != nil {
			devProblem(w, http.StatusBadRequest, "bad_request", err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.MarshalWrite(w, want) // the client has gone: nothing is left to tell
	}
}

// readDevToken reads the wish, with defaults for what is not wished for.
func readDevToken(w http.ResponseWriter, r *http.Request) (devToken, error) {
	var want struct {
		Room     *string `json:"room"`
		UserID   *string `json:"user_id"`
		Nickname *string `json:"nickname"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, devTokenBody))
	if err == nil && len(bytes.TrimSpace(body)) > 0 {
		err = json.Unmarshal(body, &want, json.RejectUnknownMembers(true))
	}
	if err != nil {
		return devToken{}, err
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	id := "guest" + hex.EncodeToString(random)
	out := devToken{Room: or(want.Room, devRoom), UserID: or(want.UserID, id)}
	out.Nickname = or(want.Nickname, out.UserID[:min(len(out.UserID), room.NicknameMax)])
	user := room.User{ID: out.UserID, Nickname: out.Nickname, Avatar: auth.DefaultAvatar}
	return out, errors.Join(room.CheckRoomID(out.Room), user.Check())
}

func or(s *string, def string) string {
	if s == nil {
		return def
	}
	return *s
}

// devProblem answers an error as RFC 9457 asks.
func devProblem(w http.ResponseWriter, status int, code string, err error) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, map[string]any{
		"status": status, "title": http.StatusText(status), "detail": err.Error(), "code": code,
	}) // the client has gone: nothing is left to tell
}

// answer is what a handler answered to a request from inside.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// askInside asks a handler of this process, without a socket.
func askInside(ctx context.Context, h http.Handler, method, path, key, body string) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.RemoteAddr = "127.0.0.1:0"
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	a := &answer{status: http.StatusOK, header: make(http.Header)}
	h.ServeHTTP(a, r)
	return a, nil
}
