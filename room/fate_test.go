package room

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// The rules that keep money safe, over the whole table.
func TestFateTable(t *testing.T) {
	findings := []finding{silence, refusal, badRequest, noRow, given, notJoined, noSuchGift, processing, unclear}
	for _, k := range []knowledge{notTaken, unknown, recorded} {
		for _, f := range findings {
			send, query := afterSend(k, f), afterQuery(k, f, 0)
			for name, fate := range map[string]fate{"send": send, "query": query} {
				if fate.move != settle && fate.know < k {
					t.Errorf("%s, knowledge %d, finding %d: forgets", name, k, f)
				}
				if (fate.status == Delivered) != (f == given) {
					t.Errorf("%s, knowledge %d, finding %d: %v", name, k, f, fate.status)
				}
				decisive := f == given || f == notJoined || f == noSuchGift
				if (fate.move == settle) != decisive {
					t.Errorf("%s, knowledge %d, finding %d: settles %v", name, k, f, fate.move == settle)
				}
			}
			if query.move != settle && query.move != lookUp {
				t.Errorf("knowledge %d, finding %d: sent again after a query", k, f)
			}
		}
		if alone := refusedAlone(k); (alone.move == settle) != (k == notTaken) {
			t.Errorf("knowledge %d: refused alone settles %v", k, alone.move == settle)
		}
		if old := tooOld(k, ClassRetry); (old.move == settle) != (k == notTaken) {
			t.Errorf("knowledge %d: too old settles %v", k, old.move == settle)
		}
	}
	for _, f := range []finding{silence, noRow, processing} {
		if afterSend(notTaken, f).know != unknown {
			t.Errorf("finding %d leaves a gift that may be given for not taken", f)
		}
	}
	if afterQuery(recorded, noRow, 99).move == settle {
		t.Error("empty answers fail a gift that ZEGO said it has")
	}
	if got := afterQuery(unknown, noRow, emptyAnswersMax); got.reason != ReasonExpired {
		t.Errorf("the last empty answer: %v", got.reason)
	}
	if lookedUpEnough(unknown, SendAgeMax-1, time.Hour).move == settle || lookedUpEnough(recorded, 0, recordedFor-1).move == settle {
		t.Error("given up too early")
	}
}

func TestReadingRows(t *testing.T) {
	row := func(class ResultClass, result int, at int64) Row { return Row{Class: class, Result: result, At: at} }
	delivered, refused := row(ResultDelivered, 0, 0), row(ResultNotJoined, 10003, 0)
	for _, tt := range []struct {
		name string
		rows []Row
		want finding
	}{
		{"none", nil, noRow},
		{"one", []Row{delivered}, given},
		{"doubled", []Row{delivered, delivered}, given},
		{"contradicting", []Row{delivered, refused}, unclear},
		{"contradicting, then doubled", []Row{refused, delivered, refused}, unclear},
		{"same class, other number", []Row{row(ResultOther, 1, 0), row(ResultOther, 2, 0)}, unclear},
		{"another sending of the id", []Row{row(ResultNotJoined, 10003, 5), row(ResultDelivered, 0, 7)}, given},
		{"the same, turned around", []Row{row(ResultDelivered, 0, 7), row(ResultNotJoined, 10003, 5)}, given},
		{"only other sendings", []Row{row(ResultDelivered, 0, 5)}, given},
		{"other sendings that contradict each other", []Row{row(ResultDelivered, 0, 5), row(ResultNotJoined, 10003, 6)}, unclear},
		{"a clash of others does not stick", []Row{row(ResultDelivered, 0, 5), row(ResultNotJoined, 10003, 6), row(ResultDelivered, 0, 7)}, given},
		{"a class nobody knows", []Row{row(ResultClass(99), 1, 0)}, unclear},
	} {
		var r reading
		for _, row := range tt.rows {
			r.take(row, 7)
		}
		if got := r.finding(&Answer{Outcome: Consumed}); got != tt.want {
			t.Errorf("%s: finding %d, want %d", tt.name, got, tt.want)
		}
		if got := r.finding(&Answer{Outcome: Unknown}); got != silence {
			t.Errorf("%s: rows count in an answer that was not understood", tt.name)
		}
	}
}

func TestHistoryKeepsBothEnds(t *testing.T) {
	var h history
	for range 100 {
		h.add(Attempt{})
	}
	var got []int
	for _, a := range h.kept {
		got = append(got, a.N)
	}
	want := []int{1, 2, 3, 4, 5, 6, 7, 8, 93, 94, 95, 96, 97, 98, 99, 100}
	if len(got) != len(want) || AttemptsMax != 16 {
		t.Fatalf("kept %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("kept %v", got)
		}
	}
}

func TestClip(t *testing.T) {
	for _, s := range []string{"", "short", strings.Repeat("x", 256), strings.Repeat("x", 5000), strings.Repeat("€", 300), "x" + strings.Repeat("😀", 300)} {
		got := clip(s)
		if len(got) > messageMax || !strings.HasPrefix(s, got) || !utf8.ValidString(got) || (len(s) > messageMax && len(got) < messageMax-3) {
			t.Errorf("%d bytes became %d", len(s), len(got))
		}
	}
}
