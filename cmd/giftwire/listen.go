package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Bounds of the listeners. A WebSocket connection is hijacked and has its own.
const (
	headerTimeout = 10 * time.Second
	// bodyTimeout bounds reading a request: 4 MiB of gifts at 70 KB/s.
	bodyTimeout = time.Minute
	idleTimeout = 2 * time.Minute
	headerBytes = 16 << 10
	// closeTimeout is what plain requests get to finish when all else has ended.
	closeTimeout = 2 * time.Second
)

// listener is an address that is bound, and the server that will serve it.
type listener struct {
	net.Listener
	server *http.Server
}

// listen binds the address. Connections wait until serve.
func listen(ctx context.Context, flag, address string, log *slog.Logger) (*listener, error) {
	var cfg net.ListenConfig
	l, err := cfg.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--%s %s: %w", flag, address, err)
	}
	return &listener{Listener: l, server: &http.Server{
		ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // clients' broken requests
	}}, nil
}

// serve serves until ctx ends, and then gives what is under way a moment.
func (l *listener) serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		short, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if l.server.Shutdown(short) != nil {
			_ = l.server.Close() // what has not finished by now is cut off
		}
	})
	defer stop()
	if err := l.server.Serve(l.Listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}
