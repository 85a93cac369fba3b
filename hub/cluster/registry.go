package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// The bucket of rooms: one key a room, named like it.
const (
	bucketName = "ROOMS"
	// bucketBytes bounds the bucket: about 350 bytes a room make 700,000 rooms.
	bucketBytes = 256 << 20
	// valueBytes bounds a value with its headers: a room has at most 700 bytes, or
	// twice that where a round's id is long.
	valueBytes = 16 << 10
)

const (
	// openMax bounds loading: 10,000 rooms take well below a second.
	openMax = time.Minute
	// attemptMax is how long one write may take before it is repeated.
	attemptMax = time.Second
	// retryWait is between two attempts.
	retryWait = 50 * time.Millisecond
)

// ErrUnknownRoom says that a room was never put.
var ErrUnknownRoom = errors.New("cluster: unknown room")

// RegistryConfig is how a registry is used. The zero value will do.
type RegistryConfig struct {
	// Changed hears of every change of what the platform decides (not of games), also of
	// this node's own, from the goroutine of Run; it must not block for long and must not
	// write to the registry. What was there when the registry was opened is not told. nil:
	// nobody.
	Changed func(Room)
	// Logger gets what an operator should know. nil: nothing.
	Logger *slog.Logger
}

// Registry is the rooms of the hub, the same on every node. Reading is from
// memory. It is safe for concurrent use.
type Registry struct {
	cfg     RegistryConfig
	journal *journal.Journal
	kv      jetstream.KeyValue
	pace    pace

	mu      sync.RWMutex // guards the following
	rooms   map[string]*record
	names   []string // of rooms, sorted
	loading bool     // names are sorted at the end of it: once, not for each room
}

// record is a room at a revision of the bucket.
type record struct {
	room     Room // without an ID: somebody deleted the key of a room that is not known
	revision uint64
	told     setting // as the listener knows it
	toldAt   uint64  // and the revision that said so
}

// OpenRegistry makes the bucket ROOMS or verifies its settings (else
// [journal.ErrDrift]), and returns when all rooms are loaded. It starts nothing:
// Run follows what other nodes change.
func OpenRegistry(ctx context.Context, j *journal.Journal, cfg RegistryConfig) (*Registry, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithTimeout(ctx, openMax)
	defer cancel()
	kv, err := j.KeyValue(ctx, journal.Bucket{Name: bucketName, MaxBytes: bucketBytes, ValueBytes: valueBytes})
	if err != nil {
		return nil, err
	}
	r := &Registry{cfg: cfg, journal: j, kv: kv, pace: defaultPace(), rooms: make(map[string]*record), loading: true}
	if err := r.load(ctx); err != nil {
		return nil, fmt.Errorf("cluster: load rooms: %w", err)
	}
	slices.Sort(r.names)
	r.loading = false
	for _, rec := range r.rooms {
		rec.told, rec.toldAt = rec.room.setting(), rec.revision
	}
	return r, nil
}

// Put creates, changes or revives a room: ID, MiniGameID, AnchorID and
// RequireRunning are taken, the rest stays as it is. created is true for a room
// that was not there or was deleted. It blocks until it is stored, repeating while
// the store is away; ctx bounds that. Errors: [ErrBadRoom],
// [journal.ErrUnavailable] where the store says no, ctx's cause: then it may be
// stored.
func (r *Registry) Put(ctx context.Context, want Room) (got Room, created bool, err error) {
	if err := want.check(); err != nil {
		return Room{}, false, err
	}
	got, err = r.change(ctx, want.ID, func(now Room, exists bool) (Room, error) {
		next := now
		next.ID, next.MiniGameID, next.AnchorID = want.ID, want.MiniGameID, want.AnchorID
		next.RequireRunning, next.Deleted = want.RequireRunning, false
		if next == now {
			return next, nil
		}
		created = !exists || now.Deleted
		next.ChangedAt = time.Now().UnixMilli()
		if !exists {
			next.CreatedAt = next.ChangedAt
		}
		return next, nil
	})
	return got, created, err
}

// Delete leaves a tombstone. Deleting a deleted room does nothing. Errors as of
// Put, and [ErrUnknownRoom].
func (r *Registry) Delete(ctx context.Context, id string) error {
	return r.edit(ctx, id, func(rm *Room) { rm.Deleted = true })
}

// SetGame notes what the room's game does, of a deleted room too: for nodes that need
// to know it and have no viewers of the room. Who owns the room notes it, some
// milliseconds after it has happened. Errors as of Delete.
func (r *Registry) SetGame(ctx context.Context, id, gameID string, game room.Game) error {
	return r.edit(ctx, id, func(rm *Room) { rm.GameID, rm.Game = gameID, game })
}

// Get returns a room, a deleted one too. It does no I/O.
func (r *Registry) Get(id string) (Room, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	rec, ok := r.rooms[id]
	if !ok || rec.room.ID == "" {
		return Room{}, false
	}
	return rec.room, true
}

// Fetch is Get of a room that is not known here, or deleted: it may have been put on
// another node a moment ago. It asks the bucket's leader, and blocks for that, at most until ctx ends;
// false: there is no such room, or nobody has said so.
func (r *Registry) Fetch(ctx context.Context, id string) (Room, bool) {
	if rm, ok := r.Get(id); ok && !rm.Deleted || room.CheckRoomID(id) != nil {
		return rm, ok
	}
	data, revision, err := r.journal.LeaderValue(ctx, bucketName, id)
	if err != nil || data == nil {
		return r.Get(id)
	}
	rm, err := decodeRoom(id, data)
	if err != nil {
		r.cfg.Logger.Error("a room cannot be read", slog.String("room", id), slog.Any("error", err))
		return Room{}, false
	}
	r.apply(rm, revision)
	return r.Get(id)
}

// List returns at most limit rooms that are not deleted, by id, after the given
// one. It does no I/O.
func (r *Registry) List(after string, limit int) []Room {
	r.mu.RLock()
	defer r.mu.RUnlock()
	at, found := slices.BinarySearch(r.names, after)
	if found {
		at++
	}
	var page []Room
	for ; at < len(r.names) && len(page) < limit; at++ {
		if rec := r.rooms[r.names[at]]; !rec.room.Deleted {
			page = append(page, rec.room)
		}
	}
	return page
}

// edit changes a room that exists.
func (r *Registry) edit(ctx context.Context, id string, apply func(*Room)) error {
	_, err := r.change(ctx, id, func(now Room, exists bool) (Room, error) {
		if !exists {
			return Room{}, fmt.Errorf("%w: %.64q", ErrUnknownRoom, id)
		}
		next := now
		if apply(&next); next != now {
			next.ChangedAt = time.Now().UnixMilli()
		}
		return next, nil
	})
	return err
}

// change stores what edit makes of the room's newest state, until nobody has come
// between. An attempt without an answer is repeated with the same expectation: if
// it had landed, the repeat is refused, and edit finds nothing left to do.
func (r *Registry) change(ctx context.Context, id string, edit func(now Room, exists bool) (Room, error)) (Room, error) {
	for {
		now, revision := r.at(id)
		next, err := edit(now, now.ID != "")
		if err != nil || next == now {
			return next, err
		}
		stored, err := r.write(ctx, next, revision)
		switch {
		case err == nil:
			r.apply(next, stored)
			return next, nil
		case errors.Is(err, jetstream.ErrKeyRevisionMismatch):
			if err := r.refresh(ctx, id); err != nil {
				return Room{}, err
			}
		case errors.Is(err, nats.ErrConnectionClosed):
			return Room{}, journal.ErrClosed
		case isRefusal(err):
			return Room{}, fmt.Errorf("%w: room %s: %w", journal.ErrUnavailable, id, err)
		}
		if err := pause(ctx, retryWait); err != nil {
			return Room{}, err
		}
	}
}

func (r *Registry) at(id string) (Room, uint64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if rec, ok := r.rooms[id]; ok {
		return rec.room, rec.revision
	}
	return Room{}, 0
}

func (r *Registry) write(ctx context.Context, rm Room, revision uint64) (uint64, error) {
	data, err := encodeRoom(rm)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrBadRoom, err)
	}
	ctx, cancel := context.WithTimeout(ctx, attemptMax)
	defer cancel()
	return r.kv.Update(ctx, rm.ID, data, revision) // revision 0: there is none
}

// refresh reads the room, in case the watch is behind. Any replica may answer, so
// it may find nothing new; then the watch or the next attempt will.
func (r *Registry) refresh(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, attemptMax)
	defer cancel()
	e, err := r.kv.Get(ctx, id)
	if err != nil {
		return nil // the caller tries again, and ctx bounds that
	}
	rm, err := decodeRoom(id, e.Value())
	if err != nil {
		return err
	}
	r.apply(rm, e.Revision())
	return nil
}

// apply takes a room's state in, unless a newer one is known.
func (r *Registry) apply(rm Room, revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.record(rm.ID)
	if revision <= rec.revision {
		return
	}
	if rec.room.ID == "" && r.loading {
		r.names = append(r.names, rm.ID)
	} else if rec.room.ID == "" {
		at, _ := slices.BinarySearch(r.names, rm.ID)
		r.names = slices.Insert(r.names, at, rm.ID)
	}
	rec.room, rec.revision = rm, revision
}

// pass notes that the key was deleted by hand: the next write has to be over that.
// The room stays as it was; its end would be a tombstone.
func (r *Registry) pass(id string, revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.record(id)
	rec.revision = max(rec.revision, revision)
}

// record returns the record of the id, or makes it. The lock is held.
func (r *Registry) record(id string) *record {
	rec, ok := r.rooms[id]
	if !ok {
		rec = &record{}
		r.rooms[id] = rec
	}
	return rec
}

// isRefusal reports whether the server has answered, with a no that a repeat does
// not change.
func isRefusal(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, ErrBadRoom) || errors.Is(err, nats.ErrMaxPayload) || errors.As(err, &api) && api.Code != 503 ||
		errors.As(err, &api) && api.ErrorCode == codeStoreFailed
}

// codeStoreFailed: the bucket is full (nats-server, JSStreamStoreFailedF).
const codeStoreFailed = 10077

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
