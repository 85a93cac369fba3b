package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

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

// testHeldUntilTold: a record that is stored, and whose senders do not know it yet,
// is not there for a reader.
func testHeldUntilTold(t *testing.T, j *journal.Journal) {
	t.Helper()
	store(t, j, gift("r1", 0))
	var told atomic.Bool
	stored, release := make(chan struct{}), make(chan struct{})
	if err := j.Submit(gift("r1", 1), func(journal.Receipt, error) {
		close(stored)
		<-release
		told.Store(true)
	}); err != nil {
		t.Fatal(err)
	}
	wait(t, stored, "storing")
	p := j.Log(j.Partition("r1"))
	recs, err := p.ReadGifts(bounded(t), 0)
	if err != nil || len(recs) != 1 {
		t.Errorf("read %+v, %v before the second was told", recs, err)
	}
	read := make(chan error, 1)
	go func() {
		_, err := p.ReadGifts(bounded(t), recs[0].Seq)
		if !told.Load() {
			t.Error("read before it was told")
		}
		read <- err
	}()
	stay(50)
	close(release)
	if err := wait(t, read, "read"); err != nil {
		t.Error(err)
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
	// Unread: a loss that must be told, once the replica that answers has purged, too.
	var gone *journal.GoneError
	err := error(nil)
	for ctx := bounded(t); err == nil && ctx.Err() == nil; {
		_, err = p.ReadGifts(ctx, at[0])
	}
	if !errors.Is(err, journal.ErrGone) || !errors.As(err, &gone) || gone.First != at[2] {
		t.Errorf("ReadGifts over what was purged: %v", err)
	}
	if err := p.PurgeGifts(bounded(t), 0); err != nil {
		t.Fatal(err)
	}
	if recs, err := p.GiftsAt(bounded(t), at); err != nil || len(recs) != 2 {
		t.Errorf("purge below 0 left %d records, %v", len(recs), err)
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
