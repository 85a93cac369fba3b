package journal

import (
	"bytes"
	"errors"
	"flag"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/room"
)

var update = flag.Bool("update", false, "write the golden files anew; commit only what you understand")

// golden compares with a file of testdata, indented so that people can read it.
func golden(t *testing.T, name string, record []byte) {
	t.Helper()
	indented := jsontext.Value(bytes.Clone(record))
	if err := indented.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, append(indented, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(indented)+"\n"); d != "" {
		t.Errorf("%s (-file +encoded); a change of the stored form needs thought about rolling upgrades:\n%s", file, d)
	}
}

func testGift(n int) *room.Gift {
	return &room.Gift{
		MsgID: room.NewMsgID(7, "r1", "u1", "c-17"), ClientID: "c-17", Room: "r1", Game: "TinyLoveWar",
		User:   room.User{ID: "u1", Nickname: "Ann \"<ü>\" 🚀", Avatar: "https://example.com/a.png?x=1&y=2", Sex: room.Female},
		GiftID: "g1", Count: 20 * n, Value: 10, Num: 2 * n, Receiver: "anchor1",
		Asked: room.Asked{Value: 10, Receiver: "anchor1"}, At: 1795449600000,
	}
}

func testGiftRecord() GiftRecord {
	plain := testGift(2)
	plain.User.Sex, plain.User.Avatar, plain.Receiver, plain.Asked = 0, "", "", room.Asked{}
	return GiftRecord{
		Node: "n1", Incarnation: "01938e5c-0000-7000-8000-000000000001", Number: 7,
		Entries: []Entry{
			{Gift: testGift(1)},
			{Gift: plain},
			{Comment: &Comment{Room: "r1", Game: "TinyLoveWar", Comment: room.Comment{
				User: testGift(1).User, Text: "5", Join: true, At: 1795449600001,
			}}},
			{Callback: &Callback{Room: "r1", GameID: "TinyLoveWar", ReportID: "77", At: 1795449600002, Game: room.Game{
				State: room.GameEnded, Round: "9007199254740993", WinnerTeam: 2, ResultType: 1,
			}}},
			{Callback: &Callback{Room: "r1", GameID: "TinyLoveWar", ReportID: "78", Game: room.Game{State: room.GameRunning}}},
		},
	}
}

func testOutcomeRecord() OutcomeRecord {
	return OutcomeRecord{
		Kind: KindDecisions, Node: "n1", Incarnation: "01938e5c-0000-7000-8000-000000000001", Term: 3, Number: 12,
		Rooms: []RoomDecisions{
			{
				Room: "r1", Number: 9, Prev: 40, Jump: 11, Seq: 5,
				Totals: Totals{Delivered: 1, Failed: 2, Unresolved: 3, DeliveredCount: 20, FailedCount: math.MaxUint64, UnresolvedCount: 60},
				Decisions: []Decided{
					{
						Position: Position{Seq: 33, Index: 1}, Node: "n2", StoredAt: 1795449600100,
						Decision: room.Decision{
							Gift: testGift(1), Status: room.Delivered, Reason: room.ReasonOK, At: 1795449600500,
							Attempts: []room.Attempt{
								{N: 1, StartedAt: 1795449600200, EndedAt: 1795449605200, Outcome: room.Unknown, Message: "timeout"},
								{N: 2, Query: true, StartedAt: 1795449605300, EndedAt: 1795449605320, Outcome: room.NotTaken, Code: 7206001},
								{N: 3, StartedAt: 1795449605400, EndedAt: 1795449605420, Outcome: room.Consumed, HasRow: true, RequestID: "req-1"},
							},
						},
					},
					{Decision: room.Decision{
						Gift: testGift(2), Status: room.Failed, Code: 10003, Reason: room.ReasonNotJoined, Message: "not joined",
						Attempts: []room.Attempt{{N: 1, Outcome: room.Consumed, Result: 10003, HasRow: true}},
					}},
					{Decision: room.Decision{Gift: testGift(3), Status: room.Unresolved, Reason: room.ReasonUnknownOutcome}},
				},
			},
			{Room: "r2", Number: 1, Seq: 0},
		},
	}
}

// encodeGiftRecord does what Submit and the publisher do.
func encodeGiftRecord(tb testing.TB, rec GiftRecord) []byte {
	tb.Helper()
	var entries []pending
	for _, e := range rec.Entries {
		data, err := encodeEntry(e)
		if err != nil {
			tb.Fatal(err)
		}
		entries = append(entries, pending{data: data})
	}
	return appendGiftRecord(nil, rec.Node, rec.Incarnation, rec.Number, entries)
}

func TestGoldenGiftRecord(t *testing.T) {
	want := testGiftRecord()
	data := encodeGiftRecord(t, want)
	golden(t, "gift_record.json", data)
	got, err := decodeGiftRecord(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("record (-encoded +decoded):\n%s", d)
	}
}

func TestGoldenOutcomeRecords(t *testing.T) {
	takeover := OutcomeRecord{Kind: KindTakeover, Node: "n1", Incarnation: "i", Term: 3, Number: 1}
	for file, want := range map[string]OutcomeRecord{
		"outcome_decisions.json": testOutcomeRecord(), "outcome_takeover.json": takeover,
	} {
		data, err := encodeOutcome(want, 41)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, file, data)
		got, prev, err := decodeOutcome(data)
		if err != nil || prev != 41 {
			t.Fatalf("%s: prev %d, %v", file, prev, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-encoded +decoded):\n%s", file, d)
		}
	}
}

func TestRecordsThatCannotBeRead(t *testing.T) {
	envelope := `"node":"n","incarnation":"i","number":1`
	for name, data := range map[string]string{
		"nothing":                ``,
		"not JSON":               `{"v":1,` + envelope,
		"two values":             `{"v":1,` + envelope + `,"entries":[]}{}`,
		"duplicate member":       `{"v":1,"v":1,` + envelope + `,"entries":[]}`,
		"no format":              `{` + envelope + `,"entries":[]}`,
		"later format":           `{"v":2,` + envelope + `,"entries":[]}`,
		"no node":                `{"v":1,"incarnation":"i","number":1,"entries":[]}`,
		"number 0":               `{"v":1,"node":"n","incarnation":"i","number":0,"entries":[]}`,
		"unknown entry":          `{"v":1,` + envelope + `,"entries":[{"coupon":{"room":"r"}}]}`,
		"two in one entry":       `{"v":1,` + envelope + `,"entries":[{"gift":{"room":"r"},"comment":{"room":"r"}}]}`,
		"entry without a room":   `{"v":1,` + envelope + `,"entries":[{"gift":{}}]}`,
		"bad msg id":             `{"v":1,` + envelope + `,"entries":[{"gift":{"room":"r","msg_id":"1"}}]}`,
		"upper case msg id":      `{"v":1,` + envelope + `,"entries":[{"gift":{"room":"r","msg_id":"6F1C2F0A-6F55-5F3C-9A56-6A1F8D6F9B1E"}}]}`,
		"unknown game state":     `{"v":1,` + envelope + `,"entries":[{"callback":{"room":"r","game":{"state":"paused"}}}]}`,
		"count that is no count": `{"v":1,` + envelope + `,"entries":[{"gift":{"room":"r","count":1.5}}]}`,
		"invalid UTF-8":          `{"v":1,` + envelope + `,"entries":[{"gift":{"room":"` + "\xff" + `"}}]}`,
	} {
		if _, err := decodeGiftRecord([]byte(data)); !errors.Is(err, ErrFormat) {
			t.Errorf("gift record, %s: %v", name, err)
		}
	}
	for name, data := range map[string]string{
		"unknown kind":    `{"v":1,` + envelope + `,"kind":"split"}`,
		"no kind":         `{"v":1,` + envelope + `}`,
		"unknown status":  `{"v":1,` + envelope + `,"kind":"decisions","rooms":[{"room":"r","decisions":[{"status":"pending"}]}]}`,
		"no status":       `{"v":1,` + envelope + `,"kind":"decisions","rooms":[{"room":"r","decisions":[{}]}]}`,
		"room without id": `{"v":1,` + envelope + `,"kind":"decisions","rooms":[{}]}`,
		"unknown outcome": `{"v":1,` + envelope + `,"kind":"decisions","rooms":[{"room":"r","decisions":[{"status":"failed","attempts":[{"outcome":"x"}]}]}]}`,
	} {
		if _, _, err := decodeOutcome([]byte(data)); !errors.Is(err, ErrFormat) {
			t.Errorf("outcome record, %s: %v", name, err)
		}
	}
}

// TestUnknownMembersAreTolerated: a node of the next release shares the streams.
func TestUnknownMembersAreTolerated(t *testing.T) {
	grown := func(data []byte) []byte {
		return []byte(strings.NewReplacer(`"v":1`, `"later":{"a":[1]},"v":1`, `"user_id"`, `"x":null,"user_id"`).Replace(string(data)))
	}
	want := testGiftRecord()
	if got, err := decodeGiftRecord(grown(encodeGiftRecord(t, want))); err != nil || !cmp.Equal(want, got) {
		t.Errorf("gift record: %v\n%s", err, cmp.Diff(want, got))
	}
	data, err := encodeOutcome(testOutcomeRecord(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := decodeOutcome(grown(data)); err != nil || !cmp.Equal(testOutcomeRecord(), got) {
		t.Errorf("outcome record: %v", err)
	}
}

func TestWhatCannotBeEncoded(t *testing.T) {
	bad := testGift(1)
	bad.User.Nickname = "\xff"
	for name, e := range map[string]Entry{
		"nothing":       {},
		"two":           {Gift: testGift(1), Comment: &Comment{Room: "r"}},
		"invalid UTF-8": {Gift: bad},
	} {
		if data, err := encodeEntry(e); err == nil {
			t.Errorf("%s became %s", name, data)
		}
	}
	rec := testOutcomeRecord()
	rec.Rooms[0].Decisions[1].Gift = nil
	if _, err := encodeOutcome(rec, 0); err == nil {
		t.Error("a decision without a gift was encoded")
	}
}

// TestPartitionOfARoom: the hash stands in the streams' metadata; it must never
// change.
func TestPartitionOfARoom(t *testing.T) {
	for _, partitions := range []int{1, 4, 64, 1000} {
		j := &Journal{layout: layout{partitions: partitions}}
		for _, id := range []string{"", "r1", "demo", strings.Repeat("x", 64)} {
			h := fnv.New64a()
			h.Write([]byte(id))
			if want, got := int(h.Sum64()%uint64(partitions)), j.Partition(id); got != want {
				t.Errorf("room %q of %d: %d, want %d", id, partitions, got, want)
			}
		}
	}
}

func FuzzDecodeGiftRecord(f *testing.F) {
	f.Add(encodeGiftRecord(f, testGiftRecord()))
	f.Add([]byte(`{"v":1,"node":"n","incarnation":"i","number":1,"entries":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := decodeGiftRecord(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("error of another kind: %v", err)
			}
			return
		}
		again, err := decodeGiftRecord(encodeGiftRecord(t, GiftRecord{Node: "n", Incarnation: "i", Number: 1, Entries: rec.Entries}))
		if err != nil {
			t.Fatal(err)
		}
		if len(rec.Entries) > 0 && !cmp.Equal(rec.Entries, again.Entries) {
			t.Errorf("entries change when stored again:\n%s", cmp.Diff(rec.Entries, again.Entries))
		}
	})
}

func FuzzDecodeOutcome(f *testing.F) {
	for _, rec := range []OutcomeRecord{testOutcomeRecord(), {Kind: KindMark, Node: "n", Incarnation: "i", Term: 1, Number: 2}} {
		data, err := encodeOutcome(rec, 5)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, prev, err := decodeOutcome(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("error of another kind: %v", err)
			}
			return
		}
		stored, err := encodeOutcome(rec, prev)
		if errors.Is(err, ErrTooLarge) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		again, prevAgain, err := decodeOutcome(stored)
		if err != nil || prev != prevAgain || !cmp.Equal(rec, again) {
			t.Errorf("a record changes when stored again: %v, %d, %d\n%s", err, prev, prevAgain, cmp.Diff(rec, again))
		}
	})
}

func FuzzDecodeIDs(f *testing.F) {
	f.Add(encodeIDs([]ID{{Key: 1, Seq: 2}, {Key: math.MaxUint64, Seq: math.MaxUint64}, {Key: 3, Seq: 1}}))
	f.Add([]byte{idFormat})
	f.Fuzz(func(t *testing.T, data []byte) {
		ids, err := decodeIDs(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("error of another kind: %v", err)
			}
			return
		}
		again, err := decodeIDs(encodeIDs(ids))
		if err != nil || !cmp.Equal(ids, again) {
			t.Errorf("ids change when stored again: %v", err)
		}
	})
}

// BenchmarkEncodeEntry is what Submit costs its caller.
func BenchmarkEncodeEntry(b *testing.B) {
	e := Entry{Gift: testGift(1)}
	b.ReportAllocs()
	for b.Loop() {
		data, err := encodeEntry(e)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(data)))
	}
}

// BenchmarkDecodeGiftRecord is what an owner pays for reading 100 gifts.
func BenchmarkDecodeGiftRecord(b *testing.B) {
	rec := GiftRecord{Node: "n1", Incarnation: "i", Number: 1}
	for range 100 {
		rec.Entries = append(rec.Entries, Entry{Gift: testGift(1)})
	}
	data := encodeGiftRecord(b, rec)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeGiftRecord(data); err != nil {
			b.Fatal(err)
		}
	}
}
