package audience

import (
	"context"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// Conn is where a member's frames go. Its methods are called from one goroutine
// at a time.
type Conn interface {
	// WriteFrame writes one text frame, and blocks until it is handed to the system. An
	// error is final.
	WriteFrame(frame []byte) error
	// Bye ends the connection with a close frame, after everything written. It may
	// block while the peer answers.
	Bye(code wire.CloseCode)
}

// House is all rooms that viewers of this process watch. Its Decided, Repeated and
// GameChanged are the fan-out half of an owner.Listener.
type House struct{}

// Limits bound what is kept for viewers. The zero value of a field is its default.
type Limits struct {
	// OutboxBytes and OutboxEvents are what may wait for one member. Defaults 1 MiB
	// and 1,000.
	OutboxBytes  int
	OutboxEvents int
}

// New makes a house. It starts nothing.
func New(limits Limits) *House { panic("unwritten") }

// Run sends what is merged over time (presence, comments, likes) and drops what is
// too old to resume from, until ctx ends and every goroutine of the house has ended.
func (h *House) Run(ctx context.Context) error { panic("unwritten") }

// Decided tells a room what was decided. It does not block.
func (h *House) Decided(news owner.News) { panic("unwritten") }

// Repeated tells a sender the first outcome again. It does not block.
func (h *House) Repeated(seq uint64, d room.Decision) { panic("unwritten") }

// GameChanged tells a room that its game has changed. It does not block.
func (h *House) GameChanged(roomID, miniGameID string, g room.Game) { panic("unwritten") }

// Comment shows a comment to the room, merged with others.
func (h *House) Comment(roomID string, c wire.Comment) { panic("unwritten") }

// Like counts likes for the room, merged with others.
func (h *House) Like(roomID string, count int) { panic("unwritten") }

// CloseRoom says bye to everyone in the room.
func (h *House) CloseRoom(roomID string, bye wire.Bye) { panic("unwritten") }

// Viewers counts the room's connections in this process.
func (h *House) Viewers(roomID string) int { panic("unwritten") }

// Stats counts what happened since New.
type Stats struct {
	Viewers int // connections now
	Rooms   int // rooms with viewers or with something to resume from, now

	Events, Frames, Bytes uint64 // written to connections

	DroppedPresence, DroppedLikes, DroppedComments uint64 // events, by a full outbox
	LaggedGifts                                    uint64 // gifts events that became lagged
	Slow                                           uint64 // connections ended for being slow
}

// Stats returns the counts.
func (h *House) Stats() Stats { panic("unwritten") }
