package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
)

// ask is what an owner asked for: this record, behind that one.
type ask struct {
	partition    int
	record, prev string
}

// said is what it was told.
type said int

const (
	stored  said = iota
	fenced       // somebody else has written; an attempt of its own may have landed before
	unknown      // its time was over; it may have landed, or land later
)

// logModel is a partition's log as it must look from outside: it has one last record, and
// takes another only behind the one that its writer names. Whoever was told "stored" is
// in it exactly there.
func logModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
			byPartition := make(map[int][]porcupine.Operation)
			for _, op := range all {
				p := op.Input.(ask).partition
				byPartition[p] = append(byPartition[p], op)
			}
			var out [][]porcupine.Operation
			for _, ops := range byPartition {
				out = append(out, ops)
			}
			return out
		},
		Init: func() []any { return []any{""} },
		Step: func(state, input, output any) []any {
			in, follows := input.(ask), state == input.(ask).prev
			switch {
			case output == stored && !follows:
				return nil
			case output == unknown && follows:
				return []any{in.record, state} // it landed, or it did not
			case follows: // stored; or fenced by somebody who came behind it
				return []any{in.record}
			}
			return []any{state}
		},
		DescribeOperation: func(input, output any) string {
			in := input.(ask)
			return fmt.Sprintf("%s behind %s: %v", in.record, in.prev, output)
		},
	}
	return model.ToModel()
}

// history is what all owners asked for and were told, on one clock.
type history struct {
	begun time.Time
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (h *history) add(client int, in ask, call time.Duration, out said) {
	h.mu.Lock()
	defer h.mu.Unlock()
	returned := int64(time.Since(h.begun))
	if out == unknown {
		returned = int64(24 * time.Hour) // it may land later
	}
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: in, Call: int64(call), Output: out, Return: returned})
}

// rival is one node that takes partitions over whenever it pleases, with no regard for
// leases: the log alone must keep owners apart.
type rival struct {
	t       *testing.T
	journal *journal.Journal
	history *history
	client  int
	draw    *rand.Rand
	lives   int
}

func name(rec journal.OutcomeRecord) string {
	if rec.Seq == 0 && rec.Number == 0 {
		return ""
	}
	return fmt.Sprintf("%s/%s/%d/%d", rec.Node, rec.Incarnation, rec.Term, rec.Number)
}

// run takes over, appends, stalls and releases until ctx ends.
func (r *rival) run(ctx context.Context, partitions int) {
	for ctx.Err() == nil {
		n := r.draw.IntN(partitions)
		last, err := r.journal.Log(n).LastOutcome(ctx)
		if err != nil {
			continue // no leader, or the end
		}
		r.lives++
		rec := journal.OutcomeRecord{
			Kind: journal.KindTakeover, Node: r.journal.Node(), Incarnation: fmt.Sprint(r.lives), Term: last.Term + 1, Number: 1,
		}
		if r.own(ctx, n, last, rec) {
			continue
		}
		r.stall(ctx, 30*time.Millisecond)
	}
}

// own is one ownership; false: it never began.
func (r *rival) own(ctx context.Context, n int, last, rec journal.OutcomeRecord) bool {
	prev := name(last)
	for at, records := last.Seq, 1+r.draw.IntN(8); records > 0; records-- {
		seq, ok := r.append(ctx, n, at, rec, prev)
		if !ok {
			return rec.Number > 1
		}
		prev, at = name(rec), seq
		rec.Kind, rec.Number = journal.KindMark, rec.Number+1
		if records == 2 && r.draw.IntN(2) == 0 {
			rec.Kind = journal.KindRelease
		}
		r.stall(ctx, 10*time.Millisecond)
		if r.draw.IntN(10) == 0 { // stopped for a while: others take over
			r.stall(ctx, 200*time.Millisecond)
		}
	}
	return true
}

// append asks for one record, sometimes with little patience.
func (r *rival) append(ctx context.Context, n int, expected uint64, rec journal.OutcomeRecord, prev string) (uint64, bool) {
	in := ask{partition: n, record: name(rec), prev: prev}
	limit := 10 * time.Second
	if r.draw.IntN(8) == 0 {
		limit = time.Duration(r.draw.Int64N(int64(4 * time.Millisecond)))
	}
	hurried, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	call := time.Since(r.history.begun)
	seq, err := r.journal.Log(n).AppendOutcome(hurried, expected, rec)
	switch {
	case err == nil:
		r.history.add(r.client, in, call, stored)
		return seq, true
	case errors.Is(err, journal.ErrFenced):
		r.history.add(r.client, in, call, fenced)
	case hurried.Err() != nil:
		r.history.add(r.client, in, call, unknown)
	default:
		r.t.Errorf("append %v: %v", in, err)
	}
	return 0, false
}

func (r *rival) stall(ctx context.Context, most time.Duration) {
	select {
	case <-time.After(time.Duration(r.draw.Int64N(int64(most)))):
	case <-ctx.Done():
	}
}

// contend lets rivals fight over partitions while trouble lasts, and checks what they
// were told, and that the log holds what was stored, as one chain.
func contend(t *testing.T, journals []*journal.Journal, trouble func(ctx context.Context)) {
	t.Helper()
	const partitions = 2
	h := &history{begun: time.Now()}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var rivals sync.WaitGroup
	for i, j := range journals {
		for k := range 2 {
			r := &rival{t: t, journal: j, history: h, client: 2*i + k, draw: rand.New(rand.NewPCG(uint64(i), uint64(k)))}
			r.lives = 1_000_000 * k
			rivals.Go(func() { r.run(ctx, partitions) })
		}
	}
	trouble(ctx)
	cancel()
	rivals.Wait()
	count := make(map[said]int)
	for _, op := range h.ops {
		count[op.Output.(said)]++
	}
	t.Logf("%d appends stored, %d fenced, %d unknown", count[stored], count[fenced], count[unknown])
	if count[stored] < 15 || count[fenced] < 3 { // on a machine that has no time for it
		t.Errorf("%d appends stored and %d fenced are no contest", count[stored], count[fenced])
	}
	result, info := porcupine.CheckOperationsVerbose(logModel(), h.ops, time.Minute)
	if result != porcupine.Ok {
		t.Errorf("the owners' histories do not fit one log: %v", result)
		if err := porcupine.VisualizePath(logModel(), info, t.ArtifactDir()+"/history.html"); err == nil {
			t.Logf("see %s/history.html (with -artifacts)", t.ArtifactDir())
		}
	}
	for n := range partitions {
		checkChain(t, journals[0].Log(n), h.ops, n)
	}
}

// checkChain reads the log back: all that was stored is there once, in order.
func checkChain(t *testing.T, log *journal.Partition, ops []porcupine.Operation, n int) {
	t.Helper()
	last, err := log.LastOutcome(bounded(t))
	if err != nil || last.Seq == 0 {
		t.Fatalf("last record: %+v, %v", last, err)
	}
	place, prev := make(map[string]string), ""
	if err := log.ReadOutcomes(bounded(t), 0, last.Seq, func(rec journal.OutcomeRecord) error {
		if _, twice := place[name(rec)]; twice {
			t.Errorf("%s is there twice", name(rec))
		}
		place[name(rec)] = prev
		prev = name(rec)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		in := op.Input.(ask)
		if behind, there := place[in.record]; in.partition == n && op.Output == stored && (!there || behind != in.prev) {
			t.Errorf("%s was stored behind %q; it is there: %v, behind %q", in.record, in.prev, there, behind)
		}
	}
}

// TestOwnersAreOneLog: on the embedded server.
func TestOwnersAreOneLog(t *testing.T) {
	j := openJournal(t, journal.Config{Dir: t.TempDir(), Partitions: 2})
	run(t, j)
	contend(t, []*journal.Journal{j}, func(ctx context.Context) {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	})
}

// TestOwnersAreOneLogOnACluster: three nodes on three servers, whose leaders are
// restarted under them.
func TestOwnersAreOneLogOnACluster(t *testing.T) {
	c := natstest.Cluster(t, 3).Start()
	var journals []*journal.Journal
	for i := range 3 {
		j := openJournal(t, journal.Config{NATSURL: c.URLs(), Node: fmt.Sprint("n", i+1), Partitions: 2, Replicas: 3})
		run(t, j)
		journals = append(journals, j)
	}
	js := natstest.ByHand(t, c.URLs())
	contend(t, journals, func(ctx context.Context) {
		for range 3 {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return
			}
			s, err := js.Stream(bounded(t), "OUTCOMES")
			if err != nil || s.CachedInfo().Cluster == nil {
				continue // between two leaders
			}
			c.Named(s.CachedInfo().Cluster.Leader).Restart()
		}
	})
}
