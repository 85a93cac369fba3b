package journal

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
)

// publisher stores what this node submits to one partition: one publish at a
// time, holding all that arrived while the one before was in flight. An idle
// partition adds no delay, a busy one makes one fsync or one quorum round for
// many gifts.
type publisher struct {
	// Set at birth.
	j         *Journal
	partition int
	subject   string
	wake      chan struct{} // to run, at most one pending; never closed

	queue queue
	news  news

	// Owned by run.
	number uint64 // of the newest record
	last   uint64 // sequence of the newest stored one
	batch  []pending
	body   []byte
}

// news is what readers on this node wait for.
type news struct {
	told  atomic.Uint64 // number of the newest own record whose entries have been told
	known atomic.Uint64 // highest stream sequence that the partition is known to have
	bell  bell          // rings when either rose
}

// bodyKeep is how much of a buffer a publisher keeps between records: 1,000
// partitions with 256 KiB are 256 MiB at the very most.
const bodyKeep = 256 << 10

func newPublisher(j *Journal, partition int) *publisher {
	return &publisher{
		j: j, partition: partition, subject: giftSubject(partition),
		wake: make(chan struct{}, 1),
		// A share below one record would refuse bursts that one publish could take.
		queue: queue{max: max(j.cfg.QueueBytes/j.layout.partitions, recordMax), stats: &j.stats},
		last:  j.floor,
	}
}

// Submit hands an entry over for storing and returns at once. It is safe for
// concurrent use; the entries of one caller for one room keep their order.
//
// An error means that nothing was handed over and done will not be called:
// [ErrUnavailable] (the queue is full, the store is known to be bad or nearly
// full, or a publish has been unanswered for Config.Unanswered), [ErrTooLarge],
// [ErrClosed], or an entry without content.
//
// Else done is called exactly once, from the journal's goroutine: with a receipt
// once the entry is stored, before ReadGifts of this journal returns it; or with
// [ErrUnavailable] or [ErrClosed] when it is surely not stored; or with
// [ErrUnknown] when the journal ended before it knew. Successes come in the order
// submitted. done must not block and must not call Close.
func (j *Journal) Submit(e Entry, done func(Receipt, error)) error {
	if done == nil {
		return errors.New("journal: an entry needs someone who is told")
	}
	if err := j.refusal(); err != nil {
		return err
	}
	data, err := encodeEntry(e)
	if err != nil {
		return err
	}
	return j.publishers[j.Partition(entryRoom(e))].enqueue(pending{data: data, done: done})
}

func (p *publisher) enqueue(e pending) error {
	if err := p.queue.push(e); err != nil {
		return err
	}
	p.signal()
	return nil
}

// storeMark asks for a record even if there are no entries.
func (p *publisher) storeMark() {
	p.queue.storeMark()
	p.signal()
}

func (p *publisher) signal() {
	select {
	case p.wake <- struct{}{}:
	default: // run will look anyway
	}
}

// run stores records until ctx ends. hard ends later, and with it the wait for a
// record in flight.
func (p *publisher) run(ctx, hard context.Context) {
	defer p.end()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
		for ctx.Err() == nil && p.take() {
			seq, err := p.store(hard)
			p.settle(seq, err)
		}
	}
}

// take fills the batch; false: there is nothing to store.
func (p *publisher) take() (some bool) {
	p.batch, some = p.queue.take(p.batch[:0])
	return some
}

// settle tells the batch's entries what became of them, then the readers.
func (p *publisher) settle(seq uint64, err error) {
	for i, e := range p.batch {
		if err != nil {
			e.done(Receipt{}, err)
			continue
		}
		e.done(Receipt{Partition: p.partition, Position: Position{Seq: seq, Index: i}}, nil)
	}
	clear(p.batch)
	if cap(p.body) > bodyKeep {
		p.body = nil
	}
	if err != nil {
		return
	}
	p.last = seq
	p.news.told.Store(p.number)
	p.news.learn(seq)
	p.j.hint(p.partition, seq)
}

// stall refuses entries and fails those that wait behind an unanswered publish:
// their senders can try elsewhere or later, and nothing of them was handed over.
func (p *publisher) stall(why error) {
	failed, first := p.queue.refuse(errUnanswered)
	if !first {
		return
	}
	p.j.health.stalled.Add(1)
	p.j.cfg.Logger.Warn("a publish has no answer: entries are refused",
		slog.Int("partition", p.partition), slog.Any("error", why))
	for _, e := range failed {
		e.done(Receipt{}, errUnanswered)
	}
}

// resume ends a stall.
func (p *publisher) resume() {
	if p.queue.accept(errUnanswered) {
		p.j.health.stalled.Add(-1)
		p.j.cfg.Logger.Info("publishes are answered again", slog.Int("partition", p.partition))
	}
}

// end refuses entries for good.
func (p *publisher) end() {
	p.resume()
	failed, _ := p.queue.refuse(ErrClosed)
	for _, e := range failed {
		e.done(Receipt{}, ErrClosed)
	}
}

// learn notes that the partition has a record at seq, and wakes its readers.
func (n *news) learn(seq uint64) {
	for {
		old := n.known.Load()
		if seq <= old || n.known.CompareAndSwap(old, seq) {
			break
		}
	}
	n.bell.ring()
}

// bell lets any number of readers wait for news.
type bell struct {
	mu sync.Mutex
	ch chan struct{} // closed by ring; nil while nobody waits
}

// wait returns a channel that the next ring closes. Ask for it before looking.
func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
