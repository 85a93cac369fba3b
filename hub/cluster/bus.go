package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/giftwire/giftwire/hub/journal"
)

// Bus carries messages between nodes over core NATS: fast, in order from one sender,
// and at most once. Whoever needs more makes it from the journal. It is safe for
// concurrent use.
type Bus struct {
	nc *nats.Conn
}

// NewBus is the bus of the journal's connection, and ends with it.
func NewBus(j *journal.Journal) *Bus { return &Bus{nc: j.Conn()} }

const (
	// MessageMax is the most bytes of one message, below the 1 MiB that NATS allows by
	// default.
	MessageMax = 1000 << 10
	// subscriptionMessages and subscriptionBytes bound what waits for a subscriber: what
	// comes beyond is dropped, as if it were lost on the way.
	subscriptionMessages = 65_536
	subscriptionBytes    = 64 << 20
)

// ErrNoAnswer says that nobody answered in time, or nobody serves the subject.
var ErrNoAnswer = errors.New("cluster: no answer")

// Publish sends data to all who subscribe to the subject. It does not block: while
// the connection is away it is an error.
func (b *Bus) Publish(subject string, data []byte) error {
	if err := b.nc.Publish(subject, data); err != nil {
		return fmt.Errorf("cluster: publish: %w", closedOr(err))
	}
	return nil
}

// Subscription is one subject that is listened to.
type Subscription struct{ sub *nats.Subscription }

// Subscribe calls each, one message at a time and in order, until Close. each must not
// keep data. The subject may have wildcards.
func (b *Bus) Subscribe(subject string, each func(subject string, data []byte)) (*Subscription, error) {
	sub, err := b.nc.Subscribe(subject, func(m *nats.Msg) { each(m.Subject, m.Data) })
	if err == nil {
		err = sub.SetPendingLimits(subscriptionMessages, subscriptionBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("cluster: subscribe to %s: %w", subject, closedOr(err))
	}
	return &Subscription{sub}, nil
}

// Serve answers requests on the subject with what answer makes of them, one at a time,
// until Close. A nil answer is none: whoever asked waits.
func (b *Bus) Serve(subject string, answer func(data []byte) []byte) (*Subscription, error) {
	sub, err := b.nc.Subscribe(subject, func(m *nats.Msg) {
		if out := answer(m.Data); out != nil {
			_ = m.Respond(out) // a connection that is away: whoever asked asks again
		}
	})
	if err == nil {
		err = sub.SetPendingLimits(subscriptionMessages, subscriptionBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("cluster: serve %s: %w", subject, closedOr(err))
	}
	return &Subscription{sub}, nil
}

// Close ends the subscription. A call of its function may still be running when it
// returns.
func (s *Subscription) Close() {
	_ = s.sub.Unsubscribe() // it fails where the connection has ended, and the subscription with it
}

// Ask sends a request and returns its first answer, or ErrNoAnswer, or ctx's cause.
// most bounds the wait; ctx may be shorter.
func (b *Bus) Ask(ctx context.Context, subject string, data []byte, most time.Duration) ([]byte, error) {
	timed, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	m, err := b.nc.RequestWithContext(timed, subject, data)
	switch {
	case err == nil:
		return m.Data, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, nats.ErrConnectionClosed):
		return nil, journal.ErrClosed
	}
	return nil, fmt.Errorf("%w: %s: %w", ErrNoAnswer, subject, err)
}

// Flush returns when the servers have all that was published and subscribed before.
func (b *Bus) Flush(ctx context.Context) error {
	if err := b.nc.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("cluster: flush: %w", closedOr(err))
	}
	return nil
}
