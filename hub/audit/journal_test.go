package audit_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/minio/highwayhash"
	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/audit"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is a real journal in a folder, with an owner who writes what the test says.
type book struct {
	tb      testing.TB
	dir     string
	journal *journal.Journal
	log     *journal.Partition
	last    uint64 // of OUTCOMES
	number  uint64
	totals  journal.Totals
	entries uint64
	prev    uint64
	seq     uint64
	close   func()
}

func openBook(tb testing.TB) *book {
	tb.Helper()
	b := &book{tb: tb, dir: tb.TempDir()}
	j, err := journal.Open(tb.Context(), journal.Config{Dir: b.dir, Node: "n1", Retention: journal.Retention{
		GiftBytes: 64 << 20, OutcomeBytes: 64 << 20, SnapshotBytes: 16 << 20, IDBytes: 16 << 20,
	}})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }() // joined by close
	closed := false
	b.close = func() {
		if closed {
			return
		}
		closed = true
		cancel()
		if err := errors.Join(<-ended, j.Close()); err != nil {
			tb.Errorf("close: %v", err)
		}
	}
	tb.Cleanup(b.close)
	b.journal, b.log = j, j.Log(0)
	b.append(journal.KindTakeover)
	return b
}

// give journals gifts, one record after another.
func (b *book) give(from string, n int) []journal.Decided {
	b.tb.Helper()
	var out []journal.Decided
	for i := range n {
		id := fmt.Sprint("c", i)
		g := &room.Gift{
			MsgID: room.NewMsgID(1, "r1", from, id), ClientID: id, Room: "r1", Game: "g", GiftID: "g1",
			User:  room.User{ID: from, Nickname: from + ` "<ü>" 🚀`, Avatar: "https://example.com/a.png", Sex: room.Female},
			Count: 20, Value: 10, Num: 2, Receiver: "anchor1", Asked: room.Asked{Value: 10}, At: time.Now().UnixMilli(),
		}
		told := make(chan journal.Receipt, 1)
		err := b.journal.Submit(journal.Entry{Gift: g}, func(r journal.Receipt, err error) {
			if err != nil {
				b.tb.Error(err)
			}
			told <- r
		})
		if err != nil {
			b.tb.Fatal(err)
		}
		d := journal.Decided{Position: (<-told).Position, Node: "n1", StoredAt: time.Now().UnixMilli()}
		d.Gift, d.Status, d.Reason = g, room.Delivered, room.ReasonOK
		out = append(out, d)
	}
	return out
}

// append writes a record to the log, with the decisions of room r1.
func (b *book) append(kind journal.Kind, decided ...journal.Decided) {
	b.tb.Helper()
	b.number++
	rec := journal.OutcomeRecord{Kind: kind, Node: "n1", Incarnation: b.journal.Incarnation(), Term: 1, Number: b.number}
	if len(decided) > 0 {
		b.entries++
		b.seq++
		b.totals.Delivered += uint64(len(decided))
		b.totals.DeliveredCount += 20 * uint64(len(decided))
		rec.Rooms = []journal.RoomDecisions{{
			Room: "r1", Number: b.entries, Prev: b.prev, Seq: b.seq, Totals: b.totals, Decisions: decided,
		}}
	}
	seq, err := b.log.AppendOutcome(b.tb.Context(), b.last, rec)
	if err != nil {
		b.tb.Fatal(err)
	}
	b.last = seq
	if len(decided) > 0 {
		b.prev = seq
	}
}

func read(tb testing.TB, dir string) *audit.Report {
	tb.Helper()
	s, err := audit.OpenFolder(tb.Context(), dir, tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	r, err := audit.Run(tb.Context(), s, audit.Options{})
	if err := errors.Join(err, s.Close()); err != nil {
		tb.Fatal(err)
	}
	return r
}

// sums are the checksums of all files below a folder.
func sums(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		out[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// A real journal's folder: gifts decided and open, purged and remembered. The audit
// reads what hub/journal wrote, refuses while it is open, and changes nothing.
func TestFolderOfAJournal(t *testing.T) {
	t.Parallel()
	b := openBook(t)
	gifts := b.give("ann", 10)
	b.append(journal.KindDecisions, gifts[:3]...)
	b.append(journal.KindDecisions, gifts[3:6]...)
	covered := b.last
	b.append(journal.KindDecisions, gifts[6:9]...)
	var ids []journal.ID
	for _, d := range gifts[:3] {
		ids = append(ids, journal.ID{Key: d.Gift.MsgID.Key(), Seq: 2})
	}
	ctx := t.Context()
	if err := errors.Join(b.log.AppendIDs(ctx, ids), b.log.PurgeGifts(ctx, gifts[1].Position.Seq), b.log.PurgeOutcomes(ctx, covered)); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenFolder(ctx, b.dir, ""); !errors.Is(err, audit.ErrInUse) {
		t.Errorf("while the node runs: %v, want ErrInUse", err)
	}
	b.close()
	before := sums(t, b.dir)
	r := read(t, b.dir)
	// The first record of GIFTS is gone, and so is the decision of its gift: no trace of
	// it is left. Two gifts were decided in what OUTCOMES has lost.
	want := audit.Figures{
		Gifts:   audit.Tally{Accepted: 9, Delivered: 6, Pending: 1, Earlier: 2},
		Value:   audit.Tally{Accepted: 180, Delivered: 120, Pending: 20, Earlier: 40},
		Checked: 2, GiftRecords: 9, OutcomeRecords: 2,
	}
	if diff := cmp.Diff(want, r.Total); diff != "" || !r.Holds {
		t.Errorf("holds %v %v, figures (-want +got):\n%s", r.Holds, r.Problems, diff)
	}
	if diff := cmp.Diff(before, sums(t, b.dir)); diff != "" {
		t.Errorf("the audit changed the folder (-before +after):\n%s", diff)
	}
	// A copy of the records alone, such as a backup, is as good.
	if err := os.Remove(filepath.Join(b.dir, "lock")); err != nil {
		t.Fatal(err)
	}
	if again := read(t, b.dir); again.Total != r.Total {
		t.Errorf("without the lock file: %+v, with it %+v", again.Total, r.Total)
	}
}

// Where the disk has changed a record, the audit does not say that all is well, and
// leaves the rest for whoever can repair it.
func TestDamagedFolder(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{"GIFTS", "OUTCOMES"} {
		for _, index := range []bool{true, false} {
			t.Run(fmt.Sprint(stream, " index ", index), func(t *testing.T) {
				t.Parallel()
				b := openBook(t)
				gifts := b.give("ann", 10)
				for _, d := range gifts {
					b.append(journal.KindDecisions, d)
				}
				if err := b.log.SaveChunk(t.Context(), "head", fmt.Appendf(nil, `{"v":1,"read":10,"last":%d,"open":""}`, b.last)); err != nil {
					t.Fatal(err)
				}
				b.close()
				msgs := filepath.Join(b.dir, "jetstream/$G/streams", stream, "msgs")
				data, err := os.ReadFile(filepath.Join(msgs, "1.blk"))
				if err != nil {
					t.Fatal(err)
				}
				data[len(data)/2] ^= 0xff
				err = os.WriteFile(filepath.Join(msgs, "1.blk"), data, 0o600)
				if !index {
					err = errors.Join(err, os.Remove(filepath.Join(msgs, "index.db"))) // as after a kill
				}
				if err != nil {
					t.Fatal(err)
				}
				before := sums(t, b.dir)
				s, err := audit.OpenFolder(t.Context(), b.dir, t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				r, err := audit.Run(t.Context(), s, audit.Options{})
				if cerr := s.Close(); cerr != nil {
					t.Error(cerr)
				}
				if err != nil {
					t.Fatal(err)
				}
				if r.Holds || !index && r.Cut[stream] == 0 { // with an index the server notices when it reads
					t.Errorf("holds %v with %+v, %d bytes cut off", r.Holds, r.Total, r.Cut[stream])
				}
				if diff := cmp.Diff(before, sums(t, b.dir)); diff != "" {
					t.Errorf("the audit changed the folder (-before +after):\n%s", diff)
				}
			})
		}
	}
}

// A server that opens a folder ages out what is too old. The audit must see it.
func TestFolderIsNotAgedOut(t *testing.T) {
	t.Parallel()
	b := openBook(t)
	gifts := b.give("ann", 3)
	b.append(journal.KindDecisions, gifts[0])
	b.close()
	// As if the node had been off for longer than GIFTS keeps its records.
	setAge(t, filepath.Join(b.dir, "jetstream/$G/streams/GIFTS"), "GIFTS", 100*time.Millisecond)
	until(t, func() bool { return time.Now().UnixMilli() > gifts[2].StoredAt+1000 })
	r := read(t, b.dir)
	if r.Total.Gifts.Accepted != 3 || r.Counts[audit.Overdue] != 2 || r.Total.Gifts.Pending != 2 {
		t.Errorf("%+v, %v; want 3 accepted, and the 2 that are open overdue", r.Total.Gifts, r.Problems)
	}
}

// setAge changes a stream's age in its folder.
func setAge(tb testing.TB, dir, stream string, age time.Duration) {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "meta.inf"))
	if err != nil {
		tb.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		tb.Fatal(err)
	}
	members["max_age"], members["duplicate_window"] = int64(age), int64(age)
	members["max_bytes"], members["max_msgs"] = int64(64<<20), int64(-1)
	if data, err = json.Marshal(members); err != nil {
		tb.Fatal(err)
	}
	key := sha256.Sum256([]byte(stream))
	sum := hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, highwayhash.Sum64(data, key[:])))
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "meta.inf"), data, 0o600), os.WriteFile(filepath.Join(dir, "meta.sum"), []byte(sum), 0o600)); err != nil {
		tb.Fatal(err)
	}
}

func until(tb testing.TB, condition func() bool) {
	tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-tb.Context().Done():
			tb.Fatal("the test ended")
		}
	}
}

func TestFoldersThatAreNone(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	if _, err := audit.OpenFolder(t.Context(), empty, ""); !errors.Is(err, audit.ErrNoStore) {
		t.Errorf("an empty folder: %v, want ErrNoStore", err)
	}
	b := openBook(t)
	b.close()
	gifts := filepath.Join(b.dir, "jetstream/$G/streams/GIFTS")
	if err := os.WriteFile(filepath.Join(gifts, "meta.inf"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenFolder(t.Context(), b.dir, ""); !errors.Is(err, audit.ErrDamaged) {
		t.Errorf("a broken configuration: %v, want ErrDamaged", err)
	}
	if err := os.RemoveAll(gifts); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenFolder(t.Context(), b.dir, ""); !errors.Is(err, audit.ErrNoStore) {
		t.Errorf("without GIFTS: %v, want ErrNoStore", err)
	}
	temp := t.TempDir()
	if _, err := audit.OpenFolder(t.Context(), b.dir, temp); err == nil {
		t.Error("opened")
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("%v was left in the folder for copies (%v)", left, err)
	}
}
