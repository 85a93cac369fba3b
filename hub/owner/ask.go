package owner

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/giftwire/giftwire/hub/internal/stage"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

func isGone(err error) bool { return errors.Is(err, journal.ErrGone) }

// Lookup tells what is known of an id. It reads the log when the id was decided.
// Errors: ErrNotReady, or of reading; with journal.ErrGone the id was decided within a
// day and its outcome was purged: journal the gift again, and its sender hears how it ended.
func (p *Partition) Lookup(ctx context.Context, id room.MsgID) (Known, error) {
	if !p.Ready() {
		return Known{}, ErrNotReady
	}
	p.rooms.Lock()
	g, open := p.rooms.open[id]
	seq, _, known := p.rooms.memory.find(id.Key())
	p.rooms.Unlock()
	switch {
	case open:
		return Known{Knowledge: Open, Gift: g.gift}, nil
	case !known:
		return Known{}, nil
	}
	rec, err := p.cfg.Store.OutcomeAt(ctx, seq)
	if err != nil {
		return Known{}, err
	}
	d, at := decisionOf(rec, id)
	if d == nil {
		return Known{}, nil
	}
	return Known{Knowledge: Decided, Gift: d.Gift, Decision: d.Decision, Seq: at}, nil
}

// Room returns the state of a room; all but Owner is zero for one that never had a gift,
// and everything while the partition is not ready.
func (p *Partition) Room(roomID string) RoomState {
	if !p.Ready() {
		return RoomState{}
	}
	p.rooms.Lock()
	defer p.rooms.Unlock()
	e := p.rooms.find(roomID)
	if e == nil {
		return RoomState{Owner: p.cfg.Node}
	}
	return RoomState{
		Owner: p.cfg.Node, Seq: e.seq, Record: e.chain.head(), Totals: e.totals, Open: e.open,
		Accepted: e.accepted(), Game: e.game.Now, GameID: e.game.ID,
	}
}

// OpenGifts counts the gifts of all rooms that are journaled and not decided.
func (p *Partition) OpenGifts() int {
	if !p.Ready() {
		return 0
	}
	p.rooms.Lock()
	defer p.rooms.Unlock()
	return len(p.rooms.open)
}

// ReadSoFar is the GIFTS sequence up to which the partition has taken in what was
// accepted. 0 while it is not ready.
func (p *Partition) ReadSoFar() uint64 {
	if !p.Ready() {
		return 0
	}
	p.rooms.Lock()
	defer p.rooms.Unlock()
	return p.rooms.read
}

// WaitFlushed waits until no gift is open, or ctx ends. It is for a drain that has
// refused new gifts before.
func (p *Partition) WaitFlushed(ctx context.Context) error {
	if !p.Ready() {
		return ErrNotReady
	}
	return p.rooms.waitOpen(ctx, 1)
}

// Comment hands over a comment that does not join the game: best effort, dropped with
// ErrNotReady when nobody serves the room here.
func (p *Partition) Comment(roomID, gameID string, c room.Comment) error {
	return p.handOver(roomID, room.Commented{Game: gameID, Comment: c})
}

// Like hands over likes, best effort as Comment.
func (p *Partition) Like(roomID, gameID string, l room.Like) error {
	return p.handOver(roomID, room.Liked{Game: gameID, Like: l})
}

func (p *Partition) handOver(roomID string, ev room.Event) error {
	if !p.Ready() {
		return ErrNotReady
	}
	p.rooms.Lock()
	defer p.rooms.Unlock()
	p.post(p.rooms.at(roomID), ev)
	return nil
}

// Stats is a partition's state in numbers, for metrics.
type Stats struct {
	Rooms       int           // known
	Active      int           // with an actor
	Open        int           // gifts not decided
	OldestOpen  time.Duration // age of the oldest of them
	Remembered  int           // ids
	Repeats     int64         // gifts journaled again under a known id
	Conflicts   int64         // of these, with other content
	Lost        int64         // above 0: records have aged out of the journal undecided
	Snapshots   int64
	Failed      int64  // snapshots that could not be stored
	Failing     int64  // of these, the last ones in a row
	Purges      int64  // of decided history, for space
	GiftsRead   uint64 // GIFTS sequence read so far
	OutcomeLast uint64 // OUTCOMES sequence of the newest record
}

// Stats returns the state now. It looks at every open gift and room: ask seconds apart.
func (p *Partition) Stats() Stats {
	s := Stats{
		Repeats: p.stats.repeats.Load(), Conflicts: p.stats.conflicts.Load(),
		Lost: p.stats.lost.Load(), Snapshots: p.stats.snapshots.Load(), Purges: p.stats.purges.Load(), Failed: p.stats.failed.Load(),
		Failing: p.stats.failing.Load(),
	}
	if !p.Ready() {
		return s
	}
	p.rooms.Lock()
	defer p.rooms.Unlock()
	s.Rooms, s.Open, s.Remembered = p.rooms.count, len(p.rooms.open), p.rooms.memory.size
	s.GiftsRead, s.OutcomeLast = p.rooms.read, p.rooms.log.last
	oldest := time.Now().UnixMilli()
	for _, g := range p.rooms.open {
		oldest = min(oldest, g.storedAt)
	}
	s.OldestOpen = millis(time.Now().UnixMilli() - oldest)
	for i := range p.rooms.byChunk {
		for _, e := range p.rooms.byChunk[i] {
			if e.actor != nil {
				s.Active++
			}
		}
	}
	return s
}

// Timeline returns what is known of a gift of the room. Errors: ErrNotReady,
// ErrUnknownGift, or of reading.
func (p *Partition) Timeline(ctx context.Context, roomID string, id room.MsgID) (Timeline, error) {
	if !p.Ready() {
		return Timeline{}, ErrNotReady
	}
	p.rooms.Lock()
	g, open := p.rooms.open[id]
	seq, _, known := p.rooms.memory.find(id.Key())
	var actor stage.Performer
	if open {
		actor = p.rooms.at(g.gift.Room).actor
	}
	p.rooms.Unlock()
	switch {
	case open && g.gift.Room != roomID, !open && !known:
		return Timeline{}, ErrUnknownGift
	case open:
		t := Timeline{Gift: g.gift, Node: g.node, StoredAt: g.storedAt}
		if actor != nil {
			t.Attempts, _ = actor.Attempts(ctx, id) // not there: just being decided
		}
		return t, nil
	}
	rec, err := p.cfg.Store.OutcomeAt(ctx, seq)
	if isGone(err) {
		return Timeline{}, ErrUnknownGift
	}
	if err != nil {
		return Timeline{}, err
	}
	d, _ := decisionOf(rec, id)
	if d == nil || d.Gift.Room != roomID {
		return Timeline{}, ErrUnknownGift
	}
	return Timeline{Gift: d.Gift, Node: d.Node, StoredAt: d.StoredAt, Attempts: d.Attempts, Decision: &d.Decision}, nil
}

// roomOf finds a room's share of a record.
func roomOf(rec *journal.OutcomeRecord, roomID string) *journal.RoomDecisions {
	i := slices.IndexFunc(rec.Rooms, func(d journal.RoomDecisions) bool { return d.Room == roomID })
	if i < 0 {
		return nil
	}
	return &rec.Rooms[i]
}
