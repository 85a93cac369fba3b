package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// fullAt is how full GIFTS, OUTCOMES or IDS may be before entries are refused: what is
// accepted must still find room for its decision, see [Journal.DecisionsFit], and for
// the 14 bytes of its id (5 % of the default 2 GiB of IDS: 7 million).
const fullAt = 0.95

// decisionBytes is what a decision takes in OUTCOMES: a gift with its sender's name and
// picture, and the one or two attempts that nearly all have. One that was tried 16 times
// in vain has 14 KiB at most.
const decisionBytes = 1200

// fitNodes is among how many nodes a cluster's OUTCOMES is divided.
const fitNodes = 3

// DecisionsFit is for how many open gifts of this node OUTCOMES surely has room when it
// is so full that entries are refused: 5 % of Retention.OutcomeBytes at 1,200 bytes, of
// which a node of a cluster has a third (more than three nodes need more). The default
// 16 GiB are 715,000, or 238,000 for each node. Whoever lets more gifts be open risks
// that a decision finds no room.
func (j *Journal) DecisionsFit() int {
	room := int64((1 - fullAt) * float64(j.cfg.Retention.OutcomeBytes))
	if j.embedded == nil {
		room /= fitNodes
	}
	return int(room / decisionBytes)
}

// Errors of health; each wraps [ErrUnavailable].
var (
	errFull         = fmt.Errorf("%w: the streams are nearly full", ErrUnavailable)
	errDisconnected = fmt.Errorf("%w: no connection to NATS", ErrUnavailable)
	errSilent       = fmt.Errorf("%w: no good news of the store", ErrUnavailable)
)

// ErrWedged says that the embedded server has not been able to store for 13 s. The
// process must be restarted, with a disk that can be written.
var ErrWedged = errors.New("journal: the embedded server is wedged")

// health is what the last look at the store found.
type health struct {
	stalled atomic.Int64 // publishes and appends that wait for an answer too long
	trouble atomic.Pointer[error]
	proven  uint64 // records stored when the canary last looked; owned by watch

	mu     sync.Mutex // guards the following
	spaces map[string]StreamSpace
}

// Health is nil while entries can be stored, else what is wrong, as an error that
// wraps [ErrUnavailable]. It is what the last look found, at most a second ago
// (while Run runs), and does no I/O.
func (j *Journal) Health() error {
	if j.life.isClosed() {
		return ErrClosed
	}
	if err := j.health.trouble.Load(); err != nil {
		return *err
	}
	if j.health.stalled.Load() > 0 {
		return errUnanswered
	}
	return nil
}

// refusal is why no partition takes entries, or nil.
func (j *Journal) refusal() error {
	if err := j.health.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

func (h *health) space(stream string) StreamSpace {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.spaces[stream]
}

// watch looks at the store every second until ctx ends. On the embedded server it
// returns ErrWedged when there is no end to a trouble that is not mere fullness, which
// an operator mends while the node runs. bad is for how long the store has not been seen
// well.
func (j *Journal) watch(ctx context.Context) (bad time.Duration, err error) {
	changed := j.nc.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED)
	defer j.nc.RemoveStatusListener(changed)
	tick := time.NewTicker(j.tuning.check)
	defer tick.Stop()
	good := time.Now()
	for silent := 0; ; {
		err := j.look(ctx)
		if ctx.Err() != nil {
			return time.Since(good), nil
		}
		if errors.Is(err, errSilent) {
			silent++
		} else {
			silent = 0
		}
		if silent != 1 { // once may be a slow disk, a request lost, or a moment without a CPU
			j.note(err)
		}
		if now := j.Health(); now == nil || errors.Is(now, errFull) || errors.Is(now, errNoSpace) {
			good = time.Now()
		} else if j.embedded != nil && time.Since(good) >= j.tuning.wedged {
			return time.Since(good), fmt.Errorf("%w: %w", ErrWedged, now)
		}
		select {
		case <-ctx.Done():
			return time.Since(good), nil
		case <-tick.C:
		case <-changed:
		}
	}
}

// note keeps what a look found, and logs a change.
func (j *Journal) note(err error) {
	var next *error
	if err != nil {
		next = &err
	}
	before := j.health.trouble.Swap(next)
	switch {
	case before == nil && err != nil:
		j.cfg.Logger.Error("the journal cannot store", slog.Any("error", err))
	case before != nil && err == nil:
		j.cfg.Logger.Info("the journal can store again")
	}
}

// look asks the server, the connection, and the streams.
func (j *Journal) look(ctx context.Context) error {
	if j.embedded != nil {
		// Its Healthz gives itself 1 ms to see that it has started (nats-server v2.15.2,
		// readyForConnections): a goroutine that is not run for so long sees a server that
		// "did not complete" its start, hours after it.
		if err := serverHealth(j.embedded.server); err != nil {
			return fmt.Errorf("%w: %w", errSilent, err)
		}
		if err := j.canary(ctx); err != nil {
			return err
		}
	}
	if !j.nc.IsConnected() {
		return errDisconnected
	}
	spaces := make(map[string]StreamSpace)
	var tooFull error
	for _, name := range []string{streamGifts, streamOutcomes, streamSnapshots, streamIDs} {
		info, err := j.info(ctx, name)
		if err != nil {
			return fmt.Errorf("%w: %w", errSilent, err)
		}
		space := StreamSpace{Bytes: info.State.Bytes, Max: uint64(max(info.Config.MaxBytes, 0))} //nolint:gosec // not negative
		spaces[name] = space
		// A snapshot takes the place of an older one, so that nothing is gained by refusing
		// gifts; where it finds no place, the history behind it is not purged, and the others
		// fill.
		if space.Full() >= fullAt && name != streamSnapshots {
			tooFull = fmt.Errorf("%w: %s has %d of %d bytes", errFull, name, space.Bytes, space.Max)
		}
	}
	j.health.mu.Lock()
	j.health.spaces = spaces
	j.health.mu.Unlock()
	if tooFull == nil && j.embedded != nil {
		return j.diskSpace()
	}
	return tooFull
}

// info asks the stream's leader once.
func (j *Journal) info(ctx context.Context, stream string) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, j.tuning.leader)
	defer cancel()
	s, err := j.js.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("journal: look at stream %s: %w", stream, err)
	}
	return s.CachedInfo(), nil
}

// state asks the stream's leader until it answers.
func (j *Journal) state(ctx context.Context, stream string) (jetstream.StreamState, error) {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		info, err := j.info(ctx, stream)
		switch {
		case err == nil:
			return info.State, nil
		case errors.Is(err, nats.ErrConnectionClosed):
			return jetstream.StreamState{}, ErrClosed
		case apiCode(err) != 0 && !transient(err), errors.Is(err, jetstream.ErrStreamNotFound):
			return jetstream.StreamState{}, err
		}
		if err := j.pause(ctx, wait); err != nil {
			return jetstream.StreamState{}, err
		}
	}
}
