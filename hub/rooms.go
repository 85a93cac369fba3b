package hub

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// roomConfig is what the platform has configured of a room.
type roomConfig struct {
	id             string
	game           string // MiniGameId
	anchor         string // default receiver; may be empty
	requireRunning bool
	deleted        bool // a tombstone: its ledger stays
}

// registry holds the rooms. Reading is from memory, but for rooms that are not in it.
type registry interface {
	// Find returns a room, a deleted one too, also one that was put on another node a moment
	// ago. For one that is not known here it may block until ctx ends.
	Find(ctx context.Context, id string) (roomConfig, bool)
	// Put creates, changes or revives a room.
	Put(ctx context.Context, r roomConfig) (created bool, err error)
	// Delete leaves a tombstone.
	Delete(ctx context.Context, id string) error
	// List returns at most limit rooms that are not deleted, by name, after a name.
	List(after string, limit int) []roomConfig
}

// ledgers are the owners' answers about gifts. Errors are those of package owner.
type ledgers interface {
	// State returns a room's state; what this node has accepted is in it.
	State(ctx context.Context, roomID string) (owner.RoomState, error)
	// StateNow is State with what any node has accepted.
	StateNow(ctx context.Context, roomID string) (owner.RoomState, error)
	Ledger(ctx context.Context, roomID string, after owner.Cursor, limit int) (owner.Page, error)
	Timeline(ctx context.Context, roomID string, id room.MsgID) (owner.Timeline, error)
}

// retrySoon is what clients are told to wait where nobody knows how long it takes: a
// takeover, a restart, a store that does not answer.
const retrySoon = time.Second

// roomName reads the room of a request's path.
func roomName(r *http.Request) (string, error) {
	id := r.PathValue("room")
	if err := room.CheckRoomID(id); err != nil {
		return "", newProblem(http.StatusBadRequest, codeBadRoom,
			"the room's name must be 1 to %d of A-Z, a-z, 0-9, _ and -", room.RoomIDMax)
	}
	return id, nil
}

func noSuchRoom(id string) error {
	return newProblem(http.StatusNotFound, codeRoomNotFound, "room %s is not configured", id)
}

// anyRoom returns the room of the path, also a deleted one: its ledger stays.
func (p *platform) anyRoom(r *http.Request) (roomConfig, error) {
	id, err := roomName(r)
	if err != nil {
		return roomConfig{}, err
	}
	cfg, ok := p.rooms.Find(r.Context(), id)
	if !ok {
		return roomConfig{}, noSuchRoom(id)
	}
	return cfg, nil
}

// liveRoom returns the room of the path, if it is configured and not deleted.
func (p *platform) liveRoom(r *http.Request) (roomConfig, error) {
	cfg, err := p.anyRoom(r)
	if err == nil && cfg.deleted {
		return roomConfig{}, noSuchRoom(cfg.id)
	}
	return cfg, err
}

// Bounds of pages.
const (
	pageMax     = 1000
	pageDefault = 100
)

// pageLimit reads the limit of a page.
func pageLimit(q url.Values) (int, error) {
	if !q.Has("limit") {
		return pageDefault, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > pageMax {
		return 0, newProblem(http.StatusBadRequest, codeBadRequest, "limit must be a whole number from 1 to %d", pageMax)
	}
	return n, nil
}
