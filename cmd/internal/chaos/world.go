//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// Keys of a world in which nothing is worth stealing.
const (
	appID        = 1234567890
	serverSecret = "9193cc662a4c0ec135ec71fb57194b38" //nolint:gosec // ZEGO's published example
	jwtSecret    = "0123456789abcdef0123456789abcdef" //nolint:gosec // of this run
	apiKey       = "platform-key-0123456789"
	game         = "TinyLoveWar"
)

// catalogue is the game that all rooms play.
const catalogue = `games:
  - mini_game_id: TinyLoveWar
    join: [{ text: "5", team: blue }]
    gifts:
      - { gift_id: g1, name: Rocket, icon: R, tiers: [{ value: 10, effect: soldier }, { value: 66, effect: general }] }
`

// world is one scenario's: a simulated ZEGO in this process, which outlives the nodes,
// their data folder, and the viewers.
type world struct {
	tools *tools
	sim   *zegotest.Server
	door  *door
	dir   string // scratch
	data  string // data folder of the nodes
	games string
	node  *node
	audience
	base atomic.Pointer[string] // URL of the node

	length time.Duration // how long a scenario that has no end of its own goes on
	story
}

// story is what a scenario tells beside the verdict.
type story struct {
	faults   int
	restarts []time.Time
	gaps     []time.Duration // of rooms whose owner changed
	notes    []string
}

func (s *story) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// tools are what all scenarios share.
type tools struct {
	binary string // giftwire
	natsd  string // a NATS server, where there are many nodes
	dir    string // scratch of the whole run
	root   string // of the module
	seed   uint64
	kills  int
	keep   bool // folders stay, and NATS logs more
}

func newWorld(ctx context.Context, t *tools, name string) (*world, error) {
	w := &world{tools: t, dir: filepath.Join(t.dir, name)}
	w.data, w.games = filepath.Join(w.dir, "data"), filepath.Join(w.dir, "games.yaml")
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(w.games, []byte(catalogue), 0o600); err != nil {
		return nil, err
	}
	var err error
	if w.sim, w.door, err = openZEGO(ctx, w.games, ""); err != nil {
		return nil, err
	}
	nowhere := "http://127.0.0.1:1"
	w.base.Store(&nowhere)
	w.audience = audience{url: func() string { return *w.base.Load() }, seed: t.seed}
	w.signer, err = auth.NewHS256(auth.HS256Config{Secret: []byte(jwtSecret)})
	return w, err
}

// openZEGO makes a simulated ZEGO behind a door at the address; empty: one on loopback.
func openZEGO(ctx context.Context, games, address string) (*zegotest.Server, *door, error) {
	specs, err := zego.LoadGames(games)
	if err != nil {
		return nil, nil, err
	}
	secret := zego.NewSecret(serverSecret)
	sim, err := zegotest.New(zegotest.Config{AppID: appID, ServerSecret: secret, Games: specs})
	if err != nil {
		return nil, nil, err
	}
	d := &door{
		inside: sim, secret: secret, address: address,
		skew: make(map[string]time.Duration), poison: make(map[string]string),
	}
	return sim, d, d.open(ctx)
}

// close ends everything that the world has started.
func (w *world) close() {
	w.leave()
	if w.node != nil {
		w.node.kill()
	}
	w.sim.ClearAll()
	w.sim.Release()
	w.door.close()
}

// how is how a node is started, beyond the usual.
type how struct {
	before []string // command line in front, such as strace
	binary string   // another giftwire
	data   string   // another folder
	more   []string // flags
}

// launch starts a node and does not wait for it.
func (w *world) launch(h how) error {
	binary, data := w.tools.binary, w.data
	if h.binary != "" {
		binary = h.binary
	}
	if h.data != "" {
		data = h.data
	}
	line := append(slices.Clone(h.before), binary,
		"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--node", "n1", "--data", data,
		"--zego-url", "http://"+w.door.address, "--zego-app-id", strconv.Itoa(appID), "--zego-server-secret", serverSecret,
		"--games", w.games, "--jwt-secret", jwtSecret, "--api-key", apiKey)
	n, err := startNode(append(line, h.more...), "")
	if err != nil {
		return err
	}
	w.node = n
	w.restarts = append(w.restarts, n.started)
	return nil
}

// serve starts a node and waits until it is ready.
func (w *world) serve(ctx context.Context, h how) error {
	if err := w.launch(h); err != nil {
		return err
	}
	if err := w.node.ready(ctx); err != nil {
		return err
	}
	base := "http://" + w.node.address("listen")
	w.base.Store(&base)
	return nil
}

// put configures a room.
func (w *world) put(ctx context.Context, roomID string) error { return put(ctx, w.url(), roomID) }

// put configures a room at a node.
func put(ctx context.Context, node, roomID string) error {
	status, body, err := ask(ctx, request{
		method: http.MethodPut, url: node + "/v1/rooms/" + roomID, key: apiKey,
		body: `{"mini_game_id":"` + game + `","anchor_id":"anchor1"}`,
	})
	if err == nil && status != http.StatusCreated && status != http.StatusOK {
		err = fmt.Errorf("PUT room: %d %s", status, body)
	}
	return err
}

// crowd fills rooms: in each some viewers who give, one who only watches, and one who
// has not joined the game and whose gifts fail.
func (w *world) crowd(ctx context.Context) error {
	const (
		rooms  = 4
		givers = 3
		pace   = 200 * time.Millisecond
	)
	for r := range rooms {
		name := fmt.Sprint("r", r)
		if err := w.put(ctx, name); err != nil {
			return err
		}
		seats := []seat{{room: name, user: "watcher"}, {room: name, user: "stranger", pace: 8 * pace}}
		for g := range givers {
			seats = append(seats, seat{room: name, user: fmt.Sprint("giver", g), pace: pace})
			w.sim.Join(name, game, fmt.Sprint("giver", g))
		}
		for _, s := range seats {
			if err := w.add(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// usual is a node, a crowd of 4 rooms, and load: about 60 gifts a second.
func (w *world) usual(ctx context.Context) error {
	if err := w.serve(ctx, how{}); err != nil {
		return err
	}
	if err := w.crowd(ctx); err != nil {
		return err
	}
	w.run(ctx)
	w.give(true)
	return w.grow(ctx, 50)
}

// growWithin bounds how long load may take to flow again.
const growWithin = 30 * time.Second

// grow waits until so many more gifts are accepted.
func (w *world) grow(ctx context.Context, more int) error {
	ctx, cancel := context.WithTimeout(ctx, growWithin)
	defer cancel()
	target := w.acceptedCount() + more
	err := until(ctx, "further accepted gifts", func() (bool, error) { return w.acceptedCount() >= target, nil })
	if err != nil && w.node != nil {
		err = fmt.Errorf("%w; the node says:\n%s", err, w.node.tail(20))
	}
	return err
}

// settleWithin is how long the last gift may take after everything has healed: 10005
// is looked up for 60 s, and a gift of unknown fate is asked for after its 60 s.
const settleWithin = 150 * time.Second

// conclude lets everything heal, asks again for what is decided, drains the node, and
// gathers the evidence.
func (w *world) conclude(ctx context.Context) (*verdict.Evidence, error) {
	w.give(false)
	if err := w.settled(ctx, settleWithin); err != nil {
		w.note("%v", err)
	}
	w.repeat()
	if err := w.settled(ctx, time.Minute); err != nil {
		w.note("repeats: %v", err)
	}
	slow := w.abreast(ctx)
	e := &verdict.Evidence{Conflicts: w.sim.Tally().Conflicts}
	var err error
	if e.Ledger, err = rows(ctx, w.url(), w.roomIDs()); err != nil {
		return nil, errors.Join(slow, err)
	}
	if err := w.node.signal(sigTerm); err != nil {
		return nil, err
	}
	status, took, err := w.node.wait(ctx, 40*time.Second)
	if err == nil && (status != 0 || took > drainWithin) {
		err = fmt.Errorf("SIGTERM: exit %d after %v, want 0 within %v\n%s", status, took, drainWithin, w.node.tail(20))
	}
	w.leave()
	w.testify(e)
	e.Arrivals = w.door.seen()
	for _, effect := range effects(w.sim) {
		e.Effects = append(e.Effects, verdict.Effect{Room: effect.Room, MsgID: effect.MsgID})
	}
	return e, errors.Join(slow, err)
}

// effects are all that ZEGO gave.
func effects(sim *zegotest.Server) []zegotest.Effect {
	var out []zegotest.Effect
	for since := uint64(0); ; {
		page := sim.Ledger(since, 1000)
		if len(page) == 0 {
			return out
		}
		out = append(out, page...)
		since = page[len(page)-1].Seq
	}
}

// drainWithin is what is promised of SIGTERM.
const drainWithin = 20 * time.Second

// rows reads the hub's ledger of rooms from a node.
func rows(ctx context.Context, node string, rooms []string) ([]verdict.Row, error) {
	var out []verdict.Row
	for _, roomID := range rooms {
		for after := ""; ; {
			q := url.Values{"limit": {"1000"}, "after": {after}}
			if after == "" {
				q.Del("after")
			}
			status, body, err := ask(ctx, request{method: http.MethodGet, key: apiKey, url: node + "/v1/rooms/" + roomID + "/outcomes?" + q.Encode()})
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("GET outcomes: %d %s", status, body)
			}
			var page struct {
				Outcomes []struct {
					MsgID  string `json:"msg_id"`
					Status string `json:"status"`
				} `json:"outcomes"`
				Next string `json:"next"`
			}
			if err == nil {
				err = json.Unmarshal(body, &page)
			}
			if err != nil {
				return nil, err
			}
			for _, o := range page.Outcomes {
				out = append(out, verdict.Row{Room: roomID, MsgID: o.MsgID, Status: o.Status})
			}
			if after = page.Next; len(page.Outcomes) == 0 {
				break
			}
		}
	}
	return out, nil
}

// roomIDs are the rooms that have viewers.
func (a *audience) roomIDs() []string {
	var ids []string
	for _, v := range a.viewers {
		ids = append(ids, v.room)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
