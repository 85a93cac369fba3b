package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats.go"
)

// Config says where a journal keeps its streams and how large they may grow. The
// zero value of a field is its default; Dir or NATSURL is needed.
type Config struct {
	// Dir is the data folder of the embedded server; made with mode 0700. Locked
	// while the journal is open.
	Dir string
	// NATSURL connects to servers of your own instead (comma separated). Then Dir is
	// not used. They must run JetStream 2.11 or later, a max_payload of 1 MiB or
	// more, and `sync_interval: always`, which a client cannot verify.
	NATSURL string
	// NATSOptions are for credentials and TLS.
	NATSOptions []nats.Option
	// Node names this node in records: [A-Za-z0-9._-]{1,64}. Default: the host name.
	Node string
	// Partitions is how many logs the rooms are spread over, 1 to 1024. It is fixed
	// when the streams are made: 0 takes what they have, or makes 1 on the embedded
	// server and 64 elsewhere; another number than they have is [ErrDrift].
	Partitions int
	// Replicas of streams that this journal makes, 1, 3 or 5. 0: three where the
	// cluster has three servers (waiting up to 10 s for them), else one. Streams that
	// exist are taken with what they have.
	Replicas int
	// Retention bounds the streams.
	Retention Retention
	// Unanswered is how long a publish may stay without an answer before entries that
	// wait behind it are refused and the journal calls itself unhealthy. It is also
	// how long an attempt waits before it is repeated under its id. 50 ms to 30 s.
	// Default 1 s.
	Unanswered time.Duration
	// QueueBytes bounds the encoded entries that wait for a publish, over all
	// partitions, each of which gets its share: at least 1 MiB, default 64 MiB. A
	// full queue is [ErrUnavailable]. With one partition and gifts of 700 bytes that
	// is 90,000, or 9 s of 10,000 gifts/s; what waits longer than Unanswered is
	// refused anyway.
	QueueBytes int
	// FreeBytes is how much of the embedded server's disk must be free, else entries are
	// refused, so that what is accepted still finds room for its decision. Default 128
	// MiB: decisions of 100,000 gifts that may be open, at 1.2 KiB. 0 is
	// the default, 1 switches it off. Only on Linux, macOS and FreeBSD.
	FreeBytes int64
	// Logger gets what an operator should know; no payloads. nil: nothing.
	Logger *slog.Logger
	// Hooks are called for metrics.
	Hooks Hooks
}

// Retention is how large and how old the streams may become. Sizes are bytes as
// JetStream counts them: uncompressed, with subject, headers and about 30 bytes a
// record. Streams that exist must have exactly these, else [ErrDrift]: all nodes
// of a cluster have the same settings, and nobody shrinks a ledger by accident.
type Retention struct {
	// GiftBytes bounds GIFTS, at least 1 MiB. Default 4 GiB: 26 h of 60 gifts/s.
	GiftBytes int64
	// GiftAge is how long GIFTS keeps a record: at least 26 h, the default, since ids
	// are remembered for 24 h and a gift may be sent for 23 h.
	GiftAge time.Duration
	// OutcomeBytes bounds OUTCOMES, at least 1 MiB. Default 16 GiB: at about 1.2 KiB a
	// gift, 7 days of 23 gifts/s. An owner purges what is decided above 80 %.
	OutcomeBytes int64
	// OutcomeAge is how long OUTCOMES keeps a record; longer than GiftAge. It is the
	// ledger. Default 7 days.
	OutcomeAge time.Duration
	// SnapshotBytes bounds SNAPS, at least 1 MiB: two copies of each chunk. Default 2 GiB:
	// twice 513 chunks of at most 1 MiB, all that one partition can have; or twice 200,000
	// rooms of 5 KiB, whose games report all day, on 64 of them. Full, it fails snapshots,
	// which loses nothing: a restart replays more, and nothing is purged any more.
	SnapshotBytes int64
	// IDBytes bounds IDS, at least 1 MiB. Default 2 GiB: 26 h of 1,500 gifts/s at 14
	// bytes. Above 95 % entries are refused until ids age out.
	IDBytes int64
	// Resize changes size and age of existing streams to the ones above, instead of
	// refusing. Set it for one start.
	Resize bool
}

// Hooks are told what the journal does. Each may be nil. They are called from the
// journal's goroutines and must not block.
type Hooks struct {
	// Stored: a record of GIFTS is stored. took counts from the hand-over to the
	// answer.
	Stored func(entries, bytes int, took time.Duration)
	// Resent: a publish without an answer is repeated.
	Resent func()
	// Appended: a record of OUTCOMES is stored.
	Appended func(bytes int, took time.Duration)
}

// Bounds of the settings.
const (
	partitionsMax      = 1024
	partitionsEmbedded = 1
	// partitionsExternal: 64 gives three nodes 21 each, and a room shares its publish
	// with few others (JETSTREAM.md, group commit).
	partitionsExternal = 64
	giftAgeMin         = 26 * time.Hour
	sizeMin            = 1 << 20
	nodeMax            = 64
)

// ErrConfig is wrapped by every fault of a [Config].
var ErrConfig = errors.New("journal: bad config")

// withDefaults fills what is zero and checks the rest: all faults at once, each
// naming its field.
func (c Config) withDefaults() (Config, error) {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
	}
	if c.Dir == "" && c.NATSURL == "" {
		fault("Dir or NATSURL is needed")
	}
	if c.Node == "" {
		host, err := os.Hostname()
		if err != nil {
			fault("Node is empty and the host has no name: %w", err)
		}
		c.Node = host
	}
	if !validNode(c.Node) {
		fault("Node %.64q is not [A-Za-z0-9._-]{1,%d}", c.Node, nodeMax)
	}
	if c.Partitions < 0 || c.Partitions > partitionsMax {
		fault("Partitions %d is not between 1 and %d", c.Partitions, partitionsMax)
	}
	switch {
	case c.Replicas != 0 && c.Replicas != 1 && c.Replicas != 3 && c.Replicas != 5:
		fault("Replicas %d is not 1, 3 or 5", c.Replicas)
	case c.Replicas > 1 && c.NATSURL == "":
		fault("Replicas %d: the embedded server is one", c.Replicas)
	}
	if c.Unanswered == 0 {
		c.Unanswered = time.Second
	}
	if c.Unanswered < 50*time.Millisecond || c.Unanswered > 30*time.Second {
		fault("Unanswered %v is not between 50ms and 30s", c.Unanswered)
	}
	if c.QueueBytes == 0 {
		c.QueueBytes = 64 << 20
	}
	if c.QueueBytes < sizeMin {
		fault("QueueBytes %d is below %d", c.QueueBytes, sizeMin)
	}
	if c.FreeBytes == 0 {
		c.FreeBytes = 128 << 20
	}
	if c.FreeBytes < 0 {
		fault("FreeBytes %d is negative", c.FreeBytes)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Retention = c.Retention.withDefaults(fault)
	return c, errors.Join(faults...)
}

func (r Retention) withDefaults(fault func(string, ...any)) Retention {
	size := func(name string, n *int64, def int64) {
		if *n == 0 {
			*n = def
		}
		if *n < sizeMin {
			fault("Retention.%s %d is below %d", name, *n, sizeMin)
		}
	}
	size("GiftBytes", &r.GiftBytes, 4<<30)
	size("OutcomeBytes", &r.OutcomeBytes, 16<<30)
	size("SnapshotBytes", &r.SnapshotBytes, 2<<30)
	size("IDBytes", &r.IDBytes, 2<<30)
	if r.GiftAge == 0 {
		r.GiftAge = giftAgeMin
	}
	if r.GiftAge < giftAgeMin {
		fault("Retention.GiftAge %v is below %v", r.GiftAge, giftAgeMin)
	}
	if r.OutcomeAge == 0 {
		r.OutcomeAge = 7 * 24 * time.Hour
	}
	if r.OutcomeAge <= r.GiftAge {
		fault("Retention.OutcomeAge %v is not longer than GiftAge %v", r.OutcomeAge, r.GiftAge)
	}
	return r
}

func validNode(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return s != "" && len(s) <= nodeMax
}
