package cluster

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
)

// write is one write of a lease: a renewal, or, by another node, its end. It is behind
// the revision that its writer has seen.
type write struct {
	node   string
	behind uint64
	end    bool
}

// answer is what its writer was told.
type answer struct {
	revision uint64 // of a renewal
	verdict  verdict
}

type verdict int

const (
	done verdict = iota
	refused
	unknown
)

// register is a lease as it must look from outside: its newest revision. An end, and a
// write without an answer, leave one that is only known to be above the one that they
// were behind.
type register struct {
	revision uint64
	above    bool
}

func (r register) is(revision uint64) bool {
	return r.above && revision > r.revision || revision == r.revision && !r.above
}

// leaseModel lets a write pass only behind the newest revision.
func leaseModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Partition: func(all []porcupine.Operation) (out [][]porcupine.Operation) {
			byNode := make(map[string][]porcupine.Operation)
			for _, op := range all {
				node := op.Input.(write).node
				byNode[node] = append(byNode[node], op)
			}
			for _, ops := range byNode {
				out = append(out, ops)
			}
			return out
		},
		Init: func() []any { return []any{register{}} },
		Step: func(state, input, output any) []any {
			was, in, out := state.(register), input.(write), output.(answer)
			landed := register{revision: in.behind, above: true}
			if out.revision > 0 {
				landed = register{revision: out.revision}
			}
			switch {
			case out.verdict == done && (!was.is(in.behind) || out.revision > 0 && out.revision <= in.behind):
				return nil
			case out.verdict == done:
				return []any{landed}
			case out.verdict == refused && was == register{revision: in.behind}:
				return nil
			case out.verdict == unknown && was.is(in.behind):
				return []any{landed, was}
			}
			return []any{was}
		},
	}
	return model.ToModel()
}

// witness is what all nodes wrote and were told, on one clock.
type witness struct {
	t     *testing.T
	begun time.Time

	mu      sync.Mutex // guards the following
	members map[string]*Members
	ops     []porcupine.Operation
	dead    map[string]bool // incarnations whose lease others took away
}

// watch looks all the time whether somebody who was taken for dead believes in its
// lease.
func (w *witness) watch(ctx context.Context) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		w.mu.Lock()
		for node, m := range w.members {
			m.mu.Lock()
			if life := m.census.seats[node].incarnation; w.dead[life] && m.census.valid(time.Now()) {
				w.t.Errorf("%s acts on a lease that was taken away", node)
				delete(w.dead, life)
			}
			m.mu.Unlock()
		}
		w.mu.Unlock()
	}
}

func (w *witness) saw(client int, in write, call time.Time, out answer) {
	returned := time.Since(w.begun)
	if out.verdict == unknown {
		returned = 24 * time.Hour // it may land later
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ops = append(w.ops, porcupine.Operation{
		ClientId: client, Input: in, Call: int64(call.Sub(w.begun)), Output: out, Return: int64(returned),
	})
}

// stoppable is a node's way to the bucket: a node that is stopped gets no answers and
// sends nothing, and goes on where it was.
type stoppable struct {
	leases
	witness *witness
	client  int
	node    string
	stopped atomic.Pointer[stop]
	draw    func() bool // whether an answer is lost
}

// stop is where a node's writes stop, before they are sent or before their answer is
// heard, until open is closed.
type stop struct {
	heard bool
	open  chan struct{}
}

// pass waits at one of the places.
func (s *stoppable) pass(heard bool) {
	if at := s.stopped.Load(); at != nil && at.heard == heard {
		<-at.open
	}
}

func judged(err error) verdict {
	switch {
	case err == nil:
		return done
	case errors.Is(err, errMoved):
		return refused
	default:
		return unknown
	}
}

// Write implements leases.
func (s *stoppable) Write(ctx context.Context, key string, value []byte, last uint64) (uint64, error) {
	s.pass(false)
	call := time.Now()
	revision, err := s.leases.Write(ctx, key, value, last)
	if s.draw() {
		err = context.DeadlineExceeded // it may have landed; nobody hears of it
	}
	out := answer{verdict: judged(err)}
	if out.verdict == done {
		out.revision = revision
	}
	s.witness.saw(s.client, write{node: key, behind: last}, call, out)
	s.pass(true)
	return revision, err
}

// End implements leases. A lease that another node has ended must not
// have held when that was asked for.
func (s *stoppable) End(ctx context.Context, key string, last uint64) error {
	s.pass(false)
	whose := s.witness.members[key]
	whose.mu.Lock()
	held := whose.census.valid(time.Now())
	whose.mu.Unlock()
	own := s.witness.members[s.node]
	own.mu.Lock()
	seen := own.census.seats[key].incarnation
	own.mu.Unlock()
	call := time.Now()
	err := s.leases.End(ctx, key, last)
	out := answer{verdict: judged(err)}
	s.witness.saw(s.client, write{node: key, behind: last, end: true}, call, out)
	if key != s.node && out.verdict == done {
		if held {
			s.witness.t.Errorf("%s ended the lease of %s, which held", s.node, key)
		}
		s.witness.mu.Lock()
		s.witness.dead[seen] = true
		s.witness.mu.Unlock()
	}
	s.pass(true)
	return err
}

// TestLeasesAreRegisters: three nodes on three servers renew, are stopped past their
// lease, and are taken for dead, while leaders are restarted; what they wrote and were
// told fits one register a lease, and no lease is taken away that holds.
func TestLeasesAreRegisters(t *testing.T) {
	t.Parallel()
	const nodes = 3
	c := natstest.Cluster(t, 3).Start()
	w := &witness{t: t, begun: time.Now(), members: make(map[string]*Members), dead: make(map[string]bool)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ways := make([]*stoppable, nodes)
	var living sync.WaitGroup
	var lives sync.Map // incarnations
	for i := range nodes {
		node := string(rune('a' + i))
		j, err := journal.Open(t.Context(), journal.Config{NATSURL: c.URLs(), Node: node, Partitions: 1, Replicas: 3, Retention: journal.Retention{
			GiftBytes: 1 << 20, OutcomeBytes: 1 << 20, SnapshotBytes: 1 << 20, IDBytes: 1 << 20,
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close() //nolint:errcheck // only the leases matter here
		m, err := OpenMembers(t.Context(), j, MembersConfig{Node: node})
		if err != nil {
			t.Fatal(err)
		}
		draw := rand.New(rand.NewPCG(uint64(i), 1))
		ways[i] = &stoppable{leases: m.leases, witness: w, client: i, node: node, draw: func() bool { return draw.IntN(12) == 0 }}
		m.leases = ways[i]
		w.members[node] = m
	}
	for node, m := range w.members {
		living.Go(func() {
			if err := m.Run(ctx, func(ctx context.Context, l *Life) error {
				lives.Store(node+l.Incarnation, true)
				<-ctx.Done()
				return nil
			}); err != nil {
				t.Errorf("%s: %v", node, err)
			}
		})
	}
	living.Go(func() { w.watch(ctx) })
	trouble := rand.New(rand.NewPCG(7, 7))
	for round := range 3 {
		way := ways[round%nodes]
		await(t, time.Second)
		at := &stop{heard: round != 1, open: make(chan struct{})}
		way.stopped.Store(at)
		await(t, 3*time.Second+time.Duration(trouble.Int64N(int64(500*time.Millisecond))))
		way.stopped.Store(nil)
		close(at.open)
		if round == 1 {
			c[trouble.IntN(nodes)].Restart()
		}
	}
	await(t, time.Second)
	cancel()
	living.Wait()
	begun := 0
	lives.Range(func(any, any) bool { begun++; return true })
	t.Logf("%d writes, %d leases taken away, %d lives", len(w.ops), len(w.dead), begun)
	if len(w.dead) < 2 || begun < nodes+2 {
		t.Error("nobody was taken for dead: nothing was tried")
	}
	if result := porcupine.CheckOperationsTimeout(leaseModel(), w.ops, time.Minute); result != porcupine.Ok {
		t.Errorf("the leases' histories fit no register: %v", result)
		for _, op := range w.ops {
			t.Logf("%d: %+v: %+v, %v to %v", op.ClientId, op.Input, op.Output, time.Duration(op.Call), time.Duration(op.Return))
		}
	}
}

func await(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}
