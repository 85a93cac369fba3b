package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// directory is the hub's view of the room registry, which is not there before Run has
// loaded it: until then there are no rooms, and nothing can be written.
type directory struct {
	journal  *journal.Journal
	log      *slog.Logger
	changed  func(roomConfig) // hears of every change, not of what was there at the start
	registry atomic.Pointer[cluster.Registry]
}

var (
	_ registry     = (*directory)(nil)
	_ intake.Rooms = (*directory)(nil)
)

// errNotLoaded: the registry is still being read.
var errNotLoaded = errors.New("hub: the room registry is not loaded")

// open loads the registry. It must have returned before the journal is run: while the
// embedded server makes the registry's bucket it calls itself unhealthy.
func (d *directory) open(ctx context.Context) error {
	reg, err := cluster.OpenRegistry(ctx, d.journal, cluster.RegistryConfig{
		Changed: func(r cluster.Room) { d.changed(configOf(r)) },
		Logger:  d.log,
	})
	if err != nil {
		return fmt.Errorf("hub: open the room registry: %w", err)
	}
	d.registry.Store(reg)
	return nil
}

// run follows the registry, once it is open, until ctx ends.
func (d *directory) run(ctx context.Context) error { return d.registry.Load().Run(ctx) }

// Get returns a room as it is known here, a deleted one too.
func (d *directory) Get(id string) (roomConfig, bool) {
	reg := d.registry.Load()
	if reg == nil {
		return roomConfig{}, false
	}
	r, ok := reg.Get(id)
	return configOf(r), ok
}

// fetchMax is how long a room that is not known here may take to be looked for.
const fetchMax = time.Second

// Find implements registry.
func (d *directory) Find(ctx context.Context, id string) (roomConfig, bool) {
	reg := d.registry.Load()
	if reg == nil {
		return roomConfig{}, false
	}
	if d.journal.Embedded() { // nobody else puts rooms
		return d.Get(id)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchMax)
	defer cancel()
	r, ok := reg.Fetch(ctx, id)
	return configOf(r), ok
}

// findOpen is Room of a room that may have been put on another node a moment ago.
func (d *directory) findOpen(ctx context.Context, id string) (intake.Room, bool) {
	if _, ok := d.Find(ctx, id); !ok {
		return intake.Room{}, false
	}
	return d.Room(id)
}

// Room implements intake.Rooms.
func (d *directory) Room(id string) (intake.Room, bool) {
	r, ok := d.Get(id)
	return intake.Room{Game: r.game, Anchor: r.anchor, RequireRunning: r.requireRunning}, ok && !r.deleted
}

// Put implements registry.
func (d *directory) Put(ctx context.Context, r roomConfig) (created bool, err error) {
	reg := d.registry.Load()
	if reg == nil {
		return false, errNotLoaded
	}
	_, created, err = reg.Put(ctx, cluster.Room{
		ID: r.id, MiniGameID: r.game, AnchorID: r.anchor, RequireRunning: r.requireRunning,
	})
	return created, err
}

// Delete implements registry.
func (d *directory) Delete(ctx context.Context, id string) error {
	reg := d.registry.Load()
	if reg == nil {
		return errNotLoaded
	}
	return reg.Delete(ctx, id)
}

// List implements registry.
func (d *directory) List(after string, limit int) []roomConfig {
	reg := d.registry.Load()
	if reg == nil {
		return nil
	}
	rooms := reg.List(after, limit)
	out := make([]roomConfig, len(rooms))
	for i, r := range rooms {
		out[i] = configOf(r)
	}
	return out
}

// playing is what the registry says that the room's game does, and which game that is.
func (d *directory) playing(id string) (game room.Game, gameID string) {
	reg := d.registry.Load()
	if reg == nil {
		return room.Game{}, ""
	}
	r, _ := reg.Get(id)
	return r.Game, r.GameID
}

// setGame notes what the room's game does.
func (d *directory) setGame(ctx context.Context, id, gameID string, game room.Game) error {
	reg := d.registry.Load()
	if reg == nil {
		return errNotLoaded
	}
	return reg.SetGame(ctx, id, gameID, game)
}

func configOf(r cluster.Room) roomConfig {
	return roomConfig{
		id: r.ID, game: r.MiniGameID, anchor: r.AnchorID, requireRunning: r.RequireRunning, deleted: r.Deleted,
	}
}
