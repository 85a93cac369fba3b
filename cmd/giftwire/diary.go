package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/giftwire/giftwire/zego/zegotest"
)

// diaryMax is how large a simulator's diary may be when it is started: 700,000 gifts
// of about 350 bytes. A larger one is put aside, and the simulator begins anew.
const diaryMax = 256 << 20

// newSim makes a simulator that remembers what the file holds, and writes on there.
// Without a file it remembers nothing over a restart, as ZEGO would not. The caller
// closes what is returned beside it.
func newSim(cfg zegotest.Config, file string, log *slog.Logger) (*zegotest.Server, io.Closer, error) {
	cfg.Session = strconv.FormatInt(time.Now().UnixMilli(), 36) + "-"
	if file == "" {
		sim, err := zegotest.New(cfg)
		return sim, io.NopCloser(nil), err
	}
	if err := setAside(file, log); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, err
	}
	cfg.Diary = f
	sim, err := zegotest.New(cfg)
	if err == nil {
		err = sim.Recall(f)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	// A line that a kill has cut must not grow together with the next one.
	if err := endLine(f); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return sim, f, nil
}

// setAside renames a diary that has grown too large.
func setAside(file string, log *slog.Logger) error {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || info.Size() <= diaryMax {
		return err
	}
	log.Warn("the simulator's diary is too large: it begins anew", slog.Int64("bytes", info.Size()))
	return os.Rename(file, file+".old")
}

// endLine cuts off what is behind the last line break.
func endLine(f *os.File) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	// A line is at most 64 KiB.
	tail := make([]byte, min(size, 64<<10))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return fmt.Errorf("read the end of %s: %w", f.Name(), err)
	}
	for i := len(tail); i > 0; i-- {
		if tail[i-1] == '\n' {
			return f.Truncate(size - int64(len(tail)-i))
		}
	}
	return f.Truncate(size - int64(len(tail)))
}
