package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofrs/flock"
	"github.com/minio/highwayhash"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	// streamsFolder is where nats-server keeps the streams of its one account.
	streamsFolder = "jetstream/$G/streams"
	// A stream's records are in files of their own, beside an index.
	recordsFolder = "msgs"
	recordsExt    = ".blk"
	// serverReady is how long the server may take after its streams are recovered.
	serverReady = 10 * time.Second
	// payloadMax is NATS' default max_payload, the most that a record has.
	payloadMax = 1 << 20
	// storeMax is the server's own bound: without one it takes three quarters of what
	// is free on the disk, and does not recover streams for which that is too little.
	storeMax = 1 << 40
)

// OpenFolder reads the data folder of a stopped node. It changes nothing there.
//
// A server that opens a folder ages its records out, and may rebuild or cut off what it
// finds broken: an audit that did so would destroy what it is to find. So the streams
// are copied to a new folder below temp (empty: the system's, which TMPDIR names), on
// file systems that can share blocks without taking space; the copy's ages are switched
// off, and a server in this process, without a port, opens the copy. The folder's lock
// is held, shared, while it is copied: a node that runs there is [ErrInUse], and
// afterwards it may start again while the audit reads on. Close removes the copy.
func OpenFolder(ctx context.Context, dir, temp string) (_ *Store, err error) {
	s := &Store{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	release, err := lock(dir)
	if err != nil {
		return nil, err
	}
	copied, err := os.MkdirTemp(temp, "giftwire-audit-")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("folder for a copy: %w", err), release())
	}
	s.ends = append(s.ends, func() error { return os.RemoveAll(copied) })
	c := &folderCopy{from: dir, to: copied, ages: make(map[string]time.Duration), sizes: make(map[string]int64)}
	if err = errors.Join(c.streams(ctx), release()); err != nil {
		return nil, err
	}
	running, err := serve(copied)
	if err != nil {
		return nil, err
	}
	s.ages, s.cut = c.ages, c.cut()
	stop := func() error {
		running.Shutdown()
		running.WaitForShutdown()
		return nil
	}
	s.ends = append([]func() error{stop}, s.ends...)
	connected, err := connect("", nats.InProcessServer(running))
	if err != nil {
		return nil, err
	}
	s.nc, s.ends = connected.nc, append(connected.ends, s.ends...)
	return s, nil
}

// lock takes the folder's lock, shared with other audits. A folder without a lock file
// is a copy: no node runs there.
func lock(dir string) (release func() error, err error) {
	if _, err := os.Stat(filepath.Join(dir, streamsFolder)); err != nil {
		return nil, fmt.Errorf("%w in %s: %w", ErrNoStore, dir, err)
	}
	l := flock.New(filepath.Join(dir, "lock"), flock.SetFlag(os.O_RDONLY))
	locked, err := l.TryRLock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return func() error { return nil }, nil
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	case !locked:
		return nil, fmt.Errorf("%w: %s; stop it first", ErrInUse, dir)
	}
	return l.Unlock, nil
}

// folderCopy is a copy of what the audit reads.
type folderCopy struct {
	from, to string
	ages     map[string]time.Duration // of the streams, which the copies do not have
	sizes    map[string]int64         // of the files with records, by name
}

// streams copies the streams.
func (c *folderCopy) streams(ctx context.Context) error {
	for _, stream := range []string{streamOutcomes, streamGifts, streamSnapshots, streamIDs} {
		err := c.stream(ctx, stream)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w in %s: %w", ErrNoStore, c.from, err)
		case err != nil:
			return fmt.Errorf("copy %s (TMPDIR may name a folder with more space): %w", stream, err)
		}
	}
	return nil
}

// stream copies a stream's records and its configuration, but no consumers.
func (c *folderCopy) stream(ctx context.Context, stream string) error {
	from, to := filepath.Join(c.from, streamsFolder, stream), filepath.Join(c.to, streamsFolder, stream)
	if err := os.MkdirAll(filepath.Join(to, recordsFolder), 0o700); err != nil {
		return err
	}
	age, err := copyConfig(stream, from, to)
	if err != nil {
		return err
	}
	c.ages[stream] = age
	files, err := os.ReadDir(filepath.Join(from, recordsFolder))
	if err != nil {
		return err
	}
	for _, f := range files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !f.Type().IsRegular() {
			continue
		}
		name := filepath.Join(to, recordsFolder, f.Name())
		size, err := copyFile(filepath.Join(from, recordsFolder, f.Name()), name)
		if err != nil {
			return err
		}
		if filepath.Ext(name) == recordsExt {
			c.sizes[name] = size
		}
	}
	return nil
}

// cut is how many bytes the copies have become shorter, by stream: a server that cannot
// read on in a file cuts it off there, and does not say so (nats-server v2.15.2,
// filestore.go, rebuildStateFromBufLocked).
func (c *folderCopy) cut() map[string]uint64 {
	out := make(map[string]uint64)
	for name, size := range c.sizes {
		now, err := os.Stat(name)
		if err == nil && now.Size() < size { // one that is gone was empty
			stream := filepath.Base(filepath.Dir(filepath.Dir(name)))
			out[stream] += uint64(size - now.Size()) //nolint:gosec // positive
		}
	}
	return out
}

// copyFile copies a file; where the file system can, by sharing its blocks
// (copy_file_range, which io.Copy uses).
func copyFile(from, to string) (size int64, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	size, err = io.Copy(out, in)
	return size, errors.Join(err, out.Close())
}

// Where nats-server keeps a stream's configuration, as JSON, and its checksum: a
// HighwayHash of 64 bits under the SHA-256 of the stream's name (nats-server v2.15.2,
// filestore.go, writeStreamMeta).
const (
	configFile   = "meta.inf"
	checksumFile = "meta.sum"
)

// copyConfig copies the configuration with the age switched off, and returns the age.
func copyConfig(stream, from, to string) (time.Duration, error) {
	data, err := os.ReadFile(filepath.Join(from, configFile))
	if err != nil {
		return 0, err
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(data, &members); err != nil {
		return 0, fmt.Errorf("%w: %s: %w", ErrDamaged, configFile, err)
	}
	var age int64 // ns
	if text, ok := members["max_age"]; ok {
		if err := json.Unmarshal(text, &age); err != nil {
			return 0, fmt.Errorf("%w: %s: %w", ErrDamaged, configFile, err)
		}
	}
	members["max_age"] = jsontext.Value("0")
	if data, err = json.Marshal(members, json.Deterministic(true)); err != nil {
		return 0, err
	}
	key := sha256.Sum256([]byte(stream))
	sum := highwayhash.Sum64(data, key[:])
	text := hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, sum))
	if err := os.WriteFile(filepath.Join(to, configFile), data, 0o600); err != nil {
		return 0, err
	}
	return time.Duration(age), os.WriteFile(filepath.Join(to, checksumFile), []byte(text), 0o600)
}

// serve runs a server on the copy that listens on nothing.
func serve(dir string) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "giftwire-audit", DontListen: true, NoSigs: true, NoLog: true, MaxPayload: payloadMax,
		JetStream: true, StoreDir: dir, JetStreamMaxStore: storeMax,
	})
	if err != nil {
		return nil, fmt.Errorf("server on the copy: %w", err)
	}
	s.Start() // returns when the streams are recovered, since it listens on nothing
	if s.JetStreamEnabled() && s.ReadyForConnections(serverReady) {
		h := s.Healthz(nil)
		if h.StatusCode == http.StatusOK {
			return s, nil
		}
		err = fmt.Errorf("%w: %s %s", ErrDamaged, h.Status, h.Error)
	} else {
		err = fmt.Errorf("%w: the server did not start on the copy", ErrDamaged)
	}
	s.Shutdown()
	s.WaitForShutdown()
	return nil, err
}
