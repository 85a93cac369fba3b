package owner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/giftwire/giftwire/hub/internal/stage"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// Times of ending.
const (
	// settleGrace is how long what was decided may take to be stored once the calls in
	// flight have ended. The store answers in milliseconds or not at all.
	settleGrace = 3 * time.Second
	// markEvery keeps a quiet partition's last record from ageing out of OUTCOMES,
	// whose age is days.
	markEvery = time.Hour
)

// Partition is one partition of rooms, owned or about to be. It is used once: for
// owning again, make another. All methods but Run are safe for concurrent use; those
// with a context may read the log and so block.
type Partition struct {
	cfg      Config
	origin   time.Time // Mono counts from here
	rooms    *rooms
	verdicts *verdicts
	phase    atomic.Int32
	served   chan struct{} // closed when phaseServing begins
	stats    counters
	perform  stage.Perform // starts a room's actor
	saving   chan struct{} // 1-buffered: held by the snapshot that is being stored

	tenure

	// Guarded by rooms.
	life   context.Context //nolint:containedctx // actors are started by events, not by a caller with a context
	actors sync.WaitGroup
}

// tenure is what a takeover begins. It is set by takeOver, before any room does anything.
type tenure struct {
	identity  identity
	since     time.Duration // Mono: the takeover's acknowledgement
	notBefore time.Duration // Mono: no call earlier, see room.CoreConfig
	inherited uint64        // GIFTS sequence up to which an earlier owner may have sent gifts
}

// The phases of a partition, in order.
const (
	phaseNew int32 = iota
	phaseTaking
	phaseServing
	phaseEnded
)

// New checks the config, all faults at once, and starts nothing.
func New(cfg Config) (*Partition, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Partition{cfg: cfg, origin: time.Now(), rooms: newRooms(), verdicts: newVerdicts(), served: make(chan struct{}), saving: make(chan struct{}, 1)}
	p.perform = p.start
	return p, nil
}

// Run takes the partition over, serves it until ctx ends, then finishes the calls in
// flight, stores what they decided, snapshots and releases. It returns nil after a
// release, else what ended it: an error that wraps [journal.ErrFenced] when another
// owner has taken over. Everything that it started has ended by then. It must be
// called once.
func (p *Partition) Run(ctx context.Context) error {
	if !p.phase.CompareAndSwap(phaseNew, phaseTaking) {
		return errors.New("owner: Run called twice")
	}
	defer p.phase.Store(phaseEnded)
	// Once the takeover may be stored the partition has to be released, or nobody else
	// takes it while this node lives: so the end of ctx does not end it at once.
	taking, end := outliving(ctx, settleGrace)
	defer end()
	if err := p.takeOver(taking); err != nil {
		return fmt.Errorf("owner: take over: %w", err)
	}
	if ctx.Err() != nil {
		return p.release(taking, p.newAppender())
	}
	return p.serve(ctx)
}

// parting bounds the snapshot that an owner stores before it begins to end.
const parting = time.Second

// part stores a snapshot while the rooms go on, so that they need not wait for it once
// they have ended: whoever is next replays what is decided meanwhile.
func (p *Partition) part(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, parting)
	defer cancel()
	if _, err := p.snapshot(ctx); err != nil {
		// The next owner replays from the one before: slower, not wrong.
		p.cfg.Logger.Warn("snapshot before the release failed", slog.Any("error", err))
	}
}

// outliving is a context that ends when the other one has for a while, or by end.
func outliving(ctx context.Context, grace time.Duration) (longer context.Context, end context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		late := time.NewTimer(grace)
		defer late.Stop()
		select {
		case <-late.C:
			cancel()
		case <-longer.Done():
		}
	})
	return longer, func() {
		stop()
		cancel()
	}
}

// serve runs the parts of an owner and ends them in the order in which they need each
// other: whatever produces decisions first, then what stores them, then the release.
func (p *Partition) serve(ctx context.Context) error {
	soft, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	hard, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	p.begin(soft)
	a := p.newAppender()
	quiet := make(chan struct{}) // closed when no actor decides any more
	var appended error
	var producers, storing sync.WaitGroup
	storing.Go(func() {
		if appended = a.run(hard, quiet); appended != nil {
			stop(appended)
		}
	})
	producers.Go(func() { stop(p.read(soft)) })
	producers.Go(func() {
		if err := p.keep(soft); err != nil {
			stop(err)
		}
	})

	select {
	case <-ctx.Done():
		p.part(hard)
		stop(context.Cause(ctx))
	case <-soft.Done():
	}
	began := time.Now()
	producers.Wait()
	p.endActors()
	deadline := time.AfterFunc(settleGrace, kill)
	defer deadline.Stop()
	close(quiet)
	storing.Wait()
	switch {
	case appended != nil:
		return appended
	case ctx.Err() == nil:
		return context.Cause(soft)
	}
	if err := p.release(hard, a); err != nil {
		return err
	}
	p.cfg.Logger.Info("partition released", slog.Uint64("term", p.identity.term), slog.Duration("took", time.Since(began)))
	return nil
}

// begin lets rooms be set to work, until life ends.
func (p *Partition) begin(life context.Context) {
	p.rooms.Lock()
	p.life = life
	p.rooms.Unlock()
}

func (p *Partition) newAppender() *appender {
	return &appender{store: p.cfg.Store, rooms: p.rooms, verdicts: p.verdicts, listener: p.cfg.Listener, identity: p.identity}
}

// endActors refuses new events and waits for the actors, whose context has ended:
// each finishes its calls in flight, at most room.Limits.CallTimeout.
func (p *Partition) endActors() {
	p.rooms.Lock()
	p.life = nil
	p.rooms.Unlock()
	p.actors.Wait()
}

// release gives the partition up, so that whoever is next need not wait for a lease. An
// open gift stays in the journal.
func (p *Partition) release(ctx context.Context, a *appender) error {
	// Before the record: after it another owner may answer, and decide.
	p.phase.Store(phaseEnded)
	rec := a.record(journal.KindRelease)
	if err := a.storeRecord(ctx, &rec); err != nil {
		return fmt.Errorf("owner: release: %w", err)
	}
	return nil
}

// keep snapshots a changed partition from time to time until ctx ends, and makes room.
// The error says that the partition is somebody else's.
func (p *Partition) keep(ctx context.Context) error {
	tick := time.NewTicker(p.cfg.SnapshotEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := p.keepOnce(ctx); err != nil {
			return err
		}
	}
}

func (p *Partition) keepOnce(ctx context.Context) error {
	p.rooms.Lock()
	p.rooms.memory.forget(time.Now().UnixMilli())
	p.rooms.Unlock()
	stored, err := p.snapshot(ctx)
	switch {
	case errors.Is(err, journal.ErrFenced):
		return fmt.Errorf("owner: snapshot: %w", err)
	case err != nil && ctx.Err() == nil:
		p.stats.failed.Add(1)
		p.stats.failing.Add(1)
		p.cfg.Logger.Warn("snapshot failed; the next one is tried in time", slog.Any("error", err))
	}
	if err == nil {
		p.stats.failing.Store(0)
	}
	if err := p.makeRoom(ctx, stored); err != nil && ctx.Err() == nil {
		p.cfg.Logger.Warn("history could not be purged; it is tried again in time", slog.Any("error", err))
	}
	return nil
}

func (p *Partition) mono() time.Duration { return time.Since(p.origin) }

// Ready reports whether gifts are read and decided.
func (p *Partition) Ready() bool { return p.phase.Load() == phaseServing }

// post gives an event to the room's actor, and starts one where none runs. The caller
// holds the lock. After the partition has begun to end, events are dropped: what must
// not be lost is in the journal.
func (p *Partition) post(e *entry, ev room.Event) {
	if p.life == nil {
		return
	}
	if e.actor != nil && e.actor.Post(ev) {
		return
	}
	if e.core == nil {
		e.core = room.NewCore(room.CoreConfig{
			Room: e.name, Limits: p.cfg.Limits, Seed: seed(p.identity.incarnation, e.name),
			OwnedSince: p.since, NotBefore: p.notBefore, Game: e.game.Now.State,
		})
	}
	var a stage.Performer
	a = p.perform(e.name, room.ActorConfig{
		Core: e.core, Sender: p.cfg.Sender, Origin: p.origin, Gate: p.cfg.Gate, Ended: p.cfg.Ended,
		Decide: func(d []room.Decision) { p.verdicts.put(e.name, d) },
		Joined: func(c []room.Comment) { p.joined(e, c) },
		Alarm:  func(alarm room.Alarm) { p.cfg.Alarm(e.name, alarm) },
		Shed:   p.cfg.Shed,
	}, ev, func() {
		p.rooms.Lock()
		defer p.rooms.Unlock()
		if e.actor == a { // else an event came just then and started the next one
			e.actor, e.core = nil, nil
		}
	})
	e.actor = a
}

// start is the [stage.Perform] of a real partition: a goroutine that endActors joins.
func (p *Partition) start(_ string, cfg room.ActorConfig, first room.Event, ended func()) stage.Performer {
	a := room.NewActor(cfg)
	a.Post(first)
	life := p.life
	p.actors.Go(func() {
		a.Run(life)
		ended()
	})
	return a
}

// joined notes which joins ZEGO has taken.
func (p *Partition) joined(e *entry, comments []room.Comment) {
	p.rooms.Lock()
	defer p.rooms.Unlock()
	for _, c := range comments {
		if e.joins.taken(c) {
			p.rooms.dirtyJoins[chunkOf(e.name)] = true
			p.rooms.dirty = true
		}
	}
}
