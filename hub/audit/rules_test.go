package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// evening is a tape with one of everything: ann's gift is delivered, bob's failed, eve's
// unresolved, dan's pending, ann's repeated with other content; two rooms.
type evening struct {
	*tape
	ann, bob, eve, dan, zoe stored
}

func newEvening(tb testing.TB) *evening {
	tb.Helper()
	e := &evening{tape: newTape(tb)}
	e.ann = e.gave("r1", "ann", "a1")
	e.wait(time.Second)
	some := e.give(newGift("r1", "bob", "b1"), newGift("r1", "eve", "e1"))
	e.bob, e.eve = some[0], some[1]
	e.decide(delivered, e.ann)
	again := newGift("r1", "ann", "a1")
	again.Count, again.Num = 30, 3
	e.give(again)
	e.wait(time.Second)
	e.decide(failed, e.bob)
	e.decide(unresolved, e.eve)
	e.wait(2 * time.Second)
	e.zoe = e.gave("r2", "zoe", "z1")
	e.decide(delivered, e.zoe)
	e.dan = e.gave("r2", "dan", "d1")
	e.wait(time.Minute)
	e.mark()
	return e
}

// entry is the only room of the n-th record of OUTCOMES, the takeover being 0.
func (e *evening) entry(n int) *roomEntry { return &e.outcomes[n].rec.Rooms[0] }

func TestWholeEvening(t *testing.T) {
	t.Parallel()
	r := newEvening(t).audit()
	want := Figures{
		Gifts:   Tally{Accepted: 5, Delivered: 2, Failed: 1, Unresolved: 1, Pending: 1},
		Value:   Tally{Accepted: 100, Delivered: 40, Failed: 20, Unresolved: 20, Pending: 20},
		Repeats: 1, Conflicts: 1, Checked: 4, GiftRecords: 5, OutcomeRecords: 6,
	}
	if diff := cmp.Diff(want, r.Total); diff != "" || !r.Holds {
		t.Errorf("holds %v%s, figures (-want +got):\n%s", r.Holds, lines(r), diff)
	}
}

// Each rule, broken alone, turns the audit red and names who it is about.
func TestEachRule(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		brk  func(e *evening) (named stored)
		want []Kind // the first is the one that names it
	}{
		"decided twice, the same": {func(e *evening) stored {
			e.decide(delivered, e.ann)
			return e.ann
		}, []Kind{DecidedTwice, Unbalanced}},
		"decided twice, in one record": {func(e *evening) stored {
			e.decide(failed, e.dan, e.dan)
			return e.dan
		}, []Kind{DecidedTwice, Unbalanced}},
		"decided twice, by its repeat": {func(e *evening) stored {
			again := e.ann
			again.seq, again.index, again.at = 3, 0, e.ann.at.Add(time.Second)
			e.decide(failed, again)
			return e.ann
		}, []Kind{DecidedTwice, Unbalanced}},
		"decided twice, the same place said to be stored a day later": {func(e *evening) stored {
			e.decide(failed, e.dan)
			e.wait(25 * time.Hour)
			again := e.ann
			again.at = e.now
			e.decide(delivered, again)
			return e.ann
		}, []Kind{DecidedTwice, Unbalanced}},
		"decided and never accepted, in a record of others": {func(e *evening) stored {
			ghost := stored{newGift("r1", "ghost", "g1"), e.bob.seq, 7, e.bob.at}
			e.decide(failed, ghost)
			return ghost
		}, []Kind{NeverAccepted, Unbalanced}},
		"decided and never accepted, where GIFTS never was": {func(e *evening) stored {
			ghost := stored{newGift("r1", "ghost", "g1"), 99, 0, e.now}
			e.decide(failed, ghost)
			return ghost
		}, []Kind{NeverAccepted, Unbalanced}},
		"its record is taken out of the middle": {func(e *evening) stored {
			e.gifts[3].gone = true
			return e.zoe
		}, []Kind{NeverAccepted, Unbalanced, Lost}},
		"an open gift taken out of the middle": {func(e *evening) stored {
			e.gave("r2", "ida", "i1")
			e.gifts[4].gone = true
			return stored{gift: &gift{}}
		}, []Kind{Lost}},
		"the newest of GIFTS is missing": {func(e *evening) stored {
			e.gifts[4].gone = true
			return stored{gift: &gift{}}
		}, []Kind{Lost}},
		"the newest of OUTCOMES is missing": {func(e *evening) stored {
			e.outcomes[5].gone = true
			return stored{gift: &gift{}}
		}, []Kind{Lost}},
		"other content": {func(e *evening) stored {
			g := *e.zoe.gift
			g.Asked.Receiver = "anchor2"
			e.gifts[3].rec.Entries[0].Gift = &g
			return e.zoe
		}, []Kind{OtherContent}},
		"content that was worth more": {func(e *evening) stored {
			g := *e.zoe.gift
			g.Count, g.Num = 40, 4
			e.gifts[3].rec.Entries[0].Gift = &g
			return e.zoe
		}, []Kind{OtherContent, Unbalanced}},
		"another receiver, though asked for the same": {func(e *evening) stored {
			e.entry(4).Decisions[0].Gift.Receiver = "anchor2"
			return e.zoe
		}, []Kind{OtherContent}},
		"the content of a repeat": {func(e *evening) stored {
			d := &e.entry(1).Decisions[0]
			again := e.gifts[2].rec.Entries[0].Gift
			d.Gift, d.GiftSeq = *again, 3
			for _, n := range []int{1, 2, 3} {
				e.entry(n).Totals.DeliveredCount += 10
			}
			return e.ann
		}, []Kind{OtherContent}},
		"open for 24 h, with an owner": {func(e *evening) stored {
			e.wait(24 * time.Hour)
			e.mark()
			return e.dan
		}, []Kind{Overdue}},
		"open for longer than GIFTS keeps it": {func(e *evening) stored {
			e.wait(26 * time.Hour)
			return e.dan
		}, []Kind{Overdue}},
		"gone from GIFTS undecided": {func(e *evening) stored {
			e.snapshot(e.dan)
			e.purge(streamGifts, 0, 99)
			return stored{gift: &gift{}}
		}, []Kind{Lost}},
		"a snapshot that has read further than GIFTS goes": {func(e *evening) stored {
			e.snapshot()
			e.head.Read = 6
			return stored{gift: &gift{}}
		}, []Kind{Lost}},
		"a snapshot that has seen more of OUTCOMES": {func(e *evening) stored {
			e.snapshot()
			e.head.Last = 7
			return stored{gift: &gift{}}
		}, []Kind{Lost}},
		"sent after 23 h": {func(e *evening) stored {
			e.entry(4).Decisions[0].Attempts[0].StartedAt += (23*time.Hour + 2*time.Minute).Milliseconds()
			return e.zoe
		}, []Kind{SentLate}},
		"count that is not value x num": {func(e *evening) stored {
			g := *e.dan.gift
			g.Num = 3
			e.gifts[4].rec.Entries[0].Gift = &g
			return e.dan
		}, []Kind{WrongValue}},
		"a count beyond all": {func(e *evening) stored {
			g := *e.dan.gift
			g.Count, g.Value, g.Num = 1<<40, 1<<20, 1<<20
			e.gifts[4].rec.Entries[0].Gift = &g
			return e.dan
		}, []Kind{WrongValue}},
		"totals in number": {func(e *evening) stored {
			e.entry(4).Totals.Delivered++
			return stored{gift: &gift{Room: "r2"}}
		}, []Kind{WrongTotals}},
		"totals in value": {func(e *evening) stored {
			for _, n := range []int{2, 3} {
				e.entry(n).Totals.FailedCount--
			}
			return stored{gift: &gift{Room: "r1"}}
		}, []Kind{WrongTotals}},
		"an event counter that stands still": {func(e *evening) stored {
			e.entry(4).Seq = 0
			return stored{gift: &gift{Room: "r2"}}
		}, []Kind{WrongSeq}},
		"a record of OUTCOMES taken out": {func(e *evening) stored {
			e.outcomes[5].gone = true
			e.mark()
			return stored{gift: &gift{}}
		}, []Kind{BrokenChain}},
		"a room's entry that follows another": {func(e *evening) stored {
			e.entry(3).Prev--
			return stored{gift: &gift{Room: "r1"}}
		}, []Kind{BrokenChain}},
		"a room that begins in the middle": {func(e *evening) stored {
			e.entry(4).Number = 2
			return stored{gift: &gift{Room: "r2"}}
		}, []Kind{BrokenChain}},
		"a writer without a takeover": {func(e *evening) stored {
			e.outcomes[5].rec.Incarnation = "other"
			return stored{gift: &gift{}}
		}, []Kind{BrokenChain}},
		"a takeover of a term that was": {func(e *evening) stored {
			e.takeover(0)
			e.outcomes[6].rec.Term = 1
			return stored{gift: &gift{}}
		}, []Kind{BrokenChain}},
		"a record that says to follow another": {func(e *evening) stored {
			e.outcomes[5].rec.Prev--
			return stored{gift: &gift{}}
		}, []Kind{BrokenChain}},
		"a number that is left out": {func(e *evening) stored {
			e.outcomes[5].rec.Number++
			return stored{gift: &gift{}}
		}, []Kind{BrokenChain}},
		"decided as another room's": {func(e *evening) stored {
			e.entry(4).Decisions[0].Gift.Room = "r1"
			return stored{gift: &gift{MsgID: e.zoe.MsgID, Room: "r1"}}
		}, []Kind{Misplaced, OtherContent}},
		"a subject of no partition": {func(e *evening) stored {
			e.gifts[4].subject = "gw.gifts.00"
			return stored{gift: &gift{}}
		}, []Kind{Unreadable}},
		"garbage in GIFTS": {func(e *evening) stored {
			e.gifts[4].raw = []byte("hello")
			return stored{gift: &gift{}}
		}, []Kind{Unreadable}},
		"garbage in OUTCOMES": {func(e *evening) stored {
			e.outcomes[5].raw = []byte(`{"v":1,"kind":"joke"}`)
			return stored{gift: &gift{}}
		}, []Kind{Unreadable}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEvening(t)
			named := tt.brk(e)
			r := e.audit()
			want := slices.Sorted(slices.Values(tt.want))
			if diff := cmp.Diff(want, kinds(r)); diff != "" || r.Holds {
				t.Fatalf("holds %v, kinds (-want +got):\n%s%s", r.Holds, diff, lines(r))
			}
			if slices.Contains(tt.want, NeverAccepted) && r.Counts[Unbalanced] != 2 {
				t.Errorf("unbalanced%s, want in number and in value", lines(r))
			}
			p := found(t, r, tt.want[0])
			if id := named.MsgID; id != (msgID{}) && (p.MsgID != id.String() || p.Room != named.Room) || id == (msgID{}) && p.MsgID != "" || p.Room != named.Room {
				t.Errorf("%v, want gift %v of room %s named", p, named.MsgID, named.Room)
			}
		})
	}
}

// A room in a partition that is not its own, whose owner decides it as if it were.
func TestMisplacedRoom(t *testing.T) {
	t.Parallel()
	e := newTape(t)
	e.partitions = 2
	e.takeover(1)
	room, home := "r1", e.home("r1")
	g := e.gave(room, "ann", "a1")
	e.gifts[0].subject = giftSubject + string('0'+byte(1-home))
	r := e.audit()
	if p := found(t, r, Misplaced); p.MsgID != g.MsgID.String() || p.Partition != 1-home {
		t.Errorf("%v, want gift %v in partition %d", p, g.MsgID, 1-home)
	}
}

// What is open is no breach as long as a rule can still decide it.
func TestOpenWithinTheRules(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(e *evening){
		"23 h, with an owner":           func(e *evening) { e.wait(23 * time.Hour); e.mark() },
		"25 h, without one":             func(e *evening) { e.wait(25 * time.Hour) },
		"25 h, a takeover a minute ago": func(e *evening) { e.wait(25 * time.Hour); e.takeover(0); e.wait(time.Minute); e.mark() },
		"asked for after 23 h": func(e *evening) {
			a := &e.entry(4).Decisions[0].Attempts[0]
			a.Query, a.StartedAt = true, a.StartedAt+(24*time.Hour).Milliseconds()
		},
		"open in the snapshot and in GIFTS": func(e *evening) { e.snapshot(e.dan) },
		"decided since the snapshot": func(e *evening) {
			e.snapshot(e.dan)
			e.decide(failed, e.dan)
			e.purge(streamGifts, 0, 99)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEvening(t)
			happens(e)
			if r := e.audit(); !r.Holds {
				t.Errorf("problems:%s", lines(r))
			}
		})
	}
}
