package room

// fifo is a queue that keeps no popped element alive. The zero value is empty.
// Whoever pushes keeps its bound.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int  { return len(q.items) - q.head }
func (q *fifo[T]) front() *T { return &q.items[q.head] }
func (q *fifo[T]) push(v T)  { q.items = append(q.items, v) }

func (q *fifo[T]) pop() T {
	var zero T
	v := q.items[q.head]
	q.items[q.head] = zero
	q.head++
	switch {
	case q.head == len(q.items):
		q.items, q.head = nil, 0
	case q.head >= 64 && q.head >= len(q.items)/2: // amortized: each element moves once
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return v
}

// pushFront puts vs, in their order, before what waits.
func (q *fifo[T]) pushFront(vs []T) {
	q.items = append(append(make([]T, 0, len(vs)+q.len()), vs...), q.items[q.head:]...)
	q.head = 0
}
