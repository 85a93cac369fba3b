package owner

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// Config is what a partition needs. Fields without a default must be set.
type Config struct {
	// Store is the partition's log.
	Store Store
	// Sender is where the gifts go.
	Sender room.Sender
	// Limits are the times of every room.
	Limits room.Limits
	// Listener hears the news. It must be ready before Run is called.
	Listener Listener
	// Node and Incarnation name the writer: the incarnation is new at every start, so
	// that a node does not take its former self for itself.
	Node, Incarnation string
	// Behind, if set, is the newest record of the log as whoever found the partition free
	// has read it: Run takes over behind that very record, and is fenced if there is
	// another by now, which may be a living owner's. nil: behind whatever there is.
	Behind *journal.OutcomeRecord
	// Gate, if set, is asked right before each call to the sender; without leave
	// nothing is sent before wait is over. It must not block.
	Gate func(room.Action) (wait time.Duration, ok bool)
	// Ended, if set, hears of each call's answer and how long it took. It is called
	// from the room's goroutine and must not block.
	Ended func(room.Action, room.Answer, time.Duration)
	// Alarm, if set, hears what a person has to mend. It must not block.
	Alarm func(roomID string, alarm room.Alarm)
	// Shed, if set, hears how many comments and likes a room dropped. It must not block.
	Shed func(room.Shed)
	// Logger gets what an operator must know; nil is silence. Never a payload.
	Logger *slog.Logger
	// SnapshotEvery is how often a changed partition is snapshotted: 100 ms to 10 min,
	// default 10 s. A restart replays what came since.
	SnapshotEvery time.Duration
	// OpenMax is how many open gifts make the owner stop reading on until some are
	// decided. Default 250,000: above the 200,000 past which gifts are refused, because
	// what was accepted has to be taken in.
	OpenMax int
}

// ErrBadConfig is wrapped by every error of [New].
var ErrBadConfig = errors.New("owner: bad config")

func (c Config) withDefaults() (Config, error) {
	if c.SnapshotEvery == 0 {
		c.SnapshotEvery = 10 * time.Second
	}
	if c.OpenMax == 0 {
		c.OpenMax = 250_000
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Gate == nil {
		c.Gate = func(room.Action) (time.Duration, bool) { return 0, true }
	}
	if c.Ended == nil {
		c.Ended = func(room.Action, room.Answer, time.Duration) {}
	}
	if c.Alarm == nil {
		c.Alarm = func(string, room.Alarm) {}
	}
	limits, err := c.Limits.WithDefaults()
	c.Limits = limits
	faults := []error{err}
	missing := func(name string, is bool) {
		if is {
			faults = append(faults, fmt.Errorf("%w: %s is missing", ErrBadConfig, name))
		}
	}
	missing("Store", c.Store == nil)
	missing("Sender", c.Sender == nil)
	missing("Listener", c.Listener == nil)
	missing("Node", c.Node == "")
	missing("Incarnation", c.Incarnation == "")
	if c.SnapshotEvery < 100*time.Millisecond || c.SnapshotEvery > 10*time.Minute {
		faults = append(faults, fmt.Errorf("%w: SnapshotEvery %v is not between 100ms and 10m", ErrBadConfig, c.SnapshotEvery))
	}
	if c.OpenMax < 1 {
		faults = append(faults, fmt.Errorf("%w: OpenMax %d is below 1", ErrBadConfig, c.OpenMax))
	}
	return c, errors.Join(faults...)
}
