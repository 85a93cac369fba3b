package audit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What has left retention is no loss, where the records that are left prove that it could
// have been there.
func TestLeftRetention(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		happens func(e *evening)
		want    Figures // only Gifts, GiftGone, Reused
	}{
		"GIFTS' head has aged out": {func(e *evening) { e.purge(streamGifts, 0, 4) }, Figures{
			Gifts: Tally{Accepted: 5, Delivered: 2, Failed: 1, Unresolved: 1, Pending: 1}, GiftGone: 3,
		}},
		"all of GIFTS has aged out": {func(e *evening) { e.decide(delivered, e.dan); e.purge(streamGifts, 0, 99) }, Figures{
			Gifts: Tally{Accepted: 5, Delivered: 3, Failed: 1, Unresolved: 1}, GiftGone: 5,
		}},
		"the log is purged, and the memory has the ids": {func(e *evening) {
			e.remember(2, e.ann)
			e.remember(3, e.bob)
			e.purge(streamOutcomes, 0, 4)
		}, Figures{Gifts: Tally{Accepted: 5, Delivered: 1, Unresolved: 1, Pending: 1, Earlier: 2}}},
		"the log is purged, one id is not in the memory": {func(e *evening) {
			e.remember(2, e.ann)
			e.remember(9, e.bob) // a row of what is still there says nothing of what is gone
			e.purge(streamOutcomes, 0, 4)
		}, Figures{Gifts: Tally{Accepted: 5, Delivered: 1, Unresolved: 1, Pending: 2, Earlier: 1}}},
		"all of the log has aged out": {func(e *evening) {
			e.remember(2, e.ann, e.bob, e.eve, e.zoe)
			e.purge(streamOutcomes, 0, 99)
		}, Figures{Gifts: Tally{Accepted: 5, Pending: 1, Earlier: 4}}},
		"the log is purged, and the memory is gone, too": {func(e *evening) {
			e.purge(streamOutcomes, 0, 4)
			e.idAge, e.giftAge = time.Hour, 72*time.Hour
			e.wait(2 * time.Hour)
		}, Figures{Gifts: Tally{Accepted: 5, Delivered: 1, Unresolved: 1, Pending: 1, Earlier: 2}}},
		"a new owner after all of the log has aged out": {func(e *evening) {
			e.decide(failed, e.dan)
			e.remember(2, e.ann, e.bob, e.eve, e.zoe, e.dan)
			e.purge(streamOutcomes, 0, 99)
			e.seqs[0] = 0
			e.takeover(0)
			e.decide(delivered, e.gave("r2", "ida", "i1"))
		}, Figures{Gifts: Tally{Accepted: 6, Delivered: 1, Earlier: 5}}},
		"open in a snapshot, and all that follows it is gone": {func(e *evening) {
			e.snapshot(e.dan)
			e.decide(failed, e.dan)
			e.mark()
			e.purge(streamOutcomes, 0, 8)
			e.purge(streamGifts, 0, 99)
		}, Figures{}},
		"an id used again after a day": {func(e *evening) {
			e.decide(delivered, e.dan)
			e.wait(25 * time.Hour)
			e.purge(streamGifts, 0, 4)
			e.decide(failed, e.give(newGift("r1", "ann", "a1"))[0])
		}, Figures{Gifts: Tally{Accepted: 6, Delivered: 3, Failed: 2, Unresolved: 1}, GiftGone: 3, Reused: 1}},
		"an id used again after a day, and open": {func(e *evening) {
			e.decide(delivered, e.dan)
			e.wait(26*time.Hour + time.Minute)
			e.give(newGift("r1", "ann", "a1"))
		}, Figures{Gifts: Tally{Accepted: 6, Delivered: 3, Failed: 1, Unresolved: 1, Pending: 1}, Reused: 1}},
		"an id used three times": {func(e *evening) {
			e.decide(delivered, e.dan)
			for range 2 {
				e.wait(25 * time.Hour)
				e.decide(failed, e.give(newGift("r1", "ann", "a1"))[0])
			}
		}, Figures{Gifts: Tally{Accepted: 7, Delivered: 3, Failed: 3, Unresolved: 1}, Reused: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEvening(t)
			tt.happens(e)
			r := e.audit()
			got := Figures{Gifts: r.Total.Gifts, GiftGone: r.Total.GiftGone, Reused: r.Total.Reused}
			if diff := cmp.Diff(tt.want, got); diff != "" || !r.Holds {
				t.Errorf("holds %v%s, figures (-want +got):\n%s", r.Holds, lines(r), diff)
			}
		})
	}
}

// What the records that are left contradict is a breach also where something has left.
func TestContradictedByWhatIsLeft(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		happens func(e *evening) stored
		want    Kind
	}{
		"said to be stored later than what follows it": {func(e *evening) stored {
			e.entry(1).Decisions[0].StoredAt += time.Hour.Milliseconds()
			e.purge(streamGifts, 0, 4)
			return e.ann
		}, NeverAccepted},
		"another partition's record stands there": {func(e *evening) stored {
			e.purge(streamGifts, 0, 4)
			e.entry(1).Decisions[0].GiftSeq = 5
			return e.ann
		}, NeverAccepted},
		"decided as what stands at 0": {func(e *evening) stored {
			e.entry(1).Decisions[0].GiftSeq = 0
			e.purge(streamGifts, 0, 4)
			return e.ann
		}, NeverAccepted},
		"the first totals that are left are too small": {func(e *evening) stored {
			e.remember(2, e.ann)
			e.purge(streamOutcomes, 0, 3)
			e.entry(2).Totals.Failed = 0
			e.entry(3).Totals.Failed = 0
			return stored{gift: &gift{Room: "r1"}}
		}, WrongTotals},
		"a room's entry before is not that old": {func(e *evening) stored {
			e.remember(2, e.ann)
			e.purge(streamOutcomes, 0, 3)
			e.entry(2).Prev = 3
			return stored{gift: &gift{Room: "r1"}}
		}, BrokenChain},
		"the second use of an id within a day": {func(e *evening) stored {
			e.wait(23 * time.Hour)
			e.decide(failed, e.give(newGift("r1", "ann", "a1"))[0])
			return e.ann
		}, DecidedTwice},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEvening(t)
			named := tt.happens(e)
			r := e.audit()
			p := found(t, r, tt.want)
			if p.Room != named.Room || named.MsgID != (msgID{}) && p.MsgID != named.MsgID.String() {
				t.Errorf("%v, want gift %v of room %s named", p, named.MsgID, named.Room)
			}
		})
	}
}

// Purges and gifts that come while the streams are read break nothing.
func TestRunningNode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		stream    string
		seq       uint64 // when it was read
		meanwhile func(e *evening)
	}{
		"GIFTS is purged":    {streamGifts, 1, func(e *evening) { e.purge(streamGifts, 0, 4) }},
		"OUTCOMES is purged": {streamOutcomes, 1, func(e *evening) { e.purge(streamOutcomes, 0, 3) }},
		"GIFTS is purged, nothing of it was decided": {streamGifts, 4, func(e *evening) {
			e.purge(streamGifts, 0, 6) // dan's is among it, as if it had been decided just now
		}},
		"a gift is accepted and decided": {streamGifts, 1, func(e *evening) {
			e.decide(delivered, e.dan, e.give(newGift("r2", "new", "n1"))[0])
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEvening(t)
			e.remember(2, e.ann)
			e.gave("r2", "ida", "i1")
			e.hook = func(stream string, seq uint64) {
				if stream == tt.stream && seq == tt.seq {
					tt.meanwhile(e)
				}
			}
			if r := e.audit(); !r.Holds {
				t.Errorf("problems:%s", lines(r))
			}
		})
	}
}

// One partition of two loses its head, the other keeps records before and after.
func TestPurgeOfOnePartition(t *testing.T) {
	t.Parallel()
	e := newTape(t)
	e.partitions = 2
	e.takeover(1)
	var names [2]string
	for _, room := range []string{"r1", "r2", "r3", "r4", "r5"} {
		names[e.home(room)] = room
	}
	for i := range 10 {
		for _, room := range names {
			e.decide(delivered, e.gave(room, "ann", string(rune('a'+i))))
		}
		e.wait(time.Minute)
	}
	e.purge(streamGifts, e.home(names[1]), 12)
	r := e.audit()
	if !r.Holds || r.Total.GiftGone == 0 || r.Total.Gifts.Accepted != 20 || r.Total.Gifts.Delivered != 20 {
		t.Fatalf("figures %+v, problems:%s", r.Total, lines(r))
	}
	// A decision of a gift in a slot of the other partition, which is still there.
	ghost := stored{newGift(names[1], "ghost", "g"), 1, 0, tapeBegin}
	e.decide(failed, ghost)
	if p := found(t, e.audit(), NeverAccepted); p.MsgID != ghost.MsgID.String() {
		t.Errorf("%v, want the ghost named", p)
	}
}

// A room's first entry is its first, where nothing has left its partition's log.
func TestRoomBeginsInTheMiddleOfAWholeLog(t *testing.T) {
	t.Parallel()
	e := newTape(t)
	e.partitions = 2
	e.takeover(1)
	name := "r1"
	for i := 0; e.home(name) != 1; i++ {
		name = string(rune('a' + i))
	}
	e.rooms[name] = &tapedRoom{number: 4, prev: 1} // 1 is partition 0's takeover
	e.decide(delivered, e.gave(name, "ann", "a1"))
	if p := found(t, e.audit(), BrokenChain); p.Room != name {
		t.Errorf("%v, want room %s named", p, name)
	}
}
