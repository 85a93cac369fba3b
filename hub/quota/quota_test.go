package quota_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/quota"
)

var start = time.Unix(1795449600, 0)

// take asks n times at once and counts what passes.
func take(tb *quota.Table[string], key string, n int, at time.Time) (passed int) {
	for range n {
		if _, ok := tb.Allow(key, at); ok {
			passed++
		}
	}
	return passed
}

func TestTable(t *testing.T) {
	t.Parallel()
	tb := quota.NewTable[string](quota.Limit{PerSecond: 20, Burst: 40}, 10)
	if got := take(tb, "ann", 100, start); got != 40 {
		t.Errorf("burst of %d, want 40", got)
	}
	if got := take(tb, "bo", 100, start); got != 40 {
		t.Errorf("another key's burst is %d, want 40", got)
	}
	retry, ok := tb.Allow("ann", start)
	if ok || retry != 50*time.Millisecond {
		t.Errorf("retry %v, %v, want 50ms", retry, ok)
	}
	if _, ok := tb.Allow("ann", start.Add(retry)); !ok {
		t.Error("nothing after the retry time")
	}
	if got := take(tb, "ann", 100, start.Add(time.Second+retry)); got != 20 {
		t.Errorf("%d in a second, want 20", got)
	}
}

// TestSweep: going away for a moment gives nothing back, going away for long costs
// no memory.
func TestSweep(t *testing.T) {
	t.Parallel()
	tb := quota.NewTable[string](quota.Limit{PerSecond: 2, Burst: 10}, 10)
	take(tb, "ann", 10, start)
	tb.Sweep(start.Add(4 * time.Second))
	if got := take(tb, "ann", 10, start.Add(4*time.Second)); got != 8 {
		t.Errorf("%d after 4 s, want 8", got)
	}
	tb.Sweep(start.Add(8 * time.Second))
	if tb.Len() != 1 {
		t.Errorf("forgotten before its bucket was full")
	}
	tb.Sweep(start.Add(9 * time.Second))
	if tb.Len() != 0 {
		t.Errorf("%d keys are kept whose buckets are full", tb.Len())
	}
}

// TestFull: a flood of keys neither grows the table nor stops the keys that are in it.
func TestFull(t *testing.T) {
	t.Parallel()
	tb := quota.NewTable[string](quota.Limit{PerSecond: 1, Burst: 5}, 2)
	take(tb, "ann", 1, start)
	take(tb, "bo", 1, start)
	passed := 0
	for _, key := range []string{"c", "d", "e", "f", "g", "h", "i", "j"} {
		passed += take(tb, key, 1, start)
	}
	if passed != 5 || tb.Len() != 2 {
		t.Errorf("%d strangers passed, %d keys; want 5 and 2", passed, tb.Len())
	}
	if got := take(tb, "ann", 10, start); got != 4 {
		t.Errorf("ann's %d, want 4", got)
	}
}

func TestLimitCheck(t *testing.T) {
	t.Parallel()
	for _, l := range []quota.Limit{{}, {PerSecond: 1}, {Burst: 1}, {PerSecond: -1, Burst: 1}, {PerSecond: math.NaN(), Burst: 1}, {PerSecond: math.Inf(1), Burst: 1}} {
		if err := l.Check(); !errors.Is(err, quota.ErrBadLimit) {
			t.Errorf("%+v: %v", l, err)
		}
	}
	if err := (quota.Limit{PerSecond: 0.1, Burst: 1}).Check(); err != nil {
		t.Error(err)
	}
}
