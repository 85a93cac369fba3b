package load

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// ledgerCheck compares what givers heard with what the hub wrote down.
type ledgerCheck struct {
	platform *platform
	run      string
	found    *Mismatches
	// before are cursor and counters of rooms that were there before the run.
	before map[string]roomStart
	made   bool // the rooms are the run's own: nobody else gives there
}

// roomStart is where a room stood when the run began.
type roomStart struct {
	cursor   string
	counters roomCounters
}

// sum is what a room's gifts came to, by whoever counts.
type sum struct{ accepted, delivered, failed, unresolved int64 }

func (s *sum) add(status string) {
	s.accepted++
	switch fateCount(status) {
	case Delivered:
		s.delivered++
	case Failed:
		s.failed++
	default:
		s.unresolved++
	}
}

func (s sum) String() string {
	return fmt.Sprintf("accepted %d, delivered %d, failed %d, unresolved %d", s.accepted, s.delivered, s.failed, s.unresolved)
}

// room compares one room's ledger and counters with the rows of its gifts.
func (c *ledgerCheck) room(ctx context.Context, name string, rows []Row) error {
	own := make(map[string]*Row, len(rows))
	for i := range rows {
		own[rows[i].ID] = &rows[i]
	}
	seen := make(map[string]bool, len(rows))
	var ledger sum
	_, err := c.platform.ledger(ctx, name, c.before[name].cursor, func(r ledgerRow) {
		ledger.add(r.Status)
		if strings.HasPrefix(r.UserID, prefix(c.run)) {
			c.row(name, r, own[r.ID], seen)
		}
	})
	if err != nil {
		return fmt.Errorf("load: the ledger of room %s could not be read: %w", name, err)
	}
	for i := range rows {
		if r := &rows[i]; r.Status != "" && !seen[r.ID] {
			c.found.add(Mismatch{KindNotInLedger, name, r.User, r.ID, fmt.Sprintf("its giver heard %s (%s) of msg_id %s", r.Status, r.Reason, r.MsgID)})
		}
	}
	return c.counters(ctx, name, ledger)
}

// row compares one row with the gift of its id.
func (c *ledgerCheck) row(name string, r ledgerRow, own *Row, seen map[string]bool) {
	fault := func(kind Kind, format string, args ...any) {
		c.found.add(Mismatch{kind, name, r.UserID, r.ID, fmt.Sprintf(format, args...)})
	}
	again := seen[r.ID]
	seen[r.ID] = true
	switch {
	case own == nil || own.User != r.UserID:
		fault(KindLedgerUnknown, "%s, msg_id %s: this gift was never sent", r.Status, r.MsgID)
	case again:
		fault(KindTwiceInLedger, "again: %s (%s), msg_id %s", r.Status, r.Reason, r.MsgID)
	case own.Rejected != "":
		fault(KindRejectedGiven, "the ledger has %s, its giver heard rejected with %s", r.Status, own.Rejected)
	case own.Status == "" && !own.Accepted:
		fault(KindNotAccepted, "the ledger has %s, its giver heard neither accepted nor result", r.Status)
	case own.Status != "" && (own.Status != r.Status || own.Code != r.Code || own.Reason != r.Reason) || own.MsgID != r.MsgID:
		fault(KindLedgerDiffers, "the ledger has %s (%s, code %d) of %s, its giver heard %s (%s, code %d) of %s",
			r.Status, r.Reason, r.Code, r.MsgID, own.Status, own.Reason, own.Code, own.MsgID)
	}
}

// countersTime is how long counters may take to say what the ledger has: they come from
// another node's memory, perhaps.
const countersTime = 3 * time.Second

// counters compares a room's counters with its ledger. In rooms that others use, too,
// gifts of theirs may be open.
func (c *ledgerCheck) counters(ctx context.Context, name string, ledger sum) error {
	tick := time.NewTicker(countersTime / 10)
	defer tick.Stop()
	late := time.After(countersTime)
	for {
		now, err := c.platform.counters(ctx, name)
		if err != nil {
			return fmt.Errorf("load: the counters of room %s could not be read: %w", name, err)
		}
		more := now.minus(c.before[name].counters)
		got := sum{more.Accepted, more.Delivered, more.Failed, more.Unresolved}
		fits := got == ledger && more.Pending == 0
		if !c.made {
			before := c.before[name].counters.Pending // accepted before the run, decided in it
			fits = got.accepted+before >= ledger.accepted && got.delivered >= ledger.delivered && got.failed >= ledger.failed &&
				got.unresolved >= ledger.unresolved
		}
		if fits {
			return nil
		}
		select {
		case <-late:
			c.found.add(Mismatch{Kind: KindCounters, Room: name, Detail: fmt.Sprintf("the counters say %v, pending %d; the ledger has %v", got, more.Pending, ledger)})
			return nil
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
