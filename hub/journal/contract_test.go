package journal_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
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
		s := natstest.Start(t)
		return func(node string) *journal.Journal {
			j := openJournal(t, journal.Config{NATSURL: s.URL(), Node: node, Partitions: 4})
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
		"a record is held until it is told":        testHeldUntilTold,
		"a reader is woken":                        testReaderIsWoken,
		"a reader ends with its context":           testReaderEnds,
		"records by sequence":                      testGiftsAt,
		"an entry that fits no record is refused":  testTooLarge,
		"the log is a chain that can be read":      testLog,
		"a rival's record fences":                  testFence,
		"a log's hole is noticed":                  testHole,
		"the newest blob of each name":             testChunks,
		"a blob that was not seen is not replaced": testFencedChunks,
		"what is stored is read":                   testFreshness,
		"ids":                                      testIDs,
		"history is purged below a sequence":       testPurge,
		"a closed journal ends what waits":         testClose,
		"stats count what is stored":               testStats,
		"entries of one burst share their records": testGroupCommit,
	} {
		t.Run(name, func(t *testing.T) { test(t, setup(t)("n1")) })
	}
}

// contractOfTwo is what a store with several nodes must do as well.
func contractOfTwo(t *testing.T, setup func(*testing.T) open) {
	t.Helper()
	t.Run("another node's entries wake a reader", func(t *testing.T) {
		open := setup(t)
		one, two := open("n1"), open("n2")
		p := one.Log(one.Partition("r1"))
		var after uint64
		for n := range 10 {
			recs := make(chan []journal.GiftRecord, 1)
			go func() {
				got, err := p.ReadGifts(bounded(t), after)
				if err != nil {
					t.Errorf("ReadGifts: %v", err)
				}
				recs <- got
			}()
			begun := time.Now()
			store(t, two, gift("r1", n))
			got := wait(t, recs, "read")
			if len(got) != 1 || got[0].Node != "n2" || got[0].Incarnation != two.Incarnation() {
				t.Fatalf("read %+v", got)
			}
			after = got[0].Seq
			if took := time.Since(begun); took > 900*time.Millisecond {
				t.Errorf("read %d took %v: the poll found it, not the hint", n, took)
			}
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
