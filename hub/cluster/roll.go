package cluster

import (
	"context"
	"log/slog"
	"maps"
	"slices"
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

// follow watches until the watch fails, or goes silent: then it does not tell of the own
// renewals. Before that is noticed all nodes may look dead, which each eviction finds out.
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
	m.update(func(c *census, now time.Time) bool { c.heard = now; return false })
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
			if m.deaf() {
				return errSilent
			}
			if err := m.judge(ctx); err != nil {
				return err
			}
		}
	}
}

// deaf reports whether the watch says nothing.
func (m *Members) deaf() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.census.deaf(time.Now())
}

// take takes one change of a lease in.
func (m *Members) take(e jetstream.KeyValueEntry) {
	if e.Operation() != jetstream.KeyValuePut {
		m.bury(e.Key(), e.Revision())
		return
	}
	if s, ok := m.decode(e.Key(), e.Value(), e.Revision()); ok {
		m.update(func(c *census, now time.Time) bool { return c.saw(e.Key(), s, now) })
	}
}

// decode reads a lease; without a value it is one that is not there.
func (m *Members) decode(node string, value []byte, revision uint64) (seat, bool) {
	var l lease
	if value == nil {
		return seat{revision: revision}, false
	}
	if err := json.Unmarshal(value, &l); err != nil {
		m.cfg.Logger.Error("a lease cannot be read", slog.String("node", node), slog.Any("error", err))
		return seat{revision: revision}, false
	}
	return seat{incarnation: l.Incarnation, leaving: l.Leaving, revision: revision}, true
}

// bury notes that a lease is gone.
func (m *Members) bury(node string, revision uint64) {
	m.update(func(c *census, _ time.Time) bool { return c.gone(node, revision) })
}

// judge takes the leases of the dead away. Each is read again before, from the leader: a
// node that has renewed since was not silent, this node's watch was: errSilent. And it is
// taken away at the revision that was read, so that a renewal in between wins.
func (m *Members) judge(ctx context.Context) error {
	m.mu.Lock()
	dead := make(map[string]seat)
	for _, node := range m.census.silent(time.Now()) {
		dead[node] = m.census.seats[node]
	}
	m.mu.Unlock()
	for _, node := range slices.Sorted(maps.Keys(dead)) {
		silent, err := m.lookAgain(ctx, node, dead[node])
		if err != nil {
			return err
		}
		if !silent {
			continue
		}
		attempt, cancel := context.WithTimeout(ctx, renewMax)
		err = m.leases.End(attempt, node, dead[node].revision)
		cancel()
		if err == nil {
			m.cfg.Logger.Warn("node taken for dead", slog.String("node", node))
			m.bury(node, dead[node].revision)
		}
		// Else it has moved, or nobody answers: the next look finds out.
	}
	return nil
}

// lookAgain reads the lease of a node that was silent: it still is, or has renewed
// (errSilent), or was taken away by another node. Without an answer the next look tries
// again.
func (m *Members) lookAgain(ctx context.Context, node string, was seat) (silent bool, err error) {
	attempt, cancel := context.WithTimeout(ctx, renewMax)
	defer cancel()
	data, revision, err := m.leases.Newest(attempt, node)
	if err != nil {
		return false, nil
	}
	now, ok := m.decode(node, data, revision)
	switch {
	case m.remade(node, now):
		m.cfg.Logger.Warn("the bucket of leases was made anew; everybody is looked for again")
		return false, errSilent
	case data == nil:
		m.bury(node, revision)
		return false, nil
	case ok && now.revision == was.revision:
		return true, nil
	case ok:
		m.update(func(c *census, at time.Time) bool { return c.saw(node, now, at) })
	}
	return false, errSilent
}

// remade reports whether the bucket is another one than it was: its revisions begin at 1
// again when all servers were started anew, since it is kept in their memory, and what
// has the revision of an old lease is another life's. Then what is known of all is worth
// nothing: newer leases would pass for old ones, and old ones be ended by the revision of
// new ones.
func (m *Members) remade(node string, now seat) (is bool) {
	m.update(func(c *census, _ time.Time) bool {
		was := c.seats[node]
		is = now.revision < was.revision || now.revision == was.revision && now.incarnation != was.incarnation
		if is {
			clear(c.seats)
			c.heard = time.Time{} // the watch is of the old one
		}
		return is
	})
	return is
}
