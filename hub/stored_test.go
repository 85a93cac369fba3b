package hub

import (
	"errors"
	"testing"

	"github.com/giftwire/giftwire/hub/journal"
)

// receipts answers each Submit with the next of its receipts; an empty one is a failure.
type receipts []journal.Receipt

func (r *receipts) Submit(_ journal.Entry, done func(journal.Receipt, error)) error {
	next := (*r)[0]
	*r = (*r)[1:]
	if next == (journal.Receipt{}) {
		done(next, journal.ErrUnknown)
		return nil
	}
	done(next, nil)
	return nil
}

func TestStoredNotesBeforeItTells(t *testing.T) {
	at := func(partition int, seq uint64) journal.Receipt {
		return journal.Receipt{Partition: partition, Position: journal.Position{Seq: seq}}
	}
	s := newStored(&receipts{at(1, 5), at(0, 7), at(1, 9), at(1, 8), {}}, 2)
	for _, want := range [][2]uint64{{0, 5}, {7, 5}, {7, 9}, {7, 9}, {7, 9}} {
		told := false
		err := s.Submit(journal.Entry{}, func(_ journal.Receipt, err error) {
			told = true
			if err != nil && !errors.Is(err, journal.ErrUnknown) {
				t.Errorf("told %v", err)
			}
			if got := [2]uint64{s.newest(0), s.newest(1)}; got != want {
				t.Errorf("when told, the marks are %v, want %v", got, want)
			}
		})
		if err != nil || !told {
			t.Errorf("Submit: %v, told %v", err, told)
		}
	}
}
