package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(runChild(role)) //nolint:forbidigo // a child process of a test
	}
	goleak.VerifyTestMain(m)
}

// patience is far more than anything here takes.
const patience = 30 * time.Second

// small is room enough for tests.
func small() journal.Retention {
	return journal.Retention{GiftBytes: 64 << 20, OutcomeBytes: 64 << 20, SnapshotBytes: 64 << 20, IDBytes: 16 << 20}
}

// settings fills what most tests do not care about.
func settings(cfg journal.Config) journal.Config {
	if cfg.Retention == (journal.Retention{}) {
		cfg.Retention = small()
	}
	if cfg.Node == "" {
		cfg.Node = "n1"
	}
	if cfg.NATSURL != "" {
		cfg.Replicas = max(cfg.Replicas, 1)
	}
	return cfg
}

// openJournal opens a journal that is closed when the test ends.
func openJournal(tb testing.TB, cfg journal.Config) *journal.Journal {
	tb.Helper()
	return openPaced(tb, cfg, journal.Pace{})
}

func openPaced(tb testing.TB, cfg journal.Config, pace journal.Pace) *journal.Journal {
	tb.Helper()
	j, err := journal.OpenPaced(tb.Context(), settings(cfg), pace)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() {
		if err := j.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return j
}

// run runs the journal until the test ends or stop is called, and checks that it
// ended without an error.
func run(tb testing.TB, j *journal.Journal) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }() // joined by stop
	var stopped bool
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, journal.ErrClosed) { // a test may close at once
			tb.Errorf("Run: %v", err)
		}
	}
	tb.Cleanup(stop)
	return stop
}

// running is an embedded journal that runs.
func running(tb testing.TB) *journal.Journal {
	tb.Helper()
	j := openJournal(tb, journal.Config{Dir: tb.TempDir()})
	run(tb, j)
	return j
}

func streamState(tb testing.TB, js jetstream.JetStream, name string) jetstream.StreamState {
	tb.Helper()
	s, err := js.Stream(tb.Context(), name)
	if err != nil {
		tb.Fatal(err)
	}
	return s.CachedInfo().State
}

// eventually waits until the condition holds.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !holds(); <-tick.C {
		if time.Now().After(end) {
			tb.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// gift is the n-th gift of a user in a room.
func gift(roomID string, n int) journal.Entry {
	id := fmt.Sprintf("c-%d", n)
	return journal.Entry{Gift: &room.Gift{
		MsgID: room.NewMsgID(7, roomID, "u1", id), ClientID: id, Room: roomID, Game: "TinyLoveWar",
		User:   room.User{ID: "u1", Nickname: "Ann", Avatar: "https://example.com/a.png", Sex: room.Female},
		GiftID: "g1", Count: 20, Value: 10, Num: 2, Receiver: "anchor1",
		Asked: room.Asked{Receiver: "anchor1"}, At: 1795449600000 + int64(n),
	}}
}

// told is what a done function heard.
type told struct {
	receipt journal.Receipt
	err     error
}

// submit hands an entry over and returns a channel with what becomes of it.
func submit(tb testing.TB, j *journal.Journal, e journal.Entry) <-chan told {
	tb.Helper()
	heard := make(chan told, 2) // a second one is a defect that a test can see
	if err := j.Submit(e, func(r journal.Receipt, err error) { heard <- told{r, err} }); err != nil {
		tb.Fatalf("Submit: %v", err)
	}
	return heard
}

// wait returns what is sent, and fails the test when nothing is.
func wait[T any](tb testing.TB, ch <-chan T, what string) T {
	tb.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		tb.Fatalf("no %s within %v", what, patience)
		panic("unreachable")
	}
}

// store submits an entry and waits until it is stored.
func store(tb testing.TB, j *journal.Journal, e journal.Entry) journal.Receipt {
	tb.Helper()
	got := wait(tb, submit(tb, j, e), "answer")
	if got.err != nil {
		tb.Fatalf("entry was not stored: %v", got.err)
	}
	return got.receipt
}

// bounded is the test's context with an end.
func bounded(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), patience)
	tb.Cleanup(cancel)
	return ctx
}

// readGifts reads the partition until it has n entries, and returns them with
// their positions.
func readGifts(tb testing.TB, p *journal.Partition, n int) ([]journal.Entry, []journal.Position) {
	tb.Helper()
	var entries []journal.Entry
	var at []journal.Position
	var after uint64
	for len(entries) < n {
		recs, err := p.ReadGifts(bounded(tb), after)
		if err != nil {
			tb.Fatalf("ReadGifts after %d, with %d of %d entries: %v", after, len(entries), n, err)
		}
		for _, rec := range recs {
			if rec.Seq <= after {
				tb.Fatalf("record %d after %d", rec.Seq, after)
			}
			after = rec.Seq
			for i, e := range rec.Entries {
				entries = append(entries, e)
				at = append(at, journal.Position{Seq: rec.Seq, Index: i})
			}
		}
	}
	return entries, at
}
