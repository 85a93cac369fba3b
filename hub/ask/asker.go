package ask

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// Config is what an asker needs.
type Config struct {
	// Desk is where the partitions of this node are.
	Desk *Desk
	// Bus is the way to the other nodes. nil: there are none; then a partition that is
	// not ready is so at once, nobody waits for it to move.
	Bus *cluster.Bus
	// Node is this node's name.
	Node string
	// Partition is the partition of a room; journal.Journal.Partition is it.
	Partition func(roomID string) int
	// Stored is how far this node knows a partition's log of gifts to be written: an
	// owner answers when it has read so far. nil: 0.
	Stored func(partition int) uint64
	// Newest is the same as the log's leader has it, whoever wrote:
	// journal.Partition.LastGift. It is asked before a gift is called unknown, which may
	// have come in through another node a moment ago, and by StateNow. It may block until
	// ctx ends. nil: nobody else writes.
	Newest func(ctx context.Context, partition int) (uint64, error)
	// Elsewhere is what this node knows without asking of rooms that others own. nil:
	// nothing.
	Elsewhere Elsewhere
}

// Elsewhere knows rooms that other nodes own, from their news and beats.
type Elsewhere interface {
	// Room returns what was last heard of a room; zero: nothing. It does no I/O.
	Room(roomID string) owner.RoomState
}

// Asker puts questions to the owners of rooms, wherever they are. It is safe for
// concurrent use, and starts nothing.
type Asker struct {
	cfg   Config
	stats askerStats
}

const (
	// lookupPatience bounds a Lookup beside its context: it bridges a drained handover
	// (p50 54 ms, worst 205 ms) and not a takeover (2 s), which no gift should wait for:
	// the journal does not depend on it.
	lookupPatience = 500 * time.Millisecond
	// A question that nobody answers is put again after retryFirst, then after twice as
	// long up to retryMost, each less up to a half by chance: 25 to 50 times in a takeover
	// of 2 s. A hundred of a platform's requests that wait so are 2,000 messages a second.
	retryFirst = 20 * time.Millisecond
	retryMost  = 100 * time.Millisecond
)

// New makes an asker. Its errors wrap [ErrBadConfig].
func New(cfg Config) (*Asker, error) {
	if cfg.Desk == nil || cfg.Node == "" || cfg.Partition == nil {
		return nil, fmt.Errorf("%w: an asker needs a Desk, a Node and Partition", ErrBadConfig)
	}
	if cfg.Stored == nil {
		cfg.Stored = func(int) uint64 { return 0 }
	}
	return &Asker{cfg: cfg}, nil
}

// State returns a room's state, with all that this node was told is stored. It waits
// for an owner until ctx ends. Errors: owner.ErrNotReady, [ErrFailed].
func (a *Asker) State(ctx context.Context, roomID string) (owner.RoomState, error) {
	return a.stateAt(ctx, roomID, a.stored(roomID))
}

// StateNow is State with all that any node was told is stored: the log's leader is asked
// first how far it goes. It is for what must not be decided upon yesterday's news, as
// whether a game runs that another node heard of. Errors as of State.
func (a *Asker) StateNow(ctx context.Context, roomID string) (owner.RoomState, error) {
	upTo := a.stored(roomID)
	if a.cfg.Newest != nil {
		newest, err := a.cfg.Newest(ctx, a.cfg.Partition(roomID))
		if err != nil {
			return owner.RoomState{}, fmt.Errorf("%w: %w", owner.ErrNotReady, err)
		}
		upTo = max(upTo, newest)
	}
	return a.stateAt(ctx, roomID, upTo)
}

func (a *Asker) stateAt(ctx context.Context, roomID string, upTo uint64) (owner.RoomState, error) {
	r, err := a.ask(ctx, &question{Kind: kindState, Room: roomID, UpTo: upTo})
	if err != nil {
		return owner.RoomState{}, err
	}
	return *r.State, nil
}

// Lookup tells what is known of an id. It waits for an owner until ctx ends, at most
// 500 ms. Errors: owner.ErrNotReady, journal.ErrGone, [ErrFailed], or of reading here.
func (a *Asker) Lookup(ctx context.Context, roomID string, id room.MsgID) (owner.Known, error) {
	q := &question{Kind: kindLookup, Room: roomID, MsgID: id}
	if c := a.cfg.Desk.at(a.cfg.Partition(roomID)); c != nil { // the usual way on one node: no timer
		if r, err := c.ask(ctx, q); !errors.Is(err, owner.ErrNotReady) {
			return knownOf(r, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, lookupPatience)
	defer cancel()
	return knownOf(a.ask(ctx, q))
}

func knownOf(r reply, err error) (owner.Known, error) {
	if err != nil {
		return owner.Known{}, err
	}
	return *r.Known, nil
}

// Timeline returns all that is known of a gift of the room. A gift is unknown only if
// no node had it accepted before the question. It waits for an owner until ctx ends.
// Errors: owner.ErrNotReady, owner.ErrUnknownGift, [ErrFailed], or of reading here.
func (a *Asker) Timeline(ctx context.Context, roomID string, id room.MsgID) (owner.Timeline, error) {
	q := &question{Kind: kindTimeline, Room: roomID, MsgID: id, UpTo: a.stored(roomID)}
	r, err := a.ask(ctx, q)
	if errors.Is(err, owner.ErrUnknownGift) && a.cfg.Newest != nil {
		newest, failed := a.cfg.Newest(ctx, a.cfg.Partition(roomID))
		if failed != nil {
			return owner.Timeline{}, fmt.Errorf("%w: %w", owner.ErrNotReady, failed)
		}
		if newest > q.UpTo {
			q.UpTo = newest
			r, err = a.ask(ctx, q)
		}
	}
	if err != nil {
		return owner.Timeline{}, err
	}
	return *r.Timeline, nil
}

// Ledger returns terminal outcomes of a room after the cursor, at most limit of them (1
// to 1000). From another node it may be fewer though there are more: its Next says
// where they go on. It waits for an owner until ctx ends. Errors: owner.ErrNotReady,
// owner.ErrCursorGone, [ErrFailed], or of reading here.
func (a *Asker) Ledger(ctx context.Context, roomID string, after owner.Cursor, limit int) (owner.Page, error) {
	r, err := a.ask(ctx, &question{Kind: kindLedger, Room: roomID, After: after, Limit: limit})
	if err != nil {
		return owner.Page{}, err
	}
	return *r.Page, nil
}

func (a *Asker) stored(roomID string) uint64 { return a.cfg.Stored(a.cfg.Partition(roomID)) }

// Comment hands a comment to the room's owner, best effort: nil says only that it left
// this node. It does not block.
func (a *Asker) Comment(roomID, gameID string, c room.Comment) error {
	return a.tell(&question{Kind: kindComment, Room: roomID, Game: gameID, Comment: &c})
}

// Like hands likes over as Comment does.
func (a *Asker) Like(roomID, gameID string, l room.Like) error {
	return a.tell(&question{Kind: kindLike, Room: roomID, Game: gameID, Like: &l})
}

// tell hands over what nobody answers.
func (a *Asker) tell(q *question) error {
	n := a.cfg.Partition(q.Room)
	if c := a.cfg.Desk.at(n); c != nil {
		_, err := respond(c.life, c.partition, q)
		return err
	}
	if a.cfg.Bus == nil {
		return owner.ErrNotReady
	}
	q.V, q.Node = version, a.cfg.Node
	data, err := encodeQuestion(q)
	if err != nil {
		return err
	}
	return a.cfg.Bus.Publish(subject(n), data)
}

// Room returns what this node knows of a room without asking: of one that it owns all
// but the last milliseconds, of another what its owner told. It does no I/O.
func (a *Asker) Room(roomID string) owner.RoomState {
	if c := a.cfg.Desk.at(a.cfg.Partition(roomID)); c != nil && c.partition.Ready() {
		return c.partition.Room(roomID)
	}
	if a.cfg.Elsewhere == nil {
		return owner.RoomState{}
	}
	return a.cfg.Elsewhere.Room(roomID)
}

// OpenGifts counts the gifts of the rooms that this node owns that are journaled and
// not decided: each node guards its own memory. It does no I/O.
func (a *Asker) OpenGifts() int { return a.cfg.Desk.openGifts() }

// askerStats are counters; safe for concurrent use.
type askerStats struct{ asked, again, silence, foreign atomic.Uint64 }

// Stats counts what an asker had to do with other nodes.
type Stats struct {
	Asked   uint64 // requests
	Again   uint64 // of all attempts, those that were repeated as nobody was ready
	Silence uint64 // requests without an answer
	Foreign uint64 // answers that are of another version, or cannot be read
}

// Stats returns the counts.
func (a *Asker) Stats() Stats {
	return Stats{
		Asked: a.stats.asked.Load(), Again: a.stats.again.Load(),
		Silence: a.stats.silence.Load(), Foreign: a.stats.foreign.Load(),
	}
}
