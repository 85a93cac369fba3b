package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
)

// Life is one incarnation of this node: from its joining to its leaving, or to the
// moment when the others took it for dead.
type Life struct {
	// Incarnation is new with every life.
	Incarnation string
	members     *Members
	leaving     atomic.Bool

	writing  chan struct{} // of one, held while the lease is written; guards revision
	revision uint64
}

func newLife(incarnation string, m *Members) *Life {
	return &Life{Incarnation: incarnation, members: m, writing: make(chan struct{}, 1)}
}

// lock is ended by unlock. It waits for writes of others, and fails when ctx ends.
func (l *Life) lock(ctx context.Context) error {
	select {
	case l.writing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Life) unlock() { <-l.writing }

// keep renews the lease until ctx ends, or it is somebody else's: errEvicted. While it
// cannot be renewed it looks whether the bucket is there, and for a better server.
func (l *Life) keep(ctx context.Context) error {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	m := l.members
	good := time.Now() // the last renewal
	moved, tried, looked := good, good, good
	var trials sync.WaitGroup
	defer trials.Wait()
	trying := make(chan struct{}, 1) // held by the one trial at a time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := l.renew(ctx, m.leases)
		switch {
		case err == nil:
			good = time.Now()
			moved, tried = good, good
			continue
		case errors.Is(err, errEvicted):
			return err
		case ctx.Err() != nil:
			continue
		}
		m.cfg.Logger.Warn("lease not renewed", slog.Any("error", err))
		if time.Since(looked) >= remakeEvery {
			looked = time.Now()
			m.restore(ctx)
		}
		if time.Since(tried) >= tryEvery && len(trying) == 0 {
			tried = time.Now()
			trying <- struct{}{}
			trials.Go(func() {
				m.better(ctx, l)
				<-trying
			})
		}
		if time.Since(moved) >= stuckMax {
			moved = time.Now()
			m.elsewhere()
		}
	}
}

// better moves the connection to a server with which this life's lease can be renewed:
// the present one may be cut off from the others, and lead what it cannot store for 10 s.
// That it acknowledges a renewal proves that it is with the majority, as in an election no
// server does.
func (m *Members) better(ctx context.Context, l *Life) {
	ctx, cancel := context.WithTimeout(ctx, tryMax)
	defer cancel()
	err := m.trial(ctx, func(ctx context.Context, other leases) error { return l.renew(ctx, other) })
	if err == nil {
		m.cfg.Logger.Warn("this NATS server renews no lease and another one does: moved there")
	}
}

// Leave tells the others that partitions should go elsewhere. The lease holds.
func (l *Life) Leave(ctx context.Context) error {
	l.leaving.Store(true)
	return l.renew(ctx, l.members.leases)
}

// renew writes the lease over its own last revision, by way of to. It waits for at most
// one other write, and then for renewMax, twice if the answer to an earlier one is missed.
func (l *Life) renew(ctx context.Context, to leases) error {
	if err := l.lock(ctx); err != nil {
		return fmt.Errorf("cluster: renew the lease: %w", err)
	}
	defer l.unlock()
	m, leaving := l.members, l.leaving.Load()
	data, err := json.Marshal(lease{Incarnation: l.Incarnation, Leaving: leaving})
	if err != nil {
		return fmt.Errorf("cluster: encode a lease: %w", err)
	}
	asked := time.Now()
	attempt, cancel := context.WithTimeout(ctx, renewMax)
	revision, err := to.Write(attempt, m.cfg.Node, data, l.revision)
	cancel()
	if errors.Is(err, errMoved) {
		// An earlier attempt landed without an answer, or the lease is not ours any more.
		return l.adopt(ctx, to)
	}
	if err != nil {
		return fmt.Errorf("cluster: renew the lease: %w", closedOr(err))
	}
	l.revision = revision
	m.update(func(c *census, now time.Time) bool {
		c.renewed(asked, now)
		return c.own(seat{incarnation: l.Incarnation, leaving: leaving, revision: revision}, now)
	})
	return nil
}

// adopt finds out whose the lease is. It is no renewal: when the write that landed was
// asked for is not remembered, and the next renewal comes soon.
func (l *Life) adopt(ctx context.Context, from leases) error {
	ctx, cancel := context.WithTimeout(ctx, renewMax)
	defer cancel()
	found, revision, err := readLease(ctx, from, l.members.cfg.Node)
	if err != nil {
		return err
	}
	if found.Incarnation == l.Incarnation {
		l.revision = revision
		return nil
	}
	if l.members.remade(l.members.cfg.Node, seat{incarnation: found.Incarnation, revision: revision}) {
		l.members.cfg.Logger.Warn("the bucket of leases was made anew; this node's lease is forgotten")
	}
	l.members.update(func(c *census, _ time.Time) bool { c.lost(); return false })
	return errEvicted
}

// giveBack ends the lease, so that nobody has to wait for its end. If that fails they
// wait.
func (l *Life) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, renewMax)
	defer cancel()
	err := l.lock(ctx)
	if err == nil {
		err = l.members.leases.End(ctx, l.members.cfg.Node, l.revision)
		l.unlock()
	}
	if err != nil {
		l.members.cfg.Logger.Warn("lease not given back; it ends by itself", slog.Any("error", err))
	}
	l.members.update(func(c *census, _ time.Time) bool { c.lost(); return false })
}
