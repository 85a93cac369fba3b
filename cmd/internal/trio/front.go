//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/web"
)

// front is what a browser meets of one node: the demo page, tokens for whoever asks, and
// behind them the node and the simulated ZEGO. It is what `giftwire dev` serves, with the
// node in another process.
type front struct {
	node, admin, sim string // HOST:PORT
	callback         func() string
	tokens           *auth.HS256
	apiKey           string
}

const (
	demoRoom = "demo"
	tokenTTL = 24 * time.Hour
	// tokenBody bounds the request for a token.
	tokenBody = 4 << 10
)

func (f *front) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/", to(func() string { return f.node }, ""))
	mux.Handle("POST /v1/zego/callback", to(f.callback, ""))
	mux.HandleFunc("POST /v1/dev/tokens", f.giveToken)
	// What the page reads of the platform API, without a key: a page has none.
	books := to(func() string { return f.node }, "/v1/dev")
	for _, path := range []string{"/rooms/{room}", "/rooms/{room}/gifts/{msg_id}"} {
		mux.HandleFunc("GET /v1/dev"+path, func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+f.apiKey)
			books.ServeHTTP(w, r)
		})
	}
	mux.Handle("/sim/", to(func() string { return f.sim }, ""))
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/"} {
		mux.Handle(path, to(func() string { return f.admin }, ""))
	}
	mux.Handle("/", web.Handler())
	return onlyLocal(mux)
}

// to passes requests on; what is cut is replaced by /v1.
func to(address func() string, cut string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { // the Host stays: pages are of this origin
			p.Out.URL.Scheme, p.Out.URL.Host = "http", address()
			if rest, ok := strings.CutPrefix(p.Out.URL.Path, cut); ok && cut != "" {
				p.Out.URL.Path, p.Out.URL.RawPath = "/v1"+rest, ""
			}
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "this node is away: "+err.Error(), http.StatusBadGateway)
		},
	}
}

// onlyLocal refuses requests for another host: a page of somebody else's whose name
// points to this machine (DNS rebinding) could else use all of this.
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if addr, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !addr.IsLoopback()) {
			http.Error(w, "only on loopback names", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// viewer is the body of POST /v1/dev/tokens and, with the token, of its answer.
type viewer struct {
	Token    string `json:"token,omitzero"`
	Room     string `json:"room"`
	UserID   string `json:"user_id"`
	Nickname string `json:"nickname"`
}

// giveToken makes a viewer out of nothing. It takes any media type, as dev does.
func (f *front) giveToken(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, tokenBody))
	v := viewer{Room: demoRoom, UserID: fmt.Sprintf("guest%x", time.Now().UnixNano()&0xffffffff)}
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &v, json.RejectUnknownMembers(true))
	}
	if v.Nickname == "" {
		v.Nickname = v.UserID[:min(len(v.UserID), room.NicknameMax)]
	}
	user := room.User{ID: v.UserID, Nickname: v.Nickname, Avatar: auth.DefaultAvatar}
	if err = errors.Join(err, room.CheckRoomID(v.Room), user.Check()); err == nil {
		v.Token, err = f.tokens.Token(auth.Identity{
			User: room.User{ID: v.UserID, Nickname: v.Nickname}, Room: v.Room, Can: auth.CanAll, Expires: time.Now().Add(tokenTTL),
		})
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.MarshalWrite(w, v) // the client has gone: nothing is left to tell
}

// serve serves until ctx ends. Connections that are passed on are cut then: their nodes
// have said goodbye.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}
