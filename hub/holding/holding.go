package holding

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/journal"
)

// Roll is who lives; *cluster.Members is one, [Sole] another.
type Roll interface {
	// Staying lists the nodes that partitions may go to. It does no I/O.
	Staying() []string
	// Holds reports whether a node's incarnation still has its lease. It may block until
	// ctx ends.
	Holds(ctx context.Context, node, incarnation string) (bool, error)
}

// Partition is one that can be owned; *owner.Partition is one. Run takes it over and
// owns it until ctx ends; nil says that it was released.
type Partition interface {
	Run(ctx context.Context) error
}

// Config is what a holding needs. All but Logger must be set.
type Config[P Partition] struct {
	Node       string
	Partitions int
	Roll       Roll
	// Last returns the newest record of a partition's log, read from its leader; Seq 0:
	// there is none.
	Last func(ctx context.Context, partition int) (journal.OutcomeRecord, error)
	// New makes a partition that is about to be owned by this node's incarnation. It must
	// take over behind last and no other record: that one says that nobody owns it.
	New func(partition int, incarnation string, last journal.OutcomeRecord) (P, error)
	// Released tells the other nodes that a partition is free. It must not block.
	Released func(partition int)
	// Logger gets what an operator should know. nil: nothing.
	Logger *slog.Logger
}

const (
	// lookEvery is how often a holding looks without being told: a note that got lost
	// costs so much.
	lookEvery = 500 * time.Millisecond
	// takeMax logs are asked at a time whether they may be taken over.
	takeMax = 8
	// giveMax partitions are given to a newcomer at a time, so that a few rooms wait for
	// a moment, one after the other, and not all.
	giveMax = 2
	// keepFor is how long a partition is kept at least before it is given to a newcomer: an
	// owner that follows two others within 2 s lets its rooms wait for up to a second (see
	// takeoverGap in hub/owner), and a takeover takes a while. Who leaves does not wait.
	keepFor = 2500 * time.Millisecond
	// leaveMax is giveMax for a node that gives all of its partitions up.
	leaveMax = 8
	// failPause is how long a partition rests that could not be owned.
	failPause = 2 * time.Second
)

// Holding is the partitions of one node. It is safe for concurrent use.
type Holding[P Partition] struct {
	cfg  Config[P]
	wake chan struct{} // capacity 1

	mu    sync.RWMutex // guards the following
	slots []slot[P]
	busy  int // slots that are taking
	going int // slots that are giving
}

// slot is one partition as this node sees it.
type slot[P Partition] struct {
	stage   stage
	held    P                  // in stageHeld and stageGiving
	end     context.CancelFunc // of held
	rest    time.Time          // not taken before
	since   time.Time          // held since
	freed   bool               // somebody released it since it was looked at
	trouble error              // why it could not be owned
	// unreleased: this incarnation may have written the newest record. As long as it lives
	// nobody else takes the partition, so it has to, wherever the partition belongs.
	unreleased bool
}

type stage uint8

const (
	stageNone   stage = iota // elsewhere
	stageTaking              // it is looked at whether it may be taken
	stageHeld
	stageGiving // it is being released
)

// New makes a holding that holds nothing. It starts nothing.
func New[P Partition](cfg Config[P]) (*Holding[P], error) {
	if cfg.Node == "" || cfg.Partitions < 1 || cfg.Roll == nil || cfg.Last == nil || cfg.New == nil || cfg.Released == nil {
		return nil, errors.New("holding: Node, Partitions, Roll, Last, New and Released are needed")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Holding[P]{cfg: cfg, wake: make(chan struct{}, 1), slots: make([]slot[P], cfg.Partitions)}, nil
}

// Get returns the partition if this node holds it, or is taking it over.
func (h *Holding[P]) Get(partition int) (P, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	s := &h.slots[partition]
	return s.held, s.stage == stageHeld || s.stage == stageGiving
}

// Freed hears that another node has released a partition. It does not block. One that
// does not exist is ignored.
func (h *Holding[P]) Freed(partition int) {
	h.mu.Lock()
	if partition >= 0 && partition < len(h.slots) {
		h.slots[partition].rest, h.slots[partition].freed = time.Time{}, true
	}
	h.mu.Unlock()
	h.Look()
}

// Look makes the holding look at once: nodes came or went. It does not block.
func (h *Holding[P]) Look() {
	select {
	case h.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Trouble is why partitions that belong here are not owned, nil if all are or will be.
func (h *Holding[P]) Trouble() error {
	nodes := h.cfg.Roll.Staying()
	h.mu.RLock()
	defer h.mu.RUnlock()
	var all []error
	for i := range h.slots {
		s := &h.slots[i]
		if s.trouble != nil && s.stage != stageHeld && cluster.Place(i, nodes) == h.cfg.Node {
			all = append(all, fmt.Errorf("partition %d: %w", i, s.trouble))
		}
	}
	return errors.Join(all...)
}

// Run holds what belongs to this node, as the incarnation, until ctx ends. Then it
// releases everything and returns when all has ended. It must not run twice at a time.
func (h *Holding[P]) Run(ctx context.Context, incarnation string) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var running sync.WaitGroup
	defer running.Wait()
	for ctx.Err() == nil {
		for _, p := range h.look(time.Now()) {
			running.Go(func() { h.hold(ctx, p, incarnation) })
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-h.wake:
		}
	}
}

// look compares what is held with what should be: it begins to give up what belongs
// elsewhere, and returns what should be taken.
func (h *Holding[P]) look(now time.Time) []int {
	nodes := h.cfg.Roll.Staying()
	most, kept := giveMax, keepFor
	if !slices.Contains(nodes, h.cfg.Node) {
		most, kept = leaveMax, 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var take []int
	for p := range h.slots {
		s := &h.slots[p]
		place := cluster.Place(p, nodes)
		switch {
		case (place == h.cfg.Node || s.unreleased) && s.stage == stageNone && h.busy < takeMax && !now.Before(s.rest):
			s.stage, s.freed = stageTaking, false
			h.busy++
			take = append(take, p)
		case place != h.cfg.Node && place != "" && s.stage == stageHeld && h.going < most && now.Sub(s.since) >= kept:
			s.stage = stageGiving
			h.going++
			s.end()
		}
	}
	return take
}

// hold takes a partition if it is free, and owns it until it ends.
func (h *Holding[P]) hold(ctx context.Context, p int, incarnation string) {
	last, free, err := h.free(ctx, p, incarnation)
	var part P
	if free && err == nil {
		part, err = h.cfg.New(p, incarnation, last)
	}
	if !free || err != nil {
		h.drop(p, slot[P]{rest: time.Now().Add(lookEvery), trouble: err, unreleased: err != nil && h.mayBeOwn(p)})
		return
	}
	own, end := context.WithCancel(ctx)
	defer end()
	h.keep(p, part, end)
	h.Look() // the next ones may be asked
	err = part.Run(own)
	if err == nil {
		h.drop(p, slot[P]{})
		h.cfg.Released(p)
	} else {
		h.cfg.Logger.Warn("partition lost", slog.Int("partition", p), slog.Any("error", err))
		h.drop(p, slot[P]{
			rest: time.Now().Add(failPause), trouble: err, unreleased: !errors.Is(err, journal.ErrFenced),
		})
	}
	h.Look()
}

// mayBeOwn reports whether the slot was marked so.
func (h *Holding[P]) mayBeOwn(p int) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.slots[p].unreleased
}

// free reports whether nobody else may own the partition, and the record that says so.
func (h *Holding[P]) free(ctx context.Context, p int, incarnation string) (journal.OutcomeRecord, bool, error) {
	last, err := h.cfg.Last(ctx, p)
	if err != nil || last.Seq == 0 || last.Kind == journal.KindRelease {
		return last, err == nil, err
	}
	if last.Node == h.cfg.Node && last.Incarnation == incarnation {
		return last, true, nil // it was lost without a release, and does not run any more
	}
	held, err := h.cfg.Roll.Holds(ctx, last.Node, last.Incarnation)
	return last, err == nil && !held, err
}

// keep notes that a partition is owned.
func (h *Holding[P]) keep(p int, part P, end context.CancelFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.busy--
	s := &h.slots[p]
	s.stage, s.held, s.end, s.trouble, s.since = stageHeld, part, end, nil, time.Now()
}

// drop notes that a partition is not owned: next says why, and when it may be.
func (h *Holding[P]) drop(p int, next slot[P]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &h.slots[p]
	switch s.stage {
	case stageTaking:
		h.busy--
	case stageGiving:
		h.going--
	case stageNone, stageHeld:
	}
	if s.freed && s.stage == stageTaking {
		next.rest = time.Time{} // it was asked just before
		h.Look()
	}
	*s = next
}

// Sole is the roll of a node that is alone on its journal, as on an embedded one.
type Sole string

// Staying implements Roll.
func (s Sole) Staying() []string { return []string{string(s)} }

// Holds implements Roll: whoever wrote before was an earlier life of this node.
func (s Sole) Holds(context.Context, string, string) (bool, error) { return false, nil }
