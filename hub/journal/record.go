package journal

import (
	"errors"

	"github.com/giftwire/giftwire/room"
)

// Entry is one thing that must not be lost and must keep its order. Exactly one
// field is set.
type Entry struct {
	Gift     *room.Gift
	Comment  *Comment
	Callback *Callback
}

// Comment is a comment that joins the room's game.
type Comment struct {
	Room    string
	Game    string // MiniGameId at acceptance
	Comment room.Comment
}

// Callback is what ZEGO reported of a room's game: a start or a settlement.
// ReportID is unique within one game; the owner ignores a repeat.
type Callback struct {
	Room     string
	GameID   string // MiniGameId
	ReportID string
	Game     room.Game
	At       int64 // ZEGO's ReportTime, Unix ms
}

// Position names an entry for ever: its record in GIFTS and its place therein.
type Position struct {
	Seq   uint64 // stream sequence in GIFTS
	Index int    // from 0
}

// GiftRecord is one record of GIFTS: all that one node had to store while its
// previous publish was in flight.
type GiftRecord struct {
	Seq         uint64
	StoredAt    int64 // JetStream's timestamp, Unix ms
	Node        string
	Incarnation string // of the node: new at every start
	Number      uint64 // counts the incarnation's records in this partition, from 1
	Entries     []Entry
}

// Kind says what a record of OUTCOMES is.
type Kind string

// The kinds.
const (
	// KindTakeover: the writer owns the partition from here on.
	KindTakeover Kind = "takeover"
	// KindDecisions: fates of gifts.
	KindDecisions Kind = "decisions"
	// KindRelease: the writer has stopped; anyone may take over at once.
	KindRelease Kind = "release"
	// KindMark: nothing; keeps the partition's last record from ageing out.
	KindMark Kind = "mark"
)

// OutcomeRecord is one record of a partition's log. Seq and StoredAt are set on
// reading.
type OutcomeRecord struct {
	Seq         uint64 // stream sequence in OUTCOMES
	StoredAt    int64  // JetStream's timestamp, Unix ms
	Kind        Kind
	Node        string
	Incarnation string
	Term        uint64 // takeovers of this partition so far, this writer's included
	Number      uint64 // counts the writer's records of this term, from 1: the takeover
	Rooms       []RoomDecisions
}

// RoomDecisions is what one record says of one room. A room stands at most once
// in a record.
type RoomDecisions struct {
	Room string
	// Number counts the room's entries in OUTCOMES, from 1.
	Number uint64
	// Prev is the OUTCOMES sequence of the room's previous entry, 0 for the first.
	Prev uint64
	// Jump is the OUTCOMES sequence of an earlier entry, further back than Prev, so
	// that entry k of n is found in about 2 log2(n) reads (a skip list in the log).
	Jump uint64
	// Seq is the room's gifts event counter after this entry. It has risen by one if
	// the entry has a delivered gift, and that event carries it.
	Seq uint64
	// Totals are the room's, this entry included.
	Totals    Totals
	Decisions []Decided
}

// Decided is one gift's fate, with where the gift stands in GIFTS: the audit and
// the timeline need no second look-up.
type Decided struct {
	room.Decision
	Position Position
	Node     string // that received the gift
	StoredAt int64  // when the gift's record was stored, Unix ms
}

// Totals add up what a room has decided (P5): in gifts of the journal, and in
// gifts as the viewers count them (Value x Num).
type Totals struct {
	Delivered, Failed, Unresolved                uint64
	DeliveredCount, FailedCount, UnresolvedCount uint64
}

// Receipt says where a submitted entry is stored.
type Receipt struct {
	Partition int
	Position  Position
}

// ID is one row of the memory of ids: a gift's first 8 bytes, and where and how it was
// decided.
type ID struct {
	Key uint64 // room.MsgID.Key
	Seq uint64 // OUTCOMES sequence
	End uint8  // how, in the owner's numbers; 0: not known
}

// Errors of the journal. They are wrapped; use errors.Is.
var (
	// ErrUnavailable: not stored, and nothing was handed to the store. Repeat later.
	ErrUnavailable = errors.New("journal: unavailable")
	// ErrUnknown: handed to the store, and the journal ended before its answer: it
	// may be stored. Only a repeat under the same id finds out.
	ErrUnknown = errors.New("journal: outcome unknown")
	// ErrTooLarge: the entry does not fit a record.
	ErrTooLarge = errors.New("journal: entry too large")
	// ErrFenced: someone else has written to the partition's log. The writer no
	// longer owns it and must drop it.
	ErrFenced = errors.New("journal: fenced")
	// ErrGone: the record has aged out or was purged.
	ErrGone = errors.New("journal: record is gone")
	// ErrClosed: the journal has ended.
	ErrClosed = errors.New("journal: closed")
	// ErrDrift: a stream's settings are not what is needed. Names stream and fields.
	ErrDrift = errors.New("journal: stream settings drifted")
	// ErrLocked: another process uses the data folder.
	ErrLocked = errors.New("journal: data folder is in use")
)
