package journal_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
)

// TestAFullStream: gifts are refused with a clear error, decisions are not, and
// room made is used at once.
func TestAFullStream(t *testing.T) {
	r := small()
	r.GiftBytes = 1 << 20
	j := openPaced(t, journal.Config{Dir: t.TempDir(), Retention: r}, journal.Pace{Check: time.Hour})
	run(t, j)
	stored := 0
	for {
		heard := make(chan error, 1)
		if err := j.Submit(gift("r1", stored), func(_ journal.Receipt, err error) { heard <- err }); err != nil {
			t.Fatal(err)
		}
		err := wait(t, heard, "answer")
		if errors.Is(err, journal.ErrUnavailable) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		stored++
	}
	if stored < 500 {
		t.Errorf("full after %d gifts", stored)
	}
	// A look finds it, and then nothing is even tried.
	j.LookNow(t.Context())
	if err := j.Submit(gift("r1", 0), func(journal.Receipt, error) { t.Error("done was called") }); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("Submit: %v", err)
	}
	if err := j.Health(); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("Health: %v", err)
	}
	mustAppend(t, j.Log(0), 0, takeover(j, 1))
	got, at := readGifts(t, j.Log(0), stored)
	if len(got) != stored {
		t.Errorf("%d gifts stored, %d told so", len(got), stored)
	}
	if err := j.Log(0).PurgeGifts(bounded(t), at[stored/2].Seq); err != nil {
		t.Fatal(err)
	}
	j.LookNow(t.Context())
	if err := j.Health(); err != nil {
		t.Errorf("Health: %v", err)
	}
	space, _ := j.Log(0).Space()
	if first, err := j.Log(0).FirstGift(bounded(t)); err != nil || first != at[stored/2].Seq || space.Full() > 0.6 {
		t.Errorf("after the purge %+v from %d, %v; want what is left", space, first, err)
	}
	store(t, j, gift("r1", stored))
}

// TestGiftsAreRefusedBeforeDecisions: 5 % of both streams are kept.
func TestGiftsAreRefusedBeforeDecisions(t *testing.T) {
	r := small()
	r.OutcomeBytes = 1 << 20
	j := openPaced(t, journal.Config{Dir: t.TempDir(), Retention: r}, journal.Pace{Check: time.Hour})
	run(t, j)
	seq := mustAppend(t, j.Log(0), 0, takeover(j, 1))
	rec := decisions(j, "r1")
	refused := false
	for n := 0; !refused; n++ {
		rec.Number++
		seq = mustAppend(t, j.Log(0), seq, rec)
		refused = fullNow(t, j, n)
		s := j.Stats().Outcomes
		if full := s.Full() >= 0.95; refused != full {
			t.Fatalf("OUTCOMES is %.3f full, refused: %v", s.Full(), refused)
		}
	}
	// Decisions still find room.
	for range 10 {
		rec.Number++
		seq = mustAppend(t, j.Log(0), seq, rec)
	}
}

// fullNow looks, and reports whether a gift is refused because a stream is nearly full.
// A disk that is slow for a moment refuses, too: then it looks again.
func fullNow(t *testing.T, j *journal.Journal, n int) bool {
	t.Helper()
	for ctx := bounded(t); ; {
		j.LookNow(ctx)
		err := j.Submit(gift("r1", n), func(journal.Receipt, error) {})
		if err == nil || strings.Contains(err.Error(), "nearly full") || ctx.Err() != nil {
			return err != nil
		}
	}
}

// TestADiskNearlyFull: gifts are refused while there is room for decisions.
func TestADiskNearlyFull(t *testing.T) {
	j := openPaced(t, journal.Config{Dir: t.TempDir(), Retention: small(), FreeBytes: 1 << 60}, journal.Pace{Check: time.Hour})
	run(t, j)
	j.LookNow(t.Context())
	if err := j.Submit(gift("r1", 0), func(journal.Receipt, error) { t.Error("done was called") }); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("Submit: %v", err)
	}
	if err := j.Health(); !errors.Is(err, journal.ErrUnavailable) || !strings.Contains(err.Error(), "disk") {
		t.Errorf("Health: %v", err)
	}
	mustAppend(t, j.Log(0), 0, takeover(j, 1))
}

// TestSpaceOfEachStream: all four are watched, and what decisions need is worked out.
func TestSpaceOfEachStream(t *testing.T) {
	r := small()
	r.SnapshotBytes, r.IDBytes = 1<<20, 1<<20
	j := openPaced(t, journal.Config{Dir: t.TempDir(), Retention: r}, journal.Pace{Check: time.Hour})
	run(t, j)
	if got := j.DecisionsFit(); got < 2700 || got > 2800 { // 5 % of 64 MiB at 1,200 bytes
		t.Errorf("%d decisions fit", got)
	}
	for c := byte('a'); c < 'a'+18; c++ { // of 64 KiB: more would not be taken
		if err := j.Log(0).SaveChunk(bounded(t), string(c), make([]byte, 54<<10)); err != nil {
			t.Fatal(err)
		}
	}
	j.LookNow(t.Context())
	if s := j.Stats().Snapshots; s.Full() < 0.9 || j.Health() != nil {
		t.Errorf("SNAPS is %.2f full, health %v: want it nearly full, which refuses nothing", s.Full(), j.Health())
	}
	var ids []journal.ID
	for n := range uint64(2000) {
		ids = append(ids, journal.ID{Key: n, Seq: n * n})
	}
	for j.Stats().IDs.Full() < 0.95 {
		if err := j.Log(0).AppendIDs(bounded(t), ids); err != nil {
			t.Fatal(err)
		}
		j.LookNow(t.Context())
	}
	if err := j.Health(); !errors.Is(err, journal.ErrUnavailable) || !strings.Contains(err.Error(), "IDS") {
		t.Errorf("with IDS full, health: %v", err)
	}
}
