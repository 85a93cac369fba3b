package audit

import (
	"context"
	"fmt"
	"slices"
	"sort"
)

func (a *auditor) readGifts(ctx context.Context) error {
	next := uint64(0) // the sequence after the last one read
	info, err := a.read(ctx, streamGifts, giftSubject, func(p *partition, m Message) error {
		a.gaps.add(next, m.Seq)
		next = m.Seq + 1
		p.figures.GiftRecords++
		if p.firstGift.seq == 0 {
			p.firstGift = retained{m.Seq, m.At}
		}
		rec, err := decodeGifts(m.Data)
		if err != nil {
			return err
		}
		for i := range rec.Entries {
			if g := rec.Entries[i].Gift; g != nil {
				a.gift(p, g, m, uint32(i)) //nolint:gosec // a record has at most 1 MiB
			}
		}
		return nil
	})
	a.gifted = info
	// Whatever follows the last one read, up to what the stream has had, is gone, too.
	a.gaps.add(next, info.Last+1)
	return err
}

// gift takes one entry of GIFTS in: a gift that was decided, one that is open, or a
// repeat of either.
func (a *auditor) gift(p *partition, g *gift, m Message, index uint32) {
	here := fate{seq: m.Seq, index: index, print: printOf(a.seed, g), storedAt: seconds(m.At.UnixMilli())}
	a.checkGift(p, g, here.place)
	f := a.gifts.find(g.MsgID)
	switch {
	case f == nil:
		a.accept(p, g, here)
	case f.out == 0:
		p.repeat(f, &here)
	case f.at(here.seq, here.index):
		a.sawDecided(p, g, f, here.print)
	case a.wasReused(p, g, &here):
	case here.before(f.seq, f.index):
		// Its id was first used here, and decided as it stands further on.
		p.figures.Repeats++
		if f.print.content() != here.print.content() && since(f.storedAt, here.storedAt) < remembered {
			a.problem(Problem{Kind: OtherContent, MsgID: g.MsgID.String(), Room: g.Room, Partition: p.n, Detail: fmt.Sprintf(
				"first in %s, decided in OUTCOMES %d with the content of %s", here.place(), f.out, f.place())})
		}
	case since(here.storedAt, f.decidedAt) >= forgotten:
		p.figures.Reused++
		a.reused[g.MsgID] = append(a.reused[g.MsgID], *f)
		a.accept(p, g, here)
	default:
		p.repeat(f, &here)
	}
}

// repeat counts an entry under an id that is taken. The first content stands (P4).
func (p *partition) repeat(first, again *fate) {
	p.figures.Repeats++
	if first.print.content() != again.print.content() {
		p.figures.Conflicts++
	}
}

// wasReused takes in an entry of a gift whose id was used for another one later.
func (a *auditor) wasReused(p *partition, g *gift, here *fate) bool {
	earlier := a.reused[g.MsgID]
	for i := range slices.Backward(earlier) {
		switch f := &earlier[i]; {
		case f.at(here.seq, here.index):
			a.sawDecided(p, g, f, here.print)
			return true
		case f.before(here.seq, here.index) && since(here.storedAt, f.decidedAt) < remembered:
			p.repeat(f, here)
			return true
		}
	}
	return false
}

// accept takes in an open gift.
func (a *auditor) accept(p *partition, g *gift, f fate) {
	value := g.value()
	p.figures.Gifts.Accepted++
	p.figures.Value.Accepted += value
	f.room, _ = a.rooms.at(g.Room)
	f.value, f.partition, f.seen = uint32(value), uint16(p.n), true //nolint:gosec // bounded by value, and below partitionsMax
	a.gifts.put(g.MsgID, f)
}

// sawDecided counts a gift that was decided, and compares what was decided with it.
func (a *auditor) sawDecided(p *partition, g *gift, f *fate, seen fingerprint) {
	f.seen = true
	p.figures.Gifts.Accepted++
	p.figures.Value.Accepted += g.value()
	if f.print == seen {
		return
	}
	what := "frozen fields"
	if f.print.content() != seen.content() {
		what = "content"
	}
	a.problem(Problem{Kind: OtherContent, MsgID: g.MsgID.String(), Room: g.Room, Partition: p.n, Detail: fmt.Sprintf(
		"accepted in %s, decided in OUTCOMES %d with other %s", f.place(), f.out, what)})
}

// gaps are the sequences of a stream that are not retained, in ascending ranges. There
// are few where a head has aged out; where a partition of many was purged, at most one
// for each of its records, 16 bytes.
type gaps struct{ ranges []gap }

type gap struct{ from, to uint64 } // to is the first that is not part of it

// add notes that nothing is retained from one sequence up to, but without, another.
func (g *gaps) add(from, to uint64) {
	if from < to {
		g.ranges = append(g.ranges, gap{from, to})
	}
}

// has reports whether the sequence has left the stream, or never was.
func (g *gaps) has(seq uint64) bool {
	i := sort.Search(len(g.ranges), func(i int) bool { return g.ranges[i].to > seq })
	return i < len(g.ranges) && g.ranges[i].from <= seq
}
