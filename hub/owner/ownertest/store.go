// Package ownertest has a partition's log in memory, for tests of owners and of what
// stands above them.
package ownertest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
)

// Op names a method of the store for a hook.
type Op string

// The operations that a hook sees.
const (
	OpReadGifts     Op = "read_gifts"
	OpEndOfGifts    Op = "end_of_gifts"
	OpGiftsAt       Op = "gifts_at"
	OpLastOutcome   Op = "last_outcome"
	OpAppendOutcome Op = "append_outcome"
	OpReadOutcomes  Op = "read_outcomes"
	OpOutcomeAt     Op = "outcome_at"
	OpSaveChunk     Op = "save_chunk"
	OpLoadChunks    Op = "load_chunks"
	OpAppendIDs     Op = "append_ids"
	OpLoadIDs       Op = "load_ids"
	OpPurge         Op = "purge"
)

// Store is a partition's log in memory, with the guarantees of the real one. It
// outlives its owners: give it to the next one, and that is a restart.
type Store struct {
	mu       sync.Mutex
	hooks    Hooks
	gifts    []journal.GiftRecord
	outcomes []journal.OutcomeRecord
	chunks   map[string]chunk
	ids      []storedIDs
	first    uint64 // oldest retained outcome
	kept     uint64 // oldest retained record of GIFTS
	space    [2]journal.StreamSpace
	woken    chan struct{}
}

// Hooks decide how operations fail. They are called without a lock held, one at a time
// for each operation, and may be nil.
type Hooks struct {
	// Before is called before an operation does anything; its error is the
	// operation's: failed and not stored.
	Before func(Op) error
	// After is called when an operation has done its work; its error is the
	// operation's: failed and stored.
	After func(Op) error
}

type storedIDs struct {
	at  int64
	ids []journal.ID
}

// NewStore returns an empty log.
func NewStore() *Store {
	return &Store{chunks: make(map[string]chunk), woken: make(chan struct{}), first: 1, kept: 1}
}

// Accept stores entries as one record of GIFTS, as the sessions of a node do.
func (s *Store) Accept(entries ...journal.Entry) {
	s.AcceptAt(time.Now().UnixMilli(), entries...)
}

// AcceptAt is Accept at a given time, Unix ms.
func (s *Store) AcceptAt(at int64, entries ...journal.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := uint64(len(s.gifts) + 1)
	s.gifts = append(s.gifts, journal.GiftRecord{
		Seq: n, StoredAt: at, Node: "writer", Incarnation: "w1", Number: n, Entries: entries,
	})
	close(s.woken)
	s.woken = make(chan struct{})
}

// Outcomes returns a copy of the log.
func (s *Store) Outcomes() []journal.OutcomeRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.outcomes)
}

// Forget drops the outcomes below a sequence, as ageing out does.
func (s *Store) Forget(below uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = max(s.first, below)
}

// ForgetAll drops all outcomes, as a log that has aged out while nobody wrote. The next
// append expects sequence 0, as it does at JetStream.
func (s *Store) ForgetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = uint64(len(s.outcomes)) + 1
}

// last is the sequence of the newest retained record, 0: there is none.
func (s *Store) last() uint64 {
	if n := uint64(len(s.outcomes)); n >= s.first {
		return n
	}
	return 0
}

// Intrude appends a record behind the owner's back, as a rival does.
func (s *Store) Intrude(rec journal.OutcomeRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.append(rec)
}

func (s *Store) append(rec journal.OutcomeRecord) uint64 {
	rec.Seq, rec.StoredAt = uint64(len(s.outcomes)+1), time.Now().UnixMilli()
	s.outcomes = append(s.outcomes, rec)
	return rec.Seq
}

// Hook sets the hooks from here on.
func (s *Store) Hook(h Hooks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = h
}

func (s *Store) before(op Op) error {
	s.mu.Lock()
	hook := s.hooks.Before
	s.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(op)
}

func (s *Store) after(op Op) error {
	s.mu.Lock()
	hook := s.hooks.After
	s.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(op)
}

// ReadGifts implements owner.Store.
func (s *Store) ReadGifts(ctx context.Context, after uint64) ([]journal.GiftRecord, error) {
	if err := s.before(OpReadGifts); err != nil {
		return nil, err
	}
	for {
		s.mu.Lock()
		woken := s.woken
		kept := s.kept
		out := slices.Clone(s.gifts[min(max(after, kept-1), uint64(len(s.gifts))):])
		s.mu.Unlock()
		if after+1 < kept {
			return nil, &journal.GoneError{Stream: "GIFTS", After: after, First: kept}
		}
		if len(out) > 0 {
			return out, s.after(OpReadGifts)
		}
		select {
		case <-woken:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// EndOfGifts implements owner.Store.
func (s *Store) EndOfGifts(context.Context) (uint64, error) {
	if err := s.before(OpEndOfGifts); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.gifts)), nil
}

// GiftsAt implements owner.Store.
func (s *Store) GiftsAt(_ context.Context, seqs []uint64) ([]journal.GiftRecord, error) {
	if err := s.before(OpGiftsAt); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []journal.GiftRecord
	for _, seq := range seqs {
		if seq >= s.kept && seq <= uint64(len(s.gifts)) {
			out = append(out, s.gifts[seq-1])
		}
	}
	return out, nil
}

// LastOutcome implements owner.Store.
func (s *Store) LastOutcome(context.Context) (journal.OutcomeRecord, error) {
	if err := s.before(OpLastOutcome); err != nil {
		return journal.OutcomeRecord{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last() == 0 {
		return journal.OutcomeRecord{}, nil
	}
	return s.outcomes[s.last()-1], nil
}

// AppendOutcome implements owner.Store.
func (s *Store) AppendOutcome(ctx context.Context, expected uint64, rec journal.OutcomeRecord) (uint64, error) {
	if err := s.before(OpAppendOutcome); err != nil {
		return 0, err
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	s.mu.Lock()
	if expected != s.last() {
		s.mu.Unlock()
		return 0, journal.ErrFenced
	}
	seq := s.append(rec)
	s.mu.Unlock()
	return seq, s.after(OpAppendOutcome)
}

// ReadOutcomes implements owner.Store.
func (s *Store) ReadOutcomes(_ context.Context, after, upTo uint64, each func(journal.OutcomeRecord) error) error {
	if err := s.before(OpReadOutcomes); err != nil {
		return err
	}
	s.mu.Lock()
	records := slices.Clone(s.outcomes[min(max(after, s.first-1), upTo):upTo])
	s.mu.Unlock()
	for _, rec := range records {
		if err := each(rec); err != nil {
			return err
		}
	}
	return s.after(OpReadOutcomes)
}

// OutcomeAt implements owner.Store.
func (s *Store) OutcomeAt(_ context.Context, seq uint64) (journal.OutcomeRecord, error) {
	if err := s.before(OpOutcomeAt); err != nil {
		return journal.OutcomeRecord{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq < s.first || seq > uint64(len(s.outcomes)) {
		return journal.OutcomeRecord{}, journal.ErrGone
	}
	return s.outcomes[seq-1], nil
}

// FirstOutcome implements owner.Store.
func (s *Store) FirstOutcome(context.Context) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first, nil
}

// SetFull makes Space tell that so much of each stream is used, 0 to 1.
func (s *Store) SetFull(gifts, outcomes float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const whole = 1 << 20
	s.space[0] = journal.StreamSpace{Bytes: uint64(gifts * whole), Max: whole}
	s.space[1] = journal.StreamSpace{Bytes: uint64(outcomes * whole), Max: whole}
}

// Space implements owner.Store.
func (s *Store) Space() (gifts, outcomes journal.StreamSpace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gifts, outcomes = s.space[0], s.space[1]
	return gifts, outcomes
}

// PurgeGifts implements owner.Store.
func (s *Store) PurgeGifts(_ context.Context, below uint64) error {
	if err := s.before(OpPurge); err != nil {
		return err
	}
	s.mu.Lock()
	s.kept = max(s.kept, below)
	s.mu.Unlock()
	return s.after(OpPurge)
}

// PurgeOutcomes implements owner.Store.
func (s *Store) PurgeOutcomes(_ context.Context, below uint64) error {
	if err := s.before(OpPurge); err != nil {
		return err
	}
	s.Forget(below)
	return s.after(OpPurge)
}

// Retained returns the oldest sequence of each stream that is left.
func (s *Store) Retained() (gifts, outcomes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept, s.first
}

// chunk is a blob, and how often its name was written.
type chunk struct {
	data    []byte
	version int
}

// FirstGift implements owner.Store.
func (s *Store) FirstGift(context.Context) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept, nil
}

// SaveChunk implements owner.Store.
func (s *Store) SaveChunk(_ context.Context, name string, data []byte) error {
	if err := s.before(OpSaveChunk); err != nil {
		return err
	}
	s.mu.Lock()
	s.chunks[name] = chunk{slices.Clone(data), s.chunks[name].version + 1}
	s.mu.Unlock()
	return s.after(OpSaveChunk)
}

// LoadChunks implements owner.Store.
func (s *Store) LoadChunks(_ context.Context, each func(name string, data []byte) error) error {
	if err := s.before(OpLoadChunks); err != nil {
		return err
	}
	s.mu.Lock()
	chunks := maps.Clone(s.chunks)
	s.mu.Unlock()
	for name, c := range chunks {
		if err := each(name, c.data); err != nil {
			return err
		}
	}
	return s.after(OpLoadChunks)
}

// AppendIDs implements owner.Store.
func (s *Store) AppendIDs(_ context.Context, ids []journal.ID) error {
	if err := s.before(OpAppendIDs); err != nil {
		return err
	}
	s.mu.Lock()
	s.ids = append(s.ids, storedIDs{time.Now().UnixMilli(), slices.Clone(ids)})
	s.mu.Unlock()
	return s.after(OpAppendIDs)
}

// LoadIDs implements owner.Store.
func (s *Store) LoadIDs(_ context.Context, each func(storedAt int64, ids []journal.ID) error) error {
	if err := s.before(OpLoadIDs); err != nil {
		return err
	}
	s.mu.Lock()
	all := slices.Clone(s.ids)
	s.mu.Unlock()
	for _, row := range all {
		if err := each(row.at, row.ids); err != nil {
			return err
		}
	}
	return s.after(OpLoadIDs)
}
