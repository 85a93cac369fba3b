//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// outOfFiles takes file descriptors away: first from a node that runs, while ZEGO and
// viewers come anew, then from one that starts.
func outOfFiles(ctx context.Context, w *world) error {
	if err := w.usual(ctx); err != nil {
		return err
	}
	for round := range 2 {
		if err := w.starve(ctx, round); err != nil {
			return err
		}
		if w.node.ended() {
			if err := w.serve(ctx, how{}); err != nil {
				return err
			}
		}
		if err := w.grow(ctx, 30); err != nil {
			return err
		}
	}
	// A node that starts with too few must say so and end, not hang half open.
	w.node.kill()
	for _, most := range []int{8, 14, 20, 26} {
		w.faults++
		if err := w.launch(how{before: []string{"prlimit", fmt.Sprintf("--nofile=%d:%d", most, most)}}); err != nil {
			return err
		}
		if err := pause(ctx, 3*time.Second); err != nil {
			return err
		}
		said := "runs"
		if w.node.ended() {
			said = fmt.Sprintf("ended: %v: %.200s", w.node.cmd.ProcessState, w.node.tail(1))
		} else if !w.node.isReady(ctx) {
			said = "runs, unready"
		}
		w.note("started with %d file descriptors: %s", most, said)
		if strings.Contains(w.node.tail(100), "panic") {
			return fmt.Errorf("a panic with %d file descriptors:\n%s", most, w.node.tail(60))
		}
		w.node.kill()
	}
	return w.restart(ctx)
}

// starve leaves a running node no file descriptor to open, for a while.
func (w *world) starve(ctx context.Context, round int) error {
	w.faults++
	pid := fmt.Sprint(w.node.pid())
	fds, err := os.ReadDir("/proc/" + pid + "/fd")
	if err != nil {
		return err
	}
	before, refused := w.acceptedCount(), w.refusals()
	// The soft limit alone: not everybody may raise a hard one again.
	if err := command(ctx, "prlimit", "--pid", pid, fmt.Sprintf("--nofile=%d:", len(fds))); err != nil {
		return err
	}
	// ZEGO hangs up, so that the node has to call anew; and strangers take what that sets
	// free.
	w.door.close()
	opened := w.door.open(ctx)
	var strangers []net.Conn
	for range 50 {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", w.node.address("listen"))
		if err == nil {
			strangers = append(strangers, c)
		}
	}
	waited := pause(ctx, 8*time.Second)
	w.note("out of file descriptors %d: %d open, %d strangers; accepted meanwhile %d, rejected %v before, %v after; node ended: %v",
		round, len(fds), len(strangers), w.acceptedCount()-before, refused, w.refusals(), w.node.ended())
	for _, c := range strangers {
		_ = c.Close() // nothing was written
	}
	if err := errors.Join(opened, waited); err != nil || w.node.ended() {
		return err
	}
	return command(ctx, "prlimit", "--pid", pid, "--nofile=1024:")
}
