package load

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// bookTest is a book with one gift of ann's, which is sent on connection 1.
type bookTest struct {
	*book
	msg room.MsgID
}

var ann = who{"r", "ann"}

func newBookTest() *bookTest {
	b := &bookTest{newBook("run", 0, new(blame)), room.NewMsgID(1, "r", "ann", "run-0-0")}
	b.open(ann, time.Second)
	b.sending(0, 1)
	return b
}

func (b *bookTest) accepted() { b.accept(ann, wire.Accepted{ID: "run-0-0", MsgID: b.msg}) }

func (b *bookTest) rejected() verdict {
	v, _ := b.reject(ann, wire.Rejected{ID: "run-0-0", Code: wire.CodeBusy})
	return v
}

func (b *bookTest) decided(status string, conn uint32) verdict {
	v, _ := b.result(ann, wire.Result{ID: "run-0-0", MsgID: b.msg, Status: status, Reason: room.ReasonOK}, conn)
	return v
}

func (b *bookTest) found(t *testing.T) map[Kind]int64 {
	t.Helper()
	err := b.close(10, func(string) bool { return false }, func([]Row) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return b.blame.take().Counts
}

// How often a result may come follows from what was asked.
func TestBookResults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		do   func(*bookTest)
		want map[Kind]int64
	}{
		{"once", func(b *bookTest) { b.accepted(); b.decided("delivered", 1) }, nil},
		{"twice", func(b *bookTest) { b.accepted(); b.decided("delivered", 1); b.decided("delivered", 1) }, map[Kind]int64{KindRepeatedResult: 1}},
		{"on two connections", func(b *bookTest) { b.accepted(); b.decided("delivered", 1); b.decided("delivered", 2) }, nil},
		{"while away, and asked again", func(b *bookTest) {
			b.accepted()
			b.sending(0, 2)
			b.decided("delivered", 2)
			b.decided("delivered", 2)
		}, nil},
		{"once more than asked", func(b *bookTest) {
			b.accepted()
			b.sending(0, 2)
			for range 3 {
				b.decided("delivered", 2)
			}
		}, map[Kind]int64{KindRepeatedResult: 1}},
		{"asked twice on one connection", func(b *bookTest) {
			b.accepted()
			b.sending(0, 1)
			b.decided("delivered", 1)
			b.decided("delivered", 1)
		}, nil},
		{"another one", func(b *bookTest) { b.accepted(); b.decided("delivered", 1); b.decided("failed", 2) }, map[Kind]int64{KindOtherResult: 1}},
		{"accepted lost with a connection", func(b *bookTest) { b.decided("delivered", 2) }, nil},
		{"accepted missing", func(b *bookTest) { b.decided("delivered", 1) }, map[Kind]int64{KindNotAccepted: 1}},
		{"rejected", func(b *bookTest) { b.rejected() }, nil},
		{"rejected and given", func(b *bookTest) { b.rejected(); b.decided("delivered", 1) }, map[Kind]int64{KindRejectedGiven: 1}},
		{"a repeat was rejected", func(b *bookTest) { b.sending(0, 2); b.rejected(); b.accepted(); b.decided("delivered", 2) }, nil},
		{"never decided", func(b *bookTest) { b.accepted() }, map[Kind]int64{KindNoResult: 1}},
		{"never answered", func(*bookTest) {}, map[Kind]int64{KindUnanswered: 1}},
		{"of somebody else", func(b *bookTest) {
			b.accepted()
			b.decided("delivered", 1)
			b.result(who{"r", "bob"}, wire.Result{ID: "run-0-0", MsgID: b.msg, Status: "delivered"}, 1)
			b.accept(ann, wire.Accepted{ID: "run-0-1"})
			b.accept(ann, wire.Accepted{ID: "run-1-0"})
		}, map[Kind]int64{KindUnknownAnswer: 3}},
		{"shown twice, and failed", func(b *bookTest) {
			b.accepted()
			b.decided("failed", 1)
			b.show("r", 0, wire.Gift{UserID: "ann", MsgID: b.msg})
			b.show("r", 0, wire.Gift{UserID: "ann", MsgID: b.msg})
		}, map[Kind]int64{KindShownTwice: 1, KindShownOther: 1}},
	} {
		b := newBookTest()
		tt.do(b)
		if diff := cmp.Diff(tt.want, b.found(t)); diff != "" {
			t.Errorf("%s (-want +found):\n%s", tt.name, diff)
		}
	}
}

// A rejected of a repeat settles nothing: the first sending may have been taken.
func TestBookRejectedRepeat(t *testing.T) {
	t.Parallel()
	b := newBookTest()
	b.sending(0, 1)
	if v := b.rejected(); v.final || b.undecided() != 1 {
		t.Errorf("%+v, %d undecided: a repeat's rejected is final", v, b.undecided())
	}
	b = newBookTest()
	if v := b.rejected(); !v.final || !v.news || b.undecided() != 0 {
		t.Errorf("%+v, %d undecided: a rejected is not final", v, b.undecided())
	}
}

// A gift that was accepted and shown to nobody is missed only where a viewer heard all.
func TestBookShown(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{true, false} {
		b := newBookTest()
		b.accepted()
		b.decided("delivered", 1)
		if err := b.close(1, func(string) bool { return whole }, func([]Row) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if found := b.blame.take(); (found.Counts[KindNotShown] == 1) != whole {
			t.Errorf("whole: %v, found %v", whole, found.Counts)
		}
	}
}

// Rows keep what they say while others follow.
func TestBookRows(t *testing.T) {
	t.Parallel()
	b := newBookTest()
	for range 24 {
		b.sending(b.open(who{"r", "bob"}, 0), 1)
	}
	ids := make(map[string]bool)
	var lists [][]Row
	err := b.close(10, func(string) bool { return false }, func(rows []Row) error {
		lists = append(lists, rows)
		return nil
	})
	for _, rows := range lists {
		for _, r := range rows {
			ids[r.ID] = true
		}
	}
	if err != nil || len(ids) != 25 || len(lists) != 3 {
		t.Errorf("%v: %d lists, ids %v", err, len(lists), maps.Keys(ids))
	}
}

// Of each kind only the first are named, and all are counted.
func TestMismatchesAreBounded(t *testing.T) {
	t.Parallel()
	var a, b Mismatches
	for range 3 * listedMax {
		a.add(Mismatch{Kind: KindSilentGap})
		b.add(Mismatch{Kind: KindSilentGap})
	}
	b.add(Mismatch{Kind: KindCounters})
	a.merge(&b)
	a.sort()
	if a.Found() != 6*listedMax+1 || len(a.List) != listedMax+1 || a.List[0].Kind != KindCounters {
		t.Errorf("%d found, %d listed", a.Found(), len(a.List))
	}
}
