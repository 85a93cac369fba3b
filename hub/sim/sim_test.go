package sim

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	seedsFlag = flag.Int("seeds", 0, "how many seeds to run; 0: a few, always the same")
	startFlag = flag.Uint64("start", 0, "the first of them; 0: drawn")
	seedFlag  = flag.Uint64("seed", 0, "one seed to replay, with its trace")
)

// TestSeeds runs worlds. A failing one prints its seed and how to replay it.
func TestSeeds(t *testing.T) {
	if *seedFlag != 0 {
		r := Run(t, *seedFlag, true)
		t.Logf("\n%s\n%+v", strings.Join(r.Trace, "\n"), r.Tally)
		if r.Err != nil {
			t.Fatalf("seed %d: %v", r.Seed, r.Err)
		}
		return
	}
	first, count := uint64(1), fewSeeds
	if *seedsFlag > 0 {
		if count, first = *seedsFlag, *startFlag; first == 0 {
			first = 1 + rand.Uint64N(1<<40)
		}
	}
	begun := time.Now()
	sum := runMany(t, first, count)
	took := time.Since(begun)
	t.Logf("%d seeds from %d in %v: %.0f seeds/s", count, first, took.Round(time.Second), float64(count)/took.Seconds())
	t.Logf("%d gifts: %d delivered, %d failed, %d unresolved; %d submitted again, %d journaled again after their end",
		sum.Gifts, sum.Delivered, sum.Failed, sum.Unresolved, sum.Resubmits, sum.Repeats)
	t.Logf("%d crashes of nodes, %d of the server, %d freezes, %d partitions, %d drains, %d storms at ZEGO, %d takeovers, %d purges",
		sum.Crashes, sum.ServerCrashes, sum.Freezes, sum.Cuts, sum.Drains, sum.Weather, sum.Takeovers, sum.Purges)
	t.Logf("%d calls, at most %d in a sliding second at ZEGO's door", sum.Calls, sum.Worst)
	t.Logf("lost %d, doubled %d; last decision %v after healing", sum.Lost, sum.Doubled, sum.Longest)
	if sum.Gifts == 0 || sum.Crashes == 0 || sum.Repeats == 0 || sum.Unresolved == 0 {
		t.Error("the runs are too tame to prove anything")
	}
}

// runMany runs seeds on all processors, and adds up.
func runMany(t *testing.T, first uint64, count int) (sum Tally) {
	t.Helper()
	var mu sync.Mutex
	workers := runtime.GOMAXPROCS(0)
	t.Run("seeds", func(t *testing.T) {
		for k := range workers {
			t.Run(fmt.Sprint(k), func(t *testing.T) {
				t.Parallel()
				for i := k; i < count && !t.Failed(); i += workers {
					r := Run(t, first+uint64(i), false)
					if r.Err != nil {
						t.Errorf("seed %d: %v\nreplay it: make sim SEED=%d", r.Seed, r.Err, r.Seed)
					}
					mu.Lock()
					sum.add(&r.Tally)
					mu.Unlock()
				}
			})
		}
	})
	return sum
}

// A seed replays identically: the same events in the same order.
func TestReplay(t *testing.T) {
	for seed := uint64(1); seed <= fewReplays; seed++ {
		first, again := Run(t, seed, true), Run(t, seed, true)
		if diff := cmp.Diff(first.Trace, again.Trace); diff != "" || first.Hash != again.Hash {
			t.Fatalf("seed %d: the traces differ: %s", seed, diff)
		}
		if len(first.Trace) < 50 {
			t.Errorf("seed %d: only %d events", seed, len(first.Trace))
		}
	}
	if a, b := Run(t, 1, false), Run(t, 2, false); a.Hash == b.Hash {
		t.Error("two seeds have one trace")
	}
}
