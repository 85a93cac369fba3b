package audience_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
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

// stateAt is the state of a room whose newest record is n.
func stateAt(n owner.News) owner.RoomState { return owner.RoomState{Seq: n.Seq, Record: n.Record} }

// resume lets a viewer come back who has heard up to since, as the hub does to whom nobody
// told of the room lately: it is followed anew.
func (th *theatre) resume(user string, since uint64, log []owner.News) *viewer {
	newest := log[len(log)-1]
	th.Decided(owner.News{Room: "r1", Record: newest.Record, Seq: newest.Seq})
	return th.resumeFollowed(user, since, log)
}

// resumeFollowed is resume where the room is followed still.
func (th *theatre) resumeFollowed(user string, since uint64, log []owner.News) *viewer {
	newest := log[len(log)-1]
	th.record = newest.Record
	if upTo, lacks := th.Lacks("r1", since, stateAt(newest)); lacks {
		th.Recall("r1", newest.Seq, upTo, since, back(log, upTo, since))
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
					if _, lacks := th.Lacks("r1", since, stateAt(log[len(log)-1])); lacks {
						t.Error("the house would read the same once more")
					}
					bo.Leave()
				})
			})
		}
	}
}

// TestRecallAfterAWhile: a house that heard of a room, then of nothing since nobody watched
// it here, and then again, tells whoever comes back all that it missed.
func TestRecallAfterAWhile(t *testing.T) {
	t.Parallel()
	log := logOf(9) // seq 6
	for since := range uint64(7) {
		for first := 1; first < len(log)-1; first++ { // records told at first
			for again := first + 1; again <= len(log); again++ { // from here on told again
				for name, resume := range map[string]func(*theatre, string, uint64, []owner.News) *viewer{
					"anew": (*theatre).resume, "still": (*theatre).resumeFollowed,
				} {
					t.Run(fmt.Sprintf("since %d, %d told, then from %d, followed %s", since, first, again, name), func(t *testing.T) {
						t.Parallel()
						open(t, audience.Limits{}, func(th *theatre) {
							for i, n := range log {
								if i < first || i >= again {
									th.Decided(n)
								}
							}
							th.expectAll(resume(th, "bo", since, log), log, since)
						})
					})
				}
			}
		}
	}
}

// expectAll checks that who resumed hears all that the log has since then, and what comes.
func (th *theatre) expectAll(bo *viewer, log []owner.News, since uint64) {
	th.t.Helper()
	want := []string{fmt.Sprintf("welcome %d true 1", since)}
	for _, n := range log {
		if n.Seq >= since {
			want = append(want, fmt.Sprintf("result %s %s", n.Decisions[0].Gift.ClientID, n.Decisions[0].Status))
		}
		if n.Seq > since && n.Decisions[0].Status == room.Delivered {
			want = append(want, fmt.Sprintf("gifts %d bo", n.Seq))
		}
	}
	th.expect(bo, want...)
	// Who starts over hears only what comes.
	ann := &viewer{user: "ann"}
	th.enterAt(ann, -1, 6)
	th.expect(ann, "welcome 6 false 2")
	next := news(7, delivered("bo", "b-10"))
	next.Record, next.Prev = 19, 18
	th.Decided(next)
	th.expect(ann, "gifts 7 bo")
	th.expect(bo, "result b-10 delivered", "gifts 7 bo")
	bo.Leave()
	ann.Leave()
}

// TestRecallOnce: what does not fit is not read again and again.
func TestRecallOnce(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{HistoryBytes: 1200}, func(th *theatre) {
		log := logOf(30)
		th.resume("bo", 5, log).Leave()
		for since := range uint64(5) {
			if _, lacks := th.Lacks("r1", since, stateAt(log[29])); lacks {
				t.Errorf("since %d would be read, and not fit", since)
			}
		}
	})
}

// TestRecallOfWhatIsOnItsWay: a record that is decided after the room was entered, and
// read before it is told, takes nothing away from what is older.
func TestRecallOfWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	open(t, audience.Limits{}, func(th *theatre) {
		log := logOf(5) // seq 4: records 10, 11, 12 (failed), 13, 14
		ann := &viewer{user: "ann"}
		th.enterAt(ann, -1, 3)
		if upTo, lacks := th.Lacks("r1", 1, stateAt(log[4])); !lacks || upTo != 14 {
			t.Errorf("lacks %v, up to %d", lacks, upTo)
		}
		th.Recall("r1", 4, 14, 1, log)
		bo := &viewer{user: "bo"}
		th.enterAt(bo, 1, 4)
		th.Decided(log[4])
		th.expect(bo, "welcome 1 true 2", "result b-1 delivered", "result b-2 delivered", "gifts 2 bo",
			"result b-3 failed", "result b-4 delivered", "gifts 3 bo", "result b-5 delivered", "gifts 4 bo")
		bo.Leave()
		ann.Leave()
	})
}

// TestRecallOfThePast: what was read from where the house began a moment ago is not taken
// in, and takes nothing away from whoever reads from where it begins now.
func TestRecallOfThePast(t *testing.T) {
	t.Parallel()
	for asked := 1; asked < 6; asked++ { // records there were when the first reading began
		t.Run(fmt.Sprint(asked), func(t *testing.T) {
			t.Parallel()
			open(t, audience.Limits{}, func(th *theatre) {
				log := logOf(6)
				th.Decided(log[0])
				before := log[:asked]
				first, _ := th.Lacks("r1", 0, stateAt(before[asked-1]))
				now, lacks := th.Lacks("r1", 0, stateAt(log[5])) // nobody is there: it begins anew
				if !lacks || now != log[5].Record {
					t.Fatalf("lacks %v, up to %d", lacks, now)
				}
				if th.Recall("r1", before[asked-1].Seq, first, 0, back(log, first, 0)) {
					t.Error("a reading from the past was taken in")
				}
				bo := th.resumeFollowed("bo", 0, log)
				th.expect(bo, "welcome 0 true 1", "result b-1 delivered", "gifts 1 bo", "result b-2 delivered", "gifts 2 bo",
					"result b-3 failed", "result b-4 delivered", "gifts 3 bo", "result b-5 delivered", "gifts 4 bo", "result b-6 failed")
				bo.Leave()
			})
		})
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

// TestAnyAbsence: whenever a viewer is there, and whatever is decided while nobody is and
// the house is not told, in the end it has heard everything once and in order.
func TestAnyAbsence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		script := rapid.SliceOfN(rapid.SampledFrom([]string{"delivered", "failed", "come", "go", "stranger"}), 1, 40).Draw(rt, "script")
		anew := rapid.Bool().Draw(rt, "anew")
		fault := ""
		open(t, audience.Limits{}, func(th *theatre) {
			var log []owner.News
			var bo, ann *viewer
			// By kind: results may go before the gifts events that were told with them.
			heard, want := make(map[string][]string), make(map[string][]string)
			seq, last := uint64(0), uint64(0)
			leave := func(v **viewer) {
				synctest.Wait()
				(*v).Leave()
				*v = nil
			}
			goes := func() {
				synctest.Wait()
				for _, e := range bo.heard() {
					if g, ok := e.(wire.Gifts); ok {
						last = g.Seq
					}
					kind, s := e.Type(), brief([]wire.Event{e})[0]
					if kind != "welcome" && kind != "presence" && !slices.Contains(heard[kind], s) {
						heard[kind] = append(heard[kind], s) // a result at the last seq may come twice
					}
				}
				leave(&bo)
			}
			comes := func() {
				if len(log) == 0 {
					bo = th.join("bo", 0)
					return
				}
				if ann == nil && anew {
					bo = th.resume("bo", last, log)
				} else {
					bo = th.resumeFollowed("bo", last, log)
				}
			}
			for i, step := range script {
				switch step {
				case "come":
					if bo == nil {
						comes()
					}
				case "go":
					if bo != nil {
						goes()
					}
				case "stranger": // comes or goes: while one is there, the house is told
					if ann != nil {
						leave(&ann)
						continue
					}
					ann = &viewer{user: "ann"}
					th.enterAt(ann, -1, seq)
				default:
					n := owner.News{Room: "r1", Record: uint64(10 + len(log)), Decisions: []room.Decision{failed("bo", fmt.Sprint(i))}}
					if len(log) > 0 {
						n.Prev = n.Record - 1
					}
					if step == "delivered" {
						seq++
						n.Decisions[0] = delivered("bo", fmt.Sprint(i))
						want["gifts"] = append(want["gifts"], fmt.Sprintf("gifts %d bo", seq))
					}
					want["result"] = append(want["result"], fmt.Sprintf("result %d %s", i, n.Decisions[0].Status))
					n.Seq = seq
					log = append(log, n)
					th.record = n.Record
					if bo != nil || ann != nil {
						th.Decided(n)
					}
				}
			}
			if bo == nil {
				comes()
			}
			goes()
			if ann != nil {
				leave(&ann)
			}
			fault = cmp.Diff(want, heard)
		})
		if fault != "" {
			rt.Fatalf("heard (-want +got):\n%s", fault)
		}
	})
}
