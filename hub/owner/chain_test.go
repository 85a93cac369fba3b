package owner

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// logEntry is what a stored entry carries, by number.
type logEntry struct{ seq, prev, jump uint64 }

// buildChain stores n entries at sequences 10, 20, 30 ...
func buildChain(n uint64) (*chain, map[uint64]logEntry) {
	var c chain
	entries := make(map[uint64]logEntry)
	for range n {
		number, prev, jump := c.next()
		seq := number * 10
		entries[number] = logEntry{seq, prev, jump}
		c.push(seq)
	}
	return &c, entries
}

func TestChainPointsWhereJumpNumberSays(t *testing.T) {
	const n = 5000
	_, entries := buildChain(n)
	for number := uint64(1); number <= n; number++ {
		want := logEntry{seq: number * 10, prev: (number - 1) * 10, jump: jumpNumber(number) * 10}
		if got := entries[number]; got != want {
			t.Fatalf("entry %d is %+v, want %+v", number, got, want)
		}
	}
}

func TestChainFirstEntries(t *testing.T) {
	got := make([]uint64, 0, 10)
	for n := range uint64(10) {
		got = append(got, jumpNumber(n))
	}
	if diff := cmp.Diff([]uint64{0, 0, 1, 0, 3, 4, 3, 0, 7, 8}, got); diff != "" {
		t.Errorf("jump numbers of 0 to 9 (-want +got):\n%s", diff)
	}
}

// Any earlier entry is near: this is what makes a ledger page cheap however long
// the ledger is.
func TestChainReachesAnyEntryInFewSteps(t *testing.T) {
	const n = 100_000 // log2 is 16.6
	for target := uint64(1); target <= n; target += 37 {
		steps := 0
		for at := uint64(n); at != target; steps++ {
			if j := jumpNumber(at); j >= target {
				at = j
			} else {
				at--
			}
		}
		if steps > 50 {
			t.Fatalf("entry %d of %d is %d steps away, want at most 3 log2(n) = 50", target, n, steps)
		}
	}
}

func TestChainStaysShort(t *testing.T) {
	c, _ := buildChain(100_000)
	if len(c.seqs) > 34 {
		t.Errorf("chain of 100,000 entries holds %d sequences, want at most 2 log2(n) = 34", len(c.seqs))
	}
}
