package owner

import (
	"context"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/journal"
)

// snapshot stores the state if it changed since the last one: the ids decided since,
// then the changed chunks, then the head. Whatever was not stored is tried again with
// the next one. It returns what the newest stored one covers, also with an error. It
// must not run twice at a time.
func (p *Partition) snapshot(ctx context.Context) (covered, error) {
	r := p.rooms
	r.Lock()
	if !r.dirty {
		defer r.Unlock()
		return r.covered, nil
	}
	r.dirty = false
	open := r.positions()
	head, ids := r.head(open), r.newIDs
	r.newIDs = nil
	r.Unlock()

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
	if err := p.cfg.Store.SaveChunk(ctx, headName, data); err != nil {
		return fmt.Errorf("head: %w", err)
	}
	return nil
}

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
	data, err := json.Marshal(shape, json.Deterministic(true))
	if err == nil {
		err = p.cfg.Store.SaveChunk(ctx, roomsPrefix+strconv.Itoa(c), data)
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
		err = p.cfg.Store.SaveChunk(ctx, joinsPrefix+strconv.Itoa(c), data)
	}
	if err != nil {
		p.rooms.Lock()
		p.rooms.dirtyJoins[c] = true
		p.rooms.Unlock()
	}
	return err
}
