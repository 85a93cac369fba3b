package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
)

// joined is a running member.
type joined struct {
	*cluster.Members
	lives chan *cluster.Life // each life as it begins
	ended chan string        // its incarnation when it ends
	stop  context.CancelFunc
	done  chan error
}

func join(t *testing.T, j *journal.Journal, node string) *joined {
	t.Helper()
	m, err := cluster.OpenMembers(bounded(t), j, cluster.MembersConfig{Node: node})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	jd := &joined{Members: m, lives: make(chan *cluster.Life, 8), ended: make(chan string, 8), stop: cancel, done: make(chan error, 1)}
	go func() { // joined by leave
		jd.done <- m.Run(ctx, func(ctx context.Context, l *cluster.Life) error {
			jd.lives <- l
			<-ctx.Done()
			jd.ended <- l.Incarnation
			return nil
		})
	}()
	t.Cleanup(func() { jd.leave(t) })
	return jd
}

// leave ends the member in good order; again, it does nothing.
func (jd *joined) leave(t *testing.T) {
	t.Helper()
	jd.stop()
	if err := receive(t, jd.done, "the end of Run"); err != nil {
		t.Errorf("Run: %v", err)
	}
	jd.done <- nil
}

func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// staying waits until the member knows exactly these nodes.
func (jd *joined) staying(t *testing.T, want ...string) {
	t.Helper()
	poll(t, fmt.Sprintf("%v stay", want), func() bool { return slices.Equal(jd.Staying(), want) })
}

func (jd *joined) holds(t *testing.T, node, incarnation string, want bool) {
	t.Helper()
	if got, err := jd.Holds(bounded(t), node, incarnation); err != nil || got != want {
		t.Errorf("Holds(%s, %s): %v, %v; want %v", node, incarnation, got, err, want)
	}
}

func TestMembersKnowEachOther(t *testing.T) {
	j := openJournal(t, t.TempDir())
	a, b := join(t, j, "a"), join(t, j, "b")
	a.staying(t, "a", "b")
	b.staying(t, "a", "b")
	life := receive(t, b.lives, "b's life")
	if !a.Valid() || !b.Valid() {
		t.Error("a lease that was just taken does not hold")
	}
	a.holds(t, "b", life.Incarnation, true)
	a.holds(t, "b", "another", false)
	a.holds(t, "nobody", "", false)

	if err := life.Leave(bounded(t)); err != nil {
		t.Fatal(err)
	}
	a.staying(t, "a")
	b.staying(t, "a")
	a.holds(t, "b", life.Incarnation, true) // it still has partitions to hand over
	if got := a.Living(); !slices.Equal(got, []string{"a", "b"}) || !a.Others() || !b.Others() {
		t.Errorf("living are %v, want a, and b which still has viewers", got)
	}
	b.leave(t)
	poll(t, "b is gone", func() bool { return slices.Equal(a.Living(), []string{"a"}) && !a.Others() })
	a.holds(t, "b", life.Incarnation, false)
	if b.Valid() {
		t.Error("a lease that was given back holds")
	}
}

// A node that does not renew is taken for dead, not before 2 s, and learns it.
func TestTheSilentAreEvicted(t *testing.T) {
	url := natstest.Start(t).URL()
	a := join(t, connect(t, url), "a")
	receive(t, a.lives, "a's life")
	kv, err := natstest.ByHand(t, url).KeyValue(t.Context(), "NODES")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := kv.Put(t.Context(), "b", []byte(`{"incarnation":"b1"}`)); err != nil {
		t.Fatal(err)
	}
	a.staying(t, "a", "b")
	a.holds(t, "b", "b1", true)
	a.staying(t, "a")
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("dead after %v, a lease is 2 s", took)
	}
	a.holds(t, "b", "b1", false)
}

func TestWhoIsEvictedStartsAnew(t *testing.T) {
	url := natstest.Start(t).URL()
	a := join(t, connect(t, url), "a")
	first := receive(t, a.lives, "the first life")
	kv, err := natstest.ByHand(t, url).KeyValue(t.Context(), "NODES")
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, a.ended, "the end of the first life"); got != first.Incarnation {
		t.Errorf("%s ended, want %s", got, first.Incarnation)
	}
	second := receive(t, a.lives, "the second life")
	if second.Incarnation == first.Incarnation {
		t.Error("the second life has the first one's incarnation")
	}
	a.holds(t, "a", first.Incarnation, false)
	a.holds(t, "a", second.Incarnation, true)
	a.staying(t, "a")
}

func TestANameIsForOneNode(t *testing.T) {
	j := openJournal(t, t.TempDir())
	a := join(t, j, "a")
	receive(t, a.lives, "a's life")
	twin, err := cluster.OpenMembers(bounded(t), j, cluster.MembersConfig{Node: "a"})
	if err != nil {
		t.Fatal(err)
	}
	err = twin.Run(bounded(t), func(context.Context, *cluster.Life) error { return errors.New("it lives") })
	if !errors.Is(err, cluster.ErrTwin) {
		t.Errorf("the twin's Run: %v, want ErrTwin", err)
	}
	if !a.Valid() {
		t.Error("the twin has hurt the first one")
	}
}

// What an earlier life of this node has left is no twin.
func TestARestartTakesTheLeaseBack(t *testing.T) {
	url := natstest.Start(t).URL()
	j := connect(t, url)
	first, err := cluster.OpenMembers(bounded(t), j, cluster.MembersConfig{Node: "a"})
	if err != nil || first.Valid() {
		t.Fatalf("before Run: valid %v, %v", first.Valid(), err)
	}
	kv, err := natstest.ByHand(t, url).KeyValue(t.Context(), "NODES")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "a", []byte(`{"incarnation":"before"}`)); err != nil {
		t.Fatal(err)
	}
	a := join(t, j, "a")
	life := receive(t, a.lives, "the new life")
	a.holds(t, "a", life.Incarnation, true)
}

// While NATS is away the lease ends, nobody dies, and the same life goes on afterwards
// if nobody has ended it.
func TestNATSAway(t *testing.T) {
	url := natstest.Start(t).URL()
	way := forward(t, url)
	a := join(t, connect(t, way.url), "a")
	life := receive(t, a.lives, "a's life")
	kv, err := natstest.ByHand(t, url).KeyValue(t.Context(), "NODES")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "b", []byte(`{"incarnation":"b1"}`)); err != nil {
		t.Fatal(err)
	}
	a.staying(t, "a", "b")
	way.cut()
	poll(t, "the lease ends", func() bool { return !a.Valid() })
	if got := a.Staying(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("while NATS is away %v stay", got)
	}
	way.mend()
	poll(t, "the lease holds again", a.Valid)
	a.holds(t, "a", life.Incarnation, true)
	a.staying(t, "a") // b is silent, now that this can be known
	select {
	case got := <-a.ended:
		t.Errorf("life %s has ended", got)
	default:
	}
}

// poll waits for what only another goroutine brings about.
func poll(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !holds(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
