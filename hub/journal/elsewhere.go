package journal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// link is the journal's connection.
type link struct {
	nc *nats.Conn
	js jetstream.JetStream
	// prefer is the HOST:PORT that the next connection is to be made to; nil: any.
	prefer atomic.Pointer[string]
}

// lookMax bounds the connection to one server on a trial.
const lookMax = time.Second

// errNoOther: no other server is known, or none is better.
var errNoOther = errors.New("journal: no other NATS server helps")

// Elsewhere looks for another server of NATSURL, or of those that NATS has told of, with
// which try succeeds, and moves the connection there: the present server may be cut off
// from the others, and does not say so for 10 s and more. What is on its way is lost then
// and repeated, so try should prove that the other one is better: by a write that only a
// majority acknowledges. A server that does not answer takes 1 s, and what try takes.
func (j *Journal) Elsewhere(ctx context.Context, try func(context.Context, jetstream.JetStream) error) error {
	errs := []error{errNoOther}
	for _, server := range j.otherServers() {
		if ctx.Err() != nil {
			return errors.Join(append(errs, context.Cause(ctx))...)
		}
		if err := j.onTrial(ctx, server, try); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", server.Host, err))
			continue
		}
		j.prefer.Store(&server.Host)
		if err := j.nc.ForceReconnect(); err != nil {
			return fmt.Errorf("journal: move to another NATS server: %w", err)
		}
		return nil
	}
	return errors.Join(errs...)
}

// otherServers are all that are known but the present one.
func (j *Journal) otherServers() []*url.URL {
	var out []*url.URL
	if j.embedded != nil {
		return nil
	}
	present := serverURL(j.nc.ConnectedUrl())
	for _, text := range append(strings.Split(j.cfg.NATSURL, ","), j.nc.DiscoveredServers()...) {
		server := serverURL(text)
		same := func(other *url.URL) bool { return other.Host == server.Host }
		if server == nil || present != nil && server.Host == present.Host || slices.ContainsFunc(out, same) {
			continue
		}
		if server.User == nil { // servers tell of each other without it
			if first := serverURL(strings.Split(j.cfg.NATSURL, ",")[0]); first != nil {
				server.User = first.User
			}
		}
		out = append(out, server)
	}
	return out
}

// serverURL reads one of the forms that nats.go takes; nil: none of them.
func serverURL(text string) *url.URL {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		text = "nats://" + text
	}
	server, err := url.Parse(text)
	if err != nil || server.Hostname() == "" {
		return nil
	}
	if server.Port() == "" {
		server.Host = net.JoinHostPort(server.Hostname(), "4222")
	}
	return server
}

// onTrial connects to a server beside the journal's connection.
func (j *Journal) onTrial(ctx context.Context, server *url.URL, try func(context.Context, jetstream.JetStream) error) error {
	opts := append(slices.Clone(j.cfg.NATSOptions),
		nats.NoReconnect(), nats.Timeout(lookMax), nats.FlusherTimeout(lookMax), nats.Name("giftwire "+j.cfg.Node+", on trial"),
		// The default prints to stderr.
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	nc, err := nats.Connect(server.String(), opts...)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	return try(ctx, js)
}

// choose is where nats.go connects to next: the server that is preferred, once, or its
// own choice.
func (l *link) choose(pool []nats.Server, _ nats.ServerInfo) (*nats.Server, time.Duration) {
	want := l.prefer.Swap(nil)
	if want == nil {
		return nil, 0
	}
	for i := range pool {
		if pool[i].URL != nil && pool[i].URL.Host == *want {
			return &pool[i], 0
		}
	}
	return nil, 0
}
