package owner

import (
	"context"

	"github.com/giftwire/giftwire/hub/internal/stage"
)

// Stepped is a partition that a simulator drives. It runs the code of [Partition.Run]
// piece by piece in the caller's thread, and starts no goroutine and no timer: whoever
// drives it decides what happens when, and where it dies. Where the real partition has
// goroutines, the store is what they yield at; so may a simulated store.
//
// The pieces, in the order in which Run uses them: TakeOver, then Read, Flush, Mark and
// Keep side by side, then EndActors, Flush and Release.
type Stepped struct {
	*Partition

	appender *appender
}

// NewStepped is New for a simulator, which brings the rooms' actors itself.
func NewStepped(cfg Config, perform stage.Perform) (*Stepped, error) {
	p, err := New(cfg)
	if err != nil {
		return nil, err
	}
	p.perform = perform
	return &Stepped{Partition: p}, nil
}

// TakeOver takes the partition over and lets it begin to serve.
func (s *Stepped) TakeOver(ctx context.Context) error {
	s.phase.Store(phaseTaking)
	if err := s.takeOver(ctx); err != nil {
		return err
	}
	s.begin(ctx)
	s.appender = s.newAppender()
	return nil
}

// Read goes on with what was open and takes GIFTS in, for ever, or until the store ends
// it.
func (s *Stepped) Read(ctx context.Context) error { return s.read(ctx) }

// Woken reports whether something waits for Flush, as the appender's loop learns it.
func (s *Stepped) Woken() bool {
	select {
	case <-s.verdicts.wake:
		return true
	default:
		return false
	}
}

// Flush appends what was decided.
func (s *Stepped) Flush(ctx context.Context) error { return s.appender.flush(ctx) }

// Mark appends a mark.
func (s *Stepped) Mark(ctx context.Context) error { return s.appender.mark(ctx) }

// Keep snapshots the partition if it changed, and makes room. An error says that the
// partition is somebody else's.
func (s *Stepped) Keep(ctx context.Context) error { return s.keepOnce(ctx) }

// EndActors refuses new events. The simulator has ended the actors.
func (s *Stepped) EndActors() { s.endActors() }

// Release snapshots and gives the partition up.
func (s *Stepped) Release(ctx context.Context) error { return s.release(ctx, s.appender) }
