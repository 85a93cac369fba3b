package room

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// interval is a call as ZEGO's door may see it: it arrives once, anywhere in it.
type interval struct{ start, end time.Duration }

// worstSecond is the most calls that can arrive in any half-open second, if each
// chooses its arrival to make it so. A second that is the worst begins at the end of
// some call.
func worstSecond(calls []interval) int {
	worst := 0
	for _, x := range calls {
		n := 0
		for _, c := range calls {
			if c.end >= x.end && c.start < x.end+time.Second {
				n++
			}
		}
		worst = max(worst, n)
	}
	return worst
}

func drawTook(t *rapid.T, timeout time.Duration) time.Duration {
	took := rapid.SampledFrom([]int{0, 0, 1, 5, 20, 55, 56, 300, 5000}).Draw(t, "took")
	return min(timeout, time.Duration(took)*time.Millisecond)
}

// spend lets an owner call as often as its budget allows, with pauses, from the given
// time until another takes over. A call that is in flight then is one of its calls.
func spend(t *rapid.T, b *budget, from, until, timeout time.Duration) []interval {
	var calls []interval
	for now := from; len(calls) < 200; {
		now = max(now, b.earliest()) + time.Duration(rapid.SampledFrom([]int{0, 0, 0, 3, 400}).Draw(t, "pause"))*time.Millisecond
		if now >= until {
			break
		}
		b.start(now)
		if rapid.IntRange(0, 9).Draw(t, "held") == 0 {
			b.cancel()
			now += 10 * time.Millisecond
			continue
		}
		c := interval{now, now + drawTook(t, timeout)}
		b.end(c.end)
		calls = append(calls, c)
		now = c.end
	}
	return calls
}

func TestSteadyBudgetHoldsAtTheDoor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{GiftCallsPerSecond, CommentCallsPerSecond, LikeCallsPerSecond}).Draw(t, "size")
		b := newBudget(size, -time.Hour, 0)
		if got := worstSecond(spend(t, &b, 0, time.Hour, 5*time.Second)); got > size {
			t.Fatalf("%d calls can arrive in one second, %d are ours", got, size)
		}
	})
}

// TestBudgetHoldsAcrossOwners: the old owner's calls and the new one's together stay
// within ZEGO's 20, however soon owners follow each other, if an owner whose
// predecessor may have a predecessor's call still under way starts a second after that
// call can be, and a second late at most.
func TestBudgetHoldsAcrossOwners(t *testing.T) {
	const timeout = 5 * time.Second
	rapid.Check(t, func(t *rapid.T) {
		var all []interval
		since, before := time.Duration(0), -time.Hour
		for range 3 {
			notBefore := since + min(max(timeout+time.Second-(since-before), 0), time.Second)
			b := newBudget(GiftCallsPerSecond, since, notBefore)
			until := since + time.Duration(rapid.IntRange(0, 4000).Draw(t, "owns ms"))*time.Millisecond
			all = append(all, spend(t, &b, since, until, timeout)...)
			before, since = since, until
		}
		if got := worstSecond(all); got > 20 {
			t.Fatalf("%d calls can arrive in one second", got)
		}
	})
}

// TestThreeOwners is the worst that three owners can do: a call of the first hangs while
// the second uses its whole budget up to the moment at which the third takes over.
func TestThreeOwners(t *testing.T) {
	const first, second, third = 0, time.Second, 4 * time.Second
	hanging := interval{first, first + 5*time.Second}
	for _, tt := range []struct {
		name string
		wait time.Duration
		want int
	}{
		{"the third starts at once", 0, 18 + 1 + TakeoverCalls},
		{"the third starts a second late", time.Second, 18 + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := []interval{hanging}
			b := newBudget(GiftCallsPerSecond, second, second)
			for now := third - 100*time.Millisecond; now < third; now += 5 * time.Millisecond {
				if b.earliest() <= now {
					b.start(now)
					b.end(now)
					all = append(all, interval{now, now})
				}
			}
			b = newBudget(GiftCallsPerSecond, third, third+tt.wait)
			for range 20 {
				now := b.earliest()
				b.start(now)
				b.end(now)
				all = append(all, interval{now, now})
			}
			if got := worstSecond(all); got != tt.want {
				t.Errorf("%d calls can arrive in one second, want %d", got, tt.want)
			}
		})
	}
}

func TestBudgetForgetsOnlyWhatDoesNotCount(t *testing.T) {
	b := newBudget(2, -time.Hour, 0)
	if got := b.owed(); got != 0 {
		t.Errorf("owed %v by no call", got)
	}
	for i := range 3 {
		b.start(time.Duration(i) * time.Second)
		b.end(time.Duration(i)*time.Second + time.Millisecond)
	}
	if got, want := b.owed(), 3*time.Second+time.Millisecond; got != want {
		t.Errorf("owed until %v, want %v", got, want)
	}
	if got, want := b.earliest(), 2*time.Second+time.Millisecond; got != want {
		t.Errorf("next call at %v, want %v", got, want)
	}
}

// TestTakeoverCalls: two in the first second, half a second apart; a call that was held
// gives its place back.
func TestTakeoverCalls(t *testing.T) {
	b := newBudget(18, 5*time.Second, 0)
	for _, want := range []time.Duration{5 * time.Second, 5500 * time.Millisecond} {
		if got := b.earliest(); got != want {
			t.Fatalf("call at %v, want %v", got, want)
		}
		b.start(want)
		b.end(want)
	}
	if got := b.earliest(); got != 6*time.Second {
		t.Errorf("third call at %v, want one second after the takeover", got)
	}
	b = newBudget(18, 5*time.Second, 0)
	for range 5 {
		b.start(5 * time.Second)
		b.cancel()
	}
	if got := b.earliest(); got > 5*time.Second {
		t.Errorf("after calls that were held: %v", got)
	}
}

// limiterSequences: whatever calls are asked for, held and answered in whatever time,
// the door sees no more than the budget.
func limiterSequences(t *rapid.T) {
	size := rapid.IntRange(1, 30).Draw(t, "size")
	since := time.Duration(rapid.IntRange(-2000, 0).Draw(t, "since ms")) * time.Millisecond
	notBefore := time.Duration(rapid.IntRange(0, 2000).Draw(t, "not before ms")) * time.Millisecond
	b := newBudget(size, since, notBefore)
	calls := spend(t, &b, 0, time.Minute, 5*time.Second)
	early := 0
	for _, c := range calls {
		if c.start < notBefore {
			t.Fatalf("a call starts at %v, none may before %v", c.start, notBefore)
		}
		if c.start < since+time.Second {
			early++
		}
	}
	if worst := worstSecond(calls); worst > size || early > TakeoverCalls {
		t.Fatalf("%d calls can arrive in one second, %d are allowed; %d in the first second", worst, size, early)
	}
}

func FuzzLimiterSequences(f *testing.F) {
	f.Fuzz(endless(rapid.MakeFuzz(limiterSequences)))
}

func TestLimiterSequences(t *testing.T) { rapid.Check(t, limiterSequences) }

// endless is a fuzz target's input, and random bytes behind it: what a property draws
// past the end of its input would be called invalid, and a whole world is longer than
// what a fuzzer finds.
func endless(prop func(*testing.T, []byte)) func(*testing.T, []byte) {
	return func(t *testing.T, input []byte) {
		t.Helper()
		tail := make([]byte, 128<<10)
		_, _ = rand.NewChaCha8([32]byte{}).Read(tail) // never fails
		prop(t, append(bytes.Clone(input), tail...))
	}
}
