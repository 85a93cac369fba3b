package hub

import (
	"sync/atomic"

	"github.com/giftwire/giftwire/hub/journal"
)

// stored is the journal as entries are submitted to it. It remembers how far each
// partition's log was written by this node: accepted is told when an entry is stored,
// and the rooms read it some milliseconds later, so whoever asks the rooms, or waits
// for them, has to know how far they should have come.
type stored struct {
	next submitter
	upTo []atomic.Uint64 // by partition: the newest GIFTS sequence
}

func newStored(next submitter, partitions int) *stored {
	return &stored{next: next, upTo: make([]atomic.Uint64, partitions)}
}

// Submit implements submitter. It notes before done is told.
func (s *stored) Submit(entry journal.Entry, done func(journal.Receipt, error)) error {
	return s.next.Submit(entry, func(r journal.Receipt, err error) {
		if err == nil {
			s.note(r)
		}
		done(r, err)
	})
}

func (s *stored) note(r journal.Receipt) {
	mark := &s.upTo[r.Partition]
	for {
		now := mark.Load()
		if now >= r.Position.Seq || mark.CompareAndSwap(now, r.Position.Seq) {
			return
		}
	}
}

// newest is how far the partition's log was written.
func (s *stored) newest(partition int) uint64 { return s.upTo[partition].Load() }
