package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// The embedded server changes a stream's settings in two steps, the file and its
// checksum (nats-server v2.15.2, writeStreamMeta), and recovers no stream whose
// checksum is of another file. So a copy of both is kept while it does: a start that
// finds one, and the old checksum, puts the old settings back. They are wrong by a size
// or an age only, which the next start with Retention.Resize changes again.

// resizing begins the name of a stream's copy in the data folder.
const resizing = "resizing-"

// resize changes a stream's sizes.
func (j *Journal) resize(ctx context.Context, w jetstream.StreamConfig) error {
	if j.embedded == nil {
		_, err := j.js.UpdateStream(ctx, w)
		return err
	}
	kept, err := keepSettings(j.embedded.dir, w.Name)
	if err != nil {
		return err
	}
	if _, err := j.js.UpdateStream(ctx, w); err != nil {
		return err // the copy stays: it may have begun
	}
	return os.Remove(kept)
}

// keepSettings copies a stream's checksum, a line, and its settings to a file that is
// whole or not there.
func keepSettings(dir, stream string) (string, error) {
	settings, err := os.ReadFile(filepath.Join(streamFolder(dir, stream), server.JetStreamMetaFile))
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile(filepath.Join(streamFolder(dir, stream), server.JetStreamMetaFileSum))
	if err != nil {
		return "", err
	}
	kept := filepath.Join(dir, resizing+stream)
	return kept, writeWhole(kept, append(append(bytes.TrimSpace(sum), '\n'), settings...))
}

// undoResizes puts back the settings of streams whose resize was cut short.
func undoResizes(dir string, log *slog.Logger) error {
	left, err := filepath.Glob(filepath.Join(dir, resizing+"*"))
	if err != nil {
		return fmt.Errorf("journal: data folder: %w", err)
	}
	for _, kept := range left {
		if err := undoResize(kept, streamFolder(dir, filepath.Base(kept)[len(resizing):]), log); err != nil {
			return fmt.Errorf("journal: settings of a resize that was cut short, %s: %w", kept, err)
		}
	}
	return nil
}

func undoResize(kept, stream string, log *slog.Logger) error {
	text, err := os.ReadFile(kept)
	if err != nil {
		return err
	}
	before, settings, whole := bytes.Cut(text, []byte{'\n'})
	sum, err := os.ReadFile(filepath.Join(stream, server.JetStreamMetaFileSum))
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && whole && bytes.Equal(bytes.TrimSpace(sum), before):
		if err := writeWhole(filepath.Join(stream, server.JetStreamMetaFile), settings); err != nil {
			return err
		}
		log.Warn("put the settings of a stream back whose resize was cut short", slog.String("folder", stream))
	}
	return os.Remove(kept) // else the resize was done, or had not begun
}

// writeWhole writes a file so that a kill or a power loss leaves the old or the new one.
func writeWhole(name string, data []byte) error {
	f, err := os.OpenFile(name+".tmp", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(name+".tmp", name); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
