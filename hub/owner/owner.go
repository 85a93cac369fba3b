// Package owner is what owning a partition means: take its log over, replay it,
// run the actors of its rooms, append what they decide, keep snapshots, and
// release it.
//
// # Guarantees
//
//   - A decision is told to the [Listener] only after the log has stored it, in the
//     log's order, once.
//   - A gift whose id was decided in the last 24 h is not given again: the listener
//     hears the first outcome.
//   - An owner that lost its partition stores nothing more: every later append is
//     refused by the store, and Run ends with an error that wraps
//     [journal.ErrFenced].
package owner

import (
	"context"
	"errors"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// Listener hears a partition's news. Its methods are called one at a time, in the
// order of the log, from the owner's goroutine: they must not block and must not
// call the partition back.
type Listener interface {
	// Decided: decisions of a room are stored.
	Decided(news News)
	// Repeated: a gift was journaled again under an id that was decided earlier; its
	// sender is owed the first outcome. seq is the room's gifts event counter at that
	// decision.
	Repeated(seq uint64, d room.Decision)
	// GameChanged: the state of a room's game.
	GameChanged(roomID string, game room.Game)
}

// News is one room's share of a stored record.
type News struct {
	Room string
	// Record is the OUTCOMES sequence of the record, Prev that of the room's previous
	// one: a gap in this chain, not in Seq, tells that news were missed.
	Record, Prev uint64
	// Seq is the room's gifts event counter after this record; if a decision is
	// delivered, it belongs to the event of these gifts.
	Seq       uint64
	Decisions []room.Decision
}

// Knowledge is what the owner knows of an id.
type Knowledge int

// The zero value says that the id is new, or older than the memory of 24 h.
const (
	New Knowledge = iota
	Open
	Decided
)

// Known is the answer to a lookup.
type Known struct {
	Knowledge Knowledge
	Gift      *room.Gift    // Open and Decided: as first journaled
	Decision  room.Decision // Decided
	Seq       uint64        // Decided: the room's gifts event counter at that decision
}

// RoomState is what the owner knows of a room now.
type RoomState struct {
	Seq      uint64 // of the newest gifts event
	Record   uint64 // OUTCOMES sequence of the room's newest entry, 0: none
	Totals   journal.Totals
	Open     int // gifts journaled and not decided
	Accepted uint64
	Game     room.Game
}

// Cursor is a place in a room's ledger: after the decision Index of the OUTCOMES
// record Seq. The zero Cursor is the beginning.
type Cursor struct {
	Seq   uint64
	Index int
}

// Row is one line of a room's ledger.
type Row struct {
	Cursor   Cursor
	Decision room.Decision
}

// Page is a part of a room's ledger. Next is the cursor of the last row, or the one
// asked for when there are no rows.
type Page struct {
	Rows []Row
	Next Cursor
}

// Timeline is all that is known of one gift.
type Timeline struct {
	Gift     *room.Gift
	Node     string         // that received it
	StoredAt int64          // when its record was stored, Unix ms
	Attempts []room.Attempt // of a pending gift: as far as the room's actor told
	Decision *room.Decision // nil: pending
}

// Errors of a partition's questions.
var (
	// ErrNotReady: the partition is being taken over, released, or is lost.
	ErrNotReady = errors.New("owner: partition is not ready")
	// ErrUnknownGift: no such gift in the room, or older than the memory of 24 h.
	ErrUnknownGift = errors.New("owner: unknown gift")
	// ErrCursorGone: the cursor is older than the retained ledger.
	ErrCursorGone = errors.New("owner: cursor is older than the ledger")
)

// Partition is one partition of rooms, owned or about to be. All methods but Run
// are safe for concurrent use; those with a context may read the log and so block.
type Partition struct{}

// Run takes the partition over, serves it until ctx ends, then finishes the calls
// in flight (at most 5 s), appends what they decided, snapshots and releases. It
// returns nil after a release, else what ended it; everything that it started has
// ended by then.
func (p *Partition) Run(ctx context.Context) error { panic("unwritten") }

// Ready reports whether gifts are read and decided.
func (p *Partition) Ready() bool { panic("unwritten") }

// Lookup tells what is known of an id. It reads the log when the id was decided.
func (p *Partition) Lookup(ctx context.Context, id room.MsgID) (Known, error) { panic("unwritten") }

// Room returns the state of a room; the zero state for one that never had a gift.
func (p *Partition) Room(roomID string) RoomState { panic("unwritten") }

// OpenGifts counts the gifts of all rooms that are journaled and not decided.
func (p *Partition) OpenGifts() int { panic("unwritten") }

// Comment hands over a comment that does not join the game: best effort, dropped
// with an error when the partition is not ready or the room has too many.
func (p *Partition) Comment(roomID, gameID string, c room.Comment) error { panic("unwritten") }

// Like hands over likes, best effort as Comment.
func (p *Partition) Like(roomID, gameID string, l room.Like) error { panic("unwritten") }

// Ledger returns terminal outcomes of a room after the cursor, at most limit of
// them (1 to 1000). Errors: ErrNotReady, ErrCursorGone, or of reading.
func (p *Partition) Ledger(ctx context.Context, roomID string, after Cursor, limit int) (Page, error) {
	panic("unwritten")
}

// Timeline returns what is known of a gift. Errors: ErrNotReady, ErrUnknownGift, or
// of reading.
func (p *Partition) Timeline(ctx context.Context, roomID string, id room.MsgID) (Timeline, error) {
	panic("unwritten")
}
