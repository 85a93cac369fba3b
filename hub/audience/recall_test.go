package audience_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// logOf is a room's log: record 10 is the first, each has one gift of bo, and every third
// one failed.
func logOf(records int) []owner.News {
	var news []owner.News
	seq := uint64(0)
	for i := range records {
		d := failed("bo", fmt.Sprint("b-", i+1))
		if i%3 != 2 {
			d = delivered("bo", fmt.Sprint("b-", i+1))
			seq++
		}
		n := owner.News{Room: "r1", Record: uint64(10 + i), Seq: seq, Decisions: []room.Decision{d}}
		if i > 0 {
			n.Prev = n.Record - 1
		}
		news = append(news, n)
	}
	return news
}

// back is what reading back from a record finds, as far as since.
func back(log []owner.News, upTo, since uint64) []owner.News {
	for len(log) > 0 && log[len(log)-1].Record > upTo {
		log = log[:len(log)-1]
	}
	for len(log) > 0 && log[0].Seq < since {
		log = log[1:]
	}
	return log
}

// resume lets a viewer come back who has heard up to since, as the hub does.
func (th *theatre) resume(user string, since uint64, log []owner.News) *viewer {
	newest := log[len(log)-1]
	if upTo, lacks := th.Lacks("r1", since, newest.Record); lacks {
		th.Recall("r1", newest.Seq, since, back(log, upTo, since))
	}
	v := &viewer{user: user}
	th.enterAt(v, int(since), newest.Seq)
	return v
}

// TestRecall: whatever a viewer has heard, whatever the house knows, what it missed comes
// in order, from the log where the house does not have it.
func TestRecall(t *testing.T) {
	t.Parallel()
	log := logOf(9) // seq 6
	for since := range uint64(7) {
		for told := range len(log) + 1 { // so many records were told here, the last ones
			t.Run(fmt.Sprintf("since %d, %d told here", since, told), func(t *testing.T) {
				t.Parallel()
				open(t, audience.Limits{}, func(th *theatre) {
					for _, n := range log[len(log)-told:] {
						th.Decided(n)
					}
					want := []string{fmt.Sprintf("welcome %d true 1", since)}
					for _, n := range log {
						if n.Seq >= since {
							want = append(want, fmt.Sprintf("result %s %s", n.Decisions[0].Gift.ClientID, n.Decisions[0].Status))
						}
						if n.Seq > since && n.Decisions[0].Status == room.Delivered {
							want = append(want, fmt.Sprintf("gifts %d bo", n.Seq))
						}
					}
					bo := th.resume("bo", since, log)
					th.expect(bo, want...)
					if _, lacks := th.Lacks("r1", since, log[len(log)-1].Record); lacks {
						t.Error("the house would read the same once more")
					}
					bo.Leave()
				})
			})
		}
	}
}

// TestRecallOfTooMuch: what does not fit the history is lagged, and nothing is doubled.
func TestRecallOfTooMuch(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{HistoryBytes: 1200}, func(th *theatre) {
		log := logOf(30)
		bo := th.resume("bo", 0, log)
		synctest.Wait()
		events := brief(bo.heard())
		last := 0
		for _, e := range events[1:] {
			var seq, from, to int
			switch {
			case scan(e, "lagged %d-%d", &from, &to):
				if from != last+1 {
					t.Errorf("%s after %d", e, last)
				}
				last = to
			case scan(e, "gifts %d bo", &seq):
				if seq != last+1 {
					t.Errorf("%s after %d", e, last)
				}
				last = seq
			}
		}
		if last != 20 {
			t.Errorf("heard up to %d of 20: %q", last, events)
		}
		bo.Leave()
	})
}

func scan(s, format string, into ...any) bool {
	_, err := fmt.Sscanf(s, format, into...)
	return err == nil
}

// TestRecallEnds: an hour later the house has nothing of it any more, and reads again.
func TestRecallEnds(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		log := logOf(6)
		for range 2 {
			bo := th.resume("bo", 3, log)
			th.expect(bo, "welcome 3 true 1", "result b-4 delivered", "result b-5 delivered", "gifts 4 bo", "result b-6 failed")
			th.wait(time.Hour)
			bo.Leave()
		}
	})
}

// TestRecallWithAGap: what the log does not have between what it has is lagged, too.
func TestRecallWithAGap(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		log := logOf(9) // seq 1 to 6, of which 3 is record 13
		log = append(log[:3:3], log[4:]...)
		ann := th.resume("ann", 1, log)
		th.expect(ann, "welcome 1 true 1", "lagged 2-3", "gifts 4 bo", "gifts 5 bo", "gifts 6 bo")
		ann.Leave()
	})
}
