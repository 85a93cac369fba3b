package journal

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Partition is one partition's log, as its owner reads and writes it. It is safe
// for concurrent use; but one writer at a time appends outcomes, that is what
// owning means. Methods with a context block until they have what they promise,
// ctx ends (its cause is the error), or the journal is closed ([ErrClosed]).
type Partition struct {
	j     *Journal
	n     int
	pub   *publisher
	blobs blobs
}

// GoneError says which records are gone. It is an [ErrGone].
type GoneError struct {
	Stream string
	// After is the sequence after which something is missing.
	After uint64
	// First is the stream's first retained sequence; 0 when that is not what told.
	First uint64
}

// Error names stream and sequences.
func (e *GoneError) Error() string {
	if e.First == 0 {
		return fmt.Sprintf("%v: %s after sequence %d", ErrGone, e.Stream, e.After)
	}
	return fmt.Sprintf("%v: %s after sequence %d, the first retained is %d", ErrGone, e.Stream, e.After, e.First)
}

// Unwrap is ErrGone.
func (e *GoneError) Unwrap() error { return ErrGone }

// Space returns how full the streams are, all partitions together, as of the last look
// (every second while Run runs). It does no I/O.
func (p *Partition) Space() (gifts, outcomes StreamSpace) {
	return p.j.health.space(streamGifts), p.j.health.space(streamOutcomes)
}

// PurgeGifts removes the partition's records of GIFTS below the sequence. Only an
// owner may say so: everything below must be read and decided.
func (p *Partition) PurgeGifts(ctx context.Context, below uint64) error {
	return p.purge(ctx, streamGifts, giftSubject(p.n), below)
}

// PurgeOutcomes removes the partition's records of OUTCOMES below the sequence,
// which must be covered by a stored snapshot. Never purge the last record: the
// next append expects it.
func (p *Partition) PurgeOutcomes(ctx context.Context, below uint64) error {
	return p.purge(ctx, streamOutcomes, outcomeSubject(p.n), below)
}

func (p *Partition) purge(ctx context.Context, stream, subject string, below uint64) error {
	if below <= 1 {
		return nil // sequence 0 would mean all
	}
	s, err := p.j.js.Stream(ctx, stream)
	if err == nil {
		err = s.Purge(ctx, jetstream.WithPurgeSubject(subject), jetstream.WithPurgeSequence(below))
	}
	if err != nil {
		return fmt.Errorf("journal: purge %s below %d: %w", subject, below, err)
	}
	return nil
}
