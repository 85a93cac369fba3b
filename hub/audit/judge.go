package audit

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// judge looks at what the two streams did not settle: gifts that were decided and are
// not in GIFTS, and gifts that are not decided.
func (a *auditor) judge(ctx context.Context) error {
	var doubtful []msgID // open, and stored before the log begins
	for id, f := range a.gifts.all() {
		switch {
		case f.out != 0 && !f.seen:
			if err := a.unseen(ctx, id, f); err != nil {
				return err
			}
		case f.out == 0 && a.mayBeDecided(f):
			doubtful = append(doubtful, id)
		case f.out == 0:
			a.stillOpen(id, f)
		}
	}
	for id, all := range a.reused {
		for i := range all {
			if !all[i].seen {
				if err := a.unseen(ctx, id, &all[i]); err != nil {
					return err
				}
			}
		}
	}
	if err := a.holes(ctx); err != nil {
		return err
	}
	return a.askMemory(ctx, doubtful)
}

// holes looks for records that are missing between others. Where there is one partition,
// none can be; where there are more, a purge leaves them.
func (a *auditor) holes(ctx context.Context) error {
	p := a.partitions[0]
	if len(a.partitions) > 1 || p.firstGift.seq == 0 {
		return nil
	}
	for _, g := range a.gaps.ranges {
		if g.from < p.firstGift.seq || g.to > a.gifted.Last {
			continue // the head, or the tail, of which read has told
		}
		if err := a.lookAgain(ctx, p); err != nil {
			return err
		}
		if g.from >= p.purged {
			a.problem(Problem{Kind: Lost, Detail: fmt.Sprintf("GIFTS %d to %d are missing between others", g.from, g.to-1)})
		}
	}
	return nil
}

// lookAgain asks, once, what the partition's oldest record is now: it may have been
// purged while it was read.
func (a *auditor) lookAgain(ctx context.Context, p *partition) error {
	if p.looked {
		return nil
	}
	p.looked = true
	oldest, err := a.src.First(ctx, streamGifts, fmt.Sprint(giftSubject, p.n))
	if p.purged = oldest.Seq; oldest.Seq == 0 {
		p.purged = a.gifted.Last + 1
	}
	return err
}

// unseen judges a gift that was decided and has no record in GIFTS: its record has left
// retention, or never was.
func (a *auditor) unseen(ctx context.Context, id msgID, f *fate) error {
	p := a.partitions[f.partition]
	why := a.notGone(p, f)
	if why != "" {
		if err := a.lookAgain(ctx, p); err != nil {
			return err
		}
		why = a.notGone(p, f)
	}
	if why == "" {
		p.figures.GiftGone++
		p.figures.Gifts.Accepted++
		p.figures.Value.Accepted += int64(f.value)
		return nil
	}
	a.problem(Problem{Kind: NeverAccepted, MsgID: id.String(), Room: a.rooms.all[f.room].name, Partition: p.n, Detail: fmt.Sprintf(
		"%v in OUTCOMES %d as what was accepted in %s: %s", f.status, f.out, f.place(), why)})
	return nil
}

// notGone is why a gift's record cannot have left retention; empty: it has. GIFTS loses
// its head by age and a partition's head by a purge, and nothing else: so the place has
// to be empty, before what the partition still has, and older than it.
func (a *auditor) notGone(p *partition, f *fate) string {
	switch first := p.firstGift; {
	case f.seq == 0 || f.seq > a.gifted.Last:
		return fmt.Sprintf("GIFTS never had that sequence, its last is %d", a.gifted.Last)
	case !a.gaps.has(f.seq):
		return "that record is there and has no such gift"
	case first.seq != 0 && f.seq > max(first.seq, p.purged):
		return fmt.Sprintf("that record is missing, and the partition's records are retained from %d on", first.seq)
	case f.seq < first.seq && f.storedAt > seconds(first.at.UnixMilli())+1:
		return fmt.Sprintf("stored at %s, it says, which is later than %d", clock(f.storedAt), first.seq)
	default:
		return ""
	}
}

// mayBeDecided reports whether an open gift can have been decided by a record that has
// left OUTCOMES.
func (a *auditor) mayBeDecided(f *fate) bool {
	l := &a.partitions[f.partition].log
	return l.first.seq == 0 && a.decided.Last > 0 || l.behind && f.storedAt <= seconds(l.first.at.UnixMilli())
}

// askMemory looks doubtful gifts up in the rows of decided ids, which the owner stores
// before the records of their decisions may go. Who is not there is open, unless so old
// that the rows have gone, too.
func (a *auditor) askMemory(ctx context.Context, doubtful []msgID) error {
	if len(doubtful) == 0 {
		return nil
	}
	wanted := make(map[uint64][]msgID, len(doubtful)) // by the 8 bytes that a row has
	for _, id := range doubtful {
		wanted[id.key()] = append(wanted[id.key()], id)
	}
	info, err := a.read(ctx, streamIDs, idSubject, func(p *partition, m Message) error {
		return eachID(m.Data, func(key, seq uint64) {
			if seq < p.log.first.seq || p.log.first.seq == 0 { // else it was read
				delete(wanted, key)
			}
		})
	})
	if err != nil {
		return err
	}
	for _, id := range doubtful {
		f := a.gifts.find(id)
		_, open := wanted[id.key()]
		if open && (info.MaxAge == 0 || a.age(f) < info.MaxAge) {
			a.stillOpen(id, f)
			continue
		}
		p := a.partitions[f.partition]
		p.figures.Gifts.Earlier++
		p.figures.Value.Earlier += int64(f.value)
	}
	return nil
}

// eachID reads a chunk of rows: the byte 2, then for each row 8 bytes of the id, the
// difference of its OUTCOMES sequence to the row before, as a signed varint, and a byte
// of how it ended; or the byte 1, and rows without that.
func eachID(data []byte, each func(key, seq uint64)) error {
	if len(data) == 0 || data[0] != 1 && data[0] != 2 {
		return fmt.Errorf("%w: a chunk of ids of another format", errRecord)
	}
	behind := int(data[0]) - 1 // bytes behind a row's sequence
	var seq uint64
	for data = data[1:]; len(data) > 0; {
		if len(data) < 9 {
			return fmt.Errorf("%w: a chunk of ids is cut off", errRecord)
		}
		step, n := binary.Varint(data[8:])
		if n <= 0 || len(data) < 8+n+behind {
			return fmt.Errorf("%w: a chunk of ids is cut off", errRecord)
		}
		seq += uint64(step) //nolint:gosec // wraps, and back again
		each(binary.BigEndian.Uint64(data), seq)
		data = data[8+n+behind:]
	}
	return nil
}

// stillOpen counts a pending gift, and tells of one that is open beyond any rule.
func (a *auditor) stillOpen(id msgID, f *fate) {
	p := a.partitions[f.partition]
	p.figures.Gifts.Pending++
	p.figures.Value.Pending += int64(f.value)
	l := &p.log
	seen := l.last.at.Sub(time.Unix(int64(f.storedAt), 0)) // its age at its owner's last sign of life
	now := a.age(f)
	var why string
	switch {
	case l.last.seq != 0 && seen > sendAge+slack && l.last.at.Sub(l.takeover) > slack:
		why = fmt.Sprintf("was open for %v when its owner wrote OUTCOMES %d; after %v it must be decided", seen.Round(time.Second), l.last.seq, sendAge)
	case a.gifted.MaxAge != 0 && now > a.gifted.MaxAge:
		why = fmt.Sprintf("is open for %v, past the %v that GIFTS keeps: the next owner will not see it", now.Round(time.Second), a.gifted.MaxAge)
	default:
		return
	}
	a.problem(Problem{Kind: Overdue, MsgID: id.String(), Room: a.rooms.all[f.room].name, Partition: p.n, Detail: f.place() + " " + why})
}

// age is how old a gift is now.
func (a *auditor) age(f *fate) time.Duration {
	return a.options.Now.Sub(time.Unix(int64(f.storedAt), 0))
}

func clock(s uint32) string { return time.Unix(int64(s), 0).UTC().Format(time.RFC3339) }
