package journal_test

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
)

// TestContractCluster runs the contract on three replicas: where reads may be
// stale and a fence answers with other codes.
func TestContractCluster(t *testing.T) {
	urls := natstest.Cluster(t, 3).Start().URLs()
	setup := func(t *testing.T) open {
		t.Helper()
		js := natstest.ByHand(t, urls)
		return func(node string) *journal.Journal {
			// Without a wish, streams get three replicas here.
			j, err := journal.Open(t.Context(), journal.Config{NATSURL: urls, Node: node, Partitions: 4, Retention: small()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := j.Close(); err != nil {
					t.Error(err)
				}
				for _, name := range []string{"OUTCOMES", "GIFTS", "SNAPS", "IDS"} {
					err := js.DeleteStream(bounded(t), name)
					if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
						t.Error(err)
					}
				}
			})
			run(t, j)
			for _, name := range []string{"OUTCOMES", "GIFTS", "SNAPS", "IDS"} {
				s, err := js.Stream(t.Context(), name)
				if err != nil || s.CachedInfo().Config.Replicas != 3 {
					t.Fatalf("stream %s: %+v, %v", name, s, err)
				}
			}
			return j
		}
	}
	contract(t, setup)
	contractOfTwo(t, setup)
}
