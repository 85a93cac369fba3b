package sim

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"time"
)

// loop is the one thread: an agenda by time, then by number. Time is the bubble's, so
// that code which asks the time package is told the agenda's.
type loop struct {
	luck    luck
	begun   time.Time
	agenda  agenda
	numbers uint64
	running *task
	trace   trace
}

// event is one thing that will happen. It falls away with its process.
type event struct {
	at     time.Duration
	number uint64
	owner  *process // nil: the world
	do     func()
}

type agenda []*event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || (a[i].at == a[j].at && a[i].number < a[j].number)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push implements [heap.Interface].
func (a *agenda) Push(x any) { *a = append(*a, x.(*event)) }

// Pop implements [heap.Interface].
func (a *agenda) Pop() any {
	last := len(*a) - 1
	e := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	return e
}

func newLoop(l luck) *loop { return &loop{luck: l, begun: time.Now()} }

// now is the time since the world began.
func (l *loop) now() time.Duration { return time.Since(l.begun) }

// in plans something of a process, or of the world where it is nil.
func (l *loop) in(d time.Duration, p *process, do func()) {
	l.numbers++
	heap.Push(&l.agenda, &event{at: l.now() + max(d, 0), number: l.numbers, owner: p, do: do})
}

// runUntil lets everything happen that is planned before the end.
func (l *loop) runUntil(end time.Duration) {
	for len(l.agenda) > 0 && l.agenda[0].at <= end {
		e := heap.Pop(&l.agenda).(*event)
		l.sleepUntil(e.at)
		switch {
		case e.owner != nil && e.owner.dead:
		case e.owner != nil && e.owner.frozen:
			e.owner.late = append(e.owner.late, e)
		default:
			e.do()
		}
	}
	l.sleepUntil(end)
}

func (l *loop) sleepUntil(at time.Duration) {
	if d := at - l.now(); d > 0 {
		<-time.After(d) // in the bubble the clock jumps there at once
	}
}

// task is code that waits: a coroutine of a process. It runs only inside resume, and
// gives the thread back in park, so that exactly one thing happens at a time.
type task struct {
	owner *process
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

// killed unwinds a task whose process has died: deferred calls run, nothing else does.
type killed struct{}

// spawn plans a task of the process.
func (l *loop) spawn(p *process, do func()) *task {
	t := &task{owner: p}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		defer func() {
			if r := recover(); r != nil && r != (killed{}) {
				panic(r)
			}
		}()
		do()
	})
	p.tasks = append(p.tasks, t)
	l.in(0, p, func() { l.resume(t) })
	return t
}

// resume runs a task until it parks or ends.
func (l *loop) resume(t *task) {
	before := l.running
	l.running = t
	_, more := t.next()
	l.running = before
	if !more {
		t.owner.drop(t)
	}
}

// park gives the thread back until someone resumes the running task.
func (l *loop) park() {
	if !l.running.yield(struct{}{}) {
		panic(killed{})
	}
}

// pause parks the running task for d.
func (l *loop) pause(d time.Duration) {
	t := l.running
	l.in(d, t.owner, func() { l.resume(t) })
	l.park()
}

// kill ends a task where it is.
func (t *task) kill() {
	t.stop()
	t.owner.drop(t)
}

func (p *process) drop(t *task) {
	p.tasks = slices.DeleteFunc(p.tasks, func(o *task) bool { return o == t })
}

// trace is what happened, as a hash, and as lines where they are wanted.
type trace struct {
	keep  bool
	lines []string
	sum   uint64
	count int
}

// note adds a line to the trace.
func (l *loop) note(format string, args ...any) {
	line := fmt.Sprintf("%v ", l.now()) + fmt.Sprintf(format, args...)
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%x %s", l.trace.sum, line) // never fails
	l.trace.sum = h.Sum64()
	l.trace.count++
	if l.trace.keep {
		l.trace.lines = append(l.trace.lines, line)
	}
}
