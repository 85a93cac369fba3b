package load

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// Kind is what can be wrong between what the hub promises and what viewers, ledger and
// counters say.
type Kind string

// The kinds.
const (
	// KindNoResult is a gift that was accepted and has no result.
	KindNoResult Kind = "no_result"
	// KindRepeatedResult is a second result on one connection that nobody asked for.
	KindRepeatedResult Kind = "repeated_result"
	// KindOtherResult is a result that contradicts an earlier one, or the accepted.
	KindOtherResult Kind = "other_result"
	// KindNotAccepted is a gift with a result, and no accepted before it.
	KindNotAccepted Kind = "not_accepted"
	// KindUnanswered is a gift with neither accepted nor rejected.
	KindUnanswered Kind = "unanswered"
	// KindUnknownAnswer is an answer to a gift that the viewer did not give.
	KindUnknownAnswer Kind = "unknown_answer"
	// KindRejectedGiven is a gift that was rejected, and given all the same.
	KindRejectedGiven Kind = "rejected_and_given"

	// KindRepeatedSeq is a gifts event that a viewer heard twice, or out of order.
	KindRepeatedSeq Kind = "repeated_seq"
	// KindSilentGap is a gifts event that a viewer missed, and that no lagged named.
	KindSilentGap Kind = "silent_gap"
	// KindBadLagged is a lagged that does not begin where the viewer was.
	KindBadLagged Kind = "bad_lagged"
	// KindBadResume is a welcome that does not fit where the viewer was.
	KindBadResume Kind = "bad_resume"
	// KindOtherContent is a gifts event that was another one for another viewer.
	KindOtherContent Kind = "other_content"
	// KindIncomplete is a viewer that was not told all to the end.
	KindIncomplete Kind = "incomplete_viewer"
	// KindNotBack is a viewer that could not come back in the time to settle.
	KindNotBack Kind = "not_back"
	// KindNotShown is a delivered gift that no gifts event showed.
	KindNotShown Kind = "not_shown"
	// KindShownTwice is a gift that two gifts events showed.
	KindShownTwice Kind = "shown_twice"
	// KindShownOther is a gift that was shown and not delivered, or under another MsgId.
	KindShownOther Kind = "shown_not_delivered"
	// KindBadFrame is something that is no frame of the protocol.
	KindBadFrame Kind = "bad_frame"

	// KindNotInLedger is a gift with a result and no row in the ledger.
	KindNotInLedger Kind = "not_in_ledger"
	// KindTwiceInLedger is a gift with two rows.
	KindTwiceInLedger Kind = "twice_in_ledger"
	// KindLedgerDiffers is a row that says something else than the result.
	KindLedgerDiffers Kind = "ledger_differs"
	// KindLedgerUnknown is a row of one of our users, of a gift that was never sent.
	KindLedgerUnknown Kind = "ledger_unknown"
	// KindCounters are counters of a room that do not say what happened in it.
	KindCounters Kind = "counters"
)

// Mismatch is one thing that is wrong.
type Mismatch struct {
	Kind   Kind   `json:"kind"`
	Room   string `json:"room,omitzero"`
	User   string `json:"user,omitzero"`
	Gift   string `json:"gift,omitzero"` // its id
	Detail string `json:"detail"`
}

// String is the mismatch for people.
func (m Mismatch) String() string {
	text := string(m.Kind)
	for _, part := range []struct{ name, value string }{{"room", m.Room}, {"user", m.User}, {"gift", m.Gift}} {
		if part.value != "" {
			text += " " + part.name + "=" + part.value
		}
	}
	return text + ": " + m.Detail
}

// listedMax bounds the mismatches of a kind that are kept to be named; all are counted.
const listedMax = 20

// Mismatches are what is wrong, counted by kind, the first of each kind named.
type Mismatches struct {
	Counts map[Kind]int64 `json:"counts"`
	List   []Mismatch     `json:"list"`
}

// Found is how many there are.
func (m *Mismatches) Found() (n int64) {
	for _, one := range m.Counts {
		n += one
	}
	return n
}

func (m *Mismatches) add(one Mismatch) {
	if m.Counts == nil {
		m.Counts = make(map[Kind]int64)
	}
	if m.Counts[one.Kind]++; m.Counts[one.Kind] <= listedMax {
		m.List = append(m.List, one)
	}
}

// merge adds another's. Of each kind, no more than listedMax stay named.
func (m *Mismatches) merge(other *Mismatches) {
	named := make(map[Kind]int)
	for _, one := range m.List {
		named[one.Kind]++
	}
	for _, one := range other.List {
		if named[one.Kind]++; named[one.Kind] <= listedMax {
			m.List = append(m.List, one)
		}
	}
	for kind, n := range other.Counts {
		if m.Counts == nil {
			m.Counts = make(map[Kind]int64)
		}
		m.Counts[kind] += n
	}
}

// sort puts equal kinds together.
func (m *Mismatches) sort() {
	slices.SortStableFunc(m.List, func(a, b Mismatch) int { return cmp.Compare(a.Kind, b.Kind) })
}

// blame collects the mismatches that many find at once.
type blame struct {
	mu    sync.Mutex
	found Mismatches
}

func (b *blame) add(one Mismatch, format string, args ...any) {
	one.Detail = fmt.Sprintf(format, args...)
	b.mu.Lock()
	b.found.add(one)
	b.mu.Unlock()
}

// take is all that was found.
func (b *blame) take() Mismatches {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.found
}
