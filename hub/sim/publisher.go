package sim

import (
	"fmt"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
)

// publisher stores what a process's intake submits: one publish at a time, holding all
// that came while the one before was in flight; repeated under its id until it is
// answered. It models the journal's, whose own code is bound to NATS, by the same rules.
type publisher struct {
	line

	queue   []pending
	waiting *task // for the queue to fill; nil: at work
	number  uint64
	told    uint64 // number of the newest record whose senders have been told
	stalled bool
}

type pending struct {
	entry journal.Entry
	done  func(journal.Receipt, error)
}

// Submit implements [intake.Journal].
func (b *publisher) Submit(e journal.Entry, done func(journal.Receipt, error)) error {
	if b.stalled {
		return fmt.Errorf("%w: the store does not answer", journal.ErrUnavailable)
	}
	if _, err := (&journal.GiftRecord{Entries: []journal.Entry{e}}).Encode(); err != nil {
		return err
	}
	b.queue = append(b.queue, pending{e, done})
	b.wake()
	return nil
}

func (b *publisher) wake() {
	if t := b.waiting; t != nil {
		b.waiting = nil
		b.w.loop.in(0, b.p, func() { b.w.loop.resume(t) })
	}
}

// run stores records until its process ends.
func (b *publisher) run() {
	for {
		for len(b.queue) == 0 {
			b.waiting = b.w.loop.running
			b.w.loop.park()
		}
		batch := b.queue
		b.queue = nil
		seq, err := b.store(batch)
		for i, e := range batch {
			if err != nil {
				e.done(journal.Receipt{}, err)
				continue
			}
			e.done(journal.Receipt{Position: journal.Position{Seq: seq, Index: i}}, nil)
		}
		if err == nil {
			b.told = b.number
			b.w.server.wakeReaders()
		}
	}
}

// store publishes a batch as one record.
func (b *publisher) store(batch []pending) (uint64, error) {
	if b.w.loop.luck.chance(b.w.rates.publishRefused) {
		return 0, fmt.Errorf("%w: refused", journal.ErrUnavailable)
	}
	b.number++
	rec := journal.GiftRecord{Node: b.p.name, Incarnation: b.p.incarnation, Number: b.number}
	for _, e := range batch {
		rec.Entries = append(rec.Entries, e.entry)
	}
	data, err := rec.Encode()
	if err != nil {
		return 0, err
	}
	id := fmt.Sprintf("%s.%d", b.p.incarnation, b.number)
	for {
		var seq uint64
		if b.ask(func(reply func()) {
			b.w.server.publish(id, data, func(at uint64) { seq = at; reply() })
		}) {
			b.stalled = false
			return seq, nil
		}
		if !b.stalled {
			b.stall()
		}
		b.w.loop.pause(50 * time.Millisecond)
	}
}

// stall refuses what waits behind an unanswered publish: nothing of it was handed over.
func (b *publisher) stall() {
	b.stalled = true
	failed := b.queue
	b.queue = nil
	for _, e := range failed {
		e.done(journal.Receipt{}, fmt.Errorf("%w: the store does not answer", journal.ErrUnavailable))
	}
}

// publish stores a record of GIFTS once, however often it comes.
func (s *server) publish(id string, data []byte, done func(seq uint64)) {
	f := &s.gifts
	known := uint64(0)
	s.write(f, func() (record, bool) {
		for i := range f.records {
			if f.records[i].key == id {
				known = uint64(i + 1)
				return record{}, false
			}
		}
		return record{key: id, data: data}, true
	}, func(seq uint64) {
		if seq == 0 {
			seq = known
		}
		done(seq)
	})
}
