//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/go-json-experiment/json"
)

// cuts is how often the power fails.
const cuts = 4

// powerLoss has the node on an ext4 image of its own. While it is stopped, the image is
// copied as it is: what the kernel had not written to the disk is not in the copy. The
// node is killed, and the next one goes on with the copy. (What is not modelled: a
// disk that loses what it has acknowledged to have flushed.)
func powerLoss(ctx context.Context, w *world) error {
	disk, err := newImage(ctx, filepath.Join(w.dir, "disk0"))
	if err != nil {
		return err
	}
	w.data = filepath.Join(disk.dir, "data")
	if err := w.usual(ctx); err != nil {
		return err
	}
	for range cuts {
		if err := w.grow(ctx, 100); err != nil {
			return err
		}
		if disk, err = w.cut(ctx, disk); err != nil {
			return err
		}
		if err := w.serve(ctx, how{}); err != nil {
			return err
		}
	}
	return w.grow(ctx, 20)
}

// cut stops the node, copies its disk without a sync, kills the node, and mounts the
// copy.
func (w *world) cut(ctx context.Context, disk *image) (*image, error) {
	w.faults++
	next := &image{dir: filepath.Join(w.dir, fmt.Sprint("disk", w.faults))}
	next.file = next.dir + ".img"
	if err := w.node.signal(syscall.SIGSTOP); err != nil {
		return nil, err
	}
	copied := disk.copyTo(ctx, next.file)
	w.node.kill()
	if err := errors.Join(copied, disk.unmount(ctx)); err != nil {
		return nil, err
	}
	if err := errors.Join(os.Remove(disk.file), next.mount(ctx)); err != nil {
		return nil, err
	}
	w.data = filepath.Join(next.dir, "data")
	return next, nil
}

// powerLossUnsynced is the same with a giftwire whose embedded NATS does not sync before
// it answers. It must lose accepted gifts, or else powerLoss proves nothing.
func powerLossUnsynced(ctx context.Context, w *world) error {
	binary, err := w.tools.unsynced(ctx, w.dir)
	if err != nil {
		return err
	}
	disk, err := newImage(ctx, filepath.Join(w.dir, "disk0"))
	if err != nil {
		return err
	}
	w.data = filepath.Join(disk.dir, "data")
	if err := w.serve(ctx, how{binary: binary}); err != nil {
		return err
	}
	if err := w.crowd(ctx); err != nil {
		return err
	}
	w.run(ctx)
	w.give(true)
	// The beginning is on the disk for sure: what gets lost is not just a new folder.
	if err := errors.Join(w.grow(ctx, 100), command(ctx, "sync", "-f", disk.dir), w.grow(ctx, 200)); err != nil {
		return err
	}
	if _, err = w.cut(ctx, disk); err != nil {
		return err
	}
	w.leave() // nobody repeats anything: what is there is what has survived
	return w.missing(ctx)
}

// missing is errJudged if accepted gifts are not on the disk any more, and an error if
// all are, or nobody can tell.
func (w *world) missing(ctx context.Context) error {
	accepted := int64(w.acceptedCount())
	kept, said, err := w.survived(ctx)
	if err != nil {
		return err
	}
	if kept >= accepted {
		return fmt.Errorf("without SyncAlways %d of %d accepted gifts are there after the power loss: the scenario power cannot fail", kept, accepted)
	}
	w.note("without SyncAlways the power loss took %d of %d accepted gifts, as it must%s", accepted-kept, accepted, said)
	return errJudged
}

// survived is how many gifts the audit finds in the folder. Where it finds no journal
// at all, none must have left a byte in GIFTS.
func (w *world) survived(ctx context.Context) (kept int64, said string, err error) {
	out, err := exec.CommandContext(ctx, w.tools.binary, "audit", "--json", "--data", w.data).Output() //nolint:gosec // built by us
	var report struct {
		Total struct {
			Gifts struct {
				Accepted int64 `json:"accepted"`
			} `json:"gifts"`
		} `json:"total"`
	}
	if len(out) > 0 { // it could read, whatever it thinks of it
		err := json.Unmarshal(out, &report)
		return report.Total.Gifts.Accepted, "", err
	}
	var failed *exec.ExitError
	if !errors.As(err, &failed) {
		return 0, "", fmt.Errorf("audit: %w", err)
	}
	blocks, err := filepath.Glob(filepath.Join(w.data, "jetstream", "*", "streams", "GIFTS", "msgs", "*.blk"))
	for _, block := range blocks {
		info, statErr := os.Stat(block)
		if err = errors.Join(err, statErr); err == nil && info.Size() > 0 {
			err = fmt.Errorf("the audit could not read, and %s holds %d bytes: %s", block, info.Size(), failed.Stderr)
		}
	}
	return 0, fmt.Sprintf(" (no journal: GIFTS has %d blocks without a byte)", len(blocks)), err
}

// unsynced builds a giftwire without SyncAlways, and without the check that refuses
// to start so. There is no flag for it in the product, and there must be none.
func (t *tools) unsynced(ctx context.Context, dir string) (string, error) {
	source := filepath.Join(t.root, "hub", "journal", "embedded.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	changed := string(text)
	for from, to := range map[string]string{
		"SyncAlways: true":              "SyncAlways: false",
		"js == nil || !js.SyncAlways {": "js == nil || js.SyncAlways {",
	} {
		if strings.Count(changed, from) != 1 {
			return "", fmt.Errorf("%s has not exactly one %q: mend this scenario", source, from)
		}
		changed = strings.Replace(changed, from, to, 1)
	}
	file, overlay := filepath.Join(dir, "embedded.go"), filepath.Join(dir, "overlay.json")
	data, err := json.Marshal(map[string]map[string]string{"Replace": {source: file}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(file, []byte(changed), 0o600), os.WriteFile(overlay, data, 0o600)); err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "giftwire-unsynced")
	return binary, t.build(ctx, binary, "-overlay", overlay)
}
