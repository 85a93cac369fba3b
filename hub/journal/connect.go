package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// serverMinor is the least minor of a NATS 2 server: 2.11 answers batches of
// direct gets.
const serverMinor = 11

// FileOptions are the options for servers that want credentials (a .creds file) or
// whose certificate another authority has signed (a PEM file); an empty name is left
// out. The files are read when the journal connects. It is for callers that do
// without nats.go.
func FileOptions(credentials, authority string) []nats.Option {
	var opts []nats.Option
	if credentials != "" {
		opts = append(opts, nats.UserCredentials(credentials))
	}
	if authority != "" {
		opts = append(opts, nats.RootCAs(authority))
	}
	return opts
}

// connectMax is how long a node waits for servers that start beside it; connectWait is
// between two attempts.
const (
	connectMax  = 15 * time.Second
	connectWait = 500 * time.Millisecond
	// pingEvery and pingsLost find a server that has vanished without a word (power, a cut
	// network) within 6 s, so that another one is tried: nats.go's 2 min and 2 would leave
	// a node without its lease for as long.
	pingEvery = 2 * time.Second
	pingsLost = 2
	// dialMax bounds one attempt to connect, and one write to a connection: to a server
	// that has vanished the buffers fill up, and everything waits for the write (nats.go's
	// default is a minute).
	dialMax = 2 * time.Second
)

// connect opens the one connection of the journal: to the embedded server, or to
// the cluster, waiting for it to be there. It reconnects for ever.
func (j *Journal) connect(ctx context.Context) error {
	late := time.Now().Add(connectMax)
	for {
		err := j.tryConnect()
		if !errors.Is(err, nats.ErrNoServers) || time.Now().After(late) {
			return err
		}
		j.cfg.Logger.Warn("NATS is not there yet; trying again", slog.Any("error", err))
		select {
		case <-time.After(connectWait):
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

func (j *Journal) tryConnect() error {
	log := j.cfg.Logger
	opts := []nats.Option{
		// The default prints to stderr.
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("NATS connection", slog.Any("error", err))
		}),
	}
	url := j.cfg.NATSURL
	if url == "" {
		opts = append(opts, nats.InProcessServer(j.embedded.server))
	} else {
		opts = append(opts, nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(pingsLost), nats.Timeout(dialMax),
			nats.FlusherTimeout(dialMax), nats.ReconnectToServer(j.choose))
		opts = append(opts, j.cfg.NATSOptions...)
	}
	opts = append(
		opts,
		nats.Name("giftwire "+j.cfg.Node),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250*time.Millisecond),
		// No buffer while there is no connection: what is not sent fails at once and is
		// known not to be stored, instead of going out in a burst much later.
		nats.ReconnectBufSize(-1),
	)
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		// The URL may hold a password: it is not repeated.
		return fmt.Errorf("journal: connect to NATS: %w", err)
	}
	js, err := jetstream.New(nc)
	if err == nil {
		err = checkPeer(nc)
	}
	if err != nil {
		nc.Close()
		return err
	}
	j.nc, j.js = nc, js
	return nil
}

// checkPeer refuses servers that cannot hold our records or answer our reads.
func checkPeer(nc *nats.Conn) error {
	var faults []error
	if most := nc.MaxPayload(); most < recordMax+headerMax {
		faults = append(faults, fmt.Errorf("journal: the NATS server's max_payload is %d, at least %d is needed",
			most, recordMax+headerMax))
	}
	if v := nc.ConnectedServerVersion(); !recent(v) {
		faults = append(faults, fmt.Errorf("journal: the NATS server is version %.32q, at least 2.%d is needed",
			v, serverMinor))
	}
	return errors.Join(faults...)
}

// recent reports whether the version is 2.11 or later.
func recent(version string) bool {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, errMajor := strconv.Atoi(parts[0])
	minor, errMinor := strconv.Atoi(parts[1])
	return errMajor == nil && errMinor == nil && (major > 2 || (major == 2 && minor >= serverMinor))
}
