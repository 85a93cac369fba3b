package relay

import (
	"cmp"
	"slices"

	"github.com/giftwire/giftwire/hub/owner"
)

// waitingMax is how many news of one room wait for a gap before them to be closed: 3 s
// of the busiest room (18 calls a second). With 50 gifts each of 1 KiB they are 3 MiB.
const waitingMax = 64

// line is one room's chain of records, as far as it was told here. It computes what may
// be told; whoever holds it tells. tell is called in the chain's order, each record once.
type line struct {
	known       bool   // where it begins
	record, seq uint64 // the newest that was told
	// waiting are news that do not follow the newest yet, by record, each once.
	waiting []owner.News
	// ahead is the newest record that is known to exist, and its seq.
	ahead struct{ record, seq uint64 }
}

// begin says after which record to tell.
func (l *line) begin(record, seq uint64, tell func(owner.News)) {
	l.known, l.record, l.seq = true, record, seq
	l.drain(tell)
}

// take takes news in.
func (l *line) take(n owner.News, tell func(owner.News)) {
	if !l.known || n.Prev > l.record {
		l.hold(n)
		return
	}
	if n.Record > l.record {
		l.tell(n, tell)
		l.drain(tell)
	}
}

func (l *line) tell(n owner.News, tell func(owner.News)) {
	l.record, l.seq = n.Record, n.Seq
	tell(n)
}

// hold keeps news for later. If there are too many, the newest go: they are read from
// the log when their turn comes.
func (l *line) hold(n owner.News) {
	at, there := slices.BinarySearchFunc(l.waiting, n.Record, func(w owner.News, record uint64) int {
		return cmp.Compare(w.Record, record)
	})
	if there {
		return
	}
	l.waiting = slices.Insert(l.waiting, at, n)
	if last := len(l.waiting) - 1; last >= waitingMax {
		l.expect(l.waiting[last].Record, l.waiting[last].Seq)
		l.waiting = slices.Delete(l.waiting, last, last+1)
	}
}

// drain tells what waits and follows now.
func (l *line) drain(tell func(owner.News)) {
	n := 0
	for ; n < len(l.waiting) && l.waiting[n].Prev <= l.record; n++ {
		if w := l.waiting[n]; w.Record > l.record {
			l.tell(w, tell)
		}
	}
	l.waiting = slices.Delete(l.waiting, 0, n)
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
}

// expect says that there is a record.
func (l *line) expect(record, seq uint64) {
	if record > l.ahead.record {
		l.ahead.record, l.ahead.seq = record, seq
	}
}

// gap returns up to which record the log has to be read, 0: there is no gap.
func (l *line) gap() (upTo uint64) {
	switch {
	case !l.known:
		return 0
	case len(l.waiting) > 0:
		return l.waiting[0].Prev
	case l.ahead.record > l.record:
		return l.ahead.record
	}
	return 0
}

// fill closes a gap with what the log has of it, oldest first. What it does not have is
// skipped: whole reports that there was none.
func (l *line) fill(upTo uint64, found []owner.News, tell func(owner.News)) (whole bool) {
	whole = true
	for _, n := range found {
		if n.Record > l.record {
			whole = whole && n.Prev <= l.record
			l.tell(n, tell)
		}
	}
	if upTo > l.record {
		whole = false
		n := owner.News{Record: upTo, Prev: l.record, Seq: l.seq}
		if upTo == l.ahead.record {
			n.Seq = max(l.seq, l.ahead.seq)
		}
		l.record = upTo
		if n.Seq > l.seq { // else the next news tell by their Seq
			l.tell(n, tell)
		}
	}
	l.drain(tell)
	return whole
}
