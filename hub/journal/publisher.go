package journal

import (
	"context"
	"errors"
	"fmt"
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
	queueMax  int           // bytes
	wake      chan struct{} // to run, at most one pending; never closed

	// For readers on this node.
	told  atomic.Uint64 // number of the newest own record whose entries have been told
	known atomic.Uint64 // highest stream sequence that the partition is known to have
	bell  bell          // rings when either rose

	mu      sync.Mutex // guards the following
	queue   []pending
	bytes   int   // of queue
	mark    bool  // store a record, with or without entries
	refusal error // why Submit is refused; nil: it is not

	// Owned by run.
	number uint64 // of the newest record
	last   uint64 // sequence of the newest stored one
	batch  []pending
	body   []byte
}

// pending is an encoded entry that waits for its record.
type pending struct {
	data []byte
	done func(Receipt, error)
}

// bodyKeep is how much of a buffer a publisher keeps between records: 1,000
// partitions with 256 KiB are 256 MiB at the very most.
const bodyKeep = 256 << 10

// Errors inside this package that say why an entry was refused; each wraps
// [ErrUnavailable].
var (
	errQueueFull  = fmt.Errorf("%w: queue is full", ErrUnavailable)
	errUnanswered = fmt.Errorf("%w: the store does not answer", ErrUnavailable)
)

func newPublisher(j *Journal, partition int) *publisher {
	return &publisher{
		j: j, partition: partition, subject: giftSubject(partition),
		// A share below one record would refuse bursts that one publish could take.
		queueMax: max(j.cfg.QueueBytes/j.layout.partitions, recordMax),
		wake:     make(chan struct{}, 1),
		last:     j.floor,
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
	if err := p.push(e); err != nil {
		return err
	}
	p.signal()
	return nil
}

func (p *publisher) push(e pending) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusal != nil {
		return p.refusal
	}
	if p.bytes+len(e.data) > p.queueMax {
		return errQueueFull
	}
	p.queue = append(p.queue, e)
	p.bytes += len(e.data)
	p.j.stats.queued(1, len(e.data))
	return nil
}

// storeMark asks for a record even if there are no entries.
func (p *publisher) storeMark() {
	p.mu.Lock()
	p.mark = p.refusal == nil
	p.mu.Unlock()
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

// take moves as many entries as fit one record from the queue to the batch. It
// returns false when there is nothing to store.
func (p *publisher) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, size := 0, envelopeMax
	for n < len(p.queue) && size+len(p.queue[n].data)+1 <= recordMax {
		size += len(p.queue[n].data) + 1
		n++
	}
	if n == 0 && !p.mark {
		return false
	}
	p.mark = false
	p.batch = append(p.batch[:0], p.queue[:n]...)
	p.drop(n)
	return true
}

// drop removes the first n entries of the queue. The lock is held.
func (p *publisher) drop(n int) {
	size := 0
	for i := range n {
		size += len(p.queue[i].data)
	}
	rest := copy(p.queue, p.queue[n:])
	clear(p.queue[rest:])
	p.queue = p.queue[:rest]
	p.bytes -= size
	p.j.stats.queued(-n, -size)
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
	p.told.Store(p.number)
	p.learn(seq)
	p.j.hint(p.partition, seq)
}

// learn notes that the partition has a record at seq, and wakes its readers.
func (p *publisher) learn(seq uint64) {
	for {
		old := p.known.Load()
		if seq <= old {
			break
		}
		if p.known.CompareAndSwap(old, seq) {
			break
		}
	}
	p.bell.ring()
}

// stall refuses entries and fails those that wait behind an unanswered publish:
// their senders can try elsewhere or later, and nothing of them was handed over.
func (p *publisher) stall() {
	if p.refuse(errUnanswered) {
		p.j.health.stalled.Add(1)
		p.j.cfg.Logger.Warn("a publish has no answer: entries are refused", slog.Int("partition", p.partition))
	}
}

// resume ends a stall.
func (p *publisher) resume() {
	p.mu.Lock()
	was := errors.Is(p.refusal, errUnanswered)
	if was {
		p.refusal = nil
	}
	p.mu.Unlock()
	if was {
		p.j.health.stalled.Add(-1)
		p.j.cfg.Logger.Info("publishes are answered again", slog.Int("partition", p.partition))
	}
}

// end refuses entries for good.
func (p *publisher) end() {
	p.resume()
	p.refuse(ErrClosed)
}

// refuse sets why entries are refused and fails those that wait. It returns false
// when they were refused already.
func (p *publisher) refuse(why error) bool {
	p.mu.Lock()
	if p.refusal != nil {
		p.mu.Unlock()
		return false
	}
	p.refusal = why
	failed := append([]pending(nil), p.queue...)
	p.drop(len(p.queue))
	p.mu.Unlock()
	for _, e := range failed {
		e.done(Receipt{}, why)
	}
	return true
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
