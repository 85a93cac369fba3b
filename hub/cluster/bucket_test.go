package cluster_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
)

func connect(tb testing.TB, url string) *journal.Journal {
	tb.Helper()
	j, err := journal.Open(tb.Context(), journal.Config{NATSURL: url, Node: "n1", Replicas: 1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := j.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return j
}

func TestABucketChangedByHandIsRefused(t *testing.T) {
	url := natstest.Start(t).URL()
	j := connect(t, url)
	openRegistry(t, j, cluster.RegistryConfig{})
	js := natstest.ByHand(t, url)
	s, err := js.Stream(t.Context(), "KV_ROOMS")
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	cfg.MaxAge = time.Hour // rooms would vanish
	if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	_, err = cluster.OpenRegistry(t.Context(), j, cluster.RegistryConfig{})
	if !errors.Is(err, journal.ErrDrift) || !strings.Contains(err.Error(), "KV_ROOMS.max_age is 1h0m0s, needed is 0s") {
		t.Errorf("OpenRegistry: %v", err)
	}
}

func TestARoomThatCannotBeReadIsRefused(t *testing.T) {
	for name, value := range map[string]string{
		"not JSON":      `{`,
		"later release": `{"v":2,"room":"r1"}`,
		"other key":     `{"v":1,"room":"r2","mini_game_id":"g","game":{"state":"unknown"}}`,
		"unknown state": `{"v":1,"room":"r1","mini_game_id":"g","game":{"state":"paused"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			url := natstest.Start(t).URL()
			j := connect(t, url)
			openRegistry(t, j, cluster.RegistryConfig{})
			kv, err := natstest.ByHand(t, url).KeyValue(t.Context(), "ROOMS")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := kv.Put(t.Context(), "r1", []byte(value)); err != nil {
				t.Fatal(err)
			}
			if _, err := cluster.OpenRegistry(t.Context(), j, cluster.RegistryConfig{}); err == nil {
				t.Error("it was read")
			}
		})
	}
}

func TestUnknownMembersAreTolerated(t *testing.T) {
	url := natstest.Start(t).URL()
	j := connect(t, url)
	openRegistry(t, j, cluster.RegistryConfig{})
	kv, err := natstest.ByHand(t, url).KeyValue(t.Context(), "ROOMS")
	if err != nil {
		t.Fatal(err)
	}
	value := `{"v":1,"room":"r1","mini_game_id":"g","game":{"state":"running","round_id":"7"},"later":true}`
	if _, err := kv.Put(t.Context(), "r1", []byte(value)); err != nil {
		t.Fatal(err)
	}
	r := openRegistry(t, j, cluster.RegistryConfig{})
	if rm, ok := r.Get("r1"); !ok || rm.MiniGameID != "g" || rm.Game.Round != "7" {
		t.Errorf("room: %+v", rm)
	}
}

func TestAKeyDeletedByHandIsKept(t *testing.T) {
	url := natstest.Start(t).URL()
	j := connect(t, url)
	r := openRegistry(t, j, cluster.RegistryConfig{})
	put(t, r, cluster.Room{ID: "r1", MiniGameID: "g"})
	follow(t, r)
	kv, err := natstest.ByHand(t, url).KeyValue(t.Context(), "ROOMS")
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete(t.Context(), "r1"); err != nil {
		t.Fatal(err)
	}
	// The room goes on, and the next change is stored over the marker.
	want, _ := put(t, r, cluster.Room{ID: "r1", MiniGameID: "h"})
	if got, ok := r.Get("r1"); !ok || got != want {
		t.Errorf("room: %+v", got)
	}
	// One that starts now knows nothing of the room, and can put it all the same.
	if err := kv.Delete(t.Context(), "r1"); err != nil {
		t.Fatal(err)
	}
	late := openRegistry(t, j, cluster.RegistryConfig{})
	if got, ok := late.Get("r1"); ok {
		t.Errorf("a deleted key makes a room: %+v", got)
	}
	if _, created := put(t, late, cluster.Room{ID: "r1", MiniGameID: "g"}); !created {
		t.Error("the room was not created")
	}
}

// BenchmarkOpenRegistry loads 10,000 rooms, as a node does before it listens.
func BenchmarkOpenRegistry(b *testing.B) {
	j := openJournal(b, b.TempDir())
	r := openRegistry(b, j, cluster.RegistryConfig{})
	const rooms = 10_000
	var writers sync.WaitGroup
	for w := range 50 {
		writers.Go(func() {
			for n := w; n < rooms; n += 50 {
				id := fmt.Sprintf("room-%05d", n)
				if _, _, err := r.Put(b.Context(), cluster.Room{ID: id, MiniGameID: "TinyLoveWar"}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	writers.Wait()
	b.ReportAllocs()
	for b.Loop() {
		again := openRegistry(b, j, cluster.RegistryConfig{})
		if got := len(again.List("", rooms)); got != rooms {
			b.Fatalf("%d rooms", got)
		}
	}
}
