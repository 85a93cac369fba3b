package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/journal"
)

// watchMax is how long the servers may take to make a watch.
const watchMax = 10 * time.Second

// pace is how often the watch looks after itself; tests are in a hurry.
type pace struct {
	// check is how often a watch is compared with the bucket. After a server was
	// killed, ordered consumers have stayed silent for more than 10 s; one that is
	// behind at two looks in a row is made anew.
	check time.Duration
	// rewatch is between two watches.
	rewatch time.Duration
}

func defaultPace() pace { return pace{check: 2 * time.Second, rewatch: time.Second} }

var (
	errLoaded = errors.New("loaded")
	errSilent = errors.New("cluster: the watch is behind the bucket")
	errEnded  = errors.New("cluster: the watch has ended")
)

// load reads all rooms. It tries again while nobody answers, as while a cluster elects.
func (r *Registry) load(ctx context.Context) error {
	for {
		err := r.follow(ctx, func() error { return errLoaded })
		switch {
		case errors.Is(err, errLoaded):
			return nil
		case errors.Is(err, errFormat), errors.Is(err, journal.ErrClosed), ctx.Err() != nil:
			return err
		}
		r.cfg.Logger.Warn("rooms cannot be loaded; trying again", slog.Any("error", err))
		if late := pause(ctx, r.pace.rewatch); late != nil {
			return errors.Join(err, late)
		}
	}
}

// Run follows the rooms until ctx ends, and tells the listener; it returns nil
// then. While the store is away it waits for it. It returns [journal.ErrClosed]
// when the journal is closed, and an error for a room that this release cannot
// read.
func (r *Registry) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := r.follow(ctx, func() error { return nil })
		if errors.Is(err, errFormat) || errors.Is(err, journal.ErrClosed) {
			return err
		}
		if ctx.Err() == nil {
			r.cfg.Logger.Warn("rooms are watched anew", slog.Any("error", err))
			_ = pause(ctx, r.pace.rewatch) // its end ends the loop
		}
	}
	return nil
}

// follow watches all rooms, first as they are, then as they change, and calls
// loaded in between. It returns why it ended.
func (r *Registry) follow(ctx context.Context, loaded func() error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The watch ends with its context, so that cannot bound how long it takes to make.
	late := time.AfterFunc(watchMax, func() { cancel(errSilent) })
	w, err := r.kv.WatchAll(ctx)
	late.Stop()
	if err != nil {
		return closedOr(fmt.Errorf("cluster: watch rooms: %w", err))
	}
	defer drain(w)
	check := time.NewTicker(r.pace.check)
	defer check.Stop()
	var seen, behind uint64
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e, ok := <-w.Updates():
			switch {
			case !ok:
				return errEnded
			case e == nil:
				err = loaded()
			default:
				seen = max(seen, e.Revision())
				err = r.take(e)
			}
			if err != nil {
				return err
			}
		case <-check.C:
			last, err := r.newest(ctx)
			switch {
			case err != nil: // the store is away: no news is no fault of the watch
			case behind > seen:
				return errSilent
			default:
				behind = last
			}
		}
	}
}

// take takes one change in, and tells the listener of what it does not know.
func (r *Registry) take(e jetstream.KeyValueEntry) error {
	if e.Operation() != jetstream.KeyValuePut {
		r.cfg.Logger.Error("the key of a room was deleted by hand; the room is kept", slog.String("room", e.Key()))
		r.pass(e.Key(), e.Revision())
		return nil
	}
	rm, err := decodeRoom(e.Key(), e.Value())
	if err != nil {
		return err
	}
	r.apply(rm, e.Revision())
	r.mu.Lock()
	rec := r.rooms[rm.ID]
	news := e.Revision() > rec.toldAt && rm.setting() != rec.told
	if e.Revision() > rec.toldAt {
		rec.told, rec.toldAt = rm.setting(), e.Revision()
	}
	r.mu.Unlock()
	if news && r.cfg.Changed != nil {
		r.cfg.Changed(rm)
	}
	return nil
}

// newest is the bucket's newest revision.
func (r *Registry) newest(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptMax)
	defer cancel()
	status, err := r.kv.Status(ctx)
	if err != nil {
		return 0, closedOr(err)
	}
	bucket, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok {
		return 0, fmt.Errorf("cluster: status of the bucket is a %T", status)
	}
	return bucket.StreamInfo().State.LastSeq, nil
}

// drainQuiet is how long a stopped watch must say nothing until it is taken for ended.
const drainQuiet = time.Second

// drain stops a watch and empties it: its callback may be waiting for us to read. It
// does not rely on the channel being closed: where the connection closes while the
// watch is made, nats.go never closes it (v1.55.0, jetstream/kv.go: the handler that
// does is set on a subscription that has ended already).
func drain(w jetstream.KeyWatcher) {
	// It fails where the connection is closed, which ends the watch as well.
	_ = w.Stop()
	quiet := time.NewTimer(drainQuiet)
	defer quiet.Stop()
	for {
		select {
		case _, open := <-w.Updates():
			if !open {
				return
			}
			quiet.Reset(drainQuiet)
		case <-quiet.C:
			return
		}
	}
}

// closedOr turns a closed connection into journal.ErrClosed.
func closedOr(err error) error {
	if errors.Is(err, nats.ErrConnectionClosed) {
		return journal.ErrClosed
	}
	return err
}
