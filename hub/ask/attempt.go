package ask

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/owner"
)

// ask puts a question to whoever owns the room, again and again while nobody is ready
// for it. The error where ctx ended first wraps owner.ErrNotReady, the last reason for
// asking again, and ctx's cause.
func (a *Asker) ask(ctx context.Context, q *question) (reply, error) {
	n := a.cfg.Partition(q.Room)
	var why error
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		r, err := a.once(ctx, n, q)
		if err == nil || a.cfg.Bus == nil || !errors.Is(err, owner.ErrNotReady) || errors.Is(err, ErrVersion) {
			return r, err
		}
		if why == nil || ctx.Err() == nil {
			why = err
		}
		if cause := pause(ctx, wait/2+rand.N(wait/2)); cause != nil {
			return reply{}, fmt.Errorf("%w: %w", why, cause)
		}
		a.stats.again.Add(1)
	}
}

// once puts the question once: here, if the partition is here.
func (a *Asker) once(ctx context.Context, n int, q *question) (reply, error) {
	if c := a.cfg.Desk.at(n); c != nil {
		return c.ask(ctx, q)
	}
	if a.cfg.Bus == nil {
		return reply{}, owner.ErrNotReady
	}
	return a.remote(ctx, n, q)
}

// remote puts the question to another node.
func (a *Asker) remote(ctx context.Context, n int, q *question) (reply, error) {
	most := q.Kind.most()
	within := most
	if end, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(end))
	}
	q.V, q.Node, q.Within = version, a.cfg.Node, max(1, within.Milliseconds())
	data, err := encodeQuestion(q)
	if err != nil {
		return reply{}, err
	}
	a.stats.asked.Add(1)
	data, err = a.cfg.Bus.Ask(ctx, subject(n), data, most+travel)
	if err != nil {
		if errors.Is(err, cluster.ErrNoAnswer) {
			a.stats.silence.Add(1)
		}
		return reply{}, fmt.Errorf("%w: partition %d: %w", owner.ErrNotReady, n, err)
	}
	got, err := decodeAnswer(data, q.Kind)
	switch {
	case errors.Is(err, ErrVersion):
		a.stats.foreign.Add(1)
		return reply{}, fmt.Errorf("%w: %w", owner.ErrNotReady, err)
	case err != nil:
		a.stats.foreign.Add(1)
		return reply{}, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return got.Reply, got.error()
}

// pause waits, or returns ctx's cause.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
