package owner

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/journal"
)

// snapshot stores the state if it changed since the last one: the ids decided since,
// then the changed chunks, then the head. Whatever was not stored is tried again with
// the next one. It returns what the newest stored one covers, also with an error.
func (p *Partition) snapshot(ctx context.Context) (covered, error) {
	select {
	case p.saving <- struct{}{}:
		defer func() { <-p.saving }()
	case <-ctx.Done():
		return covered{}, context.Cause(ctx)
	}
	r := p.rooms
	r.Lock()
	if !r.dirty {
		defer r.Unlock()
		return r.covered, nil
	}
	r.dirty = false
	open := r.positions()
	head, ids := r.head(), r.newIDs
	r.newIDs = nil
	r.Unlock()
	head.Open = packPositions(open) // up to 250,000 are sorted, which no room waits for

	err := p.saveAll(ctx, head, &ids)
	r.Lock()
	defer r.Unlock()
	if err != nil {
		r.dirty = true
		r.newIDs = append(ids, r.newIDs...)
		return r.covered, err
	}
	r.covered = head.covers(open)
	p.stats.snapshots.Add(1)
	return r.covered, nil
}

// saveAll stores the parts in their order. Ids that are stored are taken off the list.
func (p *Partition) saveAll(ctx context.Context, head headShape, ids *[]journal.ID) error {
	if len(*ids) > 0 {
		if err := p.cfg.Store.AppendIDs(ctx, *ids); err != nil {
			return fmt.Errorf("ids: %w", err)
		}
		*ids = nil
	}
	for c := range chunks {
		if err := p.saveRooms(ctx, c); err != nil {
			return fmt.Errorf("rooms: %w", err)
		}
		if err := p.saveJoins(ctx, c); err != nil {
			return fmt.Errorf("joins: %w", err)
		}
	}
	data, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("head: %w", err)
	}
	if err := p.saveChunk(ctx, headName, data); err != nil {
		return fmt.Errorf("head: %w", err)
	}
	return nil
}

// saveChunk stores a chunk over the one that this owner knows. Another one there is
// either a late write of an earlier owner, which knew less and is written over, or a
// later owner's: then this one has lost the partition, and must not put its older state
// among newer ones.
func (p *Partition) saveChunk(ctx context.Context, name string, data []byte) error {
	err := p.cfg.Store.SaveChunk(ctx, name, data)
	for range lateWrites {
		if !errors.Is(err, journal.ErrFenced) {
			return err
		}
		last, lookErr := p.cfg.Store.LastOutcome(ctx)
		if lookErr != nil {
			return lookErr
		}
		if last.Term < p.identity.term {
			return errBehind
		}
		if last.Term != p.identity.term || last.Incarnation != p.identity.incarnation {
			return err
		}
		err = p.cfg.Store.SaveChunk(ctx, name, data)
	}
	return err
}

// errBehind: whoever answered does not know of this owner's own takeover, so it cannot
// tell who owns the partition now.
var errBehind = errors.New("owner: the log's last record is older than the takeover")

// lateWrites is how many late writes of earlier owners one chunk may meet in a row: each
// of them has at most one under way.
const lateWrites = 8

// saveRooms stores a chunk of rooms if it changed.
func (p *Partition) saveRooms(ctx context.Context, c int) error {
	p.rooms.Lock()
	if !p.rooms.dirtyRooms[c] {
		p.rooms.Unlock()
		return nil
	}
	p.rooms.dirtyRooms[c] = false
	shape := p.rooms.chunk(c)
	p.rooms.Unlock()
	data, err := shape.encode(journal.ChunkMax)
	if err == nil {
		err = p.saveChunk(ctx, roomsPrefix+strconv.Itoa(c), data)
	}
	if err != nil {
		p.rooms.Lock()
		p.rooms.dirtyRooms[c] = true
		p.rooms.Unlock()
	}
	return err
}

// saveJoins stores the joins of a chunk of rooms if they changed.
func (p *Partition) saveJoins(ctx context.Context, c int) error {
	p.rooms.Lock()
	if !p.rooms.dirtyJoins[c] {
		p.rooms.Unlock()
		return nil
	}
	p.rooms.dirtyJoins[c] = false
	shape := p.rooms.joinsChunk(c)
	p.rooms.Unlock()
	data, err := shape.encode(journal.ChunkMax)
	if err == nil {
		err = p.saveChunk(ctx, joinsPrefix+strconv.Itoa(c), data)
	}
	if err != nil {
		p.rooms.Lock()
		p.rooms.dirtyJoins[c] = true
		p.rooms.Unlock()
	}
	return err
}
