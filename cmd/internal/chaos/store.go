//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
)

// What is promised of a store that cannot store: unready within 5 s, and an end within
// 30 s.
const (
	unreadyWithin = 5 * time.Second
	endsWithin    = 30 * time.Second
)

// unready waits until /readyz says 503, and says how long it took.
func (w *world) unready(ctx context.Context, within time.Duration) (time.Duration, error) {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := until(ctx, "unreadiness", func() (bool, error) {
		status, _, err := ask(ctx, request{method: http.MethodGet, url: "http://" + w.node.address("admin-listen") + "/readyz"})
		return w.node.ended() || err == nil && status == http.StatusServiceUnavailable, nil
	})
	return time.Since(begun), err
}

// disk sizes of fullDisk.
const (
	diskBytes = 8 << 20
	diskLeft  = 600 << 10 // what the ballast leaves
)

// fullDisk has the node on a disk of a few MiB that runs full, with the watermark for
// free space all but off, so that the real ENOSPC is met. It must refuse typed, go
// unready, and end; and have everything that it accepted when there is space again.
func fullDisk(ctx context.Context, w *world) error {
	disk := filepath.Join(w.dir, "disk")
	if err := mountSmall(disk, diskBytes); err != nil {
		return err
	}
	w.data = filepath.Join(disk, "data")
	tight := how{more: []string{"--free-bytes", "1"}}
	if err := w.serve(ctx, tight); err != nil {
		return err
	}
	if err := w.crowd(ctx); err != nil {
		return err
	}
	w.run(ctx)
	for round := range 2 {
		w.give(true)
		if err := w.grow(ctx, 50); err != nil {
			return err
		}
		before := w.acceptedCount()
		if err := ballast(disk); err != nil {
			return err
		}
		w.faults++
		_, err := w.unready(ctx, 40*time.Second)
		if err != nil {
			return err
		}
		status, took, err := w.node.wait(ctx, endsWithin)
		if err != nil {
			return err
		}
		w.note("full disk %d: %d gifts accepted until it was full, unready, ended by itself with %d after %.1f s more, rejected %v", round, w.acceptedCount()-before, status, took.Seconds(), w.refusals())
		// Whoever supervises it starts it again on the full disk.
		if err := w.launch(tight); err != nil {
			return err
		}
		if err := pause(ctx, 5*time.Second); err != nil {
			return err
		}
		w.note("started again on the full disk: ended %v, ready %v", w.node.ended(), !w.node.ended() && w.node.isReady(ctx))
		w.node.kill()
		if err := remountSmall(disk, diskBytes*(round+2)*4); err != nil {
			return err
		}
		if err := w.serve(ctx, tight); err != nil {
			return err
		}
	}
	if w.refusals()[wire.CodeUnavailable] == 0 {
		return errors.New("no gift was rejected as unavailable")
	}
	w.give(true)
	return w.grow(ctx, 20)
}

// ballast fills the disk but for a little.
func ballast(disk string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(disk, &fs); err != nil {
		return err
	}
	left := int64(fs.Bavail) * fs.Bsize //nolint:gosec // a small disk
	if left <= diskLeft {
		return nil
	}
	name := filepath.Join(disk, fmt.Sprint("ballast-", left))
	return os.WriteFile(name, make([]byte, left-diskLeft), 0o600)
}

// slowFsync lets every fsync take 1.5 s: no accepted may come sooner.
func slowFsync(ctx context.Context, w *world) error {
	const delay = 1500 * time.Millisecond
	if err := w.usual(ctx); err != nil {
		return err
	}
	w.give(false)
	if err := w.settled(ctx, time.Minute); err != nil {
		return err
	}
	strace, err := w.attach(ctx, injection{calls: synced, inject: fmt.Sprintf("delay_enter=%d", delay.Microseconds())})
	if err != nil {
		return err
	}
	since := time.Now()
	w.faults++
	w.give(true)
	err = pause(ctx, 12*time.Second)
	w.give(false)
	hasty, slow := 0, 0
	w.sentSince(since, func(g *given) {
		if g.accepted.IsZero() {
			return
		}
		if slow++; g.accepted.Sub(g.first) < delay {
			hasty++
		}
	})
	strace.detach()
	if err != nil {
		return err
	}
	w.note("fsync slowed by %v: %d gifts accepted meanwhile, %d of them sooner; refused %v", delay, slow, hasty, w.refusals())
	if hasty > 0 {
		return fmt.Errorf("%d gifts were accepted before an fsync can have ended", hasty)
	}
	if w.node.ended() {
		w.note("the node has ended: %s", w.node.tail(2))
		return w.restart(ctx)
	}
	w.give(true)
	return w.grow(ctx, 20)
}

// sentSince looks at every gift first sent since.
func (w *world) sentSince(since time.Time, look func(*given)) {
	w.each(func(_ *viewer, g *given) {
		if !g.first.Before(since) {
			look(g)
		}
	})
}

// failingFsync lets every fsync fail with EIO: nothing sent meanwhile may be accepted,
// and the node must refuse typed or end.
func failingFsync(ctx context.Context, w *world) error {
	if err := w.usual(ctx); err != nil {
		return err
	}
	w.give(false)
	if err := w.settled(ctx, time.Minute); err != nil {
		return err
	}
	strace, err := w.attach(ctx, injection{calls: synced, inject: "error=EIO"})
	if err != nil {
		return err
	}
	since := time.Now()
	w.faults++
	w.give(true)
	took, unreadyErr := w.unready(ctx, unreadyWithin)
	_, ended, err := w.node.wait(ctx, endsWithin-took)
	strace.detach()
	believed := 0
	w.sentSince(since, func(g *given) {
		if !g.accepted.IsZero() {
			believed++
		}
	})
	w.note("every fsync fails with EIO: unready after %.1f s, ended after %.1f s more, %d gifts accepted meanwhile, rejected %v", took.Seconds(), ended.Seconds(), believed, w.refusals())
	if believed > 0 {
		err = errors.Join(err, fmt.Errorf("%d gifts were accepted although every fsync failed", believed))
	}
	if err := errors.Join(unreadyErr, err); err != nil {
		return err
	}
	return w.restart(ctx)
}
