package intake_test

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
)

// asked is a gift that was submitted, and what was answered.
type asked struct {
	id       string
	count    int
	verdicts []intake.Verdict
}

// Whatever the journal answers, in whatever order gifts and repeats come: each is
// answered once; accepted only when the journal has said that it is stored; rejected
// only when it has said that it is not, or for a reason of its own; and of two contents
// under one id only the first is ever accepted.
func TestAnswersOfAnyShape(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t, nil)
		var all []*asked
		stored, unknown := make(map[string]int), make(map[string]bool)
		submit := func(rt *rapid.T) {
			a := &asked{
				id:    rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "id"),
				count: rapid.SampledFrom([]int{10, 20}).Draw(rt, "count"),
			}
			all = append(all, a)
			b.journal.refuse = rapid.SampledFrom([]error{nil, nil, nil, journal.ErrUnavailable}).Draw(rt, "refuse")
			b.Submit(t.Context(), rockets(a.id, a.count), func(v intake.Verdict) {
				a.verdicts = append(a.verdicts, v)
				if v.Outcome == intake.Accepted && stored[a.id] != a.count {
					rt.Fatalf("%s x %d is accepted, %d are stored", a.id, a.count, stored[a.id])
				}
			})
		}
		answer := func(rt *rapid.T) {
			if len(b.journal.held) == 0 {
				return
			}
			err := rapid.SampledFrom([]error{nil, journal.ErrUnavailable, journal.ErrUnknown, journal.ErrClosed, journal.ErrTooLarge}).Draw(rt, "answer")
			g := b.journal.held[0].entry.Gift
			if err == nil {
				if n := stored[g.ClientID]; n != 0 && !unknown[g.ClientID] {
					rt.Fatalf("%s is journaled again, %d are stored", g.ClientID, n)
				}
				stored[g.ClientID] = g.Count
			}
			if err != nil {
				err = fmt.Errorf("journal: %w", err)
			}
			waiting := unanswered(all)
			b.journal.answer(t, err)
			unknown[g.ClientID] = unknown[g.ClientID] || errors.Is(err, journal.ErrUnknown)
			for _, a := range waiting {
				if len(a.verdicts) > 0 && a.verdicts[0].Outcome != outcomeOf(err) {
					rt.Fatalf("%s: outcome %v, the journal said %v", a.id, a.verdicts[0].Outcome, err)
				}
			}
		}
		rt.Repeat(map[string]func(*rapid.T){"submit": submit, "again": submit, "answer": answer})
		b.journal.refuse = nil
		for len(b.journal.held) > 0 {
			answer(rt)
		}
		for _, a := range all {
			if len(a.verdicts) != 1 {
				rt.Fatalf("%s is answered %d times", a.id, len(a.verdicts))
			}
		}
	})
}

func unanswered(all []*asked) (waiting []*asked) {
	for _, a := range all {
		if len(a.verdicts) == 0 {
			waiting = append(waiting, a)
		}
	}
	return waiting
}

// outcomeOf is what a gift is answered when the journal says so.
func outcomeOf(err error) intake.Outcome {
	switch {
	case err == nil:
		return intake.Accepted
	case errors.Is(err, journal.ErrUnknown):
		return intake.Unknown
	default:
		return intake.Rejected
	}
}
