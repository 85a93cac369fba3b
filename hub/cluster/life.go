package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// Life is one incarnation of this node: from its joining to its leaving, or to the
// moment when the others took it for dead.
type Life struct {
	// Incarnation is new with every life.
	Incarnation string
	members     *Members

	mu       sync.Mutex // guards the following, and makes writes of the lease one at a time
	revision uint64
	leaving  bool
}

// keep renews the lease until ctx ends, or it is somebody else's: errEvicted.
func (l *Life) keep(ctx context.Context) error {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	moved := time.Now() // to the server that is asked now, or the last good renewal
	var looked time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := l.renew(ctx)
		switch {
		case err == nil:
			moved = time.Now()
		case errors.Is(err, errEvicted):
			return err
		case ctx.Err() == nil:
			l.members.cfg.Logger.Warn("lease not renewed", slog.Any("error", err))
			if time.Since(looked) >= remakeEvery {
				looked = time.Now()
				l.members.restore(ctx)
			}
			if time.Since(moved) >= stuckMax {
				moved = time.Now()
				l.members.elsewhere()
			}
		}
	}
}

// Leave tells the others that partitions should go elsewhere. The lease holds.
func (l *Life) Leave(ctx context.Context) error {
	l.mu.Lock()
	l.leaving = true
	l.mu.Unlock()
	return l.renew(ctx)
}

// renew writes the lease over its own last revision.
func (l *Life) renew(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.members
	data, err := json.Marshal(lease{Incarnation: l.Incarnation, Leaving: l.leaving})
	if err != nil {
		return fmt.Errorf("cluster: encode a lease: %w", err)
	}
	asked := time.Now()
	attempt, cancel := context.WithTimeout(ctx, renewMax)
	revision, err := m.leases.Write(attempt, m.cfg.Node, data, l.revision)
	cancel()
	if errors.Is(err, errMoved) {
		// An earlier attempt landed without an answer, or the lease is not ours any more.
		return l.adopt(ctx)
	}
	if err != nil {
		return fmt.Errorf("cluster: renew the lease: %w", closedOr(err))
	}
	l.revision = revision
	m.update(func(c *census, now time.Time) bool {
		c.renewed(asked, now)
		return c.own(seat{incarnation: l.Incarnation, leaving: l.leaving, revision: revision}, now)
	})
	return nil
}

// adopt finds out whose the lease is. It is no renewal: when the write that landed was
// asked for is not remembered, and the next renewal comes soon.
func (l *Life) adopt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, renewMax)
	defer cancel()
	found, revision, err := l.members.read(ctx, l.members.cfg.Node)
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
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.members.leases.End(ctx, l.members.cfg.Node, l.revision); err != nil {
		l.members.cfg.Logger.Warn("lease not given back; it ends by itself", slog.Any("error", err))
	}
	l.members.update(func(c *census, _ time.Time) bool { c.lost(); return false })
}
