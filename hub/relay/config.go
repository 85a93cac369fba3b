package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
)

// Bus carries messages between nodes at most once, see [Over].
type Bus interface {
	// Publish must not block.
	Publish(subject string, data []byte) error
	// Subscribe calls each, one message at a time, until stop. each does not keep data.
	Subscribe(subject string, each func(subject string, data []byte)) (stop func(), err error)
}

// Over is the cluster's bus.
func Over(b *cluster.Bus) Bus { return bus{b} }

type bus struct{ *cluster.Bus }

// Subscribe implements [Bus].
func (b bus) Subscribe(subject string, each func(string, []byte)) (func(), error) {
	sub, err := b.Bus.Subscribe(subject, each)
	if err != nil {
		return nil, err
	}
	return sub.Close, nil
}

// Source answers for rooms wherever their owner is.
type Source interface {
	// State asks the room's owner for its state. Between nodes the question must go by
	// the connection of the Bus: then the servers know of the room's subscription before
	// the owner answers, and nothing is lost between the two.
	State(ctx context.Context, roomID string) (owner.RoomState, error)
	// OutcomeAt reads a record of the partition of the room, or is journal.ErrGone.
	OutcomeAt(ctx context.Context, roomID string, record uint64) (journal.OutcomeRecord, error)
}

// Audience is this node's viewers. Its methods are called with a room locked: they must
// not block, and not call the relay back.
type Audience interface {
	// Listener hears each room's news in order. News without decisions tell that
	// everything up to their Seq was not told here.
	owner.Listener
	// Comment and Like show what viewers of other nodes said.
	Comment(roomID string, c wire.Comment)
	Like(roomID string, count int)
	// Crowd tells how many viewers a followed room has on the other nodes.
	Crowd(roomID string, others int)
}

// Load is a room that fills up: many gifts of it are open.
type Load struct {
	Room string `json:"room"`
	Open int    `json:"open"`
}

// Config is what a relay needs. Node, Source and Audience must be set.
type Config struct {
	// Node is this node's name, without spaces.
	Node string
	// Bus goes to the other nodes. nil: there will never be any.
	Bus Bus
	// Others reports whether other nodes live. It is asked for each message and must not
	// block. nil: never.
	Others   func() bool
	Source   Source
	Audience Audience
	// Full lists the rooms owned here that fill up, once a second. It tells other nodes
	// to refuse gifts: rooms below half of their bound need not be listed, so that 20 of
	// 10,000 open gifts are all that a node with 200,000 has. nil: none.
	Full func() []Load
	// Linger is how long a room is followed after its last Unfollow: as long as the
	// audience keeps history to resume from. Default 2 min.
	Linger time.Duration
	// Logger gets what an operator should know. nil: nothing.
	Logger *slog.Logger
}

// ErrBadConfig is wrapped by the errors of [New].
var ErrBadConfig = errors.New("relay: bad config")

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Node == "" || strings.ContainsAny(c.Node, " \n"):
		return c, fmt.Errorf("%w: Node %q is no node's name", ErrBadConfig, c.Node)
	case c.Source == nil || c.Audience == nil:
		return c, fmt.Errorf("%w: Source or Audience is missing", ErrBadConfig)
	case c.Linger < 0:
		return c, fmt.Errorf("%w: Linger %v is negative", ErrBadConfig, c.Linger)
	}
	if c.Linger == 0 {
		c.Linger = 2 * time.Minute
	}
	if c.Others == nil || c.Bus == nil {
		c.Others = func() bool { return false }
	}
	if c.Full == nil {
		c.Full = func() []Load { return nil }
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
