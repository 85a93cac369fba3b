package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

func takeover(j *journal.Journal, term uint64) journal.OutcomeRecord {
	return journal.OutcomeRecord{
		Kind: journal.KindTakeover, Node: j.Node(), Incarnation: j.Incarnation(), Term: term, Number: 1,
	}
}

// next is the writer's next record.
func next(rec journal.OutcomeRecord) journal.OutcomeRecord {
	rec.Kind = journal.KindMark
	rec.Number++
	return rec
}

func mustAppend(tb testing.TB, p *journal.Partition, expected uint64, rec journal.OutcomeRecord) uint64 {
	tb.Helper()
	seq, err := p.AppendOutcome(bounded(tb), expected, rec)
	if err != nil {
		tb.Fatalf("AppendOutcome behind %d: %v", expected, err)
	}
	return seq
}

func decisions(j *journal.Journal, roomID string) journal.OutcomeRecord {
	rec := next(takeover(j, 1))
	rec.Kind = journal.KindDecisions
	rec.Rooms = []journal.RoomDecisions{{
		Room: roomID, Number: 1, Prev: 0, Jump: 0, Seq: 1,
		Totals: journal.Totals{Delivered: 1, Failed: 1, DeliveredCount: 20, FailedCount: 20},
		Decisions: []journal.Decided{
			{
				Position: journal.Position{Seq: 4, Index: 2}, Node: "n9", StoredAt: 1795449600001,
				Decision: room.Decision{
					Gift: gift(roomID, 1).Gift, Status: room.Delivered, Reason: room.ReasonOK, At: 1795449600500,
					Attempts: []room.Attempt{
						{N: 1, StartedAt: 1, EndedAt: 2, Outcome: room.Unknown, Message: "timeout"},
						{N: 2, StartedAt: 3, EndedAt: 4, Outcome: room.Consumed, HasRow: true, RequestID: "req"},
					},
				},
			},
			{Decision: room.Decision{
				Gift: gift(roomID, 2).Gift, Status: room.Failed, Code: 10003, Reason: room.ReasonNotJoined, Message: "not joined",
				Attempts: []room.Attempt{{N: 1, Query: true, Outcome: room.NotTaken, Code: 7206001}},
			}},
		},
	}}
	return rec
}

func testLog(t *testing.T, j *journal.Journal) {
	t.Helper()
	p := j.Log(0)
	if last, err := p.LastOutcome(bounded(t)); err != nil || last.Seq != 0 {
		t.Errorf("last of an empty log: %+v, %v", last, err)
	}
	if first, err := p.FirstOutcome(bounded(t)); err != nil || first != 1 {
		t.Errorf("first of an empty log: %d, %v", first, err)
	}
	var want []journal.OutcomeRecord
	var seq uint64
	for _, rec := range []journal.OutcomeRecord{takeover(j, 1), decisions(j, "r1"), next(next(takeover(j, 1)))} {
		seq = mustAppend(t, p, seq, rec)
		rec.Seq = seq
		want = append(want, rec)
	}
	want[2].Kind = journal.KindMark
	var got []journal.OutcomeRecord
	collect := func(rec journal.OutcomeRecord) error {
		if rec.StoredAt == 0 {
			t.Errorf("record %d has no time", rec.Seq)
		}
		rec.StoredAt = 0
		got = append(got, rec)
		return nil
	}
	if err := p.ReadOutcomes(bounded(t), 0, seq, collect); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("records (-appended +read):\n%s", d)
	}
	got = nil
	if err := p.ReadOutcomes(bounded(t), want[0].Seq, want[1].Seq, collect); err != nil || len(got) != 1 || got[0].Seq != want[1].Seq {
		t.Errorf("a part: %+v, %v", got, err)
	}
	rec, err := p.OutcomeAt(bounded(t), want[1].Seq)
	if rec.StoredAt = 0; err != nil || !cmp.Equal(want[1], rec) {
		t.Errorf("OutcomeAt: %v\n%s", err, cmp.Diff(want[1], rec))
	}
	if _, err := p.OutcomeAt(bounded(t), seq+1); !errors.Is(err, journal.ErrGone) {
		t.Errorf("OutcomeAt behind the end: %v", err)
	}
	stop := errors.New("stop")
	if err := p.ReadOutcomes(bounded(t), 0, seq, func(journal.OutcomeRecord) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("ReadOutcomes with an error of each: %v", err)
	}
	bad := decisions(j, "r1")
	bad.Rooms[0].Decisions[0].Status = room.Pending
	if _, err := p.AppendOutcome(bounded(t), seq, bad); err == nil {
		t.Error("a pending decision was stored")
	}
}

func testFence(t *testing.T, j *journal.Journal) {
	t.Helper()
	p := j.Log(0)
	first := mustAppend(t, p, 0, takeover(j, 1))
	rival := takeover(j, 2)
	rival.Node, rival.Incarnation = "rival", "other"
	second := mustAppend(t, p, first, rival)
	for _, expected := range []uint64{first, 0, second + 5} {
		if _, err := p.AppendOutcome(bounded(t), expected, next(takeover(j, 1))); !errors.Is(err, journal.ErrFenced) {
			t.Errorf("append behind %d, the last is %d: %v", expected, second, err)
		}
	}
	if last, err := p.LastOutcome(bounded(t)); err != nil || last.Seq != second {
		t.Errorf("last %+v, %v", last, err)
	}
	// Many rivals at once: each round one wins.
	const rivals = 8
	won := make(chan uint64, rivals)
	var racing sync.WaitGroup
	for r := range rivals {
		racing.Go(func() {
			rec := takeover(j, 3)
			rec.Incarnation = fmt.Sprint("racer-", r)
			seq, err := p.AppendOutcome(bounded(t), second, rec)
			if err == nil {
				won <- seq
			} else if !errors.Is(err, journal.ErrFenced) {
				t.Errorf("racer %d: %v", r, err)
			}
		})
	}
	racing.Wait()
	if len(won) != 1 {
		t.Errorf("%d of %d rivals took the partition over", len(won), rivals)
	}
}

func testHole(t *testing.T, j *journal.Journal) {
	t.Helper()
	p := j.Log(0)
	var seqs []uint64
	rec, seq := takeover(j, 1), uint64(0)
	for range 4 {
		seq = mustAppend(t, p, seq, rec)
		seqs = append(seqs, seq)
		rec = next(rec)
	}
	if err := p.PurgeOutcomes(bounded(t), seqs[2]); err != nil {
		t.Fatal(err)
	}
	none := func(journal.OutcomeRecord) error { return nil }
	if err := p.ReadOutcomes(bounded(t), seqs[0], seqs[3], none); !errors.Is(err, journal.ErrGone) {
		t.Errorf("ReadOutcomes over a hole: %v", err)
	}
	if err := p.ReadOutcomes(bounded(t), seqs[1], seqs[3], none); err != nil {
		t.Errorf("ReadOutcomes behind the hole: %v", err)
	}
	if err := p.ReadOutcomes(bounded(t), 0, seqs[3], none); err != nil {
		t.Errorf("ReadOutcomes of all that is retained: %v", err)
	}
	if err := p.ReadOutcomes(bounded(t), 0, seqs[0], none); !errors.Is(err, journal.ErrGone) {
		t.Errorf("ReadOutcomes of what is purged: %v", err)
	}
	if first, err := p.FirstOutcome(bounded(t)); err != nil || first <= seqs[1] || first > seqs[2] {
		t.Errorf("FirstOutcome: %d, %v; purged up to %d", first, err, seqs[1])
	}
}

func testChunks(t *testing.T, j *journal.Journal) {
	t.Helper()
	p := j.Log(0)
	load := func() map[string][]byte {
		got := make(map[string][]byte)
		if err := p.LoadChunks(bounded(t), func(name string, data []byte) error {
			if _, twice := got[name]; twice {
				t.Errorf("chunk %s comes twice", name)
			}
			got[name] = bytes.Clone(data)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := load(); len(got) != 0 {
		t.Errorf("chunks of nothing: %v", got)
	}
	want := make(map[string][]byte)
	save := func(name string, data []byte) {
		t.Helper()
		if err := p.SaveChunk(bounded(t), name, data); err != nil {
			t.Fatal(err)
		}
		want[name] = data
	}
	for n := range 300 { // more than one page
		save(fmt.Sprintf("r%d", n), []byte(fmt.Sprint("old ", n)))
	}
	for n := range 4 {
		save(fmt.Sprintf("r%d", 90*n), []byte(fmt.Sprint("new ", n)))
	}
	save("big", bytes.Repeat([]byte{0xff, 0}, journal.ChunkMax/2))
	save("bigger", bytes.Repeat([]byte{1, 2}, journal.ChunkMax/2))
	save("head", nil)
	got := load()
	if d := cmp.Diff(slices.Sorted(keys(want)), slices.Sorted(keys(got))); d != "" {
		t.Errorf("names (-saved +loaded):\n%s", d)
	}
	for name := range want {
		if !bytes.Equal(want[name], got[name]) {
			t.Errorf("chunk %s differs", name)
		}
	}
	if err := p.SaveChunk(bounded(t), "big", make([]byte, journal.ChunkMax+1)); !errors.Is(err, journal.ErrTooLarge) {
		t.Errorf("too large a chunk: %v", err)
	}
	for _, name := range []string{"", "a.b", "A", "*", ">", "123456789012345678901234567890123"} {
		if err := p.SaveChunk(bounded(t), name, nil); err == nil {
			t.Errorf("a chunk was saved under %q", name)
		}
	}
}

// testFencedChunks: nobody overwrites a chunk that it has not seen.
func testFencedChunks(t *testing.T, j *journal.Journal) {
	t.Helper()
	load := func(p *journal.Partition) (head string) {
		if err := p.LoadChunks(bounded(t), func(name string, data []byte) error {
			if name == "head" {
				head = string(data)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return head
	}
	save := func(p *journal.Partition, name, data string, want error) {
		t.Helper()
		if err := p.SaveChunk(bounded(t), name, []byte(data)); !errors.Is(err, want) {
			t.Errorf("save %s %q: %v, want %v", name, data, err, want)
		}
	}
	a, b := j.Log(0), j.Log(0)
	load(a) // there is nothing yet
	save(a, "head", "a1", nil)
	save(a, "head", "a2", nil)
	if got := load(b); got != "a2" {
		t.Errorf("loaded %q", got)
	}
	save(b, "head", "b1", nil)
	save(b, "r1", "b1", nil)
	save(a, "head", "a3", journal.ErrFenced)
	save(a, "r1", "a3", journal.ErrFenced) // to a there was none
	if got := load(j.Log(0)); got != "b1" {
		t.Errorf("a fenced write has landed: %q", got)
	}
	save(a, "head", "a4", nil) // a knows of b's by now, and insists
	save(b, "head", "a4", nil) // the same bytes: as if an answer had been lost
	save(b, "head", "b2", nil)
	if got := load(j.Log(0)); got != "b2" {
		t.Errorf("loaded %q, want the newest", got)
	}
}

// testFreshness: what was acknowledged is read, whichever replica answers.
func testFreshness(t *testing.T, j *journal.Journal) {
	t.Helper()
	p := j.Log(0)
	var seq uint64
	for n := range 30 {
		if err := p.SaveChunk(bounded(t), "head", []byte{byte(n)}); err != nil {
			t.Fatal(err)
		}
		if err := p.LoadChunks(bounded(t), func(_ string, data []byte) error {
			if data[0] != byte(n) {
				t.Errorf("loaded the head of %d, %d is stored", data[0], n)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		rec := takeover(j, uint64(n+1))
		last, err := p.LastOutcome(bounded(t))
		if err != nil || last.Seq != seq {
			t.Fatalf("last outcome %d, %v; %d is stored", last.Seq, err, seq)
		}
		seq = mustAppend(t, p, seq, rec)
		if got, err := p.OutcomeAt(bounded(t), seq); err != nil || got.Term != rec.Term {
			t.Errorf("outcome %d: %+v, %v", seq, got, err)
		}
	}
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func testIDs(t *testing.T, j *journal.Journal) {
	t.Helper()
	p := j.Log(0)
	var want []journal.ID
	for n := range 40_000 { // three chunks
		want = append(want, journal.ID{Key: uint64(n) * 0x9e3779b97f4a7c15, Seq: uint64(n / 10)})
	}
	want = append(want, journal.ID{Key: 1, Seq: 1 << 63}, journal.ID{Key: 2, Seq: 3}) // any order does
	if err := p.AppendIDs(bounded(t), want); err != nil {
		t.Fatal(err)
	}
	if err := p.AppendIDs(bounded(t), nil); err != nil {
		t.Fatal(err)
	}
	var got []journal.ID
	if err := p.LoadIDs(bounded(t), func(at int64, ids []journal.ID) error {
		if since := time.Now().UnixMilli() - at; since < -60_000 || since > 60_000 {
			t.Errorf("stored at %d", at)
		}
		got = append(got, ids...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(want, got) {
		t.Errorf("%d rows of %d are back, or in another order", len(got), len(want))
	}
}
