package cluster_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/internal/natstest"
)

// The only server of a NATS that is no cluster forgets the leases when it is started anew,
// since they are in its memory. The nodes make the bucket again and find each other. A
// lease that was forgotten may still hold: for 2 s nobody takes it for over.
func TestTheOnlyServerStartsAnew(t *testing.T) {
	s := natstest.Start(t)
	a, b := join(t, connect(t, s.URL()), "a"), join(t, connect(t, s.URL()), "b")
	first := receive(t, a.lives, "a's life")
	other := receive(t, b.lives, "b's life")
	kv, err := natstest.ByHand(t, s.URL()).KeyValue(t.Context(), "NODES")
	if err != nil {
		t.Fatal(err)
	}
	// c is cut off from now on: it does not learn that its lease was forgotten.
	if _, err := kv.Put(t.Context(), "c", []byte(`{"incarnation":"c1"}`)); err != nil {
		t.Fatal(err)
	}
	a.staying(t, "a", "b", "c")
	s.Restart()

	second := receive(t, a.lives, "a's next life")
	if got := receive(t, a.ended, "the end of a's first life"); got != first.Incarnation {
		t.Errorf("%s ended, want %s", got, first.Incarnation)
	}
	receive(t, b.lives, "b's next life")
	asked := time.Now()
	a.holds(t, "c", "c1", true)
	a.staying(t, "a", "b")
	b.staying(t, "a", "b")
	if !a.Valid() || !b.Valid() {
		t.Error("the new leases do not hold")
	}
	a.holds(t, "a", second.Incarnation, true)
	a.holds(t, "a", first.Incarnation, false) // the node itself has ended that life
	a.holds(t, "b", other.Incarnation, false)
	poll(t, "c's lease is over", func() bool {
		held, err := a.Holds(bounded(t), "c", "c1")
		return err == nil && !held
	})
	if took := time.Since(asked); took < 2*time.Second {
		t.Errorf("a lease that was forgotten is over after %v; it holds for up to 1.8 s", took)
	}

	// Who comes now is seen by all, although nothing was left of the watches.
	d := join(t, connect(t, s.URL()), "d")
	d.staying(t, "a", "b", "d")
	a.staying(t, "a", "b", "d")
}

// A node that joins where the bucket is missing makes it.
func TestJoiningMakesTheBucket(t *testing.T) {
	url := natstest.Start(t).URL()
	m, err := cluster.OpenMembers(bounded(t), connect(t, url), cluster.MembersConfig{Node: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if err := natstest.ByHand(t, url).DeleteStream(t.Context(), "KV_NODES"); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("it lives")
	if err := m.Run(bounded(t), func(context.Context, *cluster.Life) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("Run: %v", err)
	}
}
