package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
)

// worker is one process's share of a run: every Config.Processes-th viewer.
type worker struct {
	// Set by newWorker.
	plan    *Plan
	clock   clock
	gate    *gate
	blame   *blame
	book    *book
	boards  []*board
	tallies []*tally
	why     *reasons
	viewers []*viewer
	givers  []*viewer // those that give

	calm   chan struct{} // closed when the load is over
	failed chan error    // of one: why the run cannot go on
}

// shares is how many tallies a worker has. It counts tens of thousands of things a second
// for 0.1 µs each: four readers hardly ever meet.
const shares = 4

// prefix is what all user ids of a run begin with.
func prefix(run string) string { return "load" + run }

func newWorker(p *Plan) (*worker, error) {
	g, err := newGate(p)
	if err != nil {
		return nil, err
	}
	w := &worker{
		plan: p, clock: newClock(p.Origin), gate: g, blame: new(blame), why: new(reasons),
		calm: make(chan struct{}), failed: make(chan error, 1),
	}
	w.book = newBook(p.Run, p.Worker, w.blame)
	for _, name := range p.Rooms {
		w.boards = append(w.boards, newBoard(name, func(gifts []wire.Gift) time.Duration { return w.read(name, gifts) }))
	}
	for range shares {
		w.tallies = append(w.tallies, new(tally))
	}
	crowd := p.Config.Crowd
	for index := p.Worker; index < crowd.Viewers; index += p.Config.Processes {
		n := len(w.viewers)
		v := &viewer{
			worker: w, index: index, user: prefix(p.Run) + strconv.FormatInt(int64(index), tagBase),
			board: w.boards[n%len(w.boards)], tally: w.tallies[n%shares],
			slow: index >= crowd.Viewers-p.Config.slowReaders(),
		}
		if index < crowd.Gifters {
			v.giver = newGiver(w, v.tally)
			w.givers = append(w.givers, v)
		}
		w.viewers = append(w.viewers, v)
	}
	return w, nil
}

// read looks at the gifts of an event that nobody here has heard before: what is ours is
// noted as shown. It says when one of them was due, by turns any of the event's, so that
// neither the first nor the last of a batch stands for all.
func (w *worker) read(roomID string, gifts []wire.Gift) time.Duration {
	due, ours := noDue, 0
	for _, g := range gifts {
		t, ok := parseTag(g.ReceiverID)
		if !ok || !strings.HasPrefix(g.UserID, prefix(w.plan.Run)) {
			continue
		}
		if ours++; spread(t.serial, uint64(ours))%uint64(ours) == 0 { //nolint:gosec // above zero
			due = t.due
		}
		if t.worker == w.plan.Worker {
			w.book.show(roomID, t.serial, g)
		}
	}
	return due
}

// refused notes a dial that failed. Before anybody was let in, answers that will not
// change end the run.
func (w *worker) refused(v *viewer, err error) {
	w.why.count("refused: " + cause(err))
	var refused *client.RefusedError
	if !errors.As(err, &refused) || v.state().ready {
		return
	}
	switch refused.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		select {
		case w.failed <- fmt.Errorf("viewer %s was refused: %w", v.user, refused):
		default:
		}
	}
}

// stall is a slow reader's way of not reading.
func (w *worker) stall(ctx context.Context) {
	select {
	case <-w.calm:
	case <-ctx.Done():
	}
}

// work does a worker's part: it lets its viewers in, and follows orders until it is told
// to finish. tell is called from one goroutine.
func work(p *Plan, orders <-chan order, tell func(*report) error) error {
	w, err := newWorker(p)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	group.Go(func() { w.enter(ctx, &group) })
	load, calm := context.WithCancel(ctx)
	defer calm()
	tick := time.NewTimer(w.clock.until(w.nextTell()))
	defer tick.Stop()
	for {
		select {
		case o, ok := <-orders:
			switch {
			case !ok:
				return errGone
			case o.Start != nil:
				group.Go(func() {
					defer close(w.calm)
					w.load(load, o.Start.At)
				})
			case o.Calm:
				calm()
			case o.Finish != nil:
				return w.finish(o.Finish.Heads, tell, func() {
					w.part(ctx)
					stop()
					group.Wait()
				})
			}
		case err := <-w.failed:
			return err
		case <-tick.C:
			if err := w.tell(false, tell); err != nil {
				return err
			}
			tick.Reset(w.clock.until(w.nextTell()))
		}
	}
}

// tellEvery is how often a worker reports: at whole seconds since the origin, as all
// workers do, so that their seconds can be added up.
const tellEvery = time.Second

func (w *worker) nextTell() time.Duration { return w.clock.now().Truncate(tellEvery) + tellEvery }

// enter lets the viewers in at their rate.
func (w *worker) enter(ctx context.Context, group *sync.WaitGroup) {
	rate := w.plan.Config.Crowd.ConnectRate / float64(w.plan.Config.Processes)
	begun := w.clock.now()
	for n, v := range w.viewers {
		due := begun + time.Duration(float64(n)/rate*float64(time.Second))
		if !w.wait(ctx, due) {
			return
		}
		group.Go(func() { v.run(ctx) })
	}
}

// wait waits until a time since the origin; false: ctx ended first.
func (w *worker) wait(ctx context.Context, at time.Duration) bool {
	left := w.clock.until(at)
	if left <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// tell reports what was counted since the last time.
func (w *worker) tell(last bool, tell func(*report) error) error {
	s, err := w.measure()
	if err != nil {
		return err
	}
	s.Last = last
	return tell(&report{Second: s})
}

func (w *worker) measure() (*second, error) {
	s := &second{Worker: w.plan.Worker, At: w.clock.now(), Reasons: w.why.take(), CPU: cpuTime(), Standing: w.standing()}
	var hists histograms
	for _, t := range w.tallies {
		t.take(&hists, &s.Counts)
	}
	var err error
	s.Packed, err = hists.pack()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	s.Memory = int64(mem.Sys - mem.HeapReleased) //nolint:gosec // it fits
	return s, err
}

// standing is where everybody is.
func (w *worker) standing() Standing {
	s := Standing{Viewers: len(w.viewers), Undecided: w.book.undecided(), Rooms: make(map[string]span, len(w.boards))}
	select {
	case <-w.calm:
		s.Calm = true
	default:
	}
	for _, v := range w.viewers {
		at := v.state()
		if at.ready {
			s.Ready++
		}
		if at.conn == nil || at.welcomed == 0 {
			continue
		}
		s.Connected++
		seq := v.seq.Load()
		if r, known := s.Rooms[v.board.room]; known {
			s.Rooms[v.board.room] = span{min(r.Low, seq), max(r.High, seq)}
		} else {
			s.Rooms[v.board.room] = span{seq, seq}
		}
	}
	return s
}

// partTime bounds the goodbyes at the end.
const partTime = 2 * time.Second

// part lets all viewers say goodbye.
func (w *worker) part(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, partTime)
	defer cancel()
	for _, v := range w.viewers {
		if at := v.change(func(l *line) { l.leaving, l.gone = true, true }); at.conn != nil {
			at.conn.leave()
		}
		if v.giver != nil {
			v.giver.rest()
		}
	}
	tick := time.NewTicker(partTime / 100)
	defer tick.Stop()
	for w.standing().Connected > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
