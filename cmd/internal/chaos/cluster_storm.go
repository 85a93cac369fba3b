//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// storm is faults of all kinds, drawn one after the other and some at a time, for a
// while.
func storm(ctx context.Context, f *fleet) error {
	if err := f.usual(ctx); err != nil {
		return err
	}
	draw := f.luck(41)
	count := make(map[string]int)
	for begun := time.Now(); time.Since(begun) < f.length; f.faults++ {
		name, err := f.strike(ctx, draw)
		if err == nil {
			err = pause(ctx, between(draw, 500*time.Millisecond, 6*time.Second))
		}
		if err != nil {
			return err
		}
		count[name]++
		if draw.IntN(3) > 0 { // else faults add up
			if err := f.lift(ctx); err != nil {
				return err
			}
		}
	}
	at := time.Now()
	if err := f.heal(ctx); err != nil {
		return err
	}
	if err := f.flowing(ctx, time.Now()); err != nil {
		return err
	}
	f.note("%v; healed: all rooms flushed after %.1f s", count, time.Since(at).Seconds())
	return f.grow(ctx, 50)
}

// strike does one fault.
func (f *fleet) strike(ctx context.Context, draw *rand.Rand) (string, error) {
	n, s := f.nodes[draw.IntN(fleetSize)], f.nats[draw.IntN(fleetSize)]
	running := func(m *machine) bool { return !m.down && !m.proc.ended() }
	switch kind := draw.IntN(7); {
	case kind == 0 && running(n):
		n.kill()
		return "node killed", nil
	case kind == 1 && running(n):
		return "node stopped", n.proc.signal(syscall.SIGSTOP)
	case kind == 2:
		return "node cut from NATS", n.cut(ctx, store)
	case kind == 3 && running(s):
		s.kill()
		return "NATS killed", nil
	case kind == 4:
		return "NATS cut from NATS", s.cut(ctx, routes)
	case kind == 5 && running(s):
		return "NATS stopped", s.proc.signal(syscall.SIGSTOP)
	case kind == 6 && running(n):
		n.down = true // it may not come back by itself
		return "node drained", n.proc.signal(sigTerm)
	}
	return "nothing", nil
}

// lift ends all faults, without waiting for what comes of it.
func (f *fleet) lift(ctx context.Context) error {
	var errs []error
	for _, m := range slices.Concat(f.nats, f.nodes) {
		errs = append(errs, m.mendAll(ctx))
		switch {
		case m.proc.ended() && !m.down:
			errs = append(errs, fmt.Errorf("%s: %w: %v\n%s", m.name, errEnded, m.proc.cmd.ProcessState, m.proc.tail(20)))
		case m.proc.ended():
			errs = append(errs, m.start())
		default:
			errs = append(errs, m.proc.signal(syscall.SIGCONT))
		}
	}
	return errors.Join(errs...)
}

// idleCount rooms that nobody gives in.
const idleCount = 10_000

// idleRooms measures what rooms cost that nothing happens in: CPU and memory of nodes and
// NATS servers.
func idleRooms(ctx context.Context, f *fleet) error {
	if err := f.serve(ctx); err != nil {
		return err
	}
	length := max(f.length, time.Minute)
	if err := f.idle(ctx, "no rooms", length/2); err != nil {
		return err
	}
	begun := time.Now()
	var makers sync.WaitGroup
	errs := make([]error, 12)
	for w := range errs {
		makers.Go(func() {
			for r := w; r < idleCount && errs[w] == nil; r += len(errs) {
				errs[w] = put(ctx, f.nodes[r%fleetSize].url(), fmt.Sprint("idle", r))
			}
		})
	}
	makers.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	f.note("%d rooms configured in %.1f s", idleCount, time.Since(begun).Seconds())
	if err := pause(ctx, 15*time.Second); err != nil { // snapshots, if any
		return err
	}
	if err := f.idle(ctx, fmt.Sprint(idleCount, " rooms"), length); err != nil {
		return err
	}
	status, _, err := ask(ctx, request{method: http.MethodGet, key: apiKey, url: f.anyNode() + "/v1/rooms/idle7"})
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("a room that was configured: %d, %w", status, err)
	}
	return errJudged
}

// idle notes what each process uses of a core over a time.
func (f *fleet) idle(ctx context.Context, what string, length time.Duration) error {
	all := slices.Concat(f.nodes, f.nats)
	begun, before := time.Now(), make([]time.Duration, len(all))
	var err error
	for i, m := range all {
		if before[i], err = cpu(m.proc.pid()); err != nil {
			return err
		}
	}
	if err := pause(ctx, length); err != nil {
		return err
	}
	took := time.Since(begun)
	var said []string
	for i, m := range all {
		now, err := cpu(m.proc.pid())
		if err != nil {
			return err
		}
		said = append(said, fmt.Sprintf("%s %.2f %% and %d MiB", m.name, 100*float64(now-before[i])/float64(took), resident(m.proc.pid())>>20))
	}
	f.note("idle, %s, %v: CPU of one core, memory: %s", what, took.Round(time.Second), strings.Join(said, ", "))
	return nil
}

// cpu is what a process has used, user and system (proc(5), stat, fields 14 and 15, in
// ticks of 10 ms).
func cpu(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may have spaces.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, text)
	}
	user, err1 := strconv.ParseInt(fields[utime], 10, 64)
	system, err2 := strconv.ParseInt(fields[stime], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// resident is a process's memory in bytes, 0 if it cannot be told (proc(5), statm).
func resident(pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return pages * os.Getpagesize()
}
