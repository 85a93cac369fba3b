package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

var _ owner.Store = (*journal.Partition)(nil)

// open makes a running journal named node on the store of one test.
type open func(node string) *journal.Journal

func TestContractEmbedded(t *testing.T) {
	contract(t, func(t *testing.T) open {
		t.Helper()
		dir := t.TempDir()
		return func(node string) *journal.Journal {
			j := openJournal(t, journal.Config{Dir: dir, Node: node})
			run(t, j)
			return j
		}
	})
}

func TestContractExternal(t *testing.T) {
	setup := func(t *testing.T) open {
		t.Helper()
		s := startNATS(t)
		return func(node string) *journal.Journal {
			j := openJournal(t, journal.Config{NATSURL: s.ClientURL(), Node: node, Partitions: 4})
			run(t, j)
			return j
		}
	}
	contract(t, setup)
	contractOfTwo(t, setup)
}

// contract is what every store must do, with one node.
func contract(t *testing.T, setup func(*testing.T) open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *journal.Journal){
		"entries are read back as submitted":       testReadBack,
		"entries keep their order":                 testOrder,
		"done comes before the read":               testDoneBeforeRead,
		"a reader is woken":                        testReaderIsWoken,
		"a reader ends with its context":           testReaderEnds,
		"records by sequence":                      testGiftsAt,
		"an entry that fits no record is refused":  testTooLarge,
		"the log is a chain that can be read":      testLog,
		"a rival's record fences":                  testFence,
		"a log's hole is noticed":                  testHole,
		"the newest blob of each name":             testChunks,
		"ids":                                      testIDs,
		"history is purged below a sequence":       testPurge,
		"a closed journal ends what waits":         testClose,
		"stats and hooks count what is stored":     testStats,
		"entries of one burst share their records": testGroupCommit,
	} {
		t.Run(name, func(t *testing.T) { test(t, setup(t)("n1")) })
	}
}

// contractOfTwo is what a store with several nodes must do as well.
func contractOfTwo(t *testing.T, setup func(*testing.T) open) {
	t.Helper()
	t.Run("another node's entries are read", func(t *testing.T) {
		open := setup(t)
		one, two := open("n1"), open("n2")
		type read struct {
			recs []journal.GiftRecord
			err  error
		}
		reads := make(chan read, 1)
		p := one.Partition("r1")
		go func() {
			recs, err := one.Log(p).ReadGifts(bounded(t), 0)
			reads <- read{recs, err}
		}()
		store(t, two, gift("r1", 1))
		got := wait(t, reads, "read")
		if got.err != nil || len(got.recs) != 1 || got.recs[0].Node != "n2" || got.recs[0].Incarnation != two.Incarnation() {
			t.Errorf("read %+v, %v", got.recs, got.err)
		}
	})
	t.Run("another node fences", func(t *testing.T) {
		open := setup(t)
		one, two := open("n1"), open("n2")
		first := mustAppend(t, one.Log(1), 0, takeover(one, 1))
		second := mustAppend(t, two.Log(1), first, takeover(two, 2))
		if _, err := one.Log(1).AppendOutcome(bounded(t), first, next(takeover(one, 1))); !errors.Is(err, journal.ErrFenced) {
			t.Errorf("the old owner's append: %v", err)
		}
		if last, err := one.Log(1).LastOutcome(bounded(t)); err != nil || last.Seq != second || last.Node != "n2" {
			t.Errorf("last %+v, %v", last, err)
		}
	})
	t.Run("the settings of the first hold", func(t *testing.T) {
		open := setup(t)
		one, two := open("n1"), open("n2")
		if one.Epoch() != two.Epoch() || one.Epoch() == "" || one.Partitions() != two.Partitions() {
			t.Errorf("epochs %q and %q, partitions %d and %d", one.Epoch(), two.Epoch(), one.Partitions(), two.Partitions())
		}
		if one.Incarnation() == two.Incarnation() {
			t.Error("two incarnations share a name")
		}
	})
}

func testReadBack(t *testing.T, j *journal.Journal) {
	t.Helper()
	ann := gift("r1", 1).Gift.User
	want := []journal.Entry{
		gift("r1", 1),
		{Comment: &journal.Comment{Room: "r1", Game: "g", Comment: room.Comment{User: ann, Text: "5 \"ü\" <&>", Join: true, At: 5}}},
		{Callback: &journal.Callback{
			Room: "r1", GameID: "g", ReportID: "77", At: 6,
			Game: room.Game{State: room.GameEnded, Round: "3", WinnerTeam: 2, ResultType: 1},
		}},
		{Gift: &room.Gift{Room: "r1", Asked: room.Asked{Value: 3}, User: room.User{ID: "u"}}},
	}
	before := time.Now().Add(-time.Minute).UnixMilli()
	var receipts []journal.Receipt
	for _, e := range want {
		receipts = append(receipts, store(t, j, e))
	}
	got, at := readGifts(t, j.Log(j.Partition("r1")), len(want))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("entries (-submitted +read):\n%s", d)
	}
	for i, r := range receipts {
		if r.Partition != j.Partition("r1") || r.Position != at[i] {
			t.Errorf("receipt %+v, read at %+v", r, at[i])
		}
	}
	recs, err := j.Log(j.Partition("r1")).ReadGifts(bounded(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	first := recs[0]
	if first.Node != j.Node() || first.Incarnation != j.Incarnation() || first.Number != 1 ||
		first.StoredAt < before || first.StoredAt > time.Now().Add(time.Minute).UnixMilli() {
		t.Errorf("record %+v", first)
	}
}

// testOrder: many goroutines, each a viewer whose entries must keep their order,
// and every done is called once.
func testOrder(t *testing.T, j *journal.Journal) {
	t.Helper()
	const viewers, each = 8, 200
	var heard sync.WaitGroup
	var mu sync.Mutex
	calls := make(map[room.MsgID]int)
	last := make([]journal.Position, viewers)
	var submitting sync.WaitGroup
	heard.Add(viewers * each)
	for v := range viewers {
		submitting.Go(func() {
			for n := range each {
				e := gift("r1", v*each+n)
				err := j.Submit(e, func(r journal.Receipt, err error) {
					defer heard.Done()
					mu.Lock()
					defer mu.Unlock()
					calls[e.Gift.MsgID]++
					if err != nil {
						t.Errorf("gift %d of viewer %d: %v", n, v, err)
					}
					if p := r.Position; p.Seq < last[v].Seq || p.Seq == last[v].Seq && n > 0 && p.Index <= last[v].Index {
						t.Errorf("viewer %d: told of %+v after %+v", v, p, last[v])
					}
					last[v] = r.Position
				})
				if err != nil {
					t.Errorf("Submit: %v", err)
					heard.Done()
				}
			}
		})
	}
	submitting.Wait()
	heard.Wait()
	got, _ := readGifts(t, j.Log(j.Partition("r1")), viewers*each)
	newest := make(map[int]int) // by viewer
	for _, e := range got {
		var n int
		if _, err := fmt.Sscanf(e.Gift.ClientID, "c-%d", &n); err != nil {
			t.Fatal(err)
		}
		v := n / each
		if before, ok := newest[v]; ok && n != before+1 {
			t.Errorf("viewer %d: gift %d after %d", v, n, before)
		}
		newest[v] = n
		if calls[e.Gift.MsgID] != 1 {
			t.Errorf("done of gift %d was called %d times", n, calls[e.Gift.MsgID])
		}
	}
	if len(got) != viewers*each {
		t.Errorf("%d entries stored, %d submitted", len(got), viewers*each)
	}
}

// testDoneBeforeRead: what ReadGifts returns has been told, however close reader
// and store are.
func testDoneBeforeRead(t *testing.T, j *journal.Journal) {
	t.Helper()
	const gifts = 300
	var mu sync.Mutex
	done := make(map[string]bool)
	read := make(chan int, 1)
	go func() {
		n := 0
		defer func() { read <- n }()
		var after uint64
		for n < gifts {
			recs, err := j.Log(j.Partition("r1")).ReadGifts(bounded(t), after)
			if err != nil {
				t.Errorf("ReadGifts: %v", err)
				return
			}
			for _, rec := range recs {
				after = rec.Seq
				for _, e := range rec.Entries {
					mu.Lock()
					if !done[e.Gift.ClientID] {
						t.Errorf("%s was read before it was told", e.Gift.ClientID)
					}
					mu.Unlock()
					n++
				}
			}
		}
	}()
	for n := range gifts {
		e := gift("r1", n)
		if err := j.Submit(e, func(journal.Receipt, error) {
			mu.Lock()
			done[e.Gift.ClientID] = true
			mu.Unlock()
		}); err != nil {
			t.Fatal(err)
		}
		if n%10 == 0 { // let records be small sometimes
			eventually(t, "told", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return len(done) == n+1
			})
		}
	}
	if n := wait(t, read, "reader"); n != gifts {
		t.Errorf("read %d of %d", n, gifts)
	}
}

func testReaderIsWoken(t *testing.T, j *journal.Journal) {
	t.Helper()
	for n := range 20 {
		read := make(chan error, 1)
		go func() {
			_, err := j.Log(j.Partition("r1")).ReadGifts(bounded(t), uint64(n))
			read <- err
		}()
		begun := time.Now()
		store(t, j, gift("r1", n))
		if err := wait(t, read, "read"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 900*time.Millisecond {
			t.Errorf("read %d took %v: the poll found it, not the wake-up", n, took)
		}
	}
}

func testReaderEnds(t *testing.T, j *journal.Journal) {
	t.Helper()
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	read := make(chan error, 1)
	go func() {
		_, err := j.Log(0).ReadGifts(ctx, 0)
		read <- err
	}()
	cancel(why)
	if err := wait(t, read, "end"); !errors.Is(err, why) {
		t.Errorf("ReadGifts: %v", err)
	}
}

func testGiftsAt(t *testing.T, j *journal.Journal) {
	t.Helper()
	var at []uint64
	for n := range 5 {
		at = append(at, store(t, j, gift("r1", n)).Position.Seq)
	}
	log := j.Log(j.Partition("r1"))
	recs, err := log.GiftsAt(bounded(t), []uint64{at[3], at[1], at[1], 0, 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	if len(recs) != 2 || recs[0].Seq != at[1] || recs[1].Seq != at[3] || recs[1].Entries[0].Gift.ClientID != "c-3" {
		t.Errorf("records %+v", recs)
	}
	if err := log.PurgeGifts(bounded(t), at[2]); err != nil {
		t.Fatal(err)
	}
	if recs, err = log.GiftsAt(bounded(t), at); err != nil || len(recs) != 3 || recs[0].Seq != at[2] {
		t.Errorf("after the purge: %+v, %v", recs, err)
	}
}

func testTooLarge(t *testing.T, j *journal.Journal) {
	t.Helper()
	e := gift("r1", 1)
	g := *e.Gift
	g.GiftID = string(bytes.Repeat([]byte("x"), journal.EntryMax))
	e.Gift = &g
	never := func(journal.Receipt, error) { t.Error("done of a refused entry was called") }
	if err := j.Submit(e, never); !errors.Is(err, journal.ErrTooLarge) {
		t.Errorf("Submit: %v", err)
	}
	if err := j.Submit(journal.Entry{}, never); err == nil {
		t.Error("an empty entry was taken")
	}
	// The largest that fits is stored.
	g.GiftID = g.GiftID[:journal.EntryMax-1000]
	store(t, j, e)
	rec := takeover(j, 1)
	rec.Kind, rec.Rooms = journal.KindDecisions, []journal.RoomDecisions{{Room: g.GiftID + g.GiftID[:1000]}}
	if _, err := j.Log(0).AppendOutcome(bounded(t), 0, rec); !errors.Is(err, journal.ErrTooLarge) {
		t.Errorf("AppendOutcome: %v", err)
	}
}

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
	for n := range 600 { // more than one page
		save(fmt.Sprintf("r%d", n), []byte(fmt.Sprint("old ", n)))
	}
	for n := range 7 {
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

func testPurge(t *testing.T, j *journal.Journal) {
	t.Helper()
	var at []uint64
	for n := range 4 {
		at = append(at, store(t, j, gift("r1", n)).Position.Seq)
	}
	p := j.Log(j.Partition("r1"))
	if err := p.PurgeGifts(bounded(t), at[2]); err != nil {
		t.Fatal(err)
	}
	// Below what was read: nothing is missing.
	if recs, err := p.ReadGifts(bounded(t), at[1]); err != nil || recs[0].Seq != at[2] {
		t.Errorf("ReadGifts behind the purge: %+v, %v", recs, err)
	}
	// Unread: a loss that must be told.
	var gone *journal.GoneError
	if _, err := p.ReadGifts(bounded(t), at[0]); !errors.Is(err, journal.ErrGone) || !errors.As(err, &gone) || gone.First != at[2] {
		t.Errorf("ReadGifts over what was purged: %v", err)
	}
	if err := p.PurgeGifts(bounded(t), 0); err != nil {
		t.Fatal(err)
	}
	if recs, err := p.GiftsAt(bounded(t), at); err != nil || len(recs) != 2 {
		t.Errorf("purge below 0 left %d records, %v", len(recs), err)
	}
}

func testClose(t *testing.T, j *journal.Journal) {
	t.Helper()
	ended := make(chan error, 2)
	go func() {
		_, err := j.Log(0).ReadGifts(context.Background(), 0)
		ended <- err
	}()
	go func() {
		ended <- j.Log(0).ReadOutcomes(context.Background(), 0, 1, func(journal.OutcomeRecord) error { return nil })
	}()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := wait(t, ended, "end"); !errors.Is(err, journal.ErrClosed) && !errors.Is(err, journal.ErrGone) {
			t.Errorf("a read ended with %v", err)
		}
	}
	err := j.Submit(gift("r1", 1), func(journal.Receipt, error) { t.Error("done was called") })
	if !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Submit: %v", err)
	}
	if _, err := j.Log(0).AppendOutcome(context.Background(), 0, takeover(j, 1)); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("AppendOutcome: %v", err)
	}
	if _, err := j.Log(0).LastOutcome(context.Background()); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("LastOutcome: %v", err)
	}
	if err := j.Log(0).SaveChunk(context.Background(), "head", nil); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("SaveChunk: %v", err)
	}
	if err := j.Health(); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Health: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
}

func testStats(t *testing.T, j *journal.Journal) {
	t.Helper()
	store(t, j, gift("r1", 1))
	mustAppend(t, j.Log(0), 0, takeover(j, 1))
	got := j.Stats()
	if got.Records != 1 || got.Entries != 1 || got.Bytes < 300 || got.Appends != 1 || got.AppendBytes < 100 ||
		got.QueuedEntries != 0 || got.QueuedBytes != 0 || got.Resends != 0 || got.Stalled != 0 {
		t.Errorf("stats %+v", got)
	}
	eventually(t, "the space is known", func() bool {
		s := j.Stats()
		return s.Gifts.Bytes > 300 && s.Gifts.Max == 64<<20 && s.Outcomes.Bytes > 100 && s.Outcomes.Full() > 0
	})
	if err := j.Health(); err != nil {
		t.Errorf("Health: %v", err)
	}
}

// testGroupCommit: while a publish is in flight, what arrives shares the next one;
// records are cut below their bound.
func testGroupCommit(t *testing.T, j *journal.Journal) {
	t.Helper()
	const gifts = 3000
	var heard sync.WaitGroup
	heard.Add(gifts)
	for n := range gifts {
		e := gift("r1", n)
		g := *e.Gift
		g.Game = string(bytes.Repeat([]byte("g"), 1000)) // 3000 gifts are above 3 MiB
		if err := j.Submit(journal.Entry{Gift: &g}, func(_ journal.Receipt, err error) {
			if err != nil {
				t.Error(err)
			}
			heard.Done()
		}); err != nil {
			t.Fatal(err)
		}
	}
	heard.Wait()
	s := j.Stats()
	if s.Entries != gifts || s.Records > gifts/10 || s.Records < s.Bytes>>20 {
		t.Errorf("%d entries, %d bytes in %d records", s.Entries, s.Bytes, s.Records)
	}
	readGifts(t, j.Log(j.Partition("r1")), gifts)
}
