//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	if err := w.grow(ctx, 300); err != nil {
		return err
	}
	if _, err = w.cut(ctx, disk); err != nil {
		return err
	}
	w.leave() // nobody repeats anything: what is there is what has survived
	return w.missing(ctx, how{binary: binary})
}

// missing is errJudged if accepted gifts are not there any more, and an error if all
// are.
func (w *world) missing(ctx context.Context, h how) error {
	accepted := w.acceptedCount()
	err := w.serve(ctx, h)
	if err != nil {
		if !errors.Is(err, errEnded) {
			return err
		}
		w.note("without SyncAlways the node does not even start on what the power loss has left, with %d gifts accepted", accepted)
		return errJudged
	}
	kept := 0
	for _, roomID := range w.roomIDs() {
		n, err := w.counted(ctx, roomID)
		if err != nil {
			return err
		}
		kept += n
	}
	if kept >= accepted {
		return fmt.Errorf("without SyncAlways %d of %d accepted gifts are there after the power loss: the scenario power cannot fail", kept, accepted)
	}
	w.note("without SyncAlways the power loss took %d of %d accepted gifts, as it must", accepted-kept, accepted)
	return errJudged
}

// counted is how many gifts the node knows to have accepted; none where it has lost the
// room itself.
func (w *world) counted(ctx context.Context, roomID string) (int, error) {
	status, body, err := ask(ctx, request{method: "GET", url: w.url() + "/v1/rooms/" + roomID, key: apiKey})
	if err != nil || status == 404 {
		return 0, err
	}
	var got struct {
		Counters struct {
			Accepted int `json:"accepted"`
		} `json:"counters"`
	}
	if err := json.Unmarshal(body, &got); err != nil || status != 200 {
		return 0, errors.Join(err, fmt.Errorf("GET room: %d %s", status, body))
	}
	return got.Counters.Accepted, nil
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
