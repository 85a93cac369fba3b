package hub

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// gameNotes writes what the games of this node's rooms do into the room registry, for
// nodes that have no viewers of a room and yet must know whether its game runs. It is
// a copy, some milliseconds old: the journal is what counts.
type gameNotes struct {
	rooms *directory
	// owned says whether this node still serves the room: a note of a former owner would
	// be older than what its successor wrote.
	owned func(roomID string) bool
	log   *slog.Logger
	wake  chan struct{} // 1-buffered: something waits

	mu      sync.Mutex // guards waiting
	waiting map[string]gameNote
}

// gameNote is what a room's game does. The newest of a room is kept, and a room is
// there once: the notes are bounded by the rooms of this node.
type gameNote struct {
	game string // MiniGameId
	now  room.Game
}

// noteMax bounds one write of a note, notePause is how long a failed one rests.
const (
	noteMax   = 5 * time.Second
	notePause = time.Second
)

func newGameNotes(rooms *directory, owned func(string) bool, log *slog.Logger) *gameNotes {
	return &gameNotes{
		rooms: rooms, owned: owned, log: log,
		wake: make(chan struct{}, 1), waiting: make(map[string]gameNote),
	}
}

// note has a state written. It does not block.
func (g *gameNotes) note(roomID, gameID string, now room.Game) {
	g.mu.Lock()
	g.waiting[roomID] = gameNote{gameID, now}
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
			g.note(h.Room, h.GameID, h.Game)
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
	g.waiting = make(map[string]gameNote)
	g.mu.Unlock()
	all := true
	for roomID, n := range notes {
		if !g.owned(roomID) {
			continue
		}
		if err := g.write(ctx, roomID, n); err != nil {
			all = false
			g.log.Debug("game not noted; trying again", slog.String("room", roomID), slog.Any("error", err))
			g.keep(roomID, n)
		}
	}
	return all
}

func (g *gameNotes) write(ctx context.Context, roomID string, n gameNote) error {
	ctx, cancel := context.WithTimeout(ctx, noteMax)
	defer cancel()
	err := g.rooms.setGame(ctx, roomID, n.game, n.now)
	if errors.Is(err, cluster.ErrUnknownRoom) {
		return nil // nobody can ask for it
	}
	return err
}

// keep puts a note back that was not written, unless a newer one has come.
func (g *gameNotes) keep(roomID string, n gameNote) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, newer := g.waiting[roomID]; !newer {
		g.waiting[roomID] = n
	}
}
