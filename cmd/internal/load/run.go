package load

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Run is one run of the generator. Set its fields and call Do.
type Run struct {
	Config Config
	// Command starts a worker process, which must call [Child]; needed for more than one.
	Command []string
	// Stderr gets what worker processes complain of; may be nil.
	Stderr io.Writer
	// Watch, if set, hears how the run goes, about once a second, from one goroutine.
	Watch func(Progress)

	id       string
	platform *platform
	fleet    *fleet
	sums     *sums
	clock    clock
	before   map[string]roomStart
	rooms    []string
	notes    []string
}

// ErrNotRun is wrapped by errors of a run that could not be made, or not be checked:
// nothing is known of the hub's promises then.
var ErrNotRun = errors.New("the load could not be run")

// Progress is how a run goes.
type Progress struct {
	// Phase is connecting, load, settling or checking; After how long it lasts by now, Of
	// how long it may at most.
	Phase     string
	After, Of time.Duration
	Standing  Standing
	// Second are the newest figures of a second; the zero Point before the load.
	Second Point
	// Sent, Results and Found are sums so far.
	Sent, Results, Found int64
}

// Times of a run.
const (
	// startAfter is how long workers have to read that the load begins.
	startAfter = 300 * time.Millisecond
	// slack is what phases may last longer than they are told to, for a busy machine.
	slack = 30 * time.Second
	// hurry is the time to settle of a run that was interrupted.
	hurry = 15 * time.Second
)

// Do makes the run and checks it. An interrupted run (ctx ends) ends its load, settles in
// a hurry, and is checked all the same. An error wraps [ErrNotRun].
func (r *Run) Do(ctx context.Context) (*Report, error) {
	report, err := r.do(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotRun, err)
	}
	return report, nil
}

func (r *Run) do(ctx context.Context) (_ *Report, err error) {
	if err := r.Config.Check(); err != nil {
		return nil, err
	}
	if err := checkFiles(r.Config.Crowd.Viewers, r.Config.Processes, openFiles()); err != nil {
		return nil, err
	}
	r.id, r.sums, r.platform = runID(), newSums(), newPlatform(&r.Config.Target)
	defer r.platform.close()
	defer r.close(ctx)
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	started := time.Now()
	r.clock = newClock(started.UnixNano())
	r.fleet = newFleet()
	defer r.fleet.end()
	if err := r.muster(started); err != nil {
		return nil, err
	}
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	machine, hub := busyNow(), r.hubUsage(ctx)
	loaded, settled, err := r.drive(ctx)
	if err != nil {
		return nil, err
	}
	machine = machine.until(busyNow())
	spent := r.hubUsage(context.WithoutCancel(ctx))
	for _, why := range spent.missing {
		r.notes = append(r.notes, "metrics are missing: "+why)
	}
	cost := hub.until(spent, (loaded + settled).Seconds(), r.sums.counts[Deliveries])
	if err := r.collect(); err != nil {
		return nil, err
	}
	if err := r.check(ctx); err != nil {
		return nil, err
	}
	r.close(ctx) // now, so that what goes wrong is told
	r.sums.found.sort()
	out := r.report(started, loaded, settled)
	out.Generator.MachineBusy, out.Hub = machine.share, cost
	out.conclude()
	return out, nil
}

// runID tells runs apart, in the names of rooms, users and gifts.
func runID() string { return strings.ToLower(rand.Text()[:6]) }

// open makes the rooms, or looks where the given ones stand.
func (r *Run) open(ctx context.Context) error {
	t := &r.Config.Target
	r.before = make(map[string]roomStart)
	if len(t.Rooms) > 0 {
		r.rooms = t.Rooms
		for _, name := range t.Rooms {
			cursor, err := r.platform.ledger(ctx, name, "", func(ledgerRow) {})
			if err != nil {
				return err
			}
			counters, err := r.platform.counters(ctx, name)
			if err != nil {
				return err
			}
			r.before[name] = roomStart{cursor, counters}
		}
		return nil
	}
	for n := range r.Config.Crowd.Rooms {
		name := fmt.Sprintf("load-%s-%d", r.id, n)
		if err := r.platform.putRoom(ctx, name, t.Game); err != nil {
			return err
		}
		r.rooms = append(r.rooms, name)
	}
	return nil
}

// closeTime bounds the deletion of rooms: 500 of them at 1 ms, with room.
const closeTime = 30 * time.Second

// close deletes the rooms that were made, once.
func (r *Run) close(ctx context.Context) {
	if len(r.Config.Target.Rooms) > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	rooms := r.rooms
	r.rooms = nil
	for _, name := range rooms {
		if err := r.platform.deleteRoom(ctx, name); err != nil {
			r.notes = append(r.notes, fmt.Sprintf("room %s is left behind: %v", name, err))
			return
		}
	}
}

// muster starts the workers.
func (r *Run) muster(started time.Time) error {
	for n := range r.Config.Processes {
		p := &Plan{Config: r.Config, Run: r.id, Rooms: r.rooms, Worker: n, Origin: started.UnixNano()}
		if r.Config.Processes == 1 {
			r.fleet.inside(p)
			continue
		}
		if err := r.fleet.outside(p, r.Command, r.Stderr); err != nil {
			return err
		}
	}
	return nil
}

// errLate says that what was waited for did not come in time.
var errLate = errors.New("too late")

// phase is a part of a run: its name, how long it lasts, and how much longer it may.
type phase struct {
	name      string
	of, slack time.Duration
}

// await takes reports in until the condition holds. The error is errLate after a time,
// ctx's cause, or what a worker failed of.
func (r *Run) await(ctx context.Context, at phase, done func() bool) error {
	late := time.NewTimer(at.of + at.slack)
	defer late.Stop()
	begun := time.Now()
	for !done() {
		select {
		case got := <-r.fleet.reports:
			failed, err := r.sums.report(got)
			if err != nil {
				return err
			}
			if failed != "" {
				return errors.New(failed)
			}
			if got.Second != nil && got.Second.Worker == 0 {
				r.show(at, time.Since(begun))
			}
		case <-late.C:
			return errLate
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// show tells who watches.
func (r *Run) show(at phase, after time.Duration) {
	if r.Watch == nil {
		return
	}
	c, standing := &r.sums.counts, r.sums.standing(r.Config.Processes)
	standing.Viewers = r.Config.Crowd.Viewers // also of workers that have not told yet
	r.Watch(Progress{
		Phase: at.name, After: after, Of: at.of, Standing: standing, Second: r.sums.newest(r.Config.Processes),
		Sent: c[Sent], Results: c[Delivered] + c[Failed] + c[Unresolved], Found: r.sums.found.Found(),
	})
}

// connect waits until everybody is in.
func (r *Run) connect(ctx context.Context) error {
	err := r.await(ctx, phase{"connecting", r.Config.Times.Connect, 0}, func() bool {
		s := r.sums.standing(r.Config.Processes)
		return len(r.sums.last) == r.Config.Processes && s.Ready == s.Viewers
	})
	if errors.Is(err, errLate) {
		s := r.sums.standing(r.Config.Processes)
		return fmt.Errorf("only %d of %d viewers could connect in %v: %s", s.Ready, s.Viewers, r.Config.Times.Connect, top(r.sums.reasons, "refused: ", "lost: "))
	}
	return err
}

// drive lets the load begin, and waits until it is over and has settled.
func (r *Run) drive(ctx context.Context) (loaded, settled time.Duration, err error) {
	start := (r.clock.now() + startAfter).Truncate(tellEvery) + tellEvery
	r.sums.start = start
	r.fleet.order(order{Start: &startOrder{At: start}})
	calm := func() bool { return r.sums.standing(r.Config.Processes).Calm }
	err = r.await(ctx, phase{"load", r.Config.Times.Load, r.clock.until(start) + slack}, calm)
	patience := r.Config.Times.Settle
	if ctx.Err() != nil { // the load ends here; what was accepted has to be true all the same
		r.notes = append(r.notes, "interrupted: the load ended early")
		patience = min(patience, hurry)
		r.fleet.order(order{Calm: true})
		err = r.await(context.WithoutCancel(ctx), phase{"load", 0, slack}, calm)
	}
	if err != nil {
		return 0, 0, err
	}
	loaded = min(r.Config.Times.Load, r.clock.now()-start)
	err = r.await(context.WithoutCancel(ctx), phase{"settling", patience, 0}, func() bool { return r.sums.standing(r.Config.Processes).settled() })
	if errors.Is(err, errLate) {
		s := r.sums.standing(r.Config.Processes)
		r.notes = append(r.notes, fmt.Sprintf("not settled after %v: %d gifts open, %d of %d viewers connected", patience, s.Undecided, s.Connected, s.Viewers))
		err = nil
	}
	return loaded, r.clock.now() - start - loaded, err
}

// collect ends the workers and takes their books in.
func (r *Run) collect() error {
	r.fleet.order(order{Finish: &finishOrder{Heads: r.sums.standing(r.Config.Processes).heads()}})
	ctx := context.Background() // an interrupted run is checked, too
	return r.await(ctx, phase{"checking", partTime, slack}, func() bool { return r.sums.done == r.Config.Processes })
}

// check compares the books with the ledger, room by room.
func (r *Run) check(ctx context.Context) error {
	c := &ledgerCheck{platform: r.platform, run: r.id, found: &r.sums.found, before: r.before, made: len(r.Config.Target.Rooms) == 0}
	for _, name := range r.rooms {
		if err := c.room(context.WithoutCancel(ctx), name, r.sums.rows[name]); err != nil {
			return err
		}
	}
	return nil
}

// top names the most frequent reasons with one of the prefixes.
func top(reasons map[string]int64, prefixes ...string) string {
	names := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int { return int(reasons[b] - reasons[a]) })
	var out []string
	for _, name := range names {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) && len(out) < 3 {
			out = append(out, fmt.Sprintf("%s (%d times)", name, reasons[name]))
		}
	}
	if len(out) == 0 {
		return "they got no answer"
	}
	return strings.Join(out, ", ")
}

// cores is how many processors the process may use.
func cores() int { return runtime.GOMAXPROCS(0) }
