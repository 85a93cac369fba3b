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
	nth   int // such call of one thread, counted from the phase's begin
	// stream, if not empty: only calls on its folder, or, with blocks, on its records.
	stream string
	blocks bool
	// calls that count; empty: those that sync.
	calls string
}

// written are the calls that write records.
const written = "write,pwrite64,writev"

// instants spreads kills over a node's life: while it makes each stream, takes over, has
// its first gifts, is at work, stores a snapshot, drains.
func instants() []instant {
	out := []instant{{phase: "startup", nth: 1}}
	for _, stream := range []string{"OUTCOMES", "GIFTS", "SNAPS", "IDS", "KV_ROOMS"} {
		out = append(out, instant{phase: "startup", nth: 1, stream: stream}, instant{phase: "startup", nth: 2, stream: stream})
	}
	out = append(out,
		instant{phase: "takeover", nth: 1, stream: "OUTCOMES", blocks: true},
		instant{phase: "takeover", nth: 1, stream: "OUTCOMES", blocks: true, calls: written})
	for _, n := range []int{1, 2, 3} {
		out = append(out, instant{phase: "first gifts", nth: n})
	}
	for _, n := range []int{1, 2, 5, 10, 20, 40} {
		out = append(out, instant{phase: "steady", nth: n})
	}
	for _, stream := range []string{"GIFTS", "OUTCOMES"} {
		out = append(out,
			instant{phase: "steady", nth: 1, stream: stream, blocks: true, calls: written},
			instant{phase: "steady", nth: 3, stream: stream, blocks: true})
	}
	for _, n := range []int{1, 2} {
		out = append(out, instant{phase: "snapshot", nth: n, stream: "SNAPS", blocks: true})
	}
	for _, n := range []int{1, 2, 3} {
		out = append(out, instant{phase: "drain", nth: n})
	}
	return out
}

// blocksMax is more than the blocks of one stream in such a run: a kill or two for each.
const blocksMax = 100

// injection is the instant in strace's words.
func (at instant) injection(data string) injection {
	i := injection{calls: synced, inject: fmt.Sprintf("signal=KILL:when=%d", at.nth)}
	if at.calls != "" {
		i.calls = at.calls
	}
	folder := filepath.Join(data, "jetstream", "$G", "streams", at.stream)
	switch {
	case at.blocks:
		for n := range blocksMax { // which of them is written to, only the server knows
			i.paths = append(i.paths, filepath.Join(folder, "msgs", fmt.Sprint(n+1, ".blk")))
		}
	case at.stream != "":
		i.paths = []string{folder}
	}
	return i
}

// killAtFsync kills the node when a thread enters its n-th fsync or write, which then
// does not happen, for a range of n in each phase.
func killAtFsync(ctx context.Context, w *world) error {
	reached := make(map[string]int)

	for i, at := range instants() {
		killed, err := w.killAt(ctx, at, i)
		if err != nil {
			return fmt.Errorf("%+v: %w", at, err)
		}
		if killed {
			w.faults++
			reached[at.phase]++
		}
	}
	w.note("kills at an fsync or a write by phase: %v of %d tried", reached, len(instants()))
	for _, at := range instants() {
		if reached[at.phase] == 0 {
			return fmt.Errorf("no kill was reached in the phase %s", at.phase)
		}
	}
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
	hit := at.injection(w.data)
	if at.phase == "startup" || at.phase == "takeover" {
		if err := w.launch(how{before: hit.under(filepath.Join(w.dir, fmt.Sprint("startup-", i)))}); err != nil {
			return false, err
		}
		return w.killed(ctx, fsyncsWithin)
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
