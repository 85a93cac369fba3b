package ownertest

import (
	"context"
	"slices"
	"sync"

	"github.com/giftwire/giftwire/hub/journal"
)

// Hand is the store in the hands of one owner: it knows which chunks that owner has
// seen. A Store by itself overwrites what it finds.
type Hand struct {
	*Store

	mu   sync.Mutex
	seen map[string]int // versions; nil: nothing was loaded
}

// Hand gives the store to an owner.
func (s *Store) Hand() *Hand { return &Hand{Store: s} }

// SaveChunk implements owner.Store.
func (h *Hand) SaveChunk(_ context.Context, name string, data []byte) error {
	if err := h.before(OpSaveChunk); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Store.mu.Lock()
	now := h.chunks[name]
	fenced := h.seen != nil && h.seen[name] != now.version
	if !fenced {
		now = chunk{slices.Clone(data), now.version + 1}
		h.chunks[name] = now
	}
	h.Store.mu.Unlock()
	if h.seen != nil {
		h.seen[name] = now.version
	}
	if fenced {
		return journal.ErrFenced
	}
	return h.after(OpSaveChunk)
}

// LoadChunks implements owner.Store.
func (h *Hand) LoadChunks(ctx context.Context, each func(name string, data []byte) error) error {
	h.mu.Lock()
	h.seen = make(map[string]int)
	h.Store.mu.Lock()
	for name, c := range h.chunks {
		h.seen[name] = c.version
	}
	h.Store.mu.Unlock()
	h.mu.Unlock()
	return h.Store.LoadChunks(ctx, each)
}
