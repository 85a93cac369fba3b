package quota_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/hub/quota"
)

// limiterSequence asks a table in any order, sweeps it in between, and compares with
// what a limit means: of one key, no more than Burst and PerSecond x the time between
// pass in any stretch of time; and whoever is told when to come back is let in then.
func limiterSequence(t *rapid.T) {
	limit := quota.Limit{
		PerSecond: float64(rapid.IntRange(1, 200).Draw(t, "tenths per second")) / 10,
		Burst:     rapid.IntRange(1, 50).Draw(t, "burst"),
	}
	most := rapid.IntRange(1, 3).Draw(t, "most")
	table := quota.NewTable[string](limit, most)
	now := start
	passed := make(map[string][]time.Time)
	t.Repeat(map[string]func(*rapid.T){
		"ask": func(t *rapid.T) {
			// As many keys as there is room for, so that none shares the crowd's bucket.
			key := rapid.SampledFrom([]string{"ann", "bo", "cid"}[:most]).Draw(t, "key")
			for range rapid.IntRange(1, 20).Draw(t, "times") {
				retry, ok := table.Allow(key, now)
				switch {
				case ok:
					passed[key] = append(passed[key], now)
				case retry < time.Millisecond:
					t.Fatalf("retry after %v", retry)
				case rapid.IntRange(0, 3).Draw(t, "comes back") == 0:
					now = now.Add(retry + time.Millisecond)
					if _, ok := table.Allow(key, now); !ok {
						t.Fatalf("not let in after the %v that it was told", retry)
					}
					passed[key] = append(passed[key], now)
				}
			}
		},
		"wait": func(t *rapid.T) {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
		},
		"sweep": func(*rapid.T) { table.Sweep(now) },
		"": func(t *rapid.T) {
			if table.Len() > most {
				t.Fatalf("%d keys, at most %d are kept", table.Len(), most)
			}
			for key, times := range passed {
				keepsTo(t, limit, key, times)
			}
		},
	})
}

// keepsTo looks at every stretch that ends with the newest ask.
func keepsTo(t *rapid.T, limit quota.Limit, key string, times []time.Time) {
	last := times[len(times)-1]
	for i, from := range times {
		allowed := float64(limit.Burst) + limit.PerSecond*last.Sub(from).Seconds() + 1e-6
		if n := len(times) - i; float64(n) > allowed {
			t.Fatalf("%s: %d in %v, %.2f are allowed", key, n, last.Sub(from), allowed)
		}
	}
}

func TestTableKeepsItsLimit(t *testing.T) { rapid.Check(t, limiterSequence) }

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

func FuzzLimiterSequences(f *testing.F) {
	f.Fuzz(endless(rapid.MakeFuzz(limiterSequence)))
}

// Keys beyond the bound share one bucket: together they get no more than one key.
func TestCrowdSharesOneBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := quota.Limit{PerSecond: 1, Burst: rapid.IntRange(1, 20).Draw(t, "burst")}
		table := quota.NewTable[int](limit, 1)
		table.Allow(0, start)
		passed := 0
		for i := range rapid.IntRange(1, 100).Draw(t, "new keys") {
			if _, ok := table.Allow(i+1, start); ok {
				passed++
			}
		}
		if passed > limit.Burst {
			t.Fatalf("%d of the crowd passed, %d may", passed, limit.Burst)
		}
	})
}
