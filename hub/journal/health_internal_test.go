package journal

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// TestOneLateLookIsNoTrouble, and the second is.
func TestOneLateLookIsNoTrouble(t *testing.T) {
	r := newReplicas(t)
	r.j.cfg.Logger = slog.New(slog.DiscardHandler)
	r.j.tuning.check, r.j.tuning.leader = 5*time.Millisecond, 20*time.Millisecond
	var silence, answered atomic.Int64 // requests that get no answer; requests that did
	if _, err := r.nc.Subscribe("$JS.API.STREAM.INFO.*", func(m *nats.Msg) {
		if silence.Add(-1) >= 0 {
			return
		}
		answered.Add(1)
		_ = m.Respond([]byte(`{"config":{"name":"X","max_bytes":100},"state":{"bytes":1}}`))
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := r.j.watch(ctx)
		ended <- err
	}()
	until := func(what string, holds func() bool) {
		t.Helper()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for end := time.Now().Add(20 * time.Second); !holds(); <-tick.C {
			if time.Now().After(end) {
				t.Fatalf("never: %s", what)
			}
		}
	}
	until("a good look", func() bool { return answered.Load() > 4 })
	for range 5 {
		silence.Store(1)
		until("the silence is over", func() bool {
			if err := r.j.Health(); err != nil {
				t.Fatalf("after one late look: %v", err)
			}
			return silence.Load() < -4
		})
	}
	silence.Store(1 << 40)
	until("trouble", func() bool { return errors.Is(r.j.Health(), ErrUnavailable) })
	silence.Store(0)
	until("well again", func() bool { return r.j.Health() == nil })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("watch: %v", err)
	}
}
