package intake

import (
	"context"
	"errors"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// Journal makes entries durable. *journal.Journal is the real one.
type Journal interface {
	// Submit hands an entry over without blocking. After nil, done is called exactly
	// once, in the order of the calls, and must not block; its error wraps
	// journal.ErrUnavailable (surely not stored) or journal.ErrUnknown. An error of
	// Submit itself means surely not stored, and no call of done.
	Submit(entry journal.Entry, done func(journal.Receipt, error)) error
}

// Owner answers what is known of gifts and rooms, and takes what needs no
// durability. A router over owner.Partition is the real one.
type Owner interface {
	// Lookup tells what is known of an id. It may read the log, and so block.
	Lookup(ctx context.Context, roomID string, id room.MsgID) (owner.Known, error)
	// Room returns the state of a room.
	Room(roomID string) owner.RoomState
	// OpenGifts counts the gifts of all rooms that are journaled and not decided.
	OpenGifts() int
}

// Chat takes comments that do not join a game, and likes: best effort.
type Chat interface {
	Comment(roomID, gameID string, c room.Comment) error
	Like(roomID, gameID string, l room.Like) error
}

// Rooms tells what is configured.
type Rooms interface {
	// Room returns a room's configuration; false: not configured, or deleted.
	Room(roomID string) (Room, bool)
}

// Room is what the way in needs to know of a room.
type Room struct {
	Game           string // MiniGameId
	Anchor         string // default receiver; may be empty
	RequireRunning bool   // take gifts only while the game runs
}

// Wallet is the platform's money.
//
// A gift is paid once, whatever happens on the way: a viewer may send it through two
// nodes at once, and only one of them may fail to store it. So a wallet keeps for each
// MsgID one price and the set of attempts that hold it. The price is set aside with the
// first attempt and given back when the last one is released: what one node gives back
// never undoes another's. An attempt is one try to bring a gift in; its name is never
// used again.
//
// A gift that is stored is settled by the outcome feed, for its MsgID and with all its
// attempts. From then on Reserve takes nothing and Release gives nothing back: remember
// settled ids for 24 h. Attempts that a crash has left are found by comparing what is
// reserved with the feed; nobody releases them.
//
// Both methods may be called again for the same attempt, and do nothing then. A Reserve
// whose context has ended must not reserve after a Release of the same attempt.
type Wallet interface {
	// Reserve sets the gift's price aside before it is accepted. An error that wraps
	// ErrDeclined is the user's refusal, any other one means that the wallet is not
	// well. Another gift or count under a MsgID that is reserved or settled is to be
	// declined: only one of them will be given.
	Reserve(ctx context.Context, gift room.Gift, attempt string) error
	// Release ends an attempt that has surely not stored the gift.
	Release(ctx context.Context, id room.MsgID, attempt string) error
}

// ErrDeclined is wrapped by a Wallet that says no.
var ErrDeclined = errors.New("intake: declined")

// Gift is a gift as its sender asks for it.
type Gift struct {
	Room     string
	User     room.User
	ID       string // the client's idempotency key
	GiftID   string
	Count    int
	Value    *int    // the tier asked for; nil: the largest that divides Count
	Receiver *string // nil: the room's anchor
	// Charged: the platform has taken the money already, the wallet is not asked.
	Charged bool
}

// Comment is a comment as its sender gives it.
type Comment struct {
	Room string
	User room.User
	Text string
}

// Like is some likes of a viewer.
type Like struct {
	Room  string
	User  room.User
	Count int // 1 to room.LikeMax
}

// Verdict is the answer to a gift, a comment or likes.
type Verdict struct {
	Outcome Outcome
	MsgID   room.MsgID // of a gift whose fields are right
	// Repeat: Accepted, and nothing new was stored.
	Repeat bool
	// Decision is set with Accepted where the gift was decided before: its sender is
	// owed the first outcome.
	Decision *room.Decision
	// With Rejected:
	Code       wire.Code
	Message    string        // for people
	RetryAfter time.Duration // 0: repeating it is of no use, or nobody knows when
}

// Outcome is the kind of a verdict.
type Outcome int

// The outcomes. The zero value is the careful one.
const (
	// Unknown: it may be stored; only a repeat under the same id finds out. A viewer is
	// told nothing, the platform API answers 503.
	Unknown Outcome = iota
	// Accepted: durable.
	Accepted
	// Rejected: surely not taken.
	Rejected
)

// Meter hears what became of gifts, for metrics. Its methods must not block.
type Meter interface {
	// Accepted: took is from Submit to the verdict; repeat: nothing new was stored.
	Accepted(took time.Duration, repeat bool)
	Rejected(code wire.Code)
	Unknown()
}
