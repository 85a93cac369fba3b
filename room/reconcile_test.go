package room_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

// reconciliation is one call of gifts and an answer of any shape to it.
type reconciliation struct {
	w     *roomtest.World
	gifts []*room.Gift
}

func newReconciliation(rt *rapid.T) *reconciliation {
	r := &reconciliation{w: roomtest.NewWorld(room.CoreConfig{Room: "r1", OwnedSince: -time.Hour}, wall0)}
	for i := range rapid.IntRange(1, 8).Draw(rt, "gifts") {
		g := roomtest.Gift("r1", "G", "ann", fmt.Sprint(i))
		r.gifts = append(r.gifts, g)
		r.w.Give(g)
	}
	r.w.Advance(time.Second)
	return r
}

// rows draws rows: of gifts of the call, doubled or missing or with another time, and
// of ids that nobody knows.
func (r *reconciliation) rows(rt *rapid.T) (rows []room.Row) {
	for range rapid.IntRange(0, 2*len(r.gifts)).Draw(rt, "rows") {
		id := room.NewMsgID(1, "r1", "ann", "never given")
		if n := rapid.IntRange(0, len(r.gifts)).Draw(rt, "of"); n < len(r.gifts) {
			id = r.gifts[n].MsgID
		}
		row := roomtest.Row(id, room.ResultClass(rapid.IntRange(0, int(room.ResultPending)).Draw(rt, "class")))
		row.At = int64(rapid.IntRange(0, 2).Draw(rt, "at")) // a gift's is 1; 0: not given
		rows = append(rows, row)
	}
	return rows
}

// meaning is what rows say of a gift, worked out in the plainest way: every row that is
// about it, and whether they are of one mind.
func meaning(g *room.Gift, rows []room.Row) (class room.ResultClass, agreed bool) {
	var mine []room.Row
	for _, at := range []func(int64) bool{
		func(at int64) bool { return at == 0 || at == g.At }, func(int64) bool { return true },
	} {
		for _, row := range rows {
			if row.MsgID == g.MsgID && at(row.At) {
				mine = append(mine, row)
			}
		}
		if len(mine) > 0 {
			break
		}
	}
	if len(mine) == 0 {
		return room.ResultPending, false
	}
	same := func(o room.Row) bool { return o.Class == mine[0].Class && o.Result == mine[0].Result }
	return mine[0].Class, !slices.ContainsFunc(mine, func(o room.Row) bool { return !same(o) })
}

// TestReconciliation: after an answer of any shape every gift of the call is decided, as
// its rows say, or kept: sent again under its id, or asked about. None is decided twice,
// and rows of others change nothing.
func TestReconciliation(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newReconciliation(rt)
		if len(r.w.Flying) != 1 || len(r.w.Flying[0].Gifts.Gifts) != len(r.gifts) {
			rt.Fatalf("calls in flight: %d", len(r.w.Flying))
		}
		rows := r.rows(rt)
		r.w.End(r.w.Flying[0].ID, room.Answer{Outcome: room.Consumed, Rows: rows})

		decided := r.decided(rt)
		for _, g := range r.gifts {
			want, final := expected(meaning(g, rows))
			if got, ok := decided[g.MsgID]; ok != final || got != want {
				rt.Fatalf("gift %s with rows %+v: decided %v %v, want %v %v", g.ClientID, rows, ok, got, final, want)
			}
		}
		again := r.again()
		for _, g := range r.gifts {
			_, ended := decided[g.MsgID]
			if ended == again[g.MsgID] {
				rt.Fatalf("gift %s: decided %v, sent or asked about again %v", g.ClientID, ended, again[g.MsgID])
			}
		}
		if r.w.Err != nil {
			rt.Fatal(r.w.Err)
		}
	})
}

// expected is the end that a result has, if it has one.
func expected(class room.ResultClass, agreed bool) (s room.Status, final bool) {
	switch {
	case !agreed:
		return room.Pending, false
	case class == room.ResultDelivered:
		return room.Delivered, true
	case class == room.ResultNotJoined, class == room.ResultNoSuchGift:
		return room.Failed, true
	default:
		return room.Pending, false
	}
}

func (r *reconciliation) decided(rt *rapid.T) map[room.MsgID]room.Status {
	ends := make(map[room.MsgID]room.Status)
	for _, d := range r.w.Decisions {
		if _, twice := ends[d.Gift.MsgID]; twice {
			rt.Fatalf("gift %s is decided twice", d.Gift.ClientID)
		}
		ends[d.Gift.MsgID] = d.Status
	}
	return ends
}

// again lets time pass and returns what is in a send or a query then.
func (r *reconciliation) again() map[room.MsgID]bool {
	found := make(map[room.MsgID]bool)
	r.w.Platform = func(_ *roomtest.World, c room.Call) (room.Answer, time.Duration, bool) {
		for _, id := range roomtest.IDs(c) {
			found[id] = true
		}
		return roomtest.Deliver(c), time.Millisecond, true
	}
	r.w.Advance(10 * time.Second)
	return found
}

// TestRowsOfOtherCalls: a row about a gift that was in another call says nothing, neither
// of that gift nor of the one that has its place in this call.
func TestRowsOfOtherCalls(t *testing.T) {
	w := roomtest.NewWorld(room.CoreConfig{Room: "r1", OwnedSince: -time.Hour}, wall0)
	first, second := roomtest.Gift("r1", "G", "ann", "1"), roomtest.Gift("r1", "H", "bob", "2")
	w.Give(first)
	w.Advance(100 * time.Millisecond)
	w.End(w.Flying[0].ID, roomtest.Refuse(room.ClassConfig, 100000004)) // the first one's game pauses
	w.Give(second)
	w.Advance(100 * time.Millisecond)
	if len(w.Flying) != 1 || w.Flying[0].Gifts.Gifts[0] != second {
		t.Fatalf("%d calls in flight, want the second gift's", len(w.Flying))
	}
	w.End(w.Flying[0].ID, room.Answer{
		Outcome: room.Consumed, Rows: []room.Row{roomtest.Row(first.MsgID, room.ResultDelivered)},
	})
	if len(w.Decisions) != 0 || w.Core.Open() != 2 || w.Err != nil {
		t.Errorf("%+v are decided, %v", w.Decisions, w.Err)
	}
}
