package cluster

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go/jetstream"
)

// watch follows all leases, and takes those of the dead away, until ctx ends.
func (m *Members) watch(ctx context.Context) {
	for ctx.Err() == nil {
		err := m.follow(ctx)
		if ctx.Err() == nil {
			m.cfg.Logger.Warn("leases are watched anew", slog.Any("error", err))
			_ = pause(ctx, renewEvery) // its end ends the loop
		}
	}
}

// follow watches until the watch fails. One that has gone silent makes all nodes look
// dead, which each eviction finds out.
func (m *Members) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(watchMax, func() { cancel(errSilent) })
	w, err := m.leases.Watch(ctx)
	late.Stop()
	if err != nil {
		return closedOr(err)
	}
	defer drain(w)
	judge := time.NewTicker(judgeEvery)
	defer judge.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e, ok := <-w.Updates():
			if !ok {
				return errEnded
			}
			if e != nil {
				m.take(e)
			}
		case <-judge.C:
			if err := m.judge(ctx); err != nil {
				return err
			}
		}
	}
}

// take takes one change of a lease in.
func (m *Members) take(e jetstream.KeyValueEntry) {
	if e.Operation() != jetstream.KeyValuePut {
		m.bury(e.Key(), e.Revision())
		return
	}
	m.see(e.Key(), e.Value(), e.Revision())
}

// see notes a lease as it was read.
func (m *Members) see(node string, value []byte, revision uint64) {
	var l lease
	if err := json.Unmarshal(value, &l); err != nil {
		m.cfg.Logger.Error("a lease cannot be read", slog.String("node", node), slog.Any("error", err))
		return
	}
	m.update(func(c *census, now time.Time) bool {
		return c.saw(node, seat{incarnation: l.Incarnation, leaving: l.Leaving, revision: revision}, now)
	})
}

// bury notes that a lease is gone.
func (m *Members) bury(node string, revision uint64) {
	m.update(func(c *census, _ time.Time) bool { return c.gone(node, revision) })
}

// judge takes the leases of the dead away: with the revision that was last seen, so
// that a node which has renewed since is never hit. Such a one was not silent, this
// node's watch was: errSilent.
func (m *Members) judge(ctx context.Context) error {
	m.mu.Lock()
	dead := m.census.silent(time.Now())
	revisions := make([]uint64, len(dead))
	for i, node := range dead {
		revisions[i] = m.census.seats[node].revision
	}
	m.mu.Unlock()
	for i, node := range dead {
		attempt, cancel := context.WithTimeout(ctx, renewMax)
		err := m.leases.End(attempt, node, revisions[i])
		cancel()
		switch {
		case err == nil:
			m.cfg.Logger.Warn("node taken for dead", slog.String("node", node))
			m.bury(node, revisions[i])
		case errors.Is(err, errMoved):
			if err := m.lookAgain(ctx, node); err != nil {
				return err
			}
		}
		// Without an answer it is tried again with the next look.
	}
	return nil
}

// remade reports whether the bucket is another one than it was: its revisions begin at 1
// again when all servers were started anew, since it is kept in their memory. Then what is
// known of all is worth nothing, and newer leases would pass for old ones.
func (m *Members) remade(node string, revision uint64) (is bool) {
	m.update(func(c *census, _ time.Time) bool {
		if is = revision < c.seats[node].revision; is {
			clear(c.seats)
		}
		return is
	})
	return is
}

// lookAgain reads the lease that has moved: renewed, or taken away by another node.
func (m *Members) lookAgain(ctx context.Context, node string) error {
	attempt, cancel := context.WithTimeout(ctx, renewMax)
	defer cancel()
	data, revision, err := m.leases.Newest(attempt, node)
	if err != nil {
		return nil // the next look tries again
	}
	if m.remade(node, revision) {
		m.cfg.Logger.Warn("the bucket of leases was made anew; everybody is looked for again")
		return errSilent
	}
	if data == nil {
		m.bury(node, revision)
		return nil
	}
	m.see(node, data, revision)
	return errSilent
}
