package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/giftwire/giftwire/hub/journal"
)

// The bucket of leases: one key a node, named like it.
const (
	leasesName = "NODES"
	// leasesBytes bounds the bucket: 1,000 nodes of below 200 bytes, five times over.
	leasesBytes = 1 << 20
	// leaseBytes bounds a lease with its headers.
	leaseBytes = 1 << 10
)

const (
	// renewMax is how long one renewal may take: less than renewEvery, so that the next
	// one is on time.
	renewMax = 400 * time.Millisecond
	// judgeEvery is how often silence is looked at.
	judgeEvery = 100 * time.Millisecond
	// stuckMax is how long renewals may fail on a living connection before another server
	// is tried: this one may be cut off from the others. It is longer than an election
	// (8.5 s), which no other server could shorten.
	stuckMax = 10 * time.Second
	// twinWait is how long a lease that is there under the own name is watched before it
	// is taken for one of an earlier life: two renewals and a lost one.
	twinWait = 3 * renewEvery
)

var (
	// ErrTwin says that another living process has this node's name.
	ErrTwin = errors.New("cluster: another living node has this name")
	// errEvicted: the others took this node for dead.
	errEvicted = errors.New("cluster: the other nodes took this one for dead")
)

// MembersConfig says who this node is.
type MembersConfig struct {
	// Node is its name: [A-Za-z0-9._-]{1,64}, another one than every other node's.
	Node string
	// Changed is called when nodes came or went, from goroutines of Run; it must not
	// block. nil: nobody.
	Changed func()
	// Logger gets what an operator should know. nil: nothing.
	Logger *slog.Logger
}

// Members is which nodes live, and this node's place among them. It is safe for
// concurrent use.
type Members struct {
	cfg    MembersConfig
	leases leases
	// again makes the connection try another server.
	again func() error

	mu     sync.Mutex // guards the following
	census *census
}

// lease is the value of a node's key.
type lease struct {
	Incarnation string `json:"incarnation"`
	Leaving     bool   `json:"leaving,omitzero"`
}

// OpenMembers makes the bucket NODES or verifies its settings (else
// [journal.ErrDrift]). It starts nothing and joins nothing: Run does.
func OpenMembers(ctx context.Context, j *journal.Journal, cfg MembersConfig) (*Members, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Changed == nil {
		cfg.Changed = func() {}
	}
	kv, err := j.KeyValue(ctx, journal.Bucket{
		Name: leasesName, MaxBytes: leasesBytes, ValueBytes: leaseBytes, Memory: true,
	})
	if err != nil {
		return nil, err
	}
	return newMembers(leaseBucket{kv, j}, func() error { return j.Conn().ForceReconnect() }, cfg), nil
}

func newMembers(l leases, again func() error, cfg MembersConfig) *Members {
	return &Members{cfg: cfg, leases: l, again: again, census: newCensus(cfg.Node)}
}

// Staying lists the living nodes that partitions may go to, sorted. It does no I/O.
func (m *Members) Staying() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.census.staying()
}

// Living lists all nodes that live, sorted; also those that give their partitions up
// and still have viewers. It does no I/O.
func (m *Members) Living() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.census.seats))
}

// Others reports whether other nodes live. It does no I/O.
func (m *Members) Others() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, here := m.census.seats[m.cfg.Node]
	return len(m.census.seats) > 1 || len(m.census.seats) == 1 && !here
}

// Valid reports whether this node may act as an owner now: its lease surely holds. It
// does no I/O; ask right before each call to ZEGO.
func (m *Members) Valid() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.census.valid(time.Now())
}

// Holds reports whether a node's incarnation still has its lease, as the bucket's leader
// has it. It repeats the question while nobody answers; ctx bounds that.
func (m *Members) Holds(ctx context.Context, node, incarnation string) (bool, error) {
	l, _, err := m.read(ctx, node)
	return l.Incarnation == incarnation && incarnation != "", err
}

// update changes what is believed, and tells if that changes who is there.
func (m *Members) update(change func(*census, time.Time) (changed bool)) {
	m.mu.Lock()
	changed := change(m.census, time.Now())
	m.mu.Unlock()
	if changed {
		m.cfg.Changed()
	}
}

// Life is one incarnation of this node: from its joining to its leaving, or to the
// moment when the others took it for dead.
type Life struct {
	// Incarnation is new with every life.
	Incarnation string
	members     *Members

	mu       sync.Mutex // guards the following, and makes writes of the lease one at a time
	revision uint64
	leaving  bool
}

// Run joins, and calls live with each life that this node has, until ctx ends or live
// returns an error; then it leaves. live's context ends when the life does: it must
// have ended all that only an owner may do before it returns, and return nil. Errors:
// ErrTwin, live's, or of the journal.
func (m *Members) Run(ctx context.Context, live func(context.Context, *Life) error) error {
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { m.watch(watching) })
	defer watcher.Wait()
	defer stop()
	for ctx.Err() == nil {
		l, err := m.join(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = m.run(ctx, l, live)
		}
		if !errors.Is(err, errEvicted) {
			return err
		}
		m.cfg.Logger.Error("this node was taken for dead; it starts anew", slog.String("incarnation", l.Incarnation))
	}
	return nil
}

// run lives one life.
func (m *Members) run(ctx context.Context, l *Life, live func(context.Context, *Life) error) error {
	alive, end := context.WithCancelCause(ctx)
	defer end(nil)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		if err := l.keep(alive); err != nil {
			end(err)
		}
	})
	err := live(alive, l)
	cause := context.Cause(alive)
	end(nil)
	renewing.Wait()
	if errors.Is(cause, errEvicted) {
		return errors.Join(errEvicted, err)
	}
	l.giveBack(context.WithoutCancel(ctx))
	return err
}

// join takes the own key. One that is there is of an earlier life of this node, unless
// somebody renews it.
func (m *Members) join(ctx context.Context) (*Life, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("cluster: make an incarnation: %w", err)
	}
	l := &Life{Incarnation: id.String(), members: m}
	for {
		before, revision, err := m.read(ctx, m.cfg.Node)
		if err == nil && before.Incarnation != "" && before.Incarnation != l.Incarnation {
			err = m.expectSilence(ctx, revision)
		}
		if err != nil {
			return nil, err
		}
		l.revision = revision
		err = l.renew(ctx)
		if err == nil {
			return l, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		m.cfg.Logger.Warn("cannot join; trying again", slog.Any("error", err))
		if err := pause(ctx, renewEvery); err != nil {
			return nil, err
		}
	}
}

// expectSilence returns ErrTwin if somebody renews the own key.
func (m *Members) expectSilence(ctx context.Context, revision uint64) error {
	if err := pause(ctx, twinWait); err != nil {
		return err
	}
	l, now, err := m.read(ctx, m.cfg.Node)
	if err == nil && now != revision && l.Incarnation != "" {
		return fmt.Errorf("%w: %s", ErrTwin, m.cfg.Node)
	}
	return err
}

// read reads a lease from the bucket's leader; zero: there is none.
func (m *Members) read(ctx context.Context, node string) (lease, uint64, error) {
	data, revision, err := m.leases.Newest(ctx, node)
	if err != nil || data == nil {
		return lease{}, revision, err
	}
	var l lease
	if err := json.Unmarshal(data, &l); err != nil {
		return lease{}, 0, fmt.Errorf("cluster: lease of %s: %w", node, err)
	}
	return l, revision, nil
}

// keep renews the lease until ctx ends, or it is somebody else's: errEvicted.
func (l *Life) keep(ctx context.Context) error {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	moved := time.Now() // to the server that is asked now, or the last good renewal
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := l.renew(ctx)
		switch {
		case err == nil:
			moved = time.Now()
		case errors.Is(err, errEvicted):
			return err
		case ctx.Err() == nil:
			l.members.cfg.Logger.Warn("lease not renewed", slog.Any("error", err))
			if time.Since(moved) >= stuckMax {
				moved = time.Now()
				l.members.elsewhere()
			}
		}
	}
}

// elsewhere makes the connection try another server.
func (m *Members) elsewhere() {
	m.cfg.Logger.Warn("another NATS server is tried")
	if err := m.again(); err != nil {
		m.cfg.Logger.Warn("no other NATS server can be tried", slog.Any("error", err))
	}
}

// Leave tells the others that partitions should go elsewhere. The lease holds.
func (l *Life) Leave(ctx context.Context) error {
	l.mu.Lock()
	l.leaving = true
	l.mu.Unlock()
	return l.renew(ctx)
}

// renew writes the lease over its own last revision.
func (l *Life) renew(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.members
	data, err := json.Marshal(lease{Incarnation: l.Incarnation, Leaving: l.leaving})
	if err != nil {
		return fmt.Errorf("cluster: encode a lease: %w", err)
	}
	asked := time.Now()
	attempt, cancel := context.WithTimeout(ctx, renewMax)
	revision, err := m.leases.Write(attempt, m.cfg.Node, data, l.revision)
	cancel()
	if errors.Is(err, errMoved) {
		// An earlier attempt landed without an answer, or the lease is not ours any more.
		return l.adopt(ctx)
	}
	if err != nil {
		return fmt.Errorf("cluster: renew the lease: %w", closedOr(err))
	}
	l.revision = revision
	m.update(func(c *census, now time.Time) bool {
		c.renewed(asked, now)
		return c.saw(m.cfg.Node, seat{incarnation: l.Incarnation, leaving: l.leaving, revision: revision}, now)
	})
	return nil
}

// adopt finds out whose the lease is. It is no renewal: when the write that landed was
// asked for is not remembered, and the next renewal comes soon.
func (l *Life) adopt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, renewMax)
	defer cancel()
	found, revision, err := l.members.read(ctx, l.members.cfg.Node)
	if err != nil {
		return err
	}
	if found.Incarnation == l.Incarnation {
		l.revision = revision
		return nil
	}
	l.members.update(func(c *census, _ time.Time) bool { c.lost(); return false })
	return errEvicted
}

// giveBack ends the lease, so that nobody has to wait for its end. If that fails they
// wait.
func (l *Life) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, renewMax)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.members.leases.End(ctx, l.members.cfg.Node, l.revision); err != nil {
		l.members.cfg.Logger.Warn("lease not given back; it ends by itself", slog.Any("error", err))
	}
	l.members.update(func(c *census, _ time.Time) bool { c.lost(); return false })
}
