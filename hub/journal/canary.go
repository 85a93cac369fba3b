package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// canarySubject is a record of SNAPS that no partition has; two copies of it are kept.
const canarySubject = "gw.snap.canary.0"

// errNoSpace: the disk of the embedded server.
var errNoSpace = fmt.Errorf("%w: the disk is nearly full", ErrUnavailable)

// canary finds out whether the embedded server can still store, where nothing else has
// found out since the last time: a disk that hangs or is full shows itself to those
// who write, and a node without gifts must not learn it from the first one (P13). It
// costs an idle node one fsync a look.
func (j *Journal) canary(ctx context.Context) error {
	stored := j.stats.records.Load() + j.stats.appends.Load()
	if stored != j.health.proven {
		j.health.proven = stored
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, max(j.cfg.Unanswered, j.tuning.leader))
	defer cancel()
	at := time.Now().UTC().AppendFormat(nil, time.RFC3339)
	_, err := j.js.Publish(ctx, canarySubject, at, jetstream.WithRetryAttempts(0))
	if err != nil && judge(err) != refused { // a server that refuses is one that works
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	return nil
}

// diskSpace refuses entries while the disk still has room for what is accepted.
func (j *Journal) diskSpace() error {
	free, err := freeSpace(j.cfg.Dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil // then a full disk is noticed when it is full
	case err != nil:
		return fmt.Errorf("%w: free space of the data folder: %w", errSilent, err)
	case free < uint64(j.cfg.FreeBytes): //nolint:gosec // not negative, checked by withDefaults
		return fmt.Errorf("%w: %d MiB free, %d MiB are kept", errNoSpace, free>>20, j.cfg.FreeBytes>>20)
	}
	return nil
}
