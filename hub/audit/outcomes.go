package audit

import (
	"context"
	"fmt"
	"time"
)

// log is how far a partition's log was read.
type log struct {
	first, last retained
	// behind: something has left the log before first. prev is what first followed.
	behind bool
	prev   uint64

	node, incarnation string
	term, number      uint64 // of last; 0: last could not be read
	takeover          time.Time
}

// roomState is where a room stands in its partition's log.
type roomState struct {
	name   string
	record uint64 // OUTCOMES sequence of its newest entry; 0: none was read
	number uint64
	seq    uint64
	totals totals
}

func (a *auditor) readOutcomes(ctx context.Context) error {
	var err error
	a.decided, err = a.read(ctx, streamOutcomes, outcomeSubject, func(p *partition, m Message) error {
		p.figures.OutcomeRecords++
		rec, err := decodeOutcome(m.Data)
		if err != nil {
			p.log.skip(m)
			return err
		}
		if err := a.follow(ctx, p, &rec, m); err != nil {
			return err
		}
		for i := range rec.Rooms {
			a.entry(p, &rec.Rooms[i], m)
		}
		return nil
	})
	return err
}

// skip takes note of a record that cannot be read.
func (l *log) skip(m Message) {
	l.last = retained{m.Seq, m.At}
	if l.first.seq == 0 {
		l.first, l.behind = l.last, true
	}
	l.term, l.number = 0, 0
}

// follow checks that a record continues the partition's log: one writer at a time, and
// nothing taken out of the middle.
func (a *auditor) follow(ctx context.Context, p *partition, rec *outcomeRecord, m Message) error {
	l := &p.log
	fault := l.fault(rec)
	if fault != "" {
		// Unless what came before was purged while this was read.
		oldest, err := a.src.First(ctx, streamOutcomes, m.Subject)
		if err != nil {
			return err
		}
		if oldest.Seq >= m.Seq {
			a.restart(p)
			fault = ""
		}
	}
	if fault != "" {
		a.problem(Problem{Kind: BrokenChain, Partition: p.n, Detail: fmt.Sprintf("OUTCOMES %d: %s", m.Seq, fault)})
	}
	l.last = retained{m.Seq, m.At}
	if l.first.seq == 0 {
		l.first, l.prev = l.last, rec.Prev
		l.behind = rec.Prev != 0 || rec.Term != 1 || rec.Number != 1
	}
	l.node, l.incarnation, l.term, l.number = rec.Node, rec.Incarnation, rec.Term, rec.Number
	if rec.Kind == kindTakeover {
		l.takeover = m.At
	}
	return nil
}

// fault is why rec cannot be what follows.
func (l *log) fault(rec *outcomeRecord) string {
	takeover := rec.Kind == kindTakeover
	switch {
	case l.first.seq == 0:
		return ""
	case rec.Prev != l.last.seq:
		return fmt.Sprintf("says that it follows %d, it follows %d", rec.Prev, l.last.seq)
	case l.term == 0: // what is before could not be read
		return ""
	case takeover && (rec.Term != l.term+1 || rec.Number != 1):
		return fmt.Sprintf("takeover of term %d, record %d, after term %d", rec.Term, rec.Number, l.term)
	case takeover:
		return ""
	case rec.Term != l.term || rec.Number != l.number+1:
		return fmt.Sprintf("term %d, record %d, after term %d, record %d", rec.Term, rec.Number, l.term, l.number)
	case rec.Node != l.node || rec.Incarnation != l.incarnation:
		return fmt.Sprintf("written by node %s without a takeover from node %s", rec.Node, l.node)
	default:
		return ""
	}
}

// restart forgets where the partition's rooms stand: the log begins anew for the audit.
func (a *auditor) restart(p *partition) {
	p.log = log{}
	for _, r := range a.rooms.all {
		if a.home(r.name) == p.n {
			*r = roomState{name: r.name}
		}
	}
}

// entry checks a room's share of a record, and takes its decisions in.
func (a *auditor) entry(p *partition, e *roomEntry, m Message) {
	number, r := a.rooms.at(e.Room)
	problem := func(k Kind, format string, args ...any) {
		a.problem(Problem{Kind: k, Room: e.Room, Partition: p.n, Detail: fmt.Sprintf("OUTCOMES %d: ", m.Seq) + fmt.Sprintf(format, args...)})
	}
	before, known := r.totals, r.record != 0
	switch {
	case known:
		if e.Number != r.number+1 || e.Prev != r.record {
			problem(BrokenChain, "entry %d of the room after %d, entry %d after %d", e.Number, e.Prev, r.number, r.record)
		}
	case e.Number == 1 && e.Prev == 0: // the room's first
		known = true
	case !p.log.behind, e.Prev >= p.log.first.seq, e.Prev == 0, e.Number <= 1:
		problem(BrokenChain, "entry %d of the room follows %d, which is not there; the log begins at %d", e.Number, e.Prev, p.log.first.seq)
	}
	sum := e.sum()
	a.compare(e, before, sum, known, problem)
	if known {
		want := r.seq
		if sum.Delivered > 0 {
			want++
		}
		if e.Seq != want {
			problem(WrongSeq, "event counter %d after %d, with %d gifts delivered", e.Seq, r.seq, sum.Delivered)
		}
	}
	p.figures.Checked++
	// What the hub wrote is where it goes on from: one fault is one problem.
	*r = roomState{name: r.name, record: m.Seq, number: e.Number, seq: e.Seq, totals: e.Totals}
	for i := range e.Decisions {
		a.decision(p, &e.Decisions[i], m, number)
	}
}

// compare checks the totals that the hub wrote against what the decisions add up to.
// Where the totals before have left the log, they can be anything but negative.
func (a *auditor) compare(e *roomEntry, before, sum totals, known bool, problem func(Kind, string, ...any)) {
	names := [...]string{"delivered", "failed", "unresolved", "delivered_count", "failed_count", "unresolved_count"}
	was, got, adds := before.all(), e.Totals.all(), sum.all()
	for i, name := range names {
		switch {
		case known && got[i] != was[i]+adds[i]:
			problem(WrongTotals, "%s is %d after %d, and the decisions add %d", name, got[i], was[i], adds[i])
		case !known && got[i] < adds[i]:
			problem(WrongTotals, "%s is %d, and the decisions alone make %d", name, got[i], adds[i])
		}
	}
}

func (t totals) all() [6]uint64 {
	return [...]uint64{t.Delivered, t.Failed, t.Unresolved, t.DeliveredCount, t.FailedCount, t.UnresolvedCount}
}

// sum adds an entry's decisions up, in value by Value x Num.
func (e *roomEntry) sum() totals {
	var t totals
	for i := range e.Decisions {
		d := &e.Decisions[i]
		value := uint64(d.Gift.value()) //nolint:gosec // not negative
		switch d.Status {
		case delivered:
			t.Delivered++
			t.DeliveredCount += value
		case failed:
			t.Failed++
			t.FailedCount += value
		default:
			t.Unresolved++
			t.UnresolvedCount += value
		}
	}
	return t
}

// decision takes one gift's fate in.
func (a *auditor) decision(p *partition, d *decision, m Message, room uint32) {
	g := &d.Gift
	where := func() string { return fmt.Sprintf("OUTCOMES %d", m.Seq) }
	problem := func(k Kind, format string, args ...any) {
		a.problem(Problem{Kind: k, MsgID: g.MsgID.String(), Room: g.Room, Partition: p.n, Detail: fmt.Sprintf(format, args...)})
	}
	a.checkGift(p, g, where)
	if name := a.rooms.all[room].name; g.Room != name {
		problem(Misplaced, "%s: decided as a gift of room %s", where(), name)
	}
	for _, t := range d.Attempts {
		if age := time.Duration(t.StartedAt-d.StoredAt) * time.Millisecond; !t.Query && age > sendAge+clockSlack {
			problem(SentLate, "%s: sent %v after it was stored, past %v", where(), age.Round(time.Second), sendAge)
			break
		}
	}
	value := g.value()
	count(&p.figures, d.Status, value)
	f := fate{
		seq: d.GiftSeq, index: d.GiftIndex, out: m.Seq, print: printOf(a.seed, g),
		storedAt: seconds(d.StoredAt), decidedAt: seconds(m.At.UnixMilli()), value: uint32(value), //nolint:gosec // bounded by value
		room: room, partition: uint16(p.n), status: verdictOf(d.Status), //nolint:gosec // below partitionsMax
	}
	first := a.gifts.find(g.MsgID)
	switch {
	case first == nil:
		a.gifts.put(g.MsgID, f)
	case !f.at(first.seq, first.index) && since(f.storedAt, first.decidedAt) >= remembered:
		p.figures.Reused++
		a.reused[g.MsgID] = append(a.reused[g.MsgID], *first)
		*first = f
	default:
		problem(DecidedTwice, "%v in OUTCOMES %d, %s in OUTCOMES %d", first.status, first.out, d.Status, m.Seq)
	}
}

// count adds a decision to the tallies.
func count(f *Figures, status string, value int64) {
	switch verdictOf(status) {
	case isDelivered:
		f.Gifts.Delivered++
		f.Value.Delivered += value
	case isFailed:
		f.Gifts.Failed++
		f.Value.Failed += value
	default:
		f.Gifts.Unresolved++
		f.Value.Unresolved += value
	}
}
