package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// Hub is one node: viewers, platform API, rooms. Make it with [New], run it with
// [Hub.Run], and serve [Hub.Handler]. Two hubs in one process do not meet.
type Hub struct {
	cfg     Config
	rooms   *directory
	stored  *stored
	owners  *owners
	intake  *intake.Intake
	house   *audience.House
	lobby   *lobby
	outlet  *outlet
	metrics *metrics
	phase   phase

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
	var faults [3]error
	h.house, faults[0] = audience.New(cfg.Limits.Outbox)
	h.owners, faults[1] = h.newOwners()
	h.intake, faults[2] = h.newIntake()
	if err := errors.Join(faults[:]...); err != nil {
		return nil, err
	}
	h.lobby = h.newLobby()
	h.assemble(keys)
	return h, nil
}

// newOwners makes a partition for each log of the journal.
func (h *Hub) newOwners() (*owners, error) {
	j := h.cfg.Journal
	o := &owners{index: j.Partition, stored: h.stored}
	news := &listener{house: h.house, rooms: h.rooms, metrics: h.metrics}
	for n := range j.Partitions() {
		p, err := owner.New(owner.Config{
			Store: j.Log(n), Sender: h.outlet, Limits: h.cfg.Limits.Room, Listener: news,
			Node: j.Node(), Incarnation: j.Incarnation(), Gate: h.outlet.gate, Alarm: h.alarmed, Logger: h.cfg.Logger,
		})
		if err != nil {
			return nil, err
		}
		o.partitions = append(o.partitions, p)
	}
	return o, nil
}

func (h *Hub) newIntake() (*intake.Intake, error) {
	return intake.New(intake.Config{
		Journal: h.stored, Owner: h.owners, Chat: h.owners, Rooms: h.rooms,
		Prices: intake.Prices{Catalogue: h.cfg.Catalogue, Wallet: h.cfg.Wallet},
		AppID:  h.cfg.AppID, Limits: h.cfg.Limits.Intake, Meter: h.metrics, Logger: h.cfg.Logger,
	})
}

// assemble builds the two handlers.
func (h *Hub) assemble(keys auth.Keys) {
	p := &platform{
		rooms: h.rooms, ledgers: h.owners, gifts: h.intake, journal: h.stored, game: h.cfg.Game,
		launch: newLaunchGuard(h.cfg.Limits.LaunchEvery), keys: keys, limits: h.cfg.Limits,
		face: face{
			node: h.cfg.Journal.Node(), epoch: h.cfg.Journal.Epoch(), avatar: h.cfg.Web.Avatar, viewers: h.house.Viewers,
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
type running struct{ journal, registry, viewers, rooms *part }

// Run reads the journal, serves until ctx ends, and drains: nothing new is taken, what
// is open is flushed once more, viewers are told when to come back. That takes at most
// Limits.Drain; everything that Run started has ended when it returns. It returns nil
// after a drain, and what went wrong where a part of the hub could not go on: then it
// drains too, as far as that goes. It can be called once.
func (h *Hub) Run(ctx context.Context) error {
	if !h.phase.to(phaseStarting) {
		return errors.New("hub: Run was called twice")
	}
	if err := h.rooms.open(ctx); err != nil {
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
		rooms:    begin(base, "rooms", h.runOwners, failed),
		viewers:  begin(base, "viewers", h.lobby.run, failed),
	}
	if h.started(ctx) {
		h.phase.serve()
		h.cfg.Logger.Info("serving")
	}
	<-ctx.Done()
	return h.drain(base, run)
}

// started waits until every partition is ready; false: ctx has ended before.
func (h *Hub) started(ctx context.Context) bool {
	// 5 ms: a start that waits for fsyncs does not notice it.
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for h.owners.serving() < len(h.owners.partitions) {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// runOwners owns every partition until ctx ends. One that ends by itself ends all: on
// one node there is nobody else to take it over.
func (h *Hub) runOwners(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(h.owners.partitions))
	var all sync.WaitGroup
	for n, p := range h.owners.partitions {
		all.Go(func() {
			errs[n] = p.Run(ctx)
			stop()
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// roomChanged tells viewers that their room is closed, or what is played there now.
func (h *Hub) roomChanged(r roomConfig) {
	if r.deleted {
		h.house.CloseRoom(r.id, wire.Bye{Code: wire.ByeRoomClosed})
		return
	}
	h.house.GameChanged(r.id, r.game, h.owners.Room(r.id).Playing(r.game))
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
	rooms := healthCheck{Name: "rooms", Status: checkOK}
	if owned, all := h.owners.serving(), len(h.owners.partitions); owned < all {
		rooms.Status, rooms.Detail = checkFail, fmt.Sprintf("%d of %d partitions are ready", owned, all)
	}
	return append(checks, rooms, h.outlet.check(time.Now()))
}

// reading is what /metrics shows of the state.
func (h *Hub) reading() reading {
	return reading{
		ready: h.phase.serving(), intake: h.intake.Stats(),
		partitions: h.owners.Stats(), owned: h.owners.serving(), audience: h.house.Stats(),
		breaker: h.outlet.breaker.open(time.Now()), journal: h.cfg.Journal.Stats(),
	}
}
