package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
)

// openMax bounds Open beside its context: an election (up to 9 s), the wait for
// replicas, and four streams.
const openMax = 60 * time.Second

// Journal is the streams of one giftwire, seen from one node. Make it with
// [Open], run its publishers with [Journal.Run], end it with [Journal.Close]. All
// methods are safe for concurrent use. Several journals in one process are fine,
// each with its own folder or on the same cluster.
type Journal struct {
	// Set by Open, never written again.
	cfg         Config
	tuning      tuning
	incarnation string
	embedded    *embedded // nil: servers of your own
	link
	layout     layout
	publishers []*publisher
	floor      uint64 // GIFTS' last sequence before this incarnation

	health health
	stats  stats
	life   life
}

// tuning are times that nobody should have to set; tests shorten them.
type tuning struct {
	window time.Duration // how long JetStream remembers a Nats-Msg-Id
	grace  time.Duration // what a publish in flight gets when Run ends
	repeat time.Duration // after it, a publish is looked up before it is repeated
	// inProcess is how long an id may be in process before it is looked whether it is.
	inProcess time.Duration

	poll   time.Duration // how often a waiting reader looks without being told
	mark   time.Duration // how often a quiet partition's reader moves its position on
	direct time.Duration // how long the next answer of a batch may take
	leader time.Duration // one attempt of a read from the leader
	check  time.Duration // how often health and space are looked at
	wedged time.Duration // how long the embedded server may be unhealthy

	replicas time.Duration // how long a cluster's servers may take to see each other
}

func defaultTuning() tuning {
	return tuning{
		// Longer costs the servers memory (about 100 bytes a record); a publish that stays
		// without an answer for longer is looked up before it is repeated.
		window: 2 * time.Minute,
		grace:  3 * time.Second,
		// 20 s before the window closes, for an attempt that travels slowly.
		repeat: 100 * time.Second,
		// A proposal that is under way takes milliseconds.
		inProcess: 3 * time.Second,
		poll:      time.Second,
		// 26 times within GiftAge.
		mark:   time.Hour,
		direct: 500 * time.Millisecond,
		leader: time.Second,
		check:  time.Second,
		// The process has to be gone after 30 s (P13): up to 1 s until it is noticed, this,
		// and a drain in which nothing waits for the store any more: three phases of 1 s, a
		// call of ZEGO that hangs, too (5 s), and 3 s of the watch of rooms and the listeners
		// (hub/drain.go) make 25 s. Where the drain had begun before, publishes in flight get
		// no more time than this in all, which leaves one more phase and 3 s of appends: 29 s.
		wedged: 13 * time.Second,

		replicas: 10 * time.Second,
	}
}

// Open starts the embedded server or connects to NATS, makes the streams or
// verifies them, and returns a journal that reads and appends; entries are
// published once Run runs. It blocks while streams are recovered and a cluster
// elects, up to a minute. Errors: [ErrConfig], [ErrLocked], [ErrDrift], or of the
// folder, the connection or the servers.
func Open(ctx context.Context, cfg Config) (*Journal, error) {
	return open(ctx, cfg, defaultTuning())
}

func open(ctx context.Context, cfg Config, t tuning) (*Journal, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("journal: make an incarnation: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, openMax)
	defer cancel()
	j := &Journal{cfg: cfg, tuning: t, incarnation: id.String()}
	j.life.closed, j.life.wedged = make(chan struct{}), make(chan struct{})
	if cfg.NATSURL == "" {
		if j.embedded, err = openEmbedded(cfg.Dir, cfg.Node, cfg.Logger); err != nil {
			return nil, err
		}
	} else {
		cfg.Logger.Info("the NATS servers must run with sync_interval: always; a client cannot verify it")
	}
	if err := j.begin(ctx); err != nil {
		return nil, errors.Join(err, j.release())
	}
	return j, nil
}

// begin connects, opens the streams and makes the publishers.
func (j *Journal) begin(ctx context.Context) error {
	if err := j.connect(ctx); err != nil {
		return err
	}
	if err := j.openStreams(ctx); err != nil {
		return err
	}
	s, err := j.js.Stream(ctx, streamGifts)
	if err != nil {
		return fmt.Errorf("journal: look at stream %s: %w", streamGifts, err)
	}
	j.floor = s.CachedInfo().State.LastSeq
	j.publishers = make([]*publisher, j.layout.partitions)
	for p := range j.publishers {
		j.publishers[p] = newPublisher(j, p)
	}
	return nil
}

// release gives back what Open took.
func (j *Journal) release() error {
	if j.nc != nil {
		j.nc.Close()
	}
	if j.embedded != nil {
		return j.embedded.close()
	}
	return nil
}

// life says whether the journal may be run and submitted to.
type life struct {
	mu     sync.Mutex // guards the following
	ran    bool
	stop   context.CancelCauseFunc // ends Run; nil until it was called
	ended  chan struct{}           // closed when Run has ended
	closed chan struct{}           // closed by Close
	wedged chan struct{}           // closed by Run when it returns ErrWedged

	close sync.Once
	err   error // of Close
}

func (l *life) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// Run publishes what is submitted and watches the store's health, until ctx ends.
// Then it refuses entries, fails those that wait with [ErrClosed], gives publishes
// in flight 3 s, fails those still unanswered with [ErrUnknown], and returns nil;
// everything that it started has ended by then. It returns [ErrWedged] earlier when
// the embedded server cannot write for 13 s: only a restart of the process helps. Then
// publishes in flight get no more time, and reads and appends that wait end with
// ErrWedged, too. Run can be called once.
func (j *Journal) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan struct{})
	if err := j.start(stop, ended); err != nil {
		return err
	}
	defer close(ended)
	hints, err := j.followHints()
	if err != nil {
		stop(err)
	}
	hard, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	var publishing sync.WaitGroup
	for _, p := range j.publishers {
		publishing.Go(func() { p.run(ctx, hard) })
	}
	patience := j.tuning.grace
	if err == nil {
		var bad time.Duration
		if bad, err = j.watch(ctx); j.embedded != nil {
			patience = min(patience, j.tuning.wedged-bad)
		}
	}
	stop(err)
	if errors.Is(err, ErrWedged) {
		close(j.life.wedged)
	}
	grace := time.AfterFunc(patience, abandon)
	defer grace.Stop()
	publishing.Wait()
	if hints != nil {
		err = errors.Join(err, hints.Unsubscribe())
	}
	return err
}

func (j *Journal) start(stop context.CancelCauseFunc, ended chan struct{}) error {
	j.life.mu.Lock()
	defer j.life.mu.Unlock()
	if j.life.isClosed() {
		return ErrClosed
	}
	if j.life.ran {
		return errors.New("journal: Run was called twice")
	}
	j.life.ran, j.life.stop, j.life.ended = true, stop, ended
	return nil
}

// Close ends Run if it still runs and waits for it, fails what was never
// published with [ErrClosed], and gives connection, server and folder back. Reads
// and appends that still wait end with ErrClosed. It may be called again.
func (j *Journal) Close() error {
	j.life.close.Do(func() {
		j.life.mu.Lock()
		close(j.life.closed)
		stop, ended := j.life.stop, j.life.ended
		j.life.mu.Unlock()
		if stop != nil {
			stop(ErrClosed)
			<-ended
		}
		for _, p := range j.publishers {
			p.end() // for a journal that never ran
		}
		j.life.err = j.release()
	})
	return j.life.err
}

// pause waits for d, or tells why it did not: ctx's cause, ErrClosed or ErrWedged.
func (j *Journal) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-j.life.closed:
		return ErrClosed
	case <-j.life.wedged:
		return ErrWedged
	}
}

// Conn is the journal's connection, for what nodes tell each other beside the streams.
// It ends with Close; nobody else closes it.
func (j *Journal) Conn() *nats.Conn { return j.nc }

// Epoch names the life of the streams: made anew, they have another one, and
// sequences start again.
func (j *Journal) Epoch() string { return j.layout.epoch }

// Partitions is how many partitions the rooms are spread over.
func (j *Journal) Partitions() int { return j.layout.partitions }

// Embedded reports whether the journal runs a server of its own: then no other node can
// share it.
func (j *Journal) Embedded() bool { return j.embedded != nil }

// Node is this node's name in records.
func (j *Journal) Node() string { return j.cfg.Node }

// Incarnation is this journal's own name: new with every Open.
func (j *Journal) Incarnation() string { return j.incarnation }

// Partition is the partition of the room: FNV-1a (64 bits) modulo Partitions. Both
// are fixed when the streams are made.
func (j *Journal) Partition(roomID string) int {
	const offset, prime = 14695981039346656037, 1099511628211 // as in hash/fnv
	h := uint64(offset)
	for i := range len(roomID) {
		h = (h ^ uint64(roomID[i])) * prime
	}
	return int(h % uint64(j.layout.partitions)) //nolint:gosec // below partitionsMax
}

// Log is the log of a partition, 0 to Partitions-1; another one panics.
func (j *Journal) Log(p int) *Partition {
	return &Partition{j: j, n: p, pub: j.publishers[p]}
}
