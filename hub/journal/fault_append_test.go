package journal_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
)

type appended struct {
	seq uint64
	err error
}

// appendLater appends while the cable is faulty.
func (f *faulty) appendLater(expected uint64, rec journal.OutcomeRecord) <-chan appended {
	result := make(chan appended, 1)
	go func() {
		seq, err := f.Log(0).AppendOutcome(context.Background(), expected, rec)
		result <- appended{seq, err}
	}()
	return result
}

func TestALostAppendIsFoundOut(t *testing.T) {
	rival := func(t *testing.T, url string) *journal.Journal {
		t.Helper()
		return openJournal(t, journal.Config{NATSURL: url, Node: "rival"})
	}
	t.Run("it had landed", func(t *testing.T) {
		f := startFaulty(t, journal.Pace{})
		js := natstest.ByHand(t, f.url)
		first := mustAppend(t, f.Log(0), 0, takeover(f.Journal, 1))
		f.deaf.Store(true)
		result := f.appendLater(first, next(takeover(f.Journal, 1)))
		eventually(t, "it is stored", func() bool { return streamState(t, js, "OUTCOMES").LastSeq == 2 })
		eventually(t, "Health tells", func() bool { return f.Health() != nil })
		f.cut()
		if got := wait(t, result, "append"); got.err != nil || got.seq != 2 {
			t.Errorf("append: %+v", got)
		}
		mustAppend(t, f.Log(0), 2, next(next(takeover(f.Journal, 1))))
		if last := streamState(t, js, "OUTCOMES").LastSeq; last != 3 {
			t.Errorf("%d records stored, 3 were appended", last)
		}
		eventually(t, "healthy again", func() bool { return f.Health() == nil })
	})
	t.Run("it had not", func(t *testing.T) {
		f := startFaulty(t, journal.Pace{})
		f.mute.Store(true)
		result := f.appendLater(0, takeover(f.Journal, 1))
		eventually(t, "Health tells", func() bool { return f.Health() != nil })
		f.cut()
		if got := wait(t, result, "append"); got.err != nil || got.seq != 1 {
			t.Errorf("append: %+v", got)
		}
	})
	t.Run("it had landed, and a rival came after it", func(t *testing.T) {
		f := startFaulty(t, journal.Pace{})
		js := natstest.ByHand(t, f.url)
		first := mustAppend(t, f.Log(0), 0, takeover(f.Journal, 1))
		f.deaf.Store(true)
		result := f.appendLater(first, next(takeover(f.Journal, 1)))
		eventually(t, "it is stored", func() bool { return streamState(t, js, "OUTCOMES").LastSeq == 2 })
		r := rival(t, f.url)
		mustAppend(t, r.Log(0), 2, takeover(r, 2))
		f.cut()
		if got := wait(t, result, "append"); !errors.Is(got.err, journal.ErrFenced) {
			t.Errorf("append: %+v", got)
		}
	})
	t.Run("a rival came before it", func(t *testing.T) {
		f := startFaulty(t, journal.Pace{})
		first := mustAppend(t, f.Log(0), 0, takeover(f.Journal, 1))
		f.mute.Store(true)
		result := f.appendLater(first, next(takeover(f.Journal, 1)))
		r := rival(t, f.url)
		mustAppend(t, r.Log(0), first, takeover(r, 2))
		f.cut()
		if got := wait(t, result, "append"); !errors.Is(got.err, journal.ErrFenced) {
			t.Errorf("append: %+v", got)
		}
	})
	t.Run("its context ends first", func(t *testing.T) {
		f := startFaulty(t, journal.Pace{})
		f.mute.Store(true)
		why := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, why)
		defer cancel()
		if _, err := f.Log(0).AppendOutcome(ctx, 0, takeover(f.Journal, 1)); !errors.Is(err, why) {
			t.Errorf("append: %v", err)
		}
	})
}
