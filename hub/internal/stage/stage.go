// Package stage is how a simulator runs a partition's rooms without goroutines. It is
// internal to the hub: product code has no use for it.
package stage

import (
	"context"

	"github.com/giftwire/giftwire/room"
)

// Performer is a room at work, as its owner sees it. [room.Actor] is the real one.
type Performer interface {
	// Post gives the room an event. False: it has ended and the event was not taken.
	Post(ev room.Event) bool
	// Attempts returns an open gift's calls that have ended.
	Attempts(ctx context.Context, id room.MsgID) ([]room.Attempt, bool)
}

// Perform sets a room to work, beginning with the event. ended is called once, when the
// room has nothing left to do and touches its core no more. It is called with the
// partition locked, so it must not call back before it has returned.
type Perform func(roomID string, cfg room.ActorConfig, first room.Event, ended func()) Performer
