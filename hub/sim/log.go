package sim

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
)

// log is the partition's log as one process sees it over its line: the [owner.Store]
// that the real owner is given. Its methods park the running task.
type log struct {
	line

	seen map[string]uint64 // by name: the newest chunk that this owner knows of
}

var _ owner.Store = log{}

// readSome is how many records one ReadGifts returns at most, so that a backlog is read
// in pieces and a process can die between them.
const readSome = 8

// ReadGifts implements [owner.Gifts].
func (g log) ReadGifts(_ context.Context, after uint64) ([]journal.GiftRecord, error) {
	if o := g.p.owning; o != nil {
		o.rouse() // what was taken in may have news for the listener
	}
	for {
		var out []journal.GiftRecord
		var first uint64
		news := g.w.server.news // before looking, so that none is missed
		g.get(func() {
			out = nil
			f := &g.w.server.gifts
			first = g.w.server.purged.gifts + 1
			for seq := max(after, first-1) + 1; seq <= uint64(f.synced) && len(out) < readSome; seq++ {
				rec := g.w.giftRecord(seq)
				if rec.Incarnation == g.p.incarnation && rec.Number > g.p.publisher.told {
					break // its senders have not been told yet
				}
				out = append(out, rec)
			}
		})
		if after+1 < first {
			return nil, &journal.GoneError{Stream: "GIFTS", After: after, First: first}
		}
		if len(out) > 0 {
			return out, nil
		}
		if g.w.server.news == news {
			g.w.server.readers = append(g.w.server.readers, g.w.loop.running)
			g.w.loop.park()
		}
	}
}

// giftRecord reads a stored record of GIFTS.
func (w *World) giftRecord(seq uint64) journal.GiftRecord {
	at := &w.server.gifts.records[seq-1]
	rec, err := journal.DecodeGiftRecord(at.data)
	if err != nil {
		w.fault("GIFTS %d cannot be read: %v", seq, err)
	}
	rec.Seq, rec.StoredAt = seq, at.at
	return rec
}

// outcome reads a stored record of OUTCOMES.
func (w *World) outcome(seq uint64) (rec journal.OutcomeRecord, prev uint64) {
	at := &w.server.outcomes.records[seq-1]
	rec, prev, err := journal.DecodeOutcome(at.data)
	if err != nil {
		w.fault("OUTCOMES %d cannot be read: %v", seq, err)
	}
	rec.Seq, rec.StoredAt = seq, at.at
	return rec, prev
}

// EndOfGifts implements [owner.Gifts].
func (g log) EndOfGifts(context.Context) (seq uint64, err error) {
	g.get(func() { seq = uint64(g.w.server.gifts.synced) })
	return seq, nil
}

// GiftsAt implements [owner.Gifts].
func (g log) GiftsAt(_ context.Context, seqs []uint64) ([]journal.GiftRecord, error) {
	var out []journal.GiftRecord
	g.get(func() {
		out = nil
		for _, seq := range seqs {
			if seq > g.w.server.purged.gifts && seq <= uint64(g.w.server.gifts.synced) {
				out = append(out, g.w.giftRecord(seq))
			}
		}
	})
	return out, nil
}

// LastOutcome implements [owner.Outcomes].
func (g log) LastOutcome(context.Context) (rec journal.OutcomeRecord, err error) {
	g.get(func() {
		if n := uint64(g.w.server.outcomes.synced); n > 0 {
			rec, _ = g.w.outcome(n)
		}
	})
	return rec, nil
}

// AppendOutcome implements [owner.Outcomes], with the journal's rule for an answer that
// is lost: repeat it until something is known, and if the expectation has failed, look
// who wrote.
func (g log) AppendOutcome(ctx context.Context, expected uint64, rec journal.OutcomeRecord) (uint64, error) {
	data, err := rec.Encode(expected)
	if err != nil {
		return 0, err
	}
	for {
		var seq uint64
		f := &g.w.server.outcomes
		prepare := func() (record, bool) {
			return record{data: data}, g.w.bugs.noFence || f.last() == expected
		}
		answered := g.ask(func(reply func()) {
			g.w.server.write(f, prepare, func(at uint64) { seq = at; reply() })
		})
		if answered && seq > 0 {
			return seq, nil
		}
		if answered {
			last, _ := g.LastOutcome(ctx)
			switch {
			case last.Seq == expected: // what was in the way is gone
			case last.Seq > expected && last.Incarnation == rec.Incarnation && last.Term == rec.Term && last.Number == rec.Number:
				return last.Seq, nil // an attempt had landed
			default:
				return 0, fmt.Errorf("%w: term %d wrote %d after %d", journal.ErrFenced, last.Term, last.Seq, expected)
			}
		}
		g.w.loop.pause(20 * time.Millisecond)
	}
}

// ReadOutcomes implements [owner.Outcomes].
func (g log) ReadOutcomes(_ context.Context, after, upTo uint64, each func(journal.OutcomeRecord) error) error {
	after = max(after, g.w.server.purged.outcomes)
	if g.w.bugs.replaySkips && after+1 < upTo {
		after++
	}
	for last := after; last < upTo; {
		var rec journal.OutcomeRecord
		var prev uint64
		g.get(func() { rec, prev = g.w.outcome(last + 1) })
		if last != 0 && last > g.w.server.purged.outcomes && prev != last {
			return &journal.GoneError{Stream: "OUTCOMES", After: last}
		}
		last = rec.Seq
		if err := each(rec); err != nil {
			return err
		}
	}
	return nil
}

// OutcomeAt implements [owner.Outcomes].
func (g log) OutcomeAt(_ context.Context, seq uint64) (rec journal.OutcomeRecord, err error) {
	g.get(func() {
		if seq <= g.w.server.purged.outcomes || seq > uint64(g.w.server.outcomes.synced) {
			err = &journal.GoneError{Stream: "OUTCOMES", After: seq - 1}
			return
		}
		rec, err = journal.OutcomeRecord{}, nil
		rec, _ = g.w.outcome(seq)
	})
	return rec, err
}

// save stores a record, once or more often, unless there is a reason not to: 0.
func (g log) save(f *file, rec record, may func() bool) (uint64, error) {
	for {
		if g.w.loop.luck.chance(g.w.rates.saveRefused) {
			return 0, fmt.Errorf("%w: the store says no", journal.ErrUnavailable)
		}
		var seq uint64
		if g.ask(func(reply func()) {
			g.w.server.write(f, func() (record, bool) { return rec, may() }, func(at uint64) { seq = at; reply() })
		}) {
			return seq, nil
		}
	}
}

// newestChunk is the place of the newest chunk of a name, 0: there is none.
func (s *server) newestChunk(name string) uint64 {
	for i := len(s.chunks.records) - 1; i >= 0; i-- {
		if s.chunks.records[i].key == name {
			return uint64(i + 1)
		}
	}
	return 0
}

// SaveChunk implements [owner.Snapshots]: only over what this owner has seen.
func (g log) SaveChunk(_ context.Context, name string, data []byte) error {
	s := g.w.server
	expected := g.seen[name]
	may := func() bool { return s.newestChunk(name) == expected }
	seq, err := g.save(&s.chunks, record{key: name, data: bytes.Clone(data)}, may)
	if err != nil {
		return err
	}
	if seq == 0 { // an attempt without an answer may have landed
		var newest []byte
		g.get(func() {
			if seq = s.newestChunk(name); seq > 0 {
				newest = s.chunks.records[seq-1].data
			}
		})
		if !bytes.Equal(newest, data) {
			err = fmt.Errorf("%w: chunk %s was written by somebody else", journal.ErrFenced, name)
		}
	}
	g.seen[name] = seq
	return err
}

// LoadChunks implements [owner.Snapshots].
func (g log) LoadChunks(_ context.Context, each func(name string, data []byte) error) error {
	newest := make(map[string][]byte)
	var names []string
	g.get(func() {
		clear(newest)
		clear(g.seen)
		names = nil
		f := &g.w.server.chunks
		for i, rec := range f.records[:f.synced] {
			g.seen[rec.key] = uint64(i + 1)
			if newest[rec.key] == nil {
				names = append(names, rec.key)
			}
			newest[rec.key] = rec.data
		}
	})
	for _, name := range names {
		data := newest[name]
		if g.w.bugs.tamper != nil {
			data = g.w.bugs.tamper(name, data)
		}
		if err := each(name, data); err != nil {
			return err
		}
	}
	return nil
}

// AppendIDs implements [owner.IDs].
func (g log) AppendIDs(_ context.Context, ids []journal.ID) error {
	_, err := g.save(&g.w.server.ids, record{data: journal.EncodeIDs(ids)}, func() bool { return true })
	return err
}

// LoadIDs implements [owner.IDs].
func (g log) LoadIDs(_ context.Context, each func(storedAt int64, ids []journal.ID) error) error {
	var records []record
	g.get(func() {
		f := &g.w.server.ids
		records = f.records[:f.synced:f.synced]
	})
	if g.w.bugs.noMemory {
		return nil
	}
	oldest := time.Now().Add(-26 * time.Hour).UnixMilli()
	for _, rec := range records {
		if rec.at < oldest {
			continue
		}
		ids, err := journal.DecodeIDs(rec.data)
		if err != nil {
			return err
		}
		if err := each(rec.at, ids); err != nil {
			return err
		}
	}
	return nil
}

// FirstOutcome implements [owner.Space].
func (g log) FirstOutcome(context.Context) (uint64, error) {
	return g.w.server.purged.outcomes + 1, nil
}

// FirstGift implements [owner.Space].
func (g log) FirstGift(context.Context) (uint64, error) {
	return g.w.server.purged.gifts + 1, nil
}

// Space implements [owner.Space].
func (g log) Space() (gifts, outcomes journal.StreamSpace) {
	s := g.w.server
	const whole = 1 << 20
	used := uint64(s.full * whole)
	space := journal.StreamSpace{Bytes: used, Max: whole}
	return space, space
}

// PurgeGifts implements [owner.Purging].
func (g log) PurgeGifts(_ context.Context, below uint64) error {
	g.get(func() { g.w.purge("gifts", &g.w.server.purged.gifts, below) })
	return nil
}

// PurgeOutcomes implements [owner.Purging].
func (g log) PurgeOutcomes(_ context.Context, below uint64) error {
	g.get(func() { g.w.purge("outcomes", &g.w.server.purged.outcomes, below) })
	return nil
}

// purge removes what is below a sequence. The judge still sees it.
func (w *World) purge(name string, gone *uint64, below uint64) {
	if below > *gone+1 {
		*gone = below - 1
		w.tally.Purges++
		w.loop.note("purged %s below %d", name, below)
	}
}
