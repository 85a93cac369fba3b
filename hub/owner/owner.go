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
	// decision, or now where the decision's record was purged: then its time is 0, too.
	Repeated(seq uint64, d room.Decision)
	// GameChanged: the state of a room's game, which the MiniGameId names.
	GameChanged(roomID, gameID string, game room.Game)
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
	Unseen Knowledge = iota
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
	Owner    string // name of the node that owns the room; empty: nobody said so
	Seq      uint64 // of the newest gifts event
	Record   uint64 // OUTCOMES sequence of the room's newest entry, 0: none
	Totals   journal.Totals
	Open     int // gifts journaled and not decided
	Accepted uint64
	Game     room.Game
	GameID   string // MiniGameId of the game whose state it is
}

// Playing is the state of the game with the MiniGameId: unknown, where the newest that
// the room heard of is another's.
func (s RoomState) Playing(gameID string) room.Game {
	if s.GameID != gameID {
		return room.Game{}
	}
	return s.Game
}

// Cursor is a place in a room's ledger: after the decision Index of the OUTCOMES
// record Seq, or after the whole record when Index is [WholeRecord]. The zero Cursor
// is the beginning of what is retained.
type Cursor struct {
	Seq   uint64
	Index int
}

// WholeRecord as a Cursor's Index: nothing of the record is left. A cursor that stands
// so stays good after its record has aged out.
const WholeRecord = -1

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
