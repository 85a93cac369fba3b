package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
)

const (
	// storeMax is the embedded server's own bound. Every stream has one that is far
	// smaller; this one only has to be there, because without it the server takes
	// three quarters of what is free on the disk at each start, and does not recover
	// streams for which a fuller disk leaves too little.
	storeMax = 1 << 40
	// memoryMax bounds streams in memory; giftwire has none on the embedded server.
	memoryMax = 64 << 20
	// embeddedReady is how long the server may take after its streams are recovered.
	embeddedReady = 10 * time.Second
)

// embedded is the server in this process, on its locked folder.
type embedded struct {
	server *server.Server
	lock   *flock.Flock
	dir    string
}

// openEmbedded locks the folder and starts a server on it that listens on
// nothing. The server does not lock its folder itself, and two on one folder
// destroy each other's streams.
func openEmbedded(dir, name string, log *slog.Logger) (*embedded, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("journal: data folder: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	switch {
	case err != nil:
		return nil, fmt.Errorf("journal: data folder %s is not writable: %w", dir, err)
	case !locked:
		return nil, fmt.Errorf("%w: %s", ErrLocked, dir)
	}
	s, err := startOn(dir, name, log)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return &embedded{server: s, lock: lock, dir: dir}, nil
}

// startOn starts a server on a folder that may have been left in the middle of
// something.
func startOn(dir, name string, log *slog.Logger) (*server.Server, error) {
	if err := undoResizes(dir, log); err != nil {
		return nil, err
	}
	streams, err := removeUnfinished(dir, log)
	if err != nil {
		return nil, err
	}
	return startServer(dir, name, streams)
}

func startServer(dir, name string, streams []string) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: name, DontListen: true, NoSigs: true, NoLog: true,
		MaxPayload: recordMax + headerMax,
		JetStream:  true, StoreDir: dir, SyncAlways: true,
		JetStreamMaxStore: storeMax, JetStreamMaxMemory: memoryMax,
	})
	if err != nil {
		return nil, fmt.Errorf("journal: embedded server: %w", err)
	}
	s.Start() // returns when the streams are recovered, since it listens on nothing
	if err := checkServer(s, streams); err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, err
	}
	return s, nil
}

// checkServer verifies what the promises stand on: that answers come after the
// fsync, and that no stream was left out because it could not be recovered. One
// that was would look like a missing one.
func checkServer(s *server.Server, streams []string) error {
	if !s.JetStreamEnabled() || !s.ReadyForConnections(embeddedReady) {
		return errors.New("journal: embedded server did not start JetStream on its folder")
	}
	if js := s.JetStreamConfig(); js == nil || !js.SyncAlways {
		return errors.New("journal: embedded server does not sync before it answers")
	}
	return errors.Join(recovered(s, streams), serverHealth(s))
}

// recovered is an error that names the streams whose folders are there and which the
// server does not know. Its Healthz reads the folders, too, but takes an error there for
// an empty list (nats-server v2.15.2, monitor.go and jetstream.go): with too few file
// descriptors it would find nothing, miss nothing, and let new streams be made.
func recovered(s *server.Server, streams []string) error {
	info, err := s.Jsz(&server.JSzOptions{Account: server.DEFAULT_GLOBAL_ACCOUNT, Streams: true})
	if err != nil {
		return fmt.Errorf("journal: ask the embedded server for its streams: %w", err)
	}
	lost := slices.Clone(streams)
	for _, account := range info.AccountDetails {
		for i := range account.Streams {
			lost = slices.DeleteFunc(lost, func(name string) bool { return name == account.Streams[i].Name })
		}
	}
	if len(lost) > 0 {
		return fmt.Errorf("journal: %s on disk could not be recovered and nothing was changed: "+
			"allow more open files (ulimit -n) if they were too few, else the folder is damaged: restore it from a copy, or start on another one",
			strings.Join(lost, ", "))
	}
	return nil
}

// serverHealth is an error when a stream was not recovered or cannot be written.
func serverHealth(s *server.Server) error {
	if h := s.Healthz(nil); h.StatusCode != http.StatusOK {
		return fmt.Errorf("journal: embedded server is unhealthy: %s %s", h.Status, h.Error)
	}
	return nil
}

// close ends the server and gives the folder back.
func (e *embedded) close() error {
	e.server.Shutdown()
	e.server.WaitForShutdown()
	if err := e.lock.Unlock(); err != nil {
		return fmt.Errorf("journal: unlock data folder: %w", err)
	}
	return nil
}
