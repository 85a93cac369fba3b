package hub

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/owner"
)

// gameNotes writes what the games of this node's rooms do into the room registry, for
// nodes that have no viewers of a room and yet must know whether its game runs. It is
// a copy, some milliseconds old: the journal is what counts.
type gameNotes struct {
	rooms *directory
	// now is a room's state if this node serves it: what a former owner has to say is older
	// than what its successor wrote.
	now  func(roomID string) (state owner.RoomState, served bool)
	log  *slog.Logger
	wake chan struct{} // 1-buffered: something waits

	mu sync.Mutex // guards waiting
	// waiting are the rooms whose state is to be written as it is then, so that no order of
	// notes can matter. They are bounded by the rooms of this node.
	waiting map[string]struct{}
}

// noteMax bounds one write of a note, notePause is how long a failed one rests.
const (
	noteMax   = 5 * time.Second
	notePause = time.Second
)

func newGameNotes(rooms *directory, now func(string) (owner.RoomState, bool), log *slog.Logger) *gameNotes {
	return &gameNotes{
		rooms: rooms, now: now, log: log,
		wake: make(chan struct{}, 1), waiting: make(map[string]struct{}),
	}
}

// note has a room's state written. It does not block.
func (g *gameNotes) note(roomID string) {
	g.mu.Lock()
	g.waiting[roomID] = struct{}{}
	g.mu.Unlock()
	g.rouse()
}

func (g *gameNotes) rouse() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// takenOver has written what the owner before did not come to write.
func (g *gameNotes) takenOver(heads []owner.Head) {
	for i := range heads {
		h := &heads[i]
		if now, id := g.rooms.playing(h.Room); id != h.GameID || now != h.Game {
			g.note(h.Room)
		}
	}
}

// run writes until ctx ends.
func (g *gameNotes) run(ctx context.Context) error {
	for {
		select {
		case <-g.wake:
		case <-ctx.Done():
			return nil
		}
		if g.writeAll(ctx) {
			continue
		}
		select {
		case <-time.After(notePause):
			g.rouse()
		case <-ctx.Done():
			return nil
		}
	}
}

// writeAll writes what waits; false: something was not written.
func (g *gameNotes) writeAll(ctx context.Context) bool {
	g.mu.Lock()
	notes := g.waiting
	g.waiting = make(map[string]struct{})
	g.mu.Unlock()
	all := true
	for roomID := range notes {
		if err := g.write(ctx, roomID); err != nil {
			all = false
			g.log.Debug("game not noted; trying again", slog.String("room", roomID), slog.Any("error", err))
			g.mu.Lock()
			g.waiting[roomID] = struct{}{}
			g.mu.Unlock()
		}
	}
	return all
}

func (g *gameNotes) write(ctx context.Context, roomID string) error {
	ctx, cancel := context.WithTimeout(ctx, noteMax)
	defer cancel()
	state, served := g.now(roomID)
	if !served {
		return nil // its owner does so
	}
	err := g.rooms.setGame(ctx, roomID, state.GameID, state.Game)
	if errors.Is(err, cluster.ErrUnknownRoom) {
		return nil // nobody can ask for it
	}
	return err
}
