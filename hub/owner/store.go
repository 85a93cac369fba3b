package owner

import (
	"context"

	"github.com/giftwire/giftwire/hub/journal"
)

// Store is the log of one partition as its owner uses it. *journal.Partition is the
// real one, ownertest.Store the one of the tests.
type Store interface {
	Gifts
	Outcomes
	Snapshots
	IDs
	Space
	Purging
}

// Gifts reads what was accepted.
type Gifts interface {
	// ReadGifts returns the next records after the given stream sequence, in order,
	// at least one and at most 1 MiB of them; it waits for the first. It ends with
	// ctx's cause, or with journal.ErrGone when records after the sequence have aged
	// out unread, which is a loss of gifts.
	ReadGifts(ctx context.Context, after uint64) ([]journal.GiftRecord, error)
	// EndOfGifts returns a stream sequence that every record which was ever acknowledged
	// or read before the call is below or at. It may store a record for that.
	EndOfGifts(ctx context.Context) (uint64, error)
	// GiftsAt returns the records at these stream sequences, ascending; one that has
	// aged out is left out.
	GiftsAt(ctx context.Context, seqs []uint64) ([]journal.GiftRecord, error)
}

// Outcomes is the fenced log.
type Outcomes interface {
	// LastOutcome returns the partition's last record, read from the stream's
	// leader; a record with Seq 0 when there is none.
	LastOutcome(ctx context.Context) (journal.OutcomeRecord, error)
	// AppendOutcome stores the record if the partition's last record still has the
	// sequence expected (0: it has none), and returns its own. It repeats an append
	// whose answer was lost until it knows: the only errors are journal.ErrFenced,
	// journal.ErrTooLarge and ctx's cause (then the append may have landed).
	AppendOutcome(ctx context.Context, expected uint64, rec journal.OutcomeRecord) (uint64, error)
	// ReadOutcomes calls each for the partition's records after the given sequence up
	// to and including the one at upTo, which the caller knows to exist. An error of
	// each ends it.
	ReadOutcomes(ctx context.Context, after, upTo uint64, each func(journal.OutcomeRecord) error) error
	// OutcomeAt returns one record, or journal.ErrGone.
	OutcomeAt(ctx context.Context, seq uint64) (journal.OutcomeRecord, error)
}

// Snapshots keeps named blobs, the newest of each name.
type Snapshots interface {
	// SaveChunk stores a blob over the newest one that LoadChunks or SaveChunk of this
	// store has seen; if there is another by now it returns journal.ErrFenced, and has
	// seen that one. A blob has at most journal.ChunkMax bytes, a name is
	// [a-z0-9-]{1,32}. It returns when the blob is stored.
	SaveChunk(ctx context.Context, name string, data []byte) error
	// LoadChunks calls each for the newest blob of every name.
	LoadChunks(ctx context.Context, each func(name string, data []byte) error) error
}

// IDs is the append-only memory of decided ids.
type IDs interface {
	// AppendIDs stores rows, split as needed, and returns when they are stored.
	AppendIDs(ctx context.Context, ids []journal.ID) error
	// LoadIDs calls each for every stored row that is not older than 26 h, in the
	// order stored, with the time at which it was stored (Unix ms).
	LoadIDs(ctx context.Context, each func(storedAt int64, ids []journal.ID) error) error
}

// Space tells what is retained.
type Space interface {
	// FirstOutcome returns a sequence at or below that of the partition's oldest
	// retained record of OUTCOMES, above that of every one that is gone.
	FirstOutcome(ctx context.Context) (uint64, error)
	// FirstGift is FirstOutcome of GIFTS.
	FirstGift(ctx context.Context) (uint64, error)
	// Space returns how full the streams are, as of a moment ago. It does no I/O.
	Space() (gifts, outcomes journal.StreamSpace)
}

// Purging makes room.
type Purging interface {
	// PurgeGifts and PurgeOutcomes remove the partition's records below a sequence. What
	// a snapshot needs must stay, and the last record of OUTCOMES.
	PurgeGifts(ctx context.Context, below uint64) error
	PurgeOutcomes(ctx context.Context, below uint64) error
}
