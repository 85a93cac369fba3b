package audit

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// tape is a journal made by hand: what a hub would have written, to be broken by a test
// before it is audited. It is the Source, too. Records stand as structs until they are
// read, at the times of the tape's own clock.
type tape struct {
	tb  testing.TB
	now time.Time

	gifts    []*taped[giftRecord]
	outcomes []*taped[outcomeRecord]
	ids      []*taped[[]byte]
	head     *head

	partitions int
	giftAge    time.Duration
	idAge      time.Duration

	logs  map[int]*outcomeRecord          // newest of each partition
	seqs  map[int]uint64                  // its sequence
	rooms map[string]*tapedRoom           // what the owner knows
	next  map[string]uint64               // the stream's next sequence
	hook  func(stream string, seq uint64) // called when a record was read
	kept  map[string][]Message            // instead of encoding it at each look
}

type taped[T any] struct {
	seq     uint64
	at      time.Time
	subject string
	rec     T
	raw     []byte // instead of rec
	gone    bool
}

type tapedRoom struct {
	number, prev, seq uint64
	totals            totals
}

var tapeBegin = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func newTape(tb testing.TB) *tape {
	tb.Helper()
	t := &tape{
		tb: tb, now: tapeBegin, partitions: 1, giftAge: 26 * time.Hour, idAge: 26 * time.Hour,
		logs: make(map[int]*outcomeRecord), seqs: make(map[int]uint64), rooms: make(map[string]*tapedRoom),
		next: map[string]uint64{streamGifts: 1, streamOutcomes: 1, streamIDs: 1, streamSnapshots: 1},
	}
	t.takeover(0)
	return t
}

func (t *tape) wait(d time.Duration) { t.now = t.now.Add(d) }

// home is the partition of a room.
func (t *tape) home(room string) int {
	a := &auditor{partitions: make([]*partition, t.partitions)}
	return a.home(room)
}

// stored is a gift and where it stands in GIFTS.
type stored struct {
	*gift
	seq   uint64
	index uint32
	at    time.Time
}

// newGift is a gift of 20 rockets of the user in the room.
func newGift(room, from, id string) *gift {
	var m msgID
	copy(m[:], fmt.Sprintf("%-8.8s", id+from))
	copy(m[8:], fmt.Sprintf("%-8.8s", room))
	return &gift{
		MsgID: m, ClientID: id, Room: room, Game: "TinyLoveWar", User: user{ID: from, Nickname: from}, GiftID: "g1",
		Count: 20, Value: 10, Num: 2, Receiver: "anchor1", At: 1,
	}
}

// give stores gifts as one record in the partition of the first.
func (t *tape) give(gifts ...*gift) []stored {
	rec := &taped[giftRecord]{seq: t.take(streamGifts), at: t.now, subject: giftSubject + strconv.Itoa(t.home(gifts[0].Room))}
	rec.rec = giftRecord{V: 1, Node: "n1"}
	var out []stored
	for i, g := range gifts {
		rec.rec.Entries = append(rec.rec.Entries, entry{Gift: g})
		out = append(out, stored{g, rec.seq, uint32(i), rec.at})
	}
	t.gifts = append(t.gifts, rec)
	return out
}

// gave is give of one new gift.
func (t *tape) gave(room, from, id string) stored { return t.give(newGift(room, from, id))[0] }

func (t *tape) take(stream string) uint64 {
	n := t.next[stream]
	t.next[stream] = n + 1
	return n
}

// write appends to a partition's log.
func (t *tape) write(p int, rec outcomeRecord) *outcomeRecord {
	last := t.logs[p]
	rec.V, rec.Prev = 1, t.seqs[p]
	if rec.Node == "" {
		rec.Node, rec.Incarnation, rec.Term, rec.Number = last.Node, last.Incarnation, last.Term, last.Number+1
	}
	m := &taped[outcomeRecord]{seq: t.take(streamOutcomes), at: t.now, subject: outcomeSubject + strconv.Itoa(p), rec: rec}
	t.outcomes = append(t.outcomes, m)
	t.logs[p], t.seqs[p] = &m.rec, m.seq
	return &m.rec
}

func (t *tape) takeover(p int) {
	term := uint64(1)
	if last := t.logs[p]; last != nil {
		term = last.Term + 1
	}
	t.write(p, outcomeRecord{Kind: kindTakeover, Node: "n1", Incarnation: fmt.Sprint("i", term), Term: term, Number: 1})
}

func (t *tape) mark() { t.write(0, outcomeRecord{Kind: kindMark}) }

// decide writes one room's decisions, all of one status, as an owner does.
func (t *tape) decide(status string, gifts ...stored) *outcomeRecord {
	name := gifts[0].Room
	r := t.rooms[name]
	if r == nil {
		r = &tapedRoom{}
		t.rooms[name] = r
	}
	r.number++
	e := roomEntry{Room: name, Number: r.number, Prev: r.prev, Seq: r.seq}
	for _, g := range gifts {
		e.Decisions = append(e.Decisions, decision{
			Gift: *g.gift, GiftSeq: g.seq, GiftIndex: g.index, Node: "n1", StoredAt: g.at.UnixMilli(),
			Status: status, Reason: "ok", At: t.now.UnixMilli(),
			Attempts: []attempt{{N: 1, StartedAt: g.at.UnixMilli() + 1, EndedAt: g.at.UnixMilli() + 2, Outcome: "consumed"}},
		})
		count := uint64(g.Count)
		switch status {
		case delivered:
			r.totals.Delivered++
			r.totals.DeliveredCount += count
		case failed:
			r.totals.Failed++
			r.totals.FailedCount += count
		default:
			r.totals.Unresolved++
			r.totals.UnresolvedCount += count
		}
	}
	if status == delivered {
		r.seq++
		e.Seq++
	}
	e.Totals = r.totals
	p := t.home(name)
	rec := t.write(p, outcomeRecord{Kind: kindDecisions, Rooms: []roomEntry{e}})
	r.prev = t.seqs[p]
	return rec
}

// remember stores rows of decided ids, as a snapshot does.
func (t *tape) remember(outcome uint64, gifts ...stored) {
	data := []byte{1}
	prev := uint64(0)
	for _, g := range gifts {
		data = binary.BigEndian.AppendUint64(data, g.MsgID.key())
		data = binary.AppendVarint(data, int64(outcome-prev))
		prev = outcome
	}
	t.ids = append(t.ids, &taped[[]byte]{seq: t.take(streamIDs), at: t.now, subject: idSubject + "0", raw: data})
}

// snapshot stores a head with the gifts open.
func (t *tape) snapshot(open ...stored) {
	var packed []byte
	var at position
	for _, g := range open {
		packed = binary.AppendUvarint(packed, g.seq-at.seq)
		if g.seq != at.seq {
			at = position{seq: g.seq}
		}
		packed = binary.AppendUvarint(packed, uint64(g.index-at.index))
		at.index = g.index
	}
	t.head = &head{Version: headVersion, Last: t.seqs[0], Open: packed}
}

// purge removes a partition's records of a stream below a sequence.
func (t *tape) purge(stream string, p int, below uint64) {
	switch stream {
	case streamGifts:
		for _, m := range t.gifts {
			m.gone = m.gone || m.seq < below && m.subject == giftSubject+strconv.Itoa(p)
		}
	case streamOutcomes:
		for _, m := range t.outcomes {
			m.gone = m.gone || m.seq < below && m.subject == outcomeSubject+strconv.Itoa(p)
		}
	}
}

// all are a stream's retained records.
func (t *tape) all(stream string) []Message {
	t.tb.Helper()
	if all, ok := t.kept[stream]; ok {
		return all
	}
	var out []Message
	switch stream {
	case streamGifts:
		out = render(t, t.gifts)
	case streamOutcomes:
		out = render(t, t.outcomes)
	case streamIDs:
		out = render(t, t.ids)
	case streamSnapshots:
		if t.head != nil {
			data, err := json.Marshal(t.head)
			if err != nil {
				t.tb.Fatal(err)
			}
			out = []Message{{Subject: snapshotSubject + "0.head", Seq: 1, At: t.now, Data: data}}
		}
	}
	return out
}

func render[T any](t *tape, in []*taped[T]) []Message {
	t.tb.Helper()
	var out []Message
	for _, m := range in {
		if m.gone {
			continue
		}
		data := m.raw
		if data == nil {
			var err error
			if data, err = json.Marshal(m.rec); err != nil {
				t.tb.Fatal(err)
			}
		}
		out = append(out, Message{Subject: m.subject, Seq: m.seq, At: m.at, Data: data})
	}
	return out
}

func (t *tape) Info(_ context.Context, stream string) (Info, error) {
	all := t.all(stream)
	last := t.next[stream] - 1
	if stream == streamSnapshots && t.head != nil {
		last = 1
	}
	i := Info{First: last + 1, Last: last, Metadata: map[string]string{
		"giftwire.partitions": strconv.Itoa(t.partitions), "giftwire.format": "1", "giftwire.hash": "fnv1a-64", "giftwire.epoch": "e",
	}}
	if len(all) > 0 {
		i.First = all[0].Seq
	}
	switch stream {
	case streamGifts:
		i.MaxAge = t.giftAge
	case streamIDs:
		i.MaxAge = t.idAge
	}
	return i, nil
}

func (t *tape) Read(_ context.Context, s Span, each func(Message) error) error {
	if t.hook == nil {
		for _, m := range t.all(s.Stream) {
			if err := each(m); err != nil {
				return err
			}
		}
		return nil
	}
	for next := s.From; ; {
		all := t.all(s.Stream) // as it is now
		i := slices.IndexFunc(all, func(m Message) bool { return m.Seq >= next })
		if i < 0 || all[i].Seq > s.UpTo {
			return nil
		}
		if err := each(all[i]); err != nil {
			return err
		}
		t.hook(s.Stream, all[i].Seq)
		next = all[i].Seq + 1
	}
}

func (t *tape) First(_ context.Context, stream, subject string) (Message, error) {
	all := t.all(stream)
	if i := slices.IndexFunc(all, func(m Message) bool { return m.Subject == subject }); i >= 0 {
		return all[i], nil
	}
	return Message{}, nil
}

func (t *tape) Last(_ context.Context, stream, subject string) (Message, error) {
	all := t.all(stream)
	slices.Reverse(all)
	if i := slices.IndexFunc(all, func(m Message) bool { return m.Subject == subject }); i >= 0 {
		return all[i], nil
	}
	return Message{}, nil
}

// audit audits the tape at its present.
func (t *tape) audit() *Report {
	t.tb.Helper()
	r, err := Run(t.tb.Context(), t, Options{Now: t.now})
	if err != nil {
		t.tb.Fatalf("audit: %v", err)
	}
	return r
}

// kinds are the kinds of problems in a report, each once.
func kinds(r *Report) []Kind {
	var out []Kind
	for k := range r.Counts {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// found is the one problem of a kind.
func found(tb testing.TB, r *Report, k Kind) Problem {
	tb.Helper()
	var out []Problem
	for _, p := range r.Problems {
		if p.Kind == k {
			out = append(out, p)
		}
	}
	if len(out) != 1 {
		tb.Fatalf("%d problems of kind %s in %v, want one", len(out), k, lines(r))
	}
	return out[0]
}

func lines(r *Report) string {
	var b strings.Builder
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "\n  %v", p)
	}
	return b.String()
}
