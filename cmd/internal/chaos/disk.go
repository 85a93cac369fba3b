//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// freeze stops the node for a while.
func (w *world) freeze(ctx context.Context, d time.Duration) error {
	if err := w.node.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	waited := pause(ctx, d)
	return errors.Join(w.node.signal(syscall.SIGCONT), waited)
}

// mountSmall mounts a disk in memory. It goes with the mount namespace.
func mountSmall(dir string, bytes int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("chaos", dir, "tmpfs", 0, fmt.Sprint("size=", bytes)); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	return nil
}

// remountSmall gives it more space.
func remountSmall(dir string, bytes int) error {
	if err := syscall.Mount("chaos", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprint("size=", bytes)); err != nil {
		return fmt.Errorf("remount tmpfs: %w", err)
	}
	return nil
}

// image is an ext4 file system in a file.
type image struct{ file, dir, loop string }

// imageBytes is the size of an image; it is sparse.
const imageBytes = 512 << 20

func newImage(ctx context.Context, name string) (*image, error) {
	im := &image{file: name + ".img", dir: name}
	f, err := os.Create(im.file)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(imageBytes), f.Close()); err != nil {
		return nil, err
	}
	if err := command(ctx, "mkfs.ext4", "-q", "-F", im.file); err != nil {
		return nil, err
	}
	return im, im.mount(ctx)
}

// mount mounts the image; its loop device goes when it is unmounted.
func (im *image) mount(ctx context.Context) error {
	if err := os.MkdirAll(im.dir, 0o700); err != nil {
		return err
	}
	if err := command(ctx, "mount", "-o", "loop", im.file, im.dir); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "findmnt", "-n", "-o", "SOURCE", im.dir).Output()
	if err != nil {
		return fmt.Errorf("findmnt: %w", err)
	}
	im.loop = filepath.Base(strings.TrimSpace(string(out)))
	return nil
}

// unmount is tried for a while: a process may have just ended.
func (im *image) unmount(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return until(ctx, "unmount of "+im.dir, func() (bool, error) { return syscall.Unmount(im.dir, 0) == nil, nil })
}

// errMoved says that the disk was written while it was copied.
var errMoved = errors.New("the disk was written while it was copied")

// copyTo copies what the disk holds: what was written back or synced, not what the
// kernel still holds in memory for it. Nothing is synced for the copy. It is a copy of
// one moment: the device's counters of writes must not move meanwhile, else it is made
// again.
func (im *image) copyTo(ctx context.Context, name string) error {
	for range 20 {
		before, err := im.writes()
		if err != nil {
			return err
		}
		if err := command(ctx, "cp", "--sparse=always", im.file, name); err != nil {
			return err
		}
		after, err := im.writes()
		if err != nil {
			return err
		}
		if before == after {
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return errMoved
}

// writes are the device's completed writes, written sectors, discards, and what is in
// flight (Documentation/block/stat.rst).
func (im *image) writes() (string, error) {
	text, err := os.ReadFile(filepath.Join("/sys/block", im.loop, "stat"))
	if err != nil {
		return "", err
	}
	f := strings.Fields(string(text))
	if len(f) < 15 {
		return "", fmt.Errorf("/sys/block/%s/stat: %q", im.loop, text)
	}
	if f[8] != "0" {
		return "in flight at " + time.Now().String(), nil
	}
	return strings.Join([]string{f[4], f[6], f[11]}, " "), nil
}

func command(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// unmountBelow unmounts whatever is mounted below a folder, the newest first.
func unmountBelow(dir string) error {
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	slices.Reverse(lines)
	var all error
	for _, line := range lines {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], dir+"/") {
			all = errors.Join(all, syscall.Unmount(f[1], syscall.MNT_DETACH))
		}
	}
	return all
}
