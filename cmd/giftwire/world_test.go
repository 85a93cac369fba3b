package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

const (
	testAppID     = 1234567890
	testServer    = "9193cc662a4c0ec135ec71fb57194b38"
	testJWTSecret = "0123456789abcdef0123456789abcdef"
	testAPIKey    = "platform-key-0123456789"
	testGame      = "TinyLoveWar"
)

// world is a simulated ZEGO in the test's process, which outlives the hubs, and what
// they need.
type world struct {
	sim     *zegotest.Server
	http    *httptest.Server
	address string
	data    string
	games   string
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	games, err := devGames.ReadFile("dev_games.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	w := &world{data: tb.TempDir(), games: filepath.Join(tb.TempDir(), "games.yaml")}
	if err := os.WriteFile(w.games, games, 0o600); err != nil {
		tb.Fatal(err)
	}
	specs, err := zego.LoadGames(w.games)
	if err != nil {
		tb.Fatal(err)
	}
	w.sim, err = zegotest.New(zegotest.Config{AppID: testAppID, ServerSecret: zego.NewSecret(testServer), Games: specs})
	if err != nil {
		tb.Fatal(err)
	}
	w.open(tb, "127.0.0.1:0")
	tb.Cleanup(func() { w.http.Close() })
	return w
}

// open lets ZEGO be reached at the address, again or for the first time.
func (w *world) open(tb testing.TB, address string) {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	w.address = l.Addr().String()
	w.http = &httptest.Server{Listener: l, Config: &http.Server{Handler: w.sim}}
	w.http.Start()
}

// serve runs a node on the world's data folder.
func (w *world) serve(tb testing.TB, more ...string) *served {
	tb.Helper()
	p := start(tb, append([]string{
		"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--node", "n1", "--data", w.data,
		"--zego-url", "http://" + w.address, "--zego-app-id", "1234567890", "--zego-server-secret", testServer,
		"--games", w.games, "--jwt-secret", testJWTSecret, "--api-key", testAPIKey,
	}, more...)...)
	n := &served{process: p, public: p.address(tb, "listen"), admin: p.address(tb, "admin-listen")}
	ready(tb, n.admin)
	return n
}

// served is a node that serves.
type served struct {
	*process
	public, admin string
}

// put configures a room.
func (n *served) put(tb testing.TB, roomID string) {
	tb.Helper()
	status, body := ask(tb.Context(), http.MethodPut, "http://"+n.public+"/v1/rooms/"+roomID, testAPIKey,
		`{"mini_game_id":"`+testGame+`","anchor_id":"anchor1"}`)
	if status != http.StatusCreated && status != http.StatusOK {
		tb.Fatalf("PUT room: %d %s", status, body)
	}
}

type counters struct {
	Accepted, Delivered, Failed, Unresolved, Pending int
}

// counters reads the room's counters; they must add up.
func (n *served) counters(ctx context.Context, tb testing.TB, roomID string) counters {
	tb.Helper()
	status, body := get(ctx, "http://"+n.public+"/v1/rooms/"+roomID, testAPIKey)
	var got struct {
		Counters struct {
			Accepted   int `json:"accepted"`
			Delivered  int `json:"delivered"`
			Failed     int `json:"failed"`
			Unresolved int `json:"unresolved"`
			Pending    int `json:"pending"`
		} `json:"counters"`
	}
	if err := json.Unmarshal(body, &got); status != http.StatusOK || err != nil {
		tb.Fatalf("GET room: %d %s %v", status, body, err)
	}
	c := counters(got.Counters)
	if c.Accepted != c.Delivered+c.Failed+c.Unresolved+c.Pending {
		tb.Errorf("counters do not add up: %+v", c)
	}
	return c
}

// settled waits until nothing is pending.
func (n *served) settled(tb testing.TB, roomID string) counters {
	tb.Helper()
	var c counters
	until(tb, "room without pending gifts", func(ctx context.Context) bool {
		c = n.counters(ctx, tb, roomID)
		return c.Accepted > 0 && c.Pending == 0
	})
	return c
}

// viewer is a connection that keeps all that it hears.
type viewer struct {
	t    testing.TB
	conn *client.Conn
	user string

	mu     sync.Mutex
	events []wire.Event
	news   chan struct{}
	err    error // why the connection ended
}

func tokenFor(tb testing.TB, user string) string {
	tb.Helper()
	signer, err := auth.NewHS256(auth.HS256Config{Secret: []byte(testJWTSecret)})
	if err != nil {
		tb.Fatal(err)
	}
	token, err := signer.Token(auth.Identity{User: room.User{ID: user}, Can: auth.CanAll, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// watch connects a viewer.
func (n *served) watch(tb testing.TB, roomID, user string, from client.Place) *viewer {
	tb.Helper()
	conn, err := client.Dial(tb.Context(), client.Config{
		URL: "http://" + n.public, Room: roomID, Token: tokenFor(tb, user), From: from,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return newViewer(tb, conn, user)
}

// newViewer keeps what the connection hears.
func newViewer(tb testing.TB, conn *client.Conn, user string) *viewer {
	tb.Helper()
	v := &viewer{t: tb, conn: conn, user: user, news: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		v.listen()
	}()
	tb.Cleanup(func() {
		_ = conn.Cut() // it may have ended
		<-ended
	})
	return v
}

func (v *viewer) listen() {
	for {
		ev, err := v.conn.Next(context.Background())
		v.mu.Lock()
		if err == nil {
			v.events = append(v.events, ev)
		}
		v.err = err
		close(v.news)
		v.news = make(chan struct{})
		v.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// expect waits for an event that fits, from the beginning of the connection on.
func expect[E wire.Event](v *viewer, what string, fits func(E) bool) E {
	v.t.Helper()
	timeout := time.After(patience)
	for {
		v.mu.Lock()
		events, news, err := slices.Clone(v.events), v.news, v.err
		v.mu.Unlock()
		for _, ev := range events {
			if e, ok := ev.(E); ok && fits(e) {
				return e
			}
		}
		if err != nil {
			v.t.Fatalf("%s: the connection ended without %s: %v", v.user, what, err)
		}
		select {
		case <-news:
		case <-timeout:
			v.t.Fatalf("%s: no %s within %v; heard %+v", v.user, what, patience, events)
		}
	}
}

// heard returns the events of a type, so far.
func heard[E wire.Event](v *viewer) []E {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []E
	for _, ev := range v.events {
		if e, ok := ev.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

func (v *viewer) send(frame wire.Frame) {
	v.t.Helper()
	if err := v.conn.Send(v.t.Context(), frame); err != nil {
		v.t.Fatalf("%s: send: %v", v.user, err)
	}
}

// give sends rockets and waits for what the hub says of them first.
func (v *viewer) give(id string, count int) {
	v.t.Helper()
	v.send(wire.GiftFrame{ID: id, GiftID: "g1", Count: count})
}

func (v *viewer) accepted(id string) room.MsgID {
	v.t.Helper()
	return expect(v, "accepted of "+id, func(e wire.Accepted) bool { return e.ID == id }).MsgID
}

func (v *viewer) rejected(id string) wire.Rejected {
	v.t.Helper()
	return expect(v, "rejected of "+id, func(e wire.Rejected) bool { return e.ID == id })
}

func (v *viewer) result(id string) wire.Result {
	v.t.Helper()
	return expect(v, "result of "+id, func(e wire.Result) bool { return e.ID == id })
}

// join joins the game as the blue team does.
func (v *viewer) join() { v.send(wire.CommentFrame{ID: "join", Text: "5"}) }
