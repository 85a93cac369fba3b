package journal

import (
	"errors"
	"fmt"
	"sync"
)

// pending is an encoded entry that waits for its record.
type pending struct {
	data []byte
	done func(Receipt, error)
}

// Why an entry is refused; each wraps [ErrUnavailable].
var (
	errQueueFull  = fmt.Errorf("%w: queue is full", ErrUnavailable)
	errUnanswered = fmt.Errorf("%w: the store does not answer", ErrUnavailable)
)

// queue is the entries that wait for a publish, in their order.
type queue struct {
	max   int // bytes
	stats *stats

	mu      sync.Mutex // guards the following
	entries []pending
	bytes   int   // of entries
	mark    bool  // a record is wanted, with or without entries
	refusal error // why entries are refused; nil: they are not
}

func (q *queue) push(e pending) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.refusal != nil {
		return q.refusal
	}
	if q.bytes+len(e.data) > q.max {
		return errQueueFull
	}
	q.entries = append(q.entries, e)
	q.bytes += len(e.data)
	q.stats.queued(1, len(e.data))
	return nil
}

func (q *queue) storeMark() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mark = q.refusal == nil
}

// take moves as many entries as fit one record to the end of batch. It returns
// false when no record is wanted.
func (q *queue) take(batch []pending) ([]pending, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, envelopeMax
	for n < len(q.entries) && size+len(q.entries[n].data)+1 <= recordMax {
		size += len(q.entries[n].data) + 1
		n++
	}
	wanted := n > 0 || q.mark
	q.mark = false
	batch = append(batch, q.entries[:n]...)
	q.drop(n)
	return batch, wanted
}

// refuse sets why entries are refused, and returns those that wait: they are to be
// failed. first is false when they were refused already.
func (q *queue) refuse(why error) (failed []pending, first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.refusal != nil {
		return nil, false
	}
	q.refusal = why
	failed = append(failed, q.entries...)
	q.drop(len(q.entries))
	return failed, true
}

// accept ends a refusal for the reason why; false: there is none.
func (q *queue) accept(why error) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !errors.Is(q.refusal, why) {
		return false
	}
	q.refusal = nil
	return true
}

// drop removes the first n entries. The lock is held.
func (q *queue) drop(n int) {
	size := 0
	for i := range n {
		size += len(q.entries[i].data)
	}
	rest := copy(q.entries, q.entries[n:])
	clear(q.entries[rest:])
	q.entries = q.entries[:rest]
	q.bytes -= size
	q.stats.queued(-n, -size)
}
