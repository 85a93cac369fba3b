package hub

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/holding"
	"github.com/giftwire/giftwire/hub/journal"
)

// membership is this node among those that share its NATS. On an embedded journal it is
// alone by nature: there is no lease, and nothing to join.
type membership struct {
	journal *journal.Journal
	alone   bool
	// came and went hear of changes among the living, one at a time. They must not block,
	// nor call back.
	came func()
	went func(node string)
	log  *slog.Logger

	members atomic.Pointer[cluster.Members] // nil until it is open, or alone
	life    atomic.Pointer[cluster.Life]    // the last one that began

	mu    sync.Mutex // guards known
	known map[string]bool
}

var _ holding.Roll = (*membership)(nil)

// open makes or verifies the bucket of leases. As with the room registry, it must have
// returned before the journal is run.
func (m *membership) open(ctx context.Context) error {
	if m.alone {
		return nil
	}
	members, err := cluster.OpenMembers(ctx, m.journal, cluster.MembersConfig{
		Node: m.journal.Node(), Changed: m.changed, Logger: m.log,
	})
	if err == nil {
		m.members.Store(members)
	}
	return err
}

// run joins, and calls live with each incarnation that this node has, until ctx ends.
func (m *membership) run(ctx context.Context, live func(ctx context.Context, incarnation string) error) error {
	if m.alone {
		return live(ctx, m.journal.Incarnation())
	}
	return m.members.Load().Run(ctx, func(ctx context.Context, l *cluster.Life) error {
		m.life.Store(l)
		m.log.Info("joined", slog.String("incarnation", l.Incarnation))
		return live(ctx, l.Incarnation)
	})
}

// leave tells the others that partitions should go elsewhere.
func (m *membership) leave(ctx context.Context) error {
	if l := m.life.Load(); l != nil {
		return l.Leave(ctx)
	}
	return nil
}

// changed finds out who came and who went. It is called by several goroutines: each looks
// and tells in one step, so that nobody who has come back is told of as gone.
func (m *membership) changed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := make(map[string]bool)
	for _, node := range m.members.Load().Living() {
		now[node] = true
	}
	for node := range m.known {
		if !now[node] && node != m.journal.Node() {
			m.went(node)
		}
	}
	m.known = now
	m.came()
}

// Staying implements holding.Roll.
func (m *membership) Staying() []string {
	if members := m.members.Load(); members != nil {
		return members.Staying()
	}
	return holding.Sole(m.journal.Node()).Staying()
}

// Holds implements holding.Roll.
func (m *membership) Holds(ctx context.Context, node, incarnation string) (bool, error) {
	if members := m.members.Load(); members != nil {
		return members.Holds(ctx, node, incarnation)
	}
	return holding.Sole(m.journal.Node()).Holds(ctx, node, incarnation)
}

// valid reports whether this node may act as an owner now. It does no I/O.
func (m *membership) valid() bool {
	members := m.members.Load()
	return m.alone || members != nil && members.Valid()
}

// others reports whether other nodes live. It does no I/O.
func (m *membership) others() bool {
	members := m.members.Load()
	return members != nil && members.Others()
}

// succeeded reports whether there is another node that takes partitions.
func (m *membership) succeeded() bool {
	for _, node := range m.Staying() {
		if node != m.journal.Node() {
			return true
		}
	}
	return false
}

// nodes counts the living, this one included.
func (m *membership) nodes() int {
	if members := m.members.Load(); members != nil {
		return len(members.Living())
	}
	return 1
}

// check is the membership as a line of /readyz.
func (m *membership) check() (healthCheck, bool) {
	c := healthCheck{Name: "cluster", Status: checkOK}
	if !m.valid() {
		c.Status, c.Detail = checkFail, "this node's lease is not renewed: NATS is away, or too slow"
	}
	return c, !m.alone
}
