package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/giftwire/giftwire/hub"
	"github.com/giftwire/giftwire/hub/journal"
)

// node is a hub with its journal and listeners.
type node struct {
	journal  journal.Config
	hub      hub.Config // without the journal
	log      *slog.Logger
	bindings []binding
	// beside are other parts that live as long as the hub, such as a simulator.
	beside []func(context.Context) error
	// ready, if set, is called when the hub serves.
	ready func(ctx context.Context, h *hub.Hub) error

	listeners []*listener // one a binding
}

// binding is an address and what the hub serves there.
type binding struct {
	flag, address string
	handler       func(*hub.Hub) http.Handler
}

// run binds the addresses, opens the journal, serves until ctx ends, and drains. The
// listeners stay open while the hub drains: its connections live on them.
func (n *node) run(ctx context.Context) (err error) {
	// First, because an address in use is the commonest mistake and the quickest found.
	defer func() { n.close() }()
	for _, b := range n.bindings {
		l, err := listen(ctx, b.flag, b.address, n.log)
		if err != nil {
			return err
		}
		n.listeners = append(n.listeners, l)
	}
	j, err := journal.Open(ctx, n.journal)
	switch {
	case errors.Is(err, journal.ErrConfig):
		return fmt.Errorf("%w: %w", errSettings, err)
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	n.hub.Journal = j
	h, err := hub.New(n.hub)
	if err != nil {
		return fmt.Errorf("%w: %w", errSettings, err)
	}
	for i, l := range n.listeners {
		l.server.Handler = n.bindings[i].handler(h)
	}
	return n.serve(ctx, h)
}

// close closes what is bound and was never served.
func (n *node) close() {
	for _, l := range n.listeners {
		_ = l.Close() // an error says that it is closed
	}
}

// serve runs all parts; the first that fails ends the others.
func (n *node) serve(ctx context.Context, h *hub.Hub) error {
	ctx, failed := context.WithCancelCause(ctx)
	defer failed(nil)
	// The hub needs the others until it has drained.
	base, closeAll := context.WithCancel(context.WithoutCancel(ctx))
	defer closeAll()
	var parts sync.WaitGroup
	part := func(run func(context.Context) error) {
		parts.Go(func() {
			if err := run(base); err != nil && base.Err() == nil {
				failed(err)
			}
		})
	}
	for i, l := range n.listeners {
		n.log.Info("listening", slog.String("flag", n.bindings[i].flag), slog.String("address", l.Addr().String()))
		part(l.serve)
	}
	for _, run := range n.beside {
		part(run)
	}
	if n.ready != nil {
		part(func(context.Context) error {
			if err := h.Ready(ctx); err != nil {
				return nil //nolint:nilerr // ended before it began: Run says why
			}
			return n.ready(ctx, h)
		})
	}
	err := h.Run(ctx)
	cause := context.Cause(ctx)
	closeAll()
	parts.Wait()
	if err == nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}
