//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/natscluster"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/zego/zegotest"
)

const (
	// fleetSize is how many nodes and how many NATS servers there are.
	fleetSize = 3
	// Numbers of hosts in their networks.
	natsFrom, nodesFrom = 11, 21
	nodePort, adminPort = "8080", "8081"
	doorPort            = "8090"
	natsPort, natsRoute = "4222", "6222"
	natsMonitor         = "8222"
)

// machine is a host and the process that is meant to run there.
type machine struct {
	*host
	line []string
	log  string // the file of its log over all starts
	proc *node  // nil: never started
	down bool   // meant to be down
}

// start starts the process, and does not wait for it.
func (m *machine) start() error {
	proc, err := startNode(m.inside(m.line), m.log)
	m.proc, m.down = proc, false
	return err
}

// kill is kill -9.
func (m *machine) kill() {
	m.proc.kill()
	m.down = true
}

func (m *machine) url() string {
	return "http://" + net.JoinHostPort(m.address(face), nodePort)
}

// fleet is a scenario's world: nodes and NATS servers on hosts of their own, a simulated
// ZEGO in this process, viewers at all nodes, and a platform that hands gifts over.
type fleet struct {
	tools   *tools
	sim     *zegotest.Server
	door    *door
	dir     string
	games   string
	servers []natscluster.Server
	nats    []*machine
	nodes   []*machine
	limits  []string // more flags of the nodes
	busy    bool     // few rooms, which flush at every tick
	audience
	platform *platform
	turn     atomic.Uint64 // of viewers, to nodes

	length time.Duration
	story
}

// newFleet lays everything out; nothing but ZEGO runs.
func newFleet(ctx context.Context, t *tools, name string) (f *fleet, err error) {
	f = &fleet{tools: t, dir: filepath.Join(t.dir, name)}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	f.games = filepath.Join(f.dir, "games.yaml")
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return f, err
	}
	if err := os.WriteFile(f.games, []byte(catalogue), 0o600); err != nil {
		return f, err
	}
	if err := plug(ctx); err != nil {
		return f, err
	}
	if f.sim, f.door, err = openZEGO(ctx, f.games, net.JoinHostPort(face.here(), doorPort)); err != nil {
		return f, err
	}
	f.audience = audience{url: f.anyNode, seed: t.seed}
	if f.signer, err = auth.NewHS256(auth.HS256Config{Secret: []byte(jwtSecret)}); err != nil {
		return f, err
	}
	return f, f.house(ctx)
}

// house makes the hosts.
func (f *fleet) house(ctx context.Context) error {
	for i := range fleetSize {
		name := fmt.Sprint("nats", i+1)
		h, err := newHost(ctx, name, natsFrom+i, store, routes)
		if err != nil {
			return err
		}
		f.nats = append(f.nats, &machine{host: h, down: true, log: filepath.Join(f.dir, name+".log")})
		f.servers = append(f.servers, natscluster.Server{
			Name: name, Store: filepath.Join(f.dir, name), Client: net.JoinHostPort(h.address(store), natsPort),
			Route: net.JoinHostPort(h.address(routes), natsRoute), Monitor: net.JoinHostPort(h.address(store), natsMonitor),
		})
	}
	files, err := natscluster.Write(f.dir, f.servers)
	if err != nil {
		return err
	}
	for i, file := range files {
		f.nats[i].line = []string{f.tools.natsd, "-c", file}
		if f.tools.keep { // elections are told at this level
			f.nats[i].line = append(f.nats[i].line, "-D")
		}
	}
	for i := range fleetSize {
		h, err := newHost(ctx, fmt.Sprint("n", i+1), nodesFrom+i, face, store)
		if err != nil {
			return err
		}
		f.nodes = append(f.nodes, &machine{host: h, down: true, log: filepath.Join(f.dir, h.name+".log"), line: []string{
			f.tools.binary, "serve", "--listen", net.JoinHostPort(h.address(face), nodePort),
			"--admin-listen", net.JoinHostPort(h.address(face), adminPort), "--node", h.name,
			"--nats-url", natscluster.URL(f.servers), "--zego-url", "http://" + f.door.address,
			"--zego-app-id", strconv.Itoa(appID), "--zego-server-secret", serverSecret,
			"--games", f.games, "--jwt-secret", jwtSecret, "--api-key", apiKey,
		}})
	}
	return nil
}

// anyNode is where the next viewer goes: the nodes in turn, without those that are known
// to be down.
func (f *fleet) anyNode() string {
	for range 2 * fleetSize {
		m := f.nodes[f.turn.Add(1)%fleetSize]
		if p := m.proc; p != nil && !p.ended() {
			return m.url()
		}
	}
	return f.nodes[0].url()
}

// close ends everything.
func (f *fleet) close() {
	f.leave()
	if f.platform != nil {
		f.platform.close()
	}
	for _, m := range slices.Concat(f.nodes, f.nats) {
		if m.proc != nil {
			m.proc.kill()
		}
		m.close()
	}
	if f.sim != nil {
		f.sim.ClearAll()
		f.sim.Release()
	}
	if f.door != nil {
		f.door.close()
	}
	_ = unplug(context.Background()) // networks that were not made are no matter
}

// Bounds of starting.
const (
	natsWithin  = 30 * time.Second // until a cluster has leaders
	fleetWithin = time.Minute      // until all nodes are ready
)

// serve starts everything and waits until all nodes are ready.
func (f *fleet) serve(ctx context.Context) error {
	for _, m := range f.nats {
		if err := m.start(); err != nil {
			return err
		}
	}
	if err := f.natsReady(ctx, natsWithin); err != nil {
		return err
	}
	for _, m := range f.nodes {
		m.line = append(m.line, f.limits...)
		if err := m.start(); err != nil {
			return err
		}
	}
	return f.ready(ctx)
}

// natsReady waits until every server that should be up is well.
func (f *fleet) natsReady(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return until(ctx, "NATS cluster", func() (bool, error) { return f.natsWell(ctx) })
}

// steadyFor is how long servers are well until that is believed. One that led a stream
// while it was cut off finds out seconds later that its log has to be repaired: it connects
// its routes anew within 2 s and hears of the other leader within 2 s more.
const steadyFor = 5 * time.Second

// natsSteady waits until every server that should be up has been well for a while, and
// returns since when.
func (f *fleet) natsSteady(ctx context.Context, within time.Duration) (since time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, within+steadyFor)
	defer cancel()
	since = time.Now()
	err = until(ctx, "NATS cluster", func() (bool, error) {
		well, err := f.natsWell(ctx)
		if !well {
			since = time.Now()
		}
		return time.Since(since) >= steadyFor, err
	})
	return since, err
}

// natsWell reports whether every server that should be up says that it is.
func (f *fleet) natsWell(ctx context.Context) (bool, error) {
	for i, m := range f.nats {
		if m.down {
			continue
		}
		if m.proc.ended() {
			return false, fmt.Errorf("%s: %w:\n%s", m.name, errEnded, m.proc.tail(20))
		}
		status, _, err := ask(ctx, request{method: http.MethodGet, url: "http://" + f.servers[i].Monitor + "/healthz"})
		if err != nil || status != http.StatusOK {
			return false, nil //nolint:nilerr // not yet
		}
	}
	return true, nil
}

// ready waits until every node that should be up is ready.
func (f *fleet) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fleetWithin)
	defer cancel()
	for _, m := range f.nodes {
		if m.down {
			continue
		}
		err := until(ctx, "readiness of "+m.name, func() (bool, error) {
			if m.proc.ended() {
				return false, fmt.Errorf("%s: %w: %v\n%s", m.name, errEnded, m.proc.cmd.ProcessState, m.proc.tail(20))
			}
			return m.proc.isReady(ctx), nil
		})
		if err != nil {
			return fmt.Errorf("%w; %s says: %s\n%s", err, m.name, m.readiness(ctx), m.proc.tail(10))
		}
	}
	return nil
}

// readiness is what a node says of itself.
func (m *machine) readiness(ctx context.Context) string {
	_, text, err := ask(context.WithoutCancel(ctx), request{method: http.MethodGet, url: "http://" + m.proc.address("admin-listen") + "/readyz"})
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Load of a usual scenario.
const (
	fleetRooms  = 15
	fleetGivers = 3
	fleetPace   = 400 * time.Millisecond
)

// Load where pauses are measured: a room has a gift for every tick.
const (
	busyRooms = 6
	busyPace  = 100 * time.Millisecond
)

// crowd fills rooms with viewers at all nodes, and lets a platform hand gifts over.
func (f *fleet) crowd(ctx context.Context) error {
	count, pace := fleetRooms, fleetPace
	if f.busy {
		count, pace = busyRooms, busyPace
	}
	for r := range count {
		name := fmt.Sprint("r", r)
		if err := put(ctx, f.anyNode(), name); err != nil {
			return err
		}
		seats := []seat{{room: name, user: "watcher"}, {room: name, user: "stranger", pace: 8 * pace}}
		for g := range fleetGivers {
			user := fmt.Sprint("giver", g)
			seats = append(seats, seat{room: name, user: user, pace: pace})
			f.sim.Join(name, game, user)
		}
		f.sim.Join(name, game, platformUser)
		for _, s := range seats {
			if err := f.add(s); err != nil {
				return err
			}
		}
	}
	f.platform = newPlatform(f.nodes, f.roomIDs(), f.tools.seed)
	return nil
}

// usual is a fleet that serves, with load on all nodes: about 120 gifts a second.
func (f *fleet) usual(ctx context.Context) error {
	if err := f.serve(ctx); err != nil {
		return err
	}
	if err := f.crowd(ctx); err != nil {
		return err
	}
	f.run(ctx)
	f.platform.run(ctx)
	f.giving(true)
	return f.grow(ctx, 200)
}

// giving lets viewers and platform give, or stop it.
func (f *fleet) giving(on bool) {
	f.give(on)
	if f.platform != nil {
		f.platform.giving(on)
	}
}

// grow waits until so many more gifts are accepted.
func (f *fleet) grow(ctx context.Context, more int) error {
	ctx, cancel := context.WithTimeout(ctx, growWithin)
	defer cancel()
	target := f.acceptedCount() + more
	err := until(ctx, "further accepted gifts", func() (bool, error) { return f.acceptedCount() >= target, nil })
	if err != nil {
		err = fmt.Errorf("%w; %d of %d; rejected %v\n%s", err, f.acceptedCount(), target, f.refusals(), f.logs())
	}
	return err
}

// logs are the ends of all nodes' logs.
func (f *fleet) logs() string {
	var out []byte
	for _, m := range f.nodes {
		if m.proc != nil {
			out = fmt.Appendf(out, "%s (ended %v):\n%s\n", m.name, m.proc.ended(), m.proc.tail(8))
		}
	}
	return string(out)
}

// heal brings back what is cut, stopped or down, and waits until all is well.
func (f *fleet) heal(ctx context.Context) error {
	var errs []error
	for _, m := range slices.Concat(f.nats, f.nodes) {
		errs = append(errs, m.mendAll(ctx))
		if !m.proc.ended() {
			errs = append(errs, m.proc.signal(syscall.SIGCONT))
			continue
		}
		if !m.down {
			errs = append(errs, fmt.Errorf("%s: %w: %v\n%s", m.name, errEnded, m.proc.cmd.ProcessState, m.proc.tail(20)))
		}
		errs = append(errs, m.start())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return errors.Join(f.natsReady(ctx, natsWithin), f.ready(ctx))
}
