package ask

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/giftwire/giftwire/hub/cluster"
)

// Bounds of what a desk does at a time for other nodes.
const (
	// questionsMax: at 10,000 gifts/s that other nodes took for the rooms of this one,
	// each asked for once, and 3 ms for the one in a hundred that was decided and is read
	// from the log, 0.3 questions wait at a time; 128 are there for a stall of 100 ms at
	// 1,000/s. Each holds at most one record of 1 MiB: 128 MiB at the very worst.
	questionsMax = 128
	// pagesMax is for ledger pages, which hold up to 256 entries of the log and take
	// seconds: they have places of their own, so that a crawl through ledgers holds up no
	// gift. 4 pages of 1,000 rows of about 1 KiB, and their encoding, are 8 MiB; of rows
	// as large as can be (14 KiB) 64 MiB.
	pagesMax = 4
)

// DeskConfig is what a desk needs.
type DeskConfig struct {
	// Bus is how other nodes ask. nil: there are none.
	Bus *cluster.Bus
	// Node is this node's name, Partitions how many there are in all.
	Node       string
	Partitions int
	// Valid reports whether this node's lease holds; cluster.Members.Valid does. It must
	// not block. nil: always.
	Valid func() bool
	// Logger gets what an operator should know. nil: nothing.
	Logger *slog.Logger
}

// Desk answers questions about the partitions that this node owns. It is safe for
// concurrent use.
type Desk struct {
	cfg       DeskConfig
	counters  []atomic.Pointer[counter] // by partition; nil: not here
	questions chan struct{}             // a place each
	pages     chan struct{}
	stats     deskStats
}

// ErrBadConfig is wrapped by the errors of [NewDesk] and [New].
var ErrBadConfig = errors.New("ask: bad config")

// NewDesk makes a desk without partitions. It starts nothing.
func NewDesk(cfg DeskConfig) (*Desk, error) {
	if cfg.Node == "" || cfg.Partitions < 1 {
		return nil, fmt.Errorf("%w: a desk needs a Node and Partitions", ErrBadConfig)
	}
	if cfg.Valid == nil {
		cfg.Valid = func() bool { return true }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Desk{
		cfg: cfg, counters: make([]atomic.Pointer[counter], cfg.Partitions),
		questions: make(chan struct{}, questionsMax), pages: make(chan struct{}, pagesMax),
	}, nil
}

// Serve answers questions about a partition, on this node and for the others, until
// stop is called: from before it runs (the answers are "not ready" then) until it is
// about to be released or has ended. incarnation names its owner. stop waits for the
// answers that are being made, and cuts them short; after it nobody is answered here.
// One partition of a number can be served at a time. Errors: of the configuration or
// the connection.
func (d *Desk) Serve(partition int, incarnation string, p Partition) (stop func(), err error) {
	if partition < 0 || partition >= len(d.counters) {
		return nil, fmt.Errorf("%w: partition %d of %d", ErrBadConfig, partition, len(d.counters))
	}
	c := newCounter(d, incarnation, p)
	if !d.counters[partition].CompareAndSwap(nil, c) {
		c.cancel()
		return nil, fmt.Errorf("%w: partition %d is served already", ErrBadConfig, partition)
	}
	var sub *cluster.Subscription
	if d.cfg.Bus != nil {
		if sub, err = d.cfg.Bus.ServeMany(subject(partition), c.hear); err != nil {
			d.counters[partition].Store(nil)
			c.close()
			return nil, err
		}
	}
	return func() {
		d.counters[partition].CompareAndSwap(c, nil)
		if sub != nil {
			sub.Close()
		}
		c.close()
	}, nil
}

// at is where a partition's questions are answered on this node, nil if elsewhere.
func (d *Desk) at(partition int) *counter { return d.counters[partition].Load() }

// openGifts counts the open gifts of all partitions here.
func (d *Desk) openGifts() int {
	sum := 0
	for i := range d.counters {
		if c := d.counters[i].Load(); c != nil {
			sum += c.partition.OpenGifts()
		}
	}
	return sum
}

// deskStats are counters; safe for concurrent use.
type deskStats struct {
	answered, busy, notReady, failed, silent, unreadable, foreign, dropped atomic.Uint64
}

// DeskStats counts what a desk did for other nodes since it was made.
type DeskStats struct {
	Answered   uint64 // with what was asked for, or that there is no such gift or row
	Busy       uint64 // refused, as there were too many at a time
	NotReady   uint64 // asked too early, or too late, or it took too long
	Failed     uint64 // the log could not be read
	Silent     uint64 // not answered: the lease did not surely hold
	Unreadable uint64 // messages that are no questions
	Foreign    uint64 // messages of another version
	Dropped    uint64 // comments and likes that the rooms did not take
}

// Stats returns the counts.
func (d *Desk) Stats() DeskStats {
	s := &d.stats
	return DeskStats{
		Answered: s.answered.Load(), Busy: s.busy.Load(), NotReady: s.notReady.Load(), Failed: s.failed.Load(),
		Silent: s.silent.Load(), Unreadable: s.unreadable.Load(), Foreign: s.foreign.Load(), Dropped: s.dropped.Load(),
	}
}
