package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
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
	if err := removeUnfinished(dir, log); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	s, err := startServer(dir, name)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return &embedded{server: s, lock: lock}, nil
}

func startServer(dir, name string) (*server.Server, error) {
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
	if err := checkServer(s); err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, err
	}
	return s, nil
}

// checkServer verifies what the promises stand on: that answers come after the
// fsync, and that no stream was left out because it could not be recovered. One
// that was would look like a missing one.
func checkServer(s *server.Server) error {
	if !s.JetStreamEnabled() || !s.ReadyForConnections(embeddedReady) {
		return errors.New("journal: embedded server did not start JetStream on its folder")
	}
	if js := s.JetStreamConfig(); js == nil || !js.SyncAlways {
		return errors.New("journal: embedded server does not sync before it answers")
	}
	return serverHealth(s)
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
