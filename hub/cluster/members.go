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
	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/journal"
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
	// tryEvery is between two looks for a better server, the first of them after the last
	// good renewal, and tryMax bounds one: two servers that do not answer.
	tryEvery = 2 * time.Second
	tryMax   = 4 * time.Second
	// remakeMax bounds one look whether the bucket of leases is there, and its making: a
	// renewal must not wait for it for longer than for an answer. remakeEvery is between two.
	remakeMax   = renewMax
	remakeEvery = time.Second
	// twinWait is how long a lease that is there under the own name is watched before it
	// is taken for one of an earlier life, and written over: it has surely ended then.
	twinWait = deadAfter
)

var (
	// ErrTwin says that another living process has this node's name.
	ErrTwin = errors.New("cluster: another living node has this name")
	// errNowhere: there are no other servers.
	errNowhere = errors.New("cluster: no other server")
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
	// trial gives the leases by way of one other server after the other to renew, and moves
	// the connection to the first with which it succeeds.
	trial func(ctx context.Context, renew func(context.Context, leases) error) error
	// remake makes the bucket of leases if it is not there.
	remake func(context.Context) error

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
	kv, err := j.KeyValue(ctx, leasesBucket())
	if err != nil {
		return nil, err
	}
	m := newMembers(leaseBucket{kv, j}, func() error { return j.Conn().ForceReconnect() }, cfg)
	m.trial = func(ctx context.Context, renew func(context.Context, leases) error) error {
		return j.Elsewhere(ctx, func(ctx context.Context, js jetstream.JetStream) error {
			attempt, cancel := context.WithTimeout(ctx, renewMax)
			other, err := js.KeyValue(attempt, leasesName) // asks a leader; in an election nobody answers
			cancel()
			if err != nil {
				return err
			}
			return renew(ctx, leaseBucket{other, j})
		})
	}
	m.remake = func(ctx context.Context) error {
		_, err := j.KeyValue(ctx, leasesBucket())
		return err
	}
	return m, nil
}

func newMembers(l leases, again func() error, cfg MembersConfig) *Members {
	m := &Members{cfg: cfg, leases: l, again: again, census: newCensus(cfg.Node)}
	m.remake = func(context.Context) error { return nil }
	m.trial = func(context.Context, func(context.Context, leases) error) error { return errNowhere }
	return m
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

// Holds reports whether a node's incarnation, one that has had a lease, may still have it,
// as the bucket's leader has it. Where the bucket was forgotten and made anew, as by a NATS
// server that was started anew, it says so of every incarnation for 2 s after it was first
// asked: what was forgotten may hold. It repeats the question while nobody answers; ctx
// bounds that.
func (m *Members) Holds(ctx context.Context, node, incarnation string) (bool, error) {
	if incarnation == "" {
		return false, nil
	}
	l, revision, err := m.read(ctx, node)
	if err != nil || l.Incarnation == incarnation {
		return err == nil, err
	}
	if revision > 0 { // another life's, or it was given back or taken away
		return false, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.census.missing(node+"/"+incarnation, time.Now()), nil
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
	l := newLife(id.String(), m)
	for {
		err := m.enter(ctx, l)
		switch {
		case err == nil:
			return l, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, errUnwritten), noBucket(err):
		default:
			return nil, err
		}
		m.cfg.Logger.Warn("cannot join; trying again", slog.Any("error", err))
		m.restore(ctx)
		if err := pause(ctx, renewEvery); err != nil {
			return nil, err
		}
	}
}

// errUnwritten: the first lease of a life could not be written.
var errUnwritten = errors.New("cluster: the lease is not written")

// enter is one attempt to join.
func (m *Members) enter(ctx context.Context, l *Life) error {
	before, revision, err := m.read(ctx, m.cfg.Node)
	if err == nil && before.Incarnation != "" && before.Incarnation != l.Incarnation {
		err = m.expectSilence(ctx, revision)
	}
	if err != nil {
		return err
	}
	l.revision = revision
	if err := l.renew(ctx, m.leases); err != nil {
		return fmt.Errorf("%w: %w", errUnwritten, err)
	}
	return nil
}

// restore makes the bucket of leases if it is not there: the only server of a NATS that
// is no cluster forgets it when it is started anew. Renewals find out what has become of
// the leases.
func (m *Members) restore(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, remakeMax)
	defer cancel()
	if err := m.remake(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		m.cfg.Logger.Warn("the bucket of leases is not there", slog.Any("error", err))
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
	return readLease(ctx, m.leases, node)
}

func readLease(ctx context.Context, from leases, node string) (lease, uint64, error) {
	data, revision, err := from.Newest(ctx, node)
	if err != nil || data == nil {
		return lease{}, revision, err
	}
	var l lease
	if err := json.Unmarshal(data, &l); err != nil {
		return lease{}, 0, fmt.Errorf("cluster: lease of %s: %w", node, err)
	}
	return l, revision, nil
}

// elsewhere makes the connection try another server.
func (m *Members) elsewhere() {
	m.cfg.Logger.Warn("another NATS server is tried")
	if err := m.again(); err != nil {
		m.cfg.Logger.Warn("no other NATS server can be tried", slog.Any("error", err))
	}
}
