package intake

import (
	"errors"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/room"
)

// Prices is what gifts become and what they cost.
type Prices struct {
	Catalogue room.Catalogue
	Wallet    Wallet // nil: gifts cost nothing here
}

// Limits bound the way in. The zero value of a field is its default.
type Limits struct {
	// RoomOpen is how many gifts of a room may be undecided: default 20,000, which at
	// 18 calls a second of 50 gifts is 22 s of ZEGO's time.
	RoomOpen int
	// NodeOpen is the same for all rooms of a process: default 200,000, about 120 MB. The
	// journal must have room for so many decisions (journal.Journal.DecisionsFit).
	NodeOpen int
	// LookupTimeout ends a look-up in the log; the gift is then journaled as if it were
	// new, which is safe: the owner knows all ids. Default 1 s.
	LookupTimeout time.Duration
	// ReserveTimeout ends a Reserve or Release of the wallet. Default 2 s.
	ReserveTimeout time.Duration
}

// Check reports what is wrong with the limits, all faults at once.
func (l Limits) Check() error {
	_, err := l.WithDefaults()
	return err
}

// WithDefaults fills what is zero and checks the rest, as [Limits.Check].
func (l Limits) WithDefaults() (Limits, error) {
	if l.RoomOpen == 0 {
		l.RoomOpen = 20_000
	}
	if l.NodeOpen == 0 {
		l.NodeOpen = 200_000
	}
	if l.LookupTimeout == 0 {
		l.LookupTimeout = time.Second
	}
	if l.ReserveTimeout == 0 {
		l.ReserveTimeout = 2 * time.Second
	}
	var faults []error
	positive := func(name string, ok bool) {
		if !ok {
			faults = append(faults, fmt.Errorf("%w: %s must be above zero", ErrBadConfig, name))
		}
	}
	positive("RoomOpen", l.RoomOpen > 0)
	positive("NodeOpen", l.NodeOpen > 0)
	positive("LookupTimeout", l.LookupTimeout > 0)
	positive("ReserveTimeout", l.ReserveTimeout > 0)
	return l, errors.Join(faults...)
}
