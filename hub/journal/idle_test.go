package journal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
)

// TestAQuietPartitionMovesOn: its reader's position must not fall behind what ages
// out of the stream that it shares with others.
func TestAQuietPartitionMovesOn(t *testing.T) {
	j := openPaced(t, journal.Config{Dir: t.TempDir(), Partitions: 4}, journal.Pace{Mark: 20 * time.Millisecond, Poll: 10 * time.Millisecond})
	run(t, j)
	busy := store(t, j, gift("r1", 1))
	quiet := j.Log((busy.Partition + 1) % 4)
	recs, err := quiet.ReadGifts(bounded(t), 0)
	if err != nil || len(recs) != 1 || len(recs[0].Entries) != 0 || recs[0].Seq <= busy.Position.Seq {
		t.Fatalf("read %+v, %v", recs, err)
	}
	again, err := quiet.ReadGifts(bounded(t), recs[0].Seq)
	if err != nil || len(again) == 0 || again[0].Seq <= recs[0].Seq {
		t.Fatalf("read on: %+v, %v", again, err)
	}
}

// TestALostPositionIsTold: of several partitions nobody can tell what a gap in the
// stream was, so it counts as a loss, with the place to go on from.
func TestALostPositionIsTold(t *testing.T) {
	j := openJournal(t, journal.Config{Dir: t.TempDir(), Partitions: 2})
	run(t, j)
	rooms := [2]string{}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		rooms[j.Partition(id)] = id
	}
	for n := range 3 {
		for _, id := range rooms {
			store(t, j, gift(id, n))
		}
	}
	for p := range 2 {
		if err := j.Log(p).PurgeGifts(bounded(t), 5); err != nil {
			t.Fatal(err)
		}
	}
	var gone *journal.GoneError
	if _, err := j.Log(0).ReadGifts(bounded(t), 1); !errors.As(err, &gone) || gone.First != 5 {
		t.Fatalf("read after what is gone: %v", err)
	}
	if recs, err := j.Log(0).ReadGifts(bounded(t), gone.First-1); err != nil || recs[0].Entries[0].Gift.ClientID != "c-2" {
		t.Errorf("read on: %+v, %v", recs, err)
	}
}

// TestAReaderLooksByItself: what tells it of another node's records may be lost.
func TestAReaderLooksByItself(t *testing.T) {
	s := natstest.Start(t)
	one := openJournal(t, journal.Config{NATSURL: s.URL()})
	run(t, one)
	// It does not run, and so hears of nothing.
	deaf := openPaced(t, journal.Config{NATSURL: s.URL(), Node: "deaf"}, journal.Pace{Poll: 20 * time.Millisecond})
	read := make(chan int, 1)
	go func() {
		recs, err := deaf.Log(deaf.Partition("r1")).ReadGifts(bounded(t), 0)
		if err != nil {
			t.Errorf("ReadGifts: %v", err)
		}
		read <- len(recs)
	}()
	stay(100) // it has looked once, in vain
	store(t, one, gift("r1", 1))
	if n := wait(t, read, "read"); n != 1 {
		t.Errorf("%d records", n)
	}
}
