package journal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
)

func TestConfigNamesAllFaults(t *testing.T) {
	_, err := journal.Open(t.Context(), journal.Config{
		Node: "a b", Partitions: 5000, Replicas: 2, Unanswered: time.Hour, QueueBytes: 5,
		Retention: journal.Retention{
			GiftBytes: 1, OutcomeBytes: 2, SnapshotBytes: 3, IDBytes: 4, GiftAge: time.Hour, OutcomeAge: time.Minute,
		},
	})
	if !errors.Is(err, journal.ErrConfig) {
		t.Fatalf("Open: %v", err)
	}
	for _, field := range []string{
		"Dir", "NATSURL", "Node", "Partitions", "Replicas", "Unanswered", "QueueBytes",
		"GiftBytes", "OutcomeBytes", "SnapshotBytes", "IDBytes", "GiftAge", "OutcomeAge",
	} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in: %v", field, err)
		}
	}
	if _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Replicas: 3}); !errors.Is(err, journal.ErrConfig) {
		t.Errorf("three replicas of an embedded server: %v", err)
	}
}

func TestAFolderIsLocked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	first := openJournal(t, journal.Config{Dir: dir})
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
	if j, err := journal.Open(t.Context(), settings(journal.Config{Dir: dir})); !errors.Is(err, journal.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("second Open: %v, %v", j, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	openJournal(t, journal.Config{Dir: dir})
}

func TestAFolderThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{filepath.Join(file, "data"), file, "/proc/giftwire"} {
		if _, err := journal.Open(t.Context(), journal.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "data folder") {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestTwoJournalsInOneProcess(t *testing.T) {
	one, two := running(t), running(t)
	store(t, one, gift("r1", 1))
	store(t, two, gift("r1", 2))
	for n, j := range []*journal.Journal{one, two} {
		got, _ := readGifts(t, j.Log(0), 1)
		if len(got) != 1 || got[0].Gift.ClientID != "c-"+strconv.Itoa(n+1) {
			t.Errorf("journal %d has %+v", n, got)
		}
	}
	if one.Epoch() == two.Epoch() {
		t.Error("two stores share an epoch")
	}
}

func TestRestartKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	open := func() (*journal.Journal, func()) {
		j := openJournal(t, journal.Config{Dir: dir})
		stop := run(t, j)
		return j, func() {
			stop()
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	j, stop := open()
	epoch := j.Epoch()
	for n := range 10 {
		store(t, j, gift("r1", n))
	}
	first := mustAppend(t, j.Log(0), 0, takeover(j, 1))
	if err := j.Log(0).SaveChunk(bounded(t), "head", []byte("state")); err != nil {
		t.Fatal(err)
	}
	if err := j.Log(0).AppendIDs(bounded(t), []journal.ID{{Key: 5, Seq: first}}); err != nil {
		t.Fatal(err)
	}
	stop()

	j, stop = open()
	defer stop()
	if j.Epoch() != epoch {
		t.Errorf("epoch %s became %s", epoch, j.Epoch())
	}
	got, at := readGifts(t, j.Log(0), 10)
	for n, e := range got {
		if want := gift("r1", n).Gift; e.Gift.MsgID != want.MsgID {
			t.Errorf("gift %d is %s", n, e.Gift.ClientID)
		}
	}
	// A record of the new incarnation is behind, and is not taken for one of the old.
	if r := store(t, j, gift("r1", 10)); r.Position.Seq <= at[9].Seq {
		t.Errorf("a new record at %d, the newest was %d", r.Position.Seq, at[9].Seq)
	}
	last, err := j.Log(0).LastOutcome(bounded(t))
	if err != nil || last.Seq != first || last.Term != 1 {
		t.Errorf("last outcome %+v, %v", last, err)
	}
	chunks := 0
	if err := j.Log(0).LoadChunks(bounded(t), func(name string, data []byte) error {
		chunks++
		if name != "head" || string(data) != "state" {
			t.Errorf("chunk %s: %q", name, data)
		}
		return nil
	}); err != nil || chunks != 1 {
		t.Errorf("%d chunks, %v", chunks, err)
	}
	rows := 0
	if err := j.Log(0).LoadIDs(bounded(t), func(_ int64, ids []journal.ID) error {
		rows += len(ids)
		return nil
	}); err != nil || rows != 1 {
		t.Errorf("%d ids, %v", rows, err)
	}
}

func TestServersThatWillNotDo(t *testing.T) {
	small := natstest.Start(t, func(o *server.Options) { o.MaxPayload = 64 << 10 }).URL()
	if _, err := journal.Open(t.Context(), journal.Config{NATSURL: small}); err == nil || !strings.Contains(err.Error(), "max_payload") {
		t.Errorf("small max_payload: %v", err)
	}
	plain := natstest.Start(t, func(o *server.Options) { o.JetStream = false }).URL()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := journal.Open(ctx, journal.Config{NATSURL: plain}); err == nil {
		t.Error("a server without JetStream was taken")
	}
	if _, err := journal.Open(t.Context(), journal.Config{NATSURL: "nats://ann:secret@127.0.0.1:1"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestRunIsForOnce(t *testing.T) {
	j := openJournal(t, journal.Config{Dir: t.TempDir()})
	stop := run(t, j)
	store(t, j, gift("r1", 1))
	if err := j.Run(t.Context()); err == nil {
		t.Error("Run ran twice")
	}
	stop()
	err := j.Submit(gift("r1", 2), func(journal.Receipt, error) { t.Error("done was called") })
	if !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Submit after Run: %v", err)
	}
	// Reading and appending still work: an owner releases after the senders are gone.
	mustAppend(t, j.Log(0), 0, takeover(j, 1))
}

func TestEntriesWaitForRun(t *testing.T) {
	j := openJournal(t, journal.Config{Dir: t.TempDir()})
	heard := submit(t, j, gift("r1", 1))
	run(t, j)
	if got := wait(t, heard, "answer"); got.err != nil {
		t.Errorf("entry submitted before Run: %v", got.err)
	}
}

func TestCloseFailsWhatNeverRan(t *testing.T) {
	j := openJournal(t, journal.Config{Dir: t.TempDir()})
	heard := submit(t, j, gift("r1", 1))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, heard, "answer"); !errors.Is(got.err, journal.ErrClosed) {
		t.Errorf("entry: %v", got.err)
	}
	if err := j.Run(t.Context()); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Run: %v", err)
	}
}
