package cluster

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// oneWay is a way to the leases, by one server.
type oneWay struct {
	shared *sharedLeases
	cut    atomic.Bool // the server is cut off from its peers: it takes everything in and says nothing
}

type sharedLeases struct {
	mu       sync.Mutex // guards the following
	revision uint64
	written  int
}

// Write implements leases.
func (w *oneWay) Write(ctx context.Context, _ string, _ []byte, last uint64) (uint64, error) {
	if w.cut.Load() {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	w.shared.mu.Lock()
	defer w.shared.mu.Unlock()
	if last != w.shared.revision {
		return 0, errMoved
	}
	w.shared.revision++
	w.shared.written++
	return w.shared.revision, nil
}

// End implements leases.
func (w *oneWay) End(context.Context, string, uint64) error { return nil }

// Newest implements leases.
func (w *oneWay) Newest(context.Context, string) ([]byte, uint64, error) {
	return nil, 0, errors.New("not asked in this test")
}

// Watch implements leases.
func (w *oneWay) Watch(context.Context) (jetstream.KeyWatcher, error) {
	return nil, errors.New("not asked in this test")
}

// A node whose server is cut off from its peers moves to one that renews its lease, and
// to none while no server does.
func TestABetterServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := new(sharedLeases)
		here, there := &oneWay{shared: shared}, &oneWay{shared: shared}
		here.cut.Store(true)
		there.cut.Store(true)
		var moves atomic.Int32
		m := newMembers(here, func() error { return nil }, MembersConfig{
			Node: "a", Changed: func() {}, Logger: slog.New(slog.DiscardHandler),
		})
		m.trial = func(ctx context.Context, renew func(context.Context, leases) error) error {
			err := renew(ctx, there)
			if err == nil {
				moves.Add(1)
				here.cut.Store(false)
			}
			return err
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- newLife("a1", m).keep(ctx) }() // joined below
		time.Sleep(6 * time.Second)                        // an election
		if moves.Load() != 0 || m.Valid() {
			t.Errorf("%d moves while no server renews a lease; valid %v", moves.Load(), m.Valid())
		}
		there.cut.Store(false)
		begun := time.Now()
		time.Sleep(tryEvery + 2*renewEvery)
		if moves.Load() != 1 || !m.Valid() {
			t.Errorf("%d moves within %v, valid %v; want one", moves.Load(), time.Since(begun), m.Valid())
		}
		time.Sleep(10 * time.Second)
		if moves.Load() != 1 || !m.Valid() {
			t.Errorf("%d moves after all was well, valid %v", moves.Load(), m.Valid())
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
