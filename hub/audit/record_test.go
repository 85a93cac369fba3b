package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// golden is a record as hub/journal's tests hold it.
func golden(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("..", "journal", "testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// Both decoders read the same golden records.
func TestGoldenRecords(t *testing.T) {
	t.Parallel()
	gifts, err := decodeGifts(golden(t, "gift_record.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := gift{
		ClientID: "c-17", Room: "r1", Game: "TinyLoveWar",
		User:   user{ID: "u1", Nickname: `Ann "<ü>" 🚀`, Avatar: "https://example.com/a.png?x=1&y=2", Sex: 2},
		GiftID: "g1", Count: 20, Value: 10, Num: 2, Receiver: "anchor1", Asked: asked{10, "anchor1"}, At: 1795449600000,
	}
	if err := want.MsgID.UnmarshalText([]byte("ddeca273-24d2-52a0-a451-fc9a8dd611e1")); err != nil {
		t.Fatal(err)
	}
	if len(gifts.Entries) != 5 || *gifts.Entries[0].Gift != want || gifts.Entries[2].Gift != nil || gifts.Node != "n1" {
		t.Errorf("read %+v, want first %+v, and no gift in the third", gifts.Entries[0].Gift, want)
	}
	out, err := decodeOutcome(golden(t, "outcome_decisions.json"))
	if err != nil {
		t.Fatal(err)
	}
	r := &out.Rooms[0]
	d := &r.Decisions[0]
	switch {
	case out.Kind != kindDecisions, out.Term != 3, out.Number != 12, out.Prev != 41, len(out.Rooms) != 2:
		t.Errorf("record %+v", out)
	case r.Number != 9, r.Prev != 40, r.Seq != 5, r.Totals != totals{1, 2, 3, 20, 1<<64 - 1, 60}, len(r.Decisions) != 3:
		t.Errorf("room %+v", r)
	case d.Gift != want, d.GiftSeq != 33, d.GiftIndex != 1, d.Node != "n2", d.StoredAt != 1795449600100, d.Status != delivered, d.At != 1795449600500:
		t.Errorf("decision %+v", d)
	case len(d.Attempts) != 3, !d.Attempts[1].Query, d.Attempts[1].Code != 7206001, d.Attempts[1].Result != nil, *d.Attempts[2].Result != 0:
		t.Errorf("attempts %+v", d.Attempts)
	}
	if out, err := decodeOutcome(golden(t, "outcome_takeover.json")); err != nil || out.Kind != kindTakeover || out.Incarnation != "i" {
		t.Errorf("takeover %+v, %v", out, err)
	}
}

// A record of another release ends the audit: half understood it would be judged wrongly.
func TestOtherFormat(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(e *evening){
		"of GIFTS":    func(e *evening) { e.gifts[1].rec.V = 2 },
		"of OUTCOMES": func(e *evening) { e.outcomes[1].rec.V = 2 },
		"of SNAPS":    func(e *evening) { e.snapshot(); e.head.Version = 2 },
	} {
		e := newEvening(t)
		change(e)
		if _, err := Run(t.Context(), e, Options{}); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
}

// What the doc says of memory: 70 to 100 bytes a gift, as the map is full or has grown.
func TestMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	l := newLedger()
	source := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 1_000_000; n++ {
		var id msgID
		binary.BigEndian.PutUint64(id[:], source.Uint64())
		binary.BigEndian.PutUint64(id[8:], source.Uint64())
		l.put(id, fate{seq: uint64(n)})
		if n%250_000 != 0 {
			continue
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		each := float64(after.HeapAlloc-before.HeapAlloc) / float64(n)
		t.Logf("%.1f bytes a gift of %d", each, n)
		if each < 60 || each > 105 || l.find(id).seq != uint64(n) {
			t.Errorf("%.1f bytes a gift, the package comment says 70 to 100", each)
		}
	}
}

// Whatever stands in a record, the audit ends with a report.
func FuzzRecords(f *testing.F) {
	f.Add(golden(f, "gift_record.json"), golden(f, "outcome_decisions.json"), []byte{1, 1, 2, 3, 4, 5, 6, 7, 8, 2}, []byte{4, 0, 0, 2})
	f.Fuzz(func(t *testing.T, gifts, outcome, ids, open []byte) {
		e := newEvening(t)
		e.gifts[1].raw, e.outcomes[2].raw = gifts, outcome
		e.purge(streamOutcomes, 0, 2) // so that the memory is asked
		e.ids = append(e.ids, &taped[[]byte]{seq: e.take(streamIDs), at: e.now, subject: idSubject + "0", raw: ids})
		e.snapshot()
		e.head.Open = open
		r, err := Run(t.Context(), e, Options{Now: e.now})
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("%v, want a report or ErrFormat", err)
			}
			return
		}
		if r.Holds != (r.Found() == 0) {
			t.Errorf("holds %v with %d problems", r.Holds, r.Found())
		}
	})
}

// Reading is what an audit costs.
func BenchmarkAudit(b *testing.B) {
	const records, each = 200, 100
	e := newTape(b)
	for i := range records {
		var gifts []*gift
		for j := range each {
			gifts = append(gifts, newGift("r1", fmt.Sprint("u", i), fmt.Sprintf("c%d", j)))
		}
		for j, g := range gifts {
			g.MsgID = msgID{byte(i), byte(i >> 8), byte(j), 1}
		}
		e.decide(delivered, e.give(gifts...)...)
		e.wait(time.Second)
	}
	e.kept = map[string][]Message{streamGifts: e.all(streamGifts), streamOutcomes: e.all(streamOutcomes)}
	b.ResetTimer()
	for range b.N {
		if r := e.audit(); !r.Holds || r.Total.Gifts.Accepted != records*each {
			b.Fatalf("%+v%s", r.Total, lines(r))
		}
	}
	b.ReportMetric(float64(records*each)*float64(b.N)/b.Elapsed().Seconds(), "gifts/s")
}
