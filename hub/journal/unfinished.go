package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"
)

// removeUnfinished removes what a process has left that was killed while it made a
// stream: the server writes a stream's folder in steps, the checksum of its settings
// last (nats-server v2.15.2, writeStreamMeta), and would neither recover nor make anew
// a stream without it. Nothing can have been stored in it: nobody was told that it
// exists. One that does hold something is left alone, and the server's start fails.
// It returns the names of the streams that are left, which the server has to recover.
func removeUnfinished(dir string, log *slog.Logger) (left []string, err error) {
	names, err := os.ReadDir(streamFolder(dir, ""))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("journal: data folder: %w", err)
	}
	for _, name := range names {
		stream := streamFolder(dir, name.Name())
		if unfinished, err := isUnfinished(stream); err != nil {
			return nil, fmt.Errorf("journal: data folder: %w", err)
		} else if !unfinished {
			left = append(left, name.Name())
			continue
		}
		if err := os.RemoveAll(stream); err != nil {
			return nil, fmt.Errorf("journal: data folder: %w", err)
		}
		log.Warn("removed an empty stream that was being made when a process ended", slog.String("folder", stream))
	}
	return left, nil
}

// streamFolder is where the embedded server keeps a stream, or with an empty name all.
func streamFolder(dir, stream string) string {
	return filepath.Join(dir, server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams", stream)
}

// isUnfinished reports whether a stream's folder lacks the checksum and holds no
// records.
func isUnfinished(stream string) (bool, error) {
	if _, err := os.Stat(filepath.Join(stream, server.JetStreamMetaFileSum)); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	blocks, err := os.ReadDir(filepath.Join(stream, "msgs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, block := range blocks {
		if info, err := block.Info(); err != nil || info.Size() > 0 {
			return false, err
		}
	}
	return true, nil
}
