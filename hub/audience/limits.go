package audience

import (
	"errors"
	"fmt"
	"time"
)

// Limits bound what is kept for viewers. The zero value of a field is its default.
type Limits struct {
	// OutboxBytes and OutboxEvents are what may wait for one member before something is
	// dropped: defaults 1 MiB and 2,500, both more than the gifts events of the resume
	// window (768 KiB; 18 flushes a second, ZEGO's budget, for 2 min are 2,160), so that
	// gifts become lagged only when they could not be resumed either. Events are shared:
	// the bytes are what one member can hold on to, not what each costs; an event costs
	// its place, 48 bytes. What is never dropped (answers, results) may reach four times
	// as much; then the member is ended as slow.
	OutboxBytes  int
	OutboxEvents int
	// HistoryBytes is what is kept of a room to resume from, of gifts events and of
	// results each: default 768 KiB. A busy room's 10 events a second of 5 gifts each are
	// a minute of it.
	HistoryBytes int
	// HistoryAge is how long it is kept: default 2 min. So all rooms together cost what
	// was decided in that time, at most: 1,000 gifts/s are about 60 MB.
	HistoryAge time.Duration
}

// ErrBadLimits is wrapped by errors of [New].
var ErrBadLimits = errors.New("audience: bad limits")

// Check reports what is wrong with the limits, all faults at once.
func (l Limits) Check() error {
	_, err := l.withDefaults()
	return err
}

func (l Limits) withDefaults() (Limits, error) {
	if l.OutboxBytes == 0 {
		l.OutboxBytes = 1 << 20
	}
	if l.OutboxEvents == 0 {
		l.OutboxEvents = 2500
	}
	if l.HistoryBytes == 0 {
		l.HistoryBytes = 768 << 10
	}
	if l.HistoryAge == 0 {
		l.HistoryAge = 2 * time.Minute
	}
	var faults []error
	positive := func(name string, ok bool) {
		if !ok {
			faults = append(faults, fmt.Errorf("%w: %s must be above zero", ErrBadLimits, name))
		}
	}
	positive("OutboxBytes", l.OutboxBytes > 0)
	positive("OutboxEvents", l.OutboxEvents > 0)
	positive("HistoryBytes", l.HistoryBytes > 0)
	positive("HistoryAge", l.HistoryAge > 0)
	return l, errors.Join(faults...)
}

const (
	// mergeEvery is how long comments and likes wait for others of their room.
	mergeEvery = 100 * time.Millisecond
	// presenceEvery is how far apart presence events are: PROTOCOL.md, "Server events".
	presenceEvery = time.Second
	// commentsMax is how many comments of a room one event shows; more in a mergeEvery
	// are not shown. 50 x 2.5 KB at most = 125 KB, below a frame's bound.
	commentsMax = 50
	// sweepEvery is how often old history is dropped.
	sweepEvery = 5 * time.Second
	// hardFactor times the outbox's bounds ends a member.
	hardFactor = 4
	// slowReconnectMin and slowReconnectSpread say when a slow member may come back.
	slowReconnectMin    = 1 * time.Second
	slowReconnectSpread = 4 * time.Second
)
