package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
)

// viewer is one viewer for the whole run, over all its connections.
type viewer struct {
	// Set at birth.
	worker *worker
	index  int // in the run
	user   string
	board  *board
	tally  *tally
	giver  *giver // nil: it only watches
	slow   bool

	// Owned by run.
	token string
	chain chain
	tries int // failed ones since the last welcome

	seq atomic.Uint64 // what chain has reached, for others to see

	mu      sync.Mutex // guards line
	current line
}

// line is a viewer's connection, as others see it.
type line struct {
	conn     *conn // nil: it is away
	number   uint32
	welcomed time.Duration // when; zero: not yet
	ready    bool          // was welcomed once
	leaving  bool          // on purpose: comes back after Trouble.Away
	dropped  time.Duration // in a storm, when; zero: it was not
	gone     bool          // the run is over: it does not come back
	goodbye  string        // the hub told it to stay away, and why
}

// state is a copy of the line.
func (v *viewer) state() line {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.current
}

// change edits the line.
func (v *viewer) change(f func(*line)) line {
	v.mu.Lock()
	defer v.mu.Unlock()
	f(&v.current)
	return v.current
}

// run connects again and again until ctx ends.
func (v *viewer) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := v.visit(ctx)
		if ctx.Err() != nil {
			return
		}
		wait, back := v.pause(err)
		if !back {
			return
		}
		v.rest(ctx, wait)
	}
}

// rest waits; a viewer that is away on purpose comes back at once when the load is over.
func (v *viewer) rest(ctx context.Context, wait time.Duration) {
	var calm <-chan struct{}
	if v.state().leaving {
		calm = v.worker.calm
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-calm:
	case <-ctx.Done():
	}
	v.change(func(l *line) { l.leaving = false })
}

// Backoff of reconnects, with full jitter.
const (
	backoffBase = 100 * time.Millisecond
	backoffMax  = 5 * time.Second
)

// byeError ends a connection that the hub ended with bye.
type byeError struct{ bye wire.Bye }

func (e *byeError) Error() string { return "load: bye: " + string(e.bye.Code) }

// pause says when to come back after a connection ended with err; back is false where
// the hub wants the viewer to stay away.
func (v *viewer) pause(err error) (wait time.Duration, back bool) {
	at := v.state()
	var bye *byeError
	var refused *client.RefusedError
	switch {
	case at.gone:
		return 0, false
	case at.leaving:
		return v.worker.plan.Config.Trouble.Away, true
	case errors.As(err, &bye):
		if bye.bye.ReconnectInMS == 0 {
			v.change(func(l *line) { l.goodbye = string(bye.bye.Code) })
			return 0, false
		}
		return time.Duration(bye.bye.ReconnectInMS) * time.Millisecond, true
	case errors.As(err, &refused) && refused.RetryAfter > 0:
		return refused.RetryAfter + rand.N(refused.RetryAfter), true
	case v.tries == 0: // the first try after a connection that stood
		return 0, true
	}
	return rand.N(min(backoffMax, backoffBase<<min(v.tries, 10))), true
}

// visit is one connection, from the dial to its end.
func (v *viewer) visit(ctx context.Context) (err error) {
	begun := v.worker.clock.now()
	v.tally.count(Dials)
	c, err := v.dial(ctx)
	if err != nil {
		v.tries++
		if ctx.Err() == nil {
			v.tally.count(Refused)
			v.worker.refused(v, err)
		}
		return err
	}
	at := v.change(func(l *line) { l.conn, l.number, l.welcomed = c, l.number+1, 0 })
	stop := context.AfterFunc(ctx, c.cut)
	var writing sync.WaitGroup
	over := make(chan struct{})
	defer func() {
		c.cut()
		stop()
		close(over)
		writing.Wait()
		at := v.change(func(l *line) { l.conn = nil })
		if at.dropped == 0 && !at.leaving && ctx.Err() == nil {
			v.tally.count(Lost)
			v.worker.why.count("lost: " + cause(err))
		}
	}()
	ear := &ear{viewer: v, conn: c, number: at.number, begun: begun}
	if v.giver != nil {
		ear.welcome = func() { writing.Go(func() { v.giver.write(c, at.number, over) }) }
	}
	for {
		frame, err := c.next()
		if err == nil {
			err = ear.hear(frame, v.worker.clock.now())
		}
		if err != nil {
			return err
		}
		if v.slow && ear.welcomed > 0 {
			v.worker.stall(ctx)
		}
	}
}

// dialTime bounds a connection's making, up to the answer to the upgrade.
const dialTime = 20 * time.Second

func (v *viewer) dial(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	if v.token == "" {
		var err error
		if v.token, err = v.worker.gate.token(ctx, v.user, v.board.room); err != nil {
			return nil, err
		}
	}
	return v.worker.gate.visit(v).dial(ctx)
}

// cause is a connection's end in few words, for counting.
func cause(err error) string {
	var closed *closedError
	var bye *byeError
	var refused *client.RefusedError
	switch {
	case err == nil:
		return "no reason"
	case errors.As(err, &bye):
		return "bye " + string(bye.bye.Code)
	case errors.As(err, &closed):
		return fmt.Sprintf("close frame %d", closed.code)
	case errors.As(err, &refused):
		return fmt.Sprintf("%d %s", refused.Status, refused.Code)
	}
	return system(err)
}
