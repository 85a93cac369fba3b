package zegotest

import "time"

// memory remembers MsgIds: ZEGO answers a repeat within 24 h with the first outcome
// and does not give again. The key is the MsgId within the AppId, not within room or
// game: the strictest reading (ZEGO.md, unknown 4).
type memory struct {
	ids    map[string]memo
	order  fifo[string] // by time of consumption
	keep   time.Duration
	limit  int
	forgot uint64 // forgotten early, because there were too many

	// busy are MsgIds that a call is processing now.
	busy map[string]struct{}
}

// memo is the first outcome of a MsgId.
type memo struct {
	row     row
	payload uint64 // hash of the entry
	at      time.Time
}

func newMemory(keep time.Duration, limit int) memory {
	return memory{ids: make(map[string]memo), busy: make(map[string]struct{}), keep: keep, limit: limit}
}

// recall returns the first outcome of the id, if it is still remembered at now.
func (m *memory) recall(id string, now time.Time) (memo, bool) {
	m.prune(now)
	first, ok := m.ids[id]
	return first, ok
}

// store keeps the first outcome of an id that is not remembered.
func (m *memory) store(id string, first memo) {
	if len(m.ids) >= m.limit {
		delete(m.ids, m.order.pop())
		m.forgot++
	}
	m.ids[id] = first
	m.order.push(id)
}

// prune forgets what is older than keep. Ids are stored in the order of the clock,
// so the oldest are at the front; a clock that a test moves back only delays it.
func (m *memory) prune(now time.Time) {
	for m.order.len() > 0 {
		oldest := m.order.front()
		if now.Sub(m.ids[oldest].at) < m.keep {
			return
		}
		delete(m.ids, oldest)
		m.order.pop()
	}
}

// claim marks the id as being processed; false if another call is at it.
func (m *memory) claim(id string) bool {
	if _, taken := m.busy[id]; taken {
		return false
	}
	m.busy[id] = struct{}{}
	return true
}

func (m *memory) release(id string) { delete(m.busy, id) }

// nonces remembers the nonces of the last 10 minutes and 1 second, for
// [BodyChoices.RefuseNonceReplay]; what is older has an expired Timestamp anyway.
type nonces struct {
	seen  map[nonce]struct{}
	order fifo[nonce]
}

type nonce struct {
	text string
	unix int64
}

// noncesMax bounds what is remembered: 10 minutes of 1,600 calls/s.
const noncesMax = 1_000_000

// fresh reports whether the nonce is new, and remembers it.
func (n *nonces) fresh(one nonce) bool {
	if _, used := n.seen[one]; used {
		return false
	}
	if n.seen == nil {
		n.seen = make(map[nonce]struct{})
	}
	if len(n.seen) >= noncesMax {
		delete(n.seen, n.order.pop())
	}
	n.seen[one] = struct{}{}
	n.order.push(one)
	return true
}

// fifo is a queue on a slice. Its room is given back as it is read.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) front() T { return q.items[q.head] }

func (q *fifo[T]) push(v T) { q.items = append(q.items, v) }

func (q *fifo[T]) pop() T {
	v := q.items[q.head]
	var zero T
	q.items[q.head] = zero
	q.head++
	if q.head > len(q.items)/2 {
		rest := copy(q.items, q.items[q.head:])
		clear(q.items[rest:])
		q.items, q.head = q.items[:rest], 0
	}
	return v
}
