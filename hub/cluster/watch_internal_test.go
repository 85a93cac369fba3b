package cluster

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/journal"
)

// silent is a bucket whose first watches never say anything after what was there.
type silent struct {
	jetstream.KeyValue
	watches atomic.Int64
	deaf    int64
}

func (s *silent) WatchAll(ctx context.Context, opts ...jetstream.WatchOpt) (jetstream.KeyWatcher, error) {
	w, err := s.KeyValue.WatchAll(ctx, opts...)
	if err != nil || s.watches.Add(1) > s.deaf {
		return w, err
	}
	return &deafWatcher{KeyWatcher: w, updates: make(chan jetstream.KeyValueEntry)}, nil
}

type deafWatcher struct {
	jetstream.KeyWatcher
	updates chan jetstream.KeyValueEntry
}

func (w *deafWatcher) Updates() <-chan jetstream.KeyValueEntry { return w.updates }

func (w *deafWatcher) Stop() error {
	err := w.KeyWatcher.Stop()
	close(w.updates)
	return err
}

func TestASilentWatchIsMadeAnew(t *testing.T) {
	j, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	heard := make(chan Room, 1)
	r, err := OpenRegistry(t.Context(), j, RegistryConfig{Changed: func(rm Room) { heard <- rm }})
	if err != nil {
		t.Fatal(err)
	}
	bucket := &silent{KeyValue: r.kv, deaf: 1}
	r.kv = bucket
	r.pace = pace{check: 10 * time.Millisecond, rewatch: time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	if _, _, err := r.Put(ctx, Room{ID: "r1", MiniGameID: "g"}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-heard:
	case <-time.After(20 * time.Second):
		t.Error("the change was never heard of")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if n := bucket.watches.Load(); n < 2 {
		t.Errorf("%d watches, a silent one and another are needed", n)
	}
}

// stuckWatcher is a watch that still has news, and whose channel nobody closes.
type stuckWatcher struct{ updates chan jetstream.KeyValueEntry }

func (w stuckWatcher) Updates() <-chan jetstream.KeyValueEntry { return w.updates }

func (stuckWatcher) Stop() error { return nil }

func (stuckWatcher) Error() <-chan error { return nil }

func TestDrainEndsWithoutAClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stuckWatcher{make(chan jetstream.KeyValueEntry)}
		told := make(chan struct{})
		go func() { // joined by <-told: a callback that waits to be read
			defer close(told)
			for range 3 {
				time.Sleep(drainQuiet / 2)
				w.updates <- nil
			}
		}()
		start := time.Now()
		drain(w)
		<-told
		if took := time.Since(start); took != 3*drainQuiet/2+drainQuiet {
			t.Errorf("took %v, want a second after the last news", took)
		}
	})
}
