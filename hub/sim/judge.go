package sim

import (
	"fmt"
	"time"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// judge knows what was promised to whom, and compares.
type judge struct {
	w        *World
	accepted map[room.MsgID]*claim
	ends     map[room.MsgID]room.Decision // first outcome that anyone was told
	chain    map[string]link              // by room: the last news
	audited  int                          // records of OUTCOMES that were read
	open     map[room.MsgID]*entry        // journaled: by MsgID
	logged   map[room.MsgID]*journal.Decided
	totals   map[string]journal.Totals
	entries  map[string]uint64 // by room: number of the last entry
	seqs     map[string]uint64
	last     journal.OutcomeRecord
	read     int // records of GIFTS that were read
}

// claim is what a viewer was answered about an id.
type claim struct {
	content room.Content
	wish    *wish
	refused bool // only ever rejected
	taken   bool // accepted
	silence bool // answered unknown
}

type link struct{ record, seq uint64 }

// entry is a gift as first journaled.
type entry struct {
	gift     *room.Gift
	storedAt int64
	at       journal.Position
}

func newJudge(w *World) *judge {
	return &judge{
		w: w, accepted: make(map[room.MsgID]*claim), ends: make(map[room.MsgID]room.Decision), chain: make(map[string]link),
		open: make(map[room.MsgID]*entry), logged: make(map[room.MsgID]*journal.Decided),
		totals: make(map[string]journal.Totals), entries: make(map[string]uint64), seqs: make(map[string]uint64),
	}
}

// fault notes the first promise that was broken.
func (w *World) fault(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("at %v: %s", w.loop.now(), fmt.Sprintf(format, args...))
		w.loop.note("FAULT %v", w.err)
	}
}

// answered takes in what an intake has answered: promised is what is said, heard or not.
func (j *judge) answered(s *wish, g intake.Gift, v intake.Verdict) {
	id := room.NewMsgID(appID, g.Room, g.User.ID, g.ID)
	j.w.loop.note("%s %s: %v %v %v repeat %v", g.User.ID, g.ID, v.Outcome, v.Code, v.MsgID, v.Repeat)
	s.answers++
	c := j.accepted[id]
	if c == nil {
		c = &claim{content: g.Content(), wish: s, refused: true}
		j.accepted[id] = c
	}
	if v.Outcome != intake.Rejected && v.MsgID != id && v.MsgID != (room.MsgID{}) {
		j.w.fault("P4: %s is answered under the id %s", g.ID, v.MsgID)
	}
	switch v.Outcome {
	case intake.Accepted:
		c.taken, c.refused = true, false
		if v.Decision != nil {
			j.told(*v.Decision)
		}
		j.durable(id)
	case intake.Unknown:
		c.silence, c.refused = true, false
	default:
	}
}

// durable asks whether an accepted gift is stored, as P1 has it: now, not some time.
func (j *judge) durable(id room.MsgID) {
	j.readGifts()
	if j.open[id] == nil {
		j.w.fault("P1: %s is answered accepted and is not durable", id)
	}
}

// readGifts reads what is durable in GIFTS on.
func (j *judge) readGifts() {
	for ; j.read < j.w.server.gifts.synced; j.read++ {
		rec := j.w.giftRecord(uint64(j.read + 1))
		for i, e := range rec.Entries {
			if e.Gift == nil {
				continue
			}
			if first := j.open[e.Gift.MsgID]; first == nil {
				j.open[e.Gift.MsgID] = &entry{e.Gift, rec.StoredAt, journal.Position{Seq: rec.Seq, Index: i}}
			}
		}
	}
}

// place is where a gift stands in the journal, as one number.
func (j *judge) place(id room.MsgID) int {
	j.readGifts()
	if first := j.open[id]; first != nil {
		return int(first.at.Seq)<<20 + first.at.Index
	}
	return 0
}

// sent judges a gift that has arrived at ZEGO.
func (j *judge) sent(g *room.Gift) {
	j.readGifts()
	first := j.open[g.MsgID]
	switch {
	case first == nil:
		j.w.fault("P1: %s is sent and is not journaled", g.MsgID)
	case *first.gift != *g:
		j.w.fault("P4: %s is sent with other content than was journaled first", g.MsgID)
	case time.Duration(time.Now().UnixMilli()-first.storedAt)*time.Millisecond > room.SendAgeMax+callTimeout:
		j.w.fault("P3: %s is sent when it is over 23 h old", g.MsgID)
	}
}

// news judges a room's share of a record, as the audience is told it.
func (j *judge) news(n owner.News) {
	if last := j.chain[n.Room]; n.Prev != last.record && n.Record > last.record {
		// A record whose owner died before it told it: a node repairs it from the log.
		j.w.tally.Gaps++
	}
	if n.Record > j.chain[n.Room].record {
		j.chain[n.Room] = link{n.Record, n.Seq}
	}
	if n.Record > uint64(j.w.server.outcomes.synced) {
		j.w.fault("P1: record %d is told and is not durable", n.Record)
	}
	for _, d := range n.Decisions {
		j.told(d)
	}
	j.audit()
}

// told judges an outcome that a viewer is told (P2).
func (j *judge) told(d room.Decision) {
	first, known := j.ends[d.Gift.MsgID]
	if !known {
		j.ends[d.Gift.MsgID] = d
		return
	}
	// Of a decision whose record was purged the time is not known any more.
	if first.Status != d.Status || first.Reason != d.Reason || d.At != 0 && first.At != d.At {
		j.w.fault("P2: %s was told %v %v, and now %v %v", d.Gift.ClientID, first.Status, first.Reason, d.Status, d.Reason)
	}
}

// audit reads the durable log on, and checks it as giftwire audit does: each gift
// decided once, each room's chain and totals.
func (j *judge) audit() {
	j.readGifts()
	for ; j.audited < j.w.server.outcomes.synced; j.audited++ {
		rec, _ := j.w.outcome(uint64(j.audited + 1))
		switch {
		case rec.Kind == journal.KindTakeover && (rec.Term != j.last.Term+1 || rec.Number != 1),
			rec.Kind != journal.KindTakeover && (rec.Term != j.last.Term || rec.Number != j.last.Number+1 || rec.Incarnation != j.last.Incarnation):
			j.w.fault("P7: record %d of term %d, number %d, follows term %d, number %d", rec.Seq, rec.Term, rec.Number, j.last.Term, j.last.Number)
		}
		j.last = rec
		for i := range rec.Rooms {
			j.auditRoom(&rec, &rec.Rooms[i])
		}
	}
}

func (j *judge) auditRoom(rec *journal.OutcomeRecord, d *journal.RoomDecisions) {
	delivered := uint64(0)
	t := j.totals[d.Room]
	for i := range d.Decisions {
		one := &d.Decisions[i]
		j.auditGift(rec, one)
		count := uint64(one.Gift.Count)
		switch one.Status {
		case room.Delivered:
			delivered = 1
			t.Delivered, t.DeliveredCount = t.Delivered+1, t.DeliveredCount+count
		case room.Failed:
			t.Failed, t.FailedCount = t.Failed+1, t.FailedCount+count
		default:
			t.Unresolved, t.UnresolvedCount = t.Unresolved+1, t.UnresolvedCount+count
		}
	}
	if d.Number != j.entries[d.Room]+1 || d.Seq != j.seqs[d.Room]+delivered {
		j.w.fault("P9: %s: entry %d, seq %d, follow %d and %d", d.Room, d.Number, d.Seq, j.entries[d.Room], j.seqs[d.Room])
	}
	if t != d.Totals {
		j.w.fault("P5: %s: record %d says %+v, the decisions add up to %+v", d.Room, rec.Seq, d.Totals, t)
	}
	j.entries[d.Room], j.seqs[d.Room], j.totals[d.Room] = d.Number, d.Seq, t
}

func (j *judge) auditGift(rec *journal.OutcomeRecord, d *journal.Decided) {
	id := d.Gift.MsgID
	first := j.open[id]
	switch {
	case first == nil:
		j.w.fault("P2: record %d decides %s, which was never journaled", rec.Seq, id)
		return
	case j.logged[id] != nil:
		j.w.tally.Doubled++
		j.w.fault("P2: record %d decides %s again", rec.Seq, d.Gift.ClientID)
	case *first.gift != *d.Gift:
		j.w.fault("P4: record %d decides %s with other content than was journaled first", rec.Seq, d.Gift.ClientID)
	}
	j.logged[id] = d
}

// finish judges what must hold when everything is well again.
func (j *judge) finish() {
	j.audit()
	for _, s := range j.w.wishes {
		id := room.NewMsgID(appID, s.gift.Room, s.gift.User.ID, s.gift.ID)
		if c := j.accepted[id]; c != nil && c.refused && s.asks == s.answers && j.open[id] != nil {
			j.w.fault("P11: %s was only ever rejected, and is journaled", s.gift.ID)
		}
		if j.w.healed && s.verdict == nil && !s.gaveUp {
			j.w.fault("P12: %s of %s has no answer", s.gift.ID, s.gift.User.ID)
		}
		if j.open[id] != nil && j.logged[id] == nil {
			j.w.tally.Lost++
			j.w.fault("P12: %s of %s is not decided", s.gift.ID, s.gift.User.ID)
		}
		if d := j.logged[id]; d != nil {
			j.truth(d)
		}
	}
	j.tally()
}

// truth compares a decision with what ZEGO has done.
func (j *judge) truth(d *journal.Decided) {
	f := j.w.zego.facts[d.Gift.MsgID]
	effects := 0
	if f != nil {
		effects = f.effects
	}
	old := time.Duration(d.At-d.StoredAt)*time.Millisecond >= 22*time.Hour
	switch {
	case d.Status == room.Delivered && effects != 1:
		j.w.fault("P2: %s is delivered, with %d effects", d.Gift.ClientID, effects)
	case d.Status == room.Failed && effects != 0:
		j.w.fault("P2: %s is failed (%v), with %d effects", d.Gift.ClientID, d.Reason, effects)
	case d.Status == room.Unresolved && !old && (f == nil || !f.murky):
		j.w.fault("P2: %s is unresolved, though ZEGO was clear about it", d.Gift.ClientID)
	}
	if told, ok := j.ends[d.Gift.MsgID]; ok && (told.Status != d.Status || told.Reason != d.Reason) {
		j.w.fault("P2: %s was told %v, the log says %v", d.Gift.ClientID, told.Status, d.Status)
	}
}

// tally counts, and compares the totals that the last owner holds with the log (P5).
func (j *judge) tally() {
	t := &j.w.tally
	t.Gifts = len(j.open)
	for _, d := range j.logged {
		switch d.Status {
		case room.Delivered:
			t.Delivered++
		case room.Failed:
			t.Failed++
		default:
			t.Unresolved++
		}
	}
	t.Worst, t.Calls = j.w.zego.worst, j.w.zego.exchange
	o := j.w.owner
	if o == nil || o.s == nil || !o.s.Ready() {
		if j.w.healed {
			j.w.fault("P12: nobody owns the partition")
		}
		return
	}
	journaled := make(map[string]uint64)
	for _, e := range j.open {
		journaled[e.gift.Room]++
	}
	for _, id := range j.w.rooms {
		state := o.s.Room(id)
		if state.Totals != j.totals[id] || state.Accepted != journaled[id] || state.Open != 0 {
			j.w.fault("P5: %s: the owner says %+v of %d accepted, %d open; the log %+v of %d", id, state.Totals, state.Accepted, state.Open, j.totals[id], journaled[id])
		}
	}
}
