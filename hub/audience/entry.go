package audience

import (
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// kind is how an event is treated when there is too much of everything.
type kind uint8

const (
	kindReply    kind = iota // answers, results, welcome, bye, the game's state: kept
	kindGifts                // a gifts event: becomes lagged
	kindLagged               // says which gifts events are missing
	kindPresence             // the rest is dropped first
	kindLikes
	kindComments
	kinds = iota
)

// bestEffort kinds are dropped first.
func (k kind) bestEffort() bool { return k >= kindPresence }

// item is an encoded event on its way to one member.
type item struct {
	event []byte // shared, never changed; nil: lagged, encoded when it is written
	kind  kind
	// from and to are the gifts events that a kindGifts or kindLagged stands for.
	from, to uint64
}

// bytes appends the item's event if it is not encoded yet.
func (it *item) bytes() []byte {
	if it.event == nil {
		it.event = wire.Encode(wire.Lagged{From: it.from, To: it.to})
	}
	return it.event
}

// entry is one thing told to a room.
type entry struct {
	item
	// pos counts the room's entries: a member hears those after it joined.
	pos uint64
	// gift is set for a result: only its sender hears it.
	gift *room.Gift
	// bye is set for the end of everyone's connection, in place of the item.
	bye func() wire.Bye
}
