package cluster

import (
	"fmt"

	"github.com/nats-io/nats.go"
)

// ServeMany is [Bus.Serve] for answers that take time: each is called with one request
// at a time, in order, and must not block. It may keep data, and answers with give,
// then or later, from any goroutine, also after Close; at most once. What was published
// without asking for an answer comes too: its give does nothing.
func (b *Bus) ServeMany(subject string, each func(data []byte, give func(answer []byte))) (*Subscription, error) {
	sub, err := b.nc.Subscribe(subject, func(m *nats.Msg) {
		reply := m.Reply
		each(m.Data, func(answer []byte) {
			if reply != "" {
				_ = b.nc.Publish(reply, answer) // a connection that is away: whoever asked asks again
			}
		})
	})
	if err == nil {
		err = sub.SetPendingLimits(subscriptionMessages, subscriptionBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("cluster: serve %s: %w", subject, closedOr(err))
	}
	return &Subscription{sub}, nil
}
