package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/giftwire/giftwire/hub/ask"
	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/holding"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/relay"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// Hub is one node: viewers, platform API, rooms. Make it with [New], run it with
// [Hub.Run], and serve [Hub.Handler]. Two hubs in one process do not meet.
type Hub struct {
	cfg        Config
	rooms      *directory
	stored     *stored
	membership *membership
	partitions *partitions
	asker      *ask.Asker
	relay      *relay.Relay
	games      *gameNotes // nil on a node that is alone
	intake     *intake.Intake
	house      *audience.House
	lobby      *lobby
	outlet     *outlet
	metrics    *metrics
	phase      phase

	public, admin http.Handler
}

// New makes a hub of its configuration, checking all of it at once. It starts nothing.
func New(cfg Config) (*Hub, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	keys, err := auth.NewKeys(cfg.APIKeys...)
	if err != nil {
		return nil, err
	}
	h := &Hub{cfg: cfg, phase: phase{served: make(chan struct{})}}
	h.rooms = &directory{journal: cfg.Journal, log: cfg.Logger, changed: h.roomChanged}
	h.stored = newStored(cfg.Journal, cfg.Journal.Partitions())
	h.metrics = newMetrics(h.reading)
	h.outlet = &outlet{next: cfg.Sender, called: h.metrics.called, weather: weather{log: cfg.Logger}}
	if h.house, err = audience.New(cfg.Limits.Outbox); err != nil {
		return nil, err
	}
	h.house.Among(everyone{h})
	if err := h.newCluster(); err != nil {
		return nil, err
	}
	if h.intake, err = h.newIntake(); err != nil {
		return nil, err
	}
	h.lobby = h.newLobby()
	h.assemble(keys)
	return h, nil
}

// newCluster makes what one node and many have in common: who owns rooms, how owners
// are asked, and how their news reach viewers. A node that is alone has no bus.
func (h *Hub) newCluster() error {
	j, log := h.cfg.Journal, h.cfg.Logger
	var bus *cluster.Bus
	var wires relay.Bus
	var newest func(context.Context, int) (uint64, error)
	if !j.Embedded() {
		bus = cluster.NewBus(j)
		wires = relay.Over(bus)
		newest = func(ctx context.Context, n int) (uint64, error) { return j.Log(n).LastGift(ctx) }
		h.games = newGameNotes(h.rooms, func(roomID string) (owner.RoomState, bool) {
			return h.partitions.state(j.Partition(roomID), roomID)
		}, log)
	}
	h.membership = &membership{
		journal: j, alone: j.Embedded(), log: log,
		came: func() { h.partitions.holding.Look() },
		went: func(node string) { h.relay.Crowd.Forget(node) },
	}
	h.partitions = &partitions{count: j.Partitions(), stored: h.stored, bus: bus, log: log}
	desk, err := ask.NewDesk(ask.DeskConfig{
		Bus: bus, Node: j.Node(), Partitions: j.Partitions(), Valid: h.membership.valid, Logger: log,
	})
	if err != nil {
		return err
	}
	h.asker, err = ask.New(ask.Config{
		Desk: desk, Bus: bus, Node: j.Node(), Partition: j.Partition, Stored: h.stored.newest,
		Newest: newest, Elsewhere: elsewhere{h},
	})
	if err != nil {
		return err
	}
	h.relay, err = relay.New(relay.Config{
		Node: j.Node(), Bus: wires, Others: h.membership.others, Source: source{h},
		Audience: &viewers{house: h.house, rooms: h.rooms},
		Full:     func() []relay.Load { return h.partitions.crowded(h.cfg.Limits.Intake.RoomOpen / 2) },
		Linger:   h.house.HistoryAge(), Logger: log,
	})
	if err != nil {
		return err
	}
	return h.newHolding(desk)
}

// newHolding makes what this node owns.
func (h *Hub) newHolding(desk *ask.Desk) (err error) {
	j := h.cfg.Journal
	news := &listener{metrics: h.metrics, games: h.games, next: h.relay.Teller}
	h.partitions.holding, err = holding.New(holding.Config[*held]{
		Node: j.Node(), Partitions: j.Partitions(), Roll: h.membership, Released: h.partitions.released,
		Last: func(ctx context.Context, n int) (journal.OutcomeRecord, error) { return j.Log(n).LastOutcome(ctx) },
		New: func(n int, incarnation string, last journal.OutcomeRecord) (*held, error) {
			p, err := owner.New(owner.Config{
				Store: j.Log(n), Sender: h.outlet, Limits: h.cfg.Limits.Room, Listener: news,
				Node: j.Node(), Incarnation: incarnation, Behind: &last, Gate: h.gate, Alarm: h.alarmed, Logger: h.cfg.Logger,
			})
			if err != nil {
				return nil, err
			}
			return &held{
				Partition: p, number: n, incarnation: incarnation, desk: desk, serving: h.serving,
				failed: func(err error) { h.partitions.failed(n, err) },
			}, nil
		},
		Logger: h.cfg.Logger,
	})
	return err
}

// serving hears that a partition is ready here: the other nodes are told where its
// rooms stand, in case the owner before did not come to tell its last.
func (h *Hub) serving(p *owner.Partition) {
	if h.games == nil {
		return
	}
	heads := p.Heads()
	h.relay.Teller.Announce(heads)
	h.games.takenOver(heads)
}

// leasePause is how long a room waits before it looks again whether the lease holds.
const leasePause = 100 * time.Millisecond

// gate is asked by the rooms right before each call (P7).
func (h *Hub) gate(a room.Action) (wait time.Duration, ok bool) {
	if !h.membership.valid() {
		return leasePause, false
	}
	return h.outlet.gate(a)
}

func (h *Hub) newIntake() (*intake.Intake, error) {
	return intake.New(intake.Config{
		Journal: h.stored, Owner: h.asker, Chat: h.asker, Rooms: h.rooms,
		Prices: intake.Prices{Catalogue: h.cfg.Catalogue, Wallet: h.cfg.Wallet},
		AppID:  h.cfg.AppID, Limits: h.cfg.Limits.Intake, Meter: h.metrics, Logger: h.cfg.Logger,
	})
}

// assemble builds the two handlers.
func (h *Hub) assemble(keys auth.Keys) {
	p := &platform{
		rooms: h.rooms, ledgers: h.asker, gifts: h.intake, journal: h.stored, game: h.cfg.Game,
		launch: newLaunchGuard(h.cfg.Limits.LaunchEvery), keys: keys, limits: h.cfg.Limits,
		face: face{
			node: h.cfg.Journal.Node(), epoch: h.cfg.Journal.Epoch(), avatar: h.cfg.Web.Avatar, viewers: h.relay.Crowd.Viewers,
		},
		closed: h.phase.closed,
	}
	public := router{proxies: h.cfg.Web.Proxies, log: h.cfg.Logger, seen: h.metrics.request}
	public.routes = append(public.routes, p.routes()...)
	public.routes = append(public.routes, h.lobby.routes()...)
	public.routes = append(public.routes, documentRoutes()...)
	h.public = public.handler()
	ready := serveReady(h.cfg.Journal.Node(), h.checks)
	h.admin = router{routes: adminRoutes(ready, h.metrics.handler()), log: h.cfg.Logger}.handler()
}

// Handler serves viewers, the platform API, ZEGO's callback and the two documents,
// below the path at which it is mounted. Before the hub serves and after, it answers
// 503.
func (h *Hub) Handler() http.Handler { return h.public }

// AdminHandler serves /metrics, /healthz, /readyz and /debug/pprof/, without any key:
// it belongs on a listener that only operators reach.
func (h *Hub) AdminHandler() http.Handler { return h.admin }

// Ready waits until the hub serves, or ctx ends; then it returns ctx's cause.
func (h *Hub) Ready(ctx context.Context) error {
	select {
	case <-h.phase.served:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// running are the parts of a hub that runs.
type running struct{ journal, registry, games, relay, viewers, rooms *part }

// Run reads the journal, serves until ctx ends, and drains: nothing new is taken, what
// is open is flushed once more, viewers are told when to come back. That takes at most
// Limits.Drain; everything that Run started has ended when it returns. It returns nil
// after a drain, and what went wrong where a part of the hub could not go on: then it
// drains too, as far as that goes. It can be called once.
func (h *Hub) Run(ctx context.Context) error {
	if !h.phase.to(phaseStarting) {
		return errors.New("hub: Run was called twice")
	}
	if err := h.open(ctx); err != nil {
		h.phase.to(phaseEnded)
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	// The parts outlive ctx: they are ended one by one.
	base := context.WithoutCancel(ctx)
	ctx, failed := context.WithCancelCause(ctx)
	defer failed(nil)
	run := running{
		journal:  begin(base, "journal", h.cfg.Journal.Run, failed),
		registry: begin(base, "room registry", h.rooms.run, failed),
		games:    begin(base, "games", h.runGames, failed),
		relay:    begin(base, "relay", h.relay.Run, failed),
		rooms:    begin(base, "rooms", h.runRooms, failed),
		viewers:  begin(base, "viewers", h.lobby.run, failed),
	}
	if h.started(ctx) {
		h.phase.serve()
		h.cfg.Logger.Info("serving")
	}
	<-ctx.Done()
	return h.drain(base, run)
}

// open loads what must be there before the journal is run.
func (h *Hub) open(ctx context.Context) error {
	if err := h.rooms.open(ctx); err != nil {
		return err
	}
	if err := h.membership.open(ctx); err != nil {
		return fmt.Errorf("hub: open the cluster's leases: %w", err)
	}
	return nil
}

// joinGrace is how long a node that has joined others waits for its share before it
// serves: they hand it over two partitions at a time, some 50 ms each, and keep for 2.5 s
// what they have taken over a moment ago. What is still elsewhere then is asked for there.
const joinGrace = 3 * time.Second

// started waits until this node has joined, and serves the partitions that belong to it;
// those that others have still for joinGrace at most. false: ctx has ended before.
func (h *Hub) started(ctx context.Context) bool {
	var joined time.Time
	return h.partitions.poll(ctx, func() bool {
		if !h.membership.valid() {
			joined = time.Time{}
			return false
		}
		if joined.IsZero() {
			joined = time.Now()
		}
		return h.partitions.ready() == h.share() || !h.membership.alone && time.Since(joined) >= joinGrace
	}) == nil
}

// share is how many partitions belong to this node.
func (h *Hub) share() int {
	nodes, share := h.membership.Staying(), 0
	for n := range h.partitions.count {
		if cluster.Place(n, nodes) == h.cfg.Journal.Node() {
			share++
		}
	}
	return share
}

// runRooms owns this node's share of the partitions until ctx ends.
func (h *Hub) runRooms(ctx context.Context) error { return h.membership.run(ctx, h.partitions.run) }

// runGames notes what games do, where other nodes want to know.
func (h *Hub) runGames(ctx context.Context) error {
	if h.games == nil {
		<-ctx.Done()
		return nil
	}
	return h.games.run(ctx)
}

// roomChanged tells viewers that their room is closed, or what is played there now.
func (h *Hub) roomChanged(r roomConfig) {
	if r.deleted {
		h.house.CloseRoom(r.id, wire.Bye{Code: wire.ByeRoomClosed})
		return
	}
	h.house.GameChanged(r.id, r.game, h.asker.Room(r.id).Playing(r.game))
}

// alarmed tells of what a person has to mend at ZEGO.
func (h *Hub) alarmed(roomID string, a room.Alarm) {
	h.metrics.alarm(a)
	h.outlet.alarms.raise(roomID, a, time.Now())
	h.cfg.Logger.Error("ZEGO refuses a room's calls; a person has to mend it", slog.String("room", roomID),
		slog.String("class", a.Class.String()), slog.Int("code", a.Code), slog.String("message", a.Message))
}

// checks are the lines of /readyz.
func (h *Hub) checks() []healthCheck {
	checks := []healthCheck{h.phase.check(), failing("journal", h.cfg.Journal.Health())}
	if c, many := h.membership.check(); many {
		checks = append(checks, c)
	}
	return append(checks, h.checkRooms(), h.outlet.check(time.Now()))
}

// checkRooms: on a node that is alone every partition must be ready; among others those
// that belong here and cannot be owned are a failure, and those on their way are not.
func (h *Hub) checkRooms() healthCheck {
	c := healthCheck{Name: "rooms", Status: checkOK}
	ready, all := h.partitions.ready(), h.partitions.count
	trouble, failing := h.partitions.holding.Trouble(), failingSnapshots(h.partitions.Stats())
	switch {
	case trouble != nil:
		c.Status, c.Detail = checkFail, trouble.Error()
	case h.membership.alone && ready < all:
		c.Status, c.Detail = checkFail, fmt.Sprintf("%d of %d partitions are ready", ready, all)
	case failing >= snapshotsWarn:
		c.Status = checkWarn
		c.Detail = fmt.Sprintf("snapshots of a partition were not stored %d times in a row: a restart replays what came since", failing)
	case !h.membership.alone:
		c.Detail = fmt.Sprintf("%d of %d partitions are here", ready, all)
	}
	return c
}

// snapshotsWarn is how many failures in a row a person should know of: half a minute.
const snapshotsWarn = 3

// failingSnapshots is how often in a row snapshots of a partition have failed, at most.
func failingSnapshots(partitions []owner.Stats) int64 {
	most := int64(0)
	for i := range partitions {
		most = max(most, partitions[i].Failing)
	}
	return most
}

// reading is what /metrics shows of the state.
func (h *Hub) reading() reading {
	return reading{
		ready: h.phase.serving(), intake: h.intake.Stats(),
		partitions: h.partitions.Stats(), owned: h.partitions.ready(), audience: h.house.Stats(),
		breaker: h.outlet.breaker.open(time.Now()), journal: h.cfg.Journal.Stats(),
		nodes: h.membership.nodes(), relay: h.relay.Stats(), asked: h.asker.Stats(),
	}
}
