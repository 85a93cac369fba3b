package owner

import "math/bits"

// chain is a room's list of entries in OUTCOMES as the next entry needs it: a
// skip list written into the log itself. Entry n points to entry n-1 (Prev) and
// to entry jumpNumber(n) (Jump). Any earlier entry is then found in about
// 2 log2(n) reads from the newest one, and no index has to be kept or rebuilt.
// (The shape is that of skew-binary numbers: Myers, "An applicative random-access
// stack", 1983.)
//
// chain holds the OUTCOMES sequences of n, jumpNumber(n), jumpNumber of that, and
// so on down to the first: at most 2 log2(n) of them, 45 for six million entries.
type chain struct {
	number uint64   // entries so far
	seqs   []uint64 // newest first
}

// next returns what the next entry carries.
func (c *chain) next() (number, prev, jump uint64) {
	return c.number + 1, c.seqAt(0), c.seqAt(c.jumpPlace())
}

// push records that the next entry was stored at seq.
func (c *chain) push(seq uint64) {
	at := c.jumpPlace()
	c.number++
	if at >= len(c.seqs) {
		c.seqs = []uint64{seq}
		return
	}
	// In place: the list shrinks by two or grows by one.
	if at == 0 {
		c.seqs = append(c.seqs, 0)
		copy(c.seqs[1:], c.seqs)
		c.seqs[0] = seq
		return
	}
	c.seqs = c.seqs[at-1:]
	c.seqs[0] = seq
}

// jumpPlace is where in seqs the next entry's jump target stands: two further
// back when the last two jumps were equally long, else the newest entry.
func (c *chain) jumpPlace() int {
	n := c.number
	first := jumpNumber(n)
	second := jumpNumber(first)
	if n-first == first-second {
		return 2
	}
	return 0
}

// seqAt is 0, "none", past the end.
func (c *chain) seqAt(i int) uint64 {
	if i >= len(c.seqs) {
		return 0
	}
	return c.seqs[i]
}

// head is the sequence of the newest entry, 0 when there is none.
func (c *chain) head() uint64 { return c.seqAt(0) }

// jumpNumber returns which entry the Jump of entry n points to, 0 for none: n less
// the last term of n written greedily as a sum of numbers of the form 2^k - 1.
func jumpNumber(n uint64) uint64 {
	rest, term := n, uint64(0)
	for rest > 0 {
		term = 1<<(bits.Len64(rest+1)-1) - 1
		rest -= term
	}
	return n - term
}
