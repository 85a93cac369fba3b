//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"
)

// instant is where in a node's life it is killed.
type instant struct {
	phase string
	nth   int // fsync of one thread, counted from the phase's begin
}

// instants spreads kills over a node's life.
func instants() []instant {
	var out []instant
	for _, p := range []struct {
		phase string
		nth   []int
	}{
		{"startup", []int{1, 2, 3, 5}}, // on an empty folder, and later on a full one
		{"first gifts", []int{1, 2, 3}},
		{"startup", []int{1, 2}},
		{"steady", []int{1, 2, 5, 10, 20, 40}},
		{"snapshot", []int{1, 2}},
		{"drain", []int{1, 2, 3}},
	} {
		for _, n := range p.nth {
			out = append(out, instant{p.phase, n})
		}
	}
	return out
}

// killAtFsync kills the node when a thread enters its n-th fsync, which then does not
// happen, for a range of n in each phase.
func killAtFsync(ctx context.Context, w *world) error {
	reached := make(map[string]int)

	for i, at := range instants() {
		killed, err := w.killAt(ctx, at, i)
		if err != nil {
			return fmt.Errorf("%s, fsync %d: %w", at.phase, at.nth, err)
		}
		if killed {
			w.faults++
			reached[at.phase]++
		}
	}
	w.note("kills at an fsync by phase: %v of %d tried", reached, len(instants()))
	return w.restart(ctx)
}

// restart starts the node once more, for good, and waits for load to flow.
func (w *world) restart(ctx context.Context) error {
	if err := w.serve(ctx, how{}); err != nil {
		return err
	}
	w.give(true)
	return w.grow(ctx, 20)
}

// fsyncsWithin is how long the n-th fsync is waited for.
const fsyncsWithin = 15 * time.Second

// killAt starts a node and has it killed; false if there was no such fsync.
func (w *world) killAt(ctx context.Context, at instant, i int) (bool, error) {
	hit := injection{calls: synced, inject: fmt.Sprintf("signal=KILL:when=%d", at.nth)}
	if at.phase == "startup" {
		if err := w.launch(how{before: hit.under(filepath.Join(w.dir, fmt.Sprint("startup-", i)))}); err != nil {
			return false, err
		}
		return w.killed(ctx, 5*time.Second)
	}
	if err := w.serve(ctx, how{}); err != nil {
		return false, err
	}
	if len(w.viewers) == 0 {
		if err := w.crowd(ctx); err != nil {
			return false, err
		}
		w.run(ctx)
	}
	if at.phase == "first gifts" {
		w.give(false)
	} else {
		w.give(true)
		if err := w.grow(ctx, 10); err != nil {
			return false, err
		}
	}
	if at.phase == "snapshot" {
		hit.path = filepath.Join(w.data, "jetstream", "$G", "streams", "SNAPS", "msgs", "1.blk")
	}
	strace, err := w.attach(ctx, hit)
	if err != nil {
		return false, err
	}
	defer strace.detach()
	w.give(true)
	if at.phase == "drain" {
		if err := w.node.signal(sigTerm); err != nil {
			return false, err
		}
	}
	return w.killed(ctx, fsyncsWithin)
}

// killed waits until the node has died of the injected signal; if it has not, it is
// ended.
func (w *world) killed(ctx context.Context, within time.Duration) (bool, error) {
	select {
	case <-w.node.exited:
	case <-time.After(within):
		w.node.kill()
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
	status := w.node.cmd.ProcessState.Sys()
	if s, ok := status.(interface{ Signaled() bool }); ok && s.Signaled() {
		return true, nil
	}
	if w.node.cmd.ProcessState.ExitCode() != 0 {
		return false, fmt.Errorf("the node ended by itself: %v\n%s", w.node.cmd.ProcessState, w.node.tail(20))
	}
	return false, nil // it had drained before
}

// killAtRandom is kill -9 under load, at random times after the start: some come
// before the node is ready.
func killAtRandom(ctx context.Context, w *world) error {
	if err := w.usual(ctx); err != nil {
		return err
	}
	draw := rand.New(rand.NewPCG(w.tools.seed, 9)) //nolint:gosec // a run is repeated by its seed
	begun := time.Now()
	for w.faults < w.tools.kills || time.Since(begun) < w.length {
		if err := pause(ctx, time.Duration(draw.Int64N(int64(2*time.Second)))); err != nil {
			return err
		}
		w.node.kill()
		w.faults++
		if draw.IntN(4) == 0 {
			if err := w.launch(how{}); err != nil {
				return err
			}
			if err := pause(ctx, time.Duration(draw.Int64N(int64(150*time.Millisecond)))); err != nil {
				return err
			}
			w.node.kill()
			w.faults++
		}
		if err := w.serve(ctx, how{}); err != nil {
			return err
		}
	}
	return w.grow(ctx, 20)
}

// stopAndContinue is SIGSTOP and SIGCONT, for longer than viewers and ZEGO wait.
func stopAndContinue(ctx context.Context, w *world) error {
	if err := w.usual(ctx); err != nil {
		return err
	}
	draw := rand.New(rand.NewPCG(w.tools.seed, 7)) //nolint:gosec // a run is repeated by its seed
	for begun := time.Now(); w.faults < 4 || time.Since(begun) < w.length; w.faults++ {
		if err := w.freeze(ctx, time.Second+time.Duration(draw.Int64N(int64(6*time.Second)))); err != nil {
			return err
		}
		if err := w.grow(ctx, 30); err != nil {
			return err
		}
	}
	return nil
}
