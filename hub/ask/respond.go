package ask

import (
	"context"
	"time"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// Partition is an owned partition that can be asked. *owner.Partition is one.
type Partition interface {
	Rooms
	History
	Chat
}

// Rooms is what an owner has in memory.
type Rooms interface {
	// Ready reports whether the others may be believed.
	Ready() bool
	// ReadSoFar is the GIFTS sequence up to which the state goes.
	ReadSoFar() uint64
	Room(roomID string) owner.RoomState
	OpenGifts() int
}

// History is what an owner may have to read the log for.
type History interface {
	Lookup(ctx context.Context, id room.MsgID) (owner.Known, error)
	Timeline(ctx context.Context, roomID string, id room.MsgID) (owner.Timeline, error)
	Ledger(ctx context.Context, roomID string, after owner.Cursor, limit int) (owner.Page, error)
}

// Chat takes comments and likes, best effort. It does not block.
type Chat interface {
	Comment(roomID, gameID string, c room.Comment) error
	Like(roomID, gameID string, l room.Like) error
}

var _ Partition = (*owner.Partition)(nil)

// catchUpPoll is how often it is looked whether the owner has read on. It is some
// milliseconds behind.
const catchUpPoll = 2 * time.Millisecond

// catchUp waits until the partition has read up to the GIFTS sequence, or ctx ends. The
// error is owner.ErrNotReady or ctx's cause.
func catchUp(ctx context.Context, p Rooms, upTo uint64) error {
	for {
		if !p.Ready() {
			return owner.ErrNotReady
		}
		if p.ReadSoFar() >= upTo {
			return nil
		}
		select {
		case <-time.After(catchUpPoll):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// respond puts a question to the partition. It blocks while the owner reads, at most
// until ctx ends.
func respond(ctx context.Context, p Partition, q *question) (reply, error) {
	if err := catchUp(ctx, p, q.UpTo); err != nil {
		return reply{}, err
	}
	switch q.Kind {
	case kindState:
		state := p.Room(q.Room)
		return reply{State: &state}, nil
	case kindLookup:
		known, err := p.Lookup(ctx, q.MsgID)
		return reply{Known: &known}, err
	case kindTimeline:
		timeline, err := p.Timeline(ctx, q.Room, q.MsgID)
		return reply{Timeline: &timeline}, err
	case kindLedger:
		page, err := p.Ledger(ctx, q.Room, q.After, q.Limit)
		return reply{Page: &page}, err
	case kindComment:
		return reply{}, p.Comment(q.Room, q.Game, *q.Comment)
	case kindLike:
		return reply{}, p.Like(q.Room, q.Game, *q.Like)
	default: // decodeQuestion lets no other pass
		return reply{}, errMessage
	}
}

// Bounds of a question's time.
const (
	// questionMost is how long the owner may take: at most one read of the log, which
	// takes milliseconds, and catching up.
	questionMost = time.Second
	// questionLongest is the same for a ledger page: its 1,000 rows can be as many reads
	// of the log, one after the other, of up to 5 ms in a cluster.
	questionLongest = 5 * time.Second
	// travel is what an asker waits beyond that, so that "it takes too long" arrives.
	travel = 100 * time.Millisecond
)

// most is how long the owner may take for a question of the kind.
func (k kind) most() time.Duration {
	if k == kindLedger {
		return questionLongest
	}
	return questionMost
}
