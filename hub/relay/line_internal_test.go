package relay

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/hub/owner"
)

// Whatever comes in whatever order, a line tells the chain once and in order; with its
// gaps filled, all of it.
func TestLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var chain []owner.News // of one room
		var at uint64
		for range rapid.IntRange(1, 150).Draw(t, "records") {
			next := at + rapid.Uint64Range(1, 3).Draw(t, "step")
			chain = append(chain, owner.News{Record: next, Prev: at, Seq: uint64(len(chain) + 1)})
			at = next
		}
		begin := rapid.IntRange(0, len(chain)-1).Draw(t, "begin")
		var l line
		var told []uint64
		tell := func(n owner.News) {
			told = append(told, n.Record)
			if n.Record != l.record || n.Seq != l.seq {
				t.Fatalf("told %+v at record %d, seq %d", n, l.record, l.seq)
			}
		}
		start := func() {
			if !l.known {
				l.begin(chain[begin].Record, chain[begin].Seq, tell)
			}
		}
		repair := func() {
			upTo := l.gap()
			if upTo == 0 {
				return
			}
			var found []owner.News
			for _, n := range chain {
				if n.Record > l.record && n.Record <= upTo {
					found = append(found, n)
				}
			}
			if !l.fill(upTo, found, tell) {
				t.Fatalf("a gap up to %d is not whole", upTo)
			}
		}
		for range rapid.IntRange(0, 300).Draw(t, "events") {
			n := chain[rapid.IntRange(0, len(chain)-1).Draw(t, "which")]
			switch rapid.IntRange(0, 9).Draw(t, "event") {
			case 0:
				start()
			case 1:
				repair()
			case 2:
				l.expect(n.Record, n.Seq)
			default:
				l.take(n, tell)
			}
			if len(l.waiting) > waitingMax {
				t.Fatalf("%d news wait", len(l.waiting))
			}
		}
		start()
		l.expect(at, uint64(len(chain)))
		for i := 0; l.gap() != 0; i++ {
			if i > len(chain) {
				t.Fatal("the gaps do not end")
			}
			repair()
		}
		var want []uint64
		for _, n := range chain[begin+1:] {
			want = append(want, n.Record)
		}
		if !slices.Equal(told, want) {
			t.Fatalf("told %v\nwant %v", told, want)
		}
	})
}

// What waits for a gap is bounded; what does not fit is read from the log.
func TestLineHoldsOnlySoMuch(t *testing.T) {
	var l line
	told := 0
	tell := func(owner.News) { told++ }
	for i := range uint64(10 * waitingMax) {
		l.take(owner.News{Record: i + 1, Prev: i, Seq: i + 1}, tell)
	}
	if told != 0 || len(l.waiting) != waitingMax {
		t.Errorf("%d told, %d wait", told, len(l.waiting))
	}
	l.begin(0, 0, tell)
	if told != waitingMax || l.gap() != 10*waitingMax {
		t.Errorf("%d told, then a gap up to %d", told, l.gap())
	}
}

// One token wakes one mender, who wakes the next one while there is work.
func TestQueueWakesTheNextMender(t *testing.T) {
	q := newQueue()
	q.put(&followed{}, 0)
	q.put(&followed{}, 0)
	<-q.wake
	if r := q.take(t.Context()); r == nil {
		t.Fatal("nothing taken")
	}
	select {
	case <-q.wake:
	default:
		t.Error("a room waits, and nobody is woken for it")
	}
}
