package sim

import (
	"math/rand/v2"
	"time"
)

// luck decides what is not decided by the code under test.
type luck interface {
	// chance is true with probability p, false for 0. What it is asked about is a fault.
	chance(p float64) bool
	// upTo draws one of 0 to n-1.
	upTo(n int) int
}

// dice are luck from a seed.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))} }

func (d dice) chance(p float64) bool { return p > 0 && d.Float64() < p }
func (d dice) upTo(n int) int        { return d.IntN(n) }

// between draws a duration. It is in microseconds, so that traces can be read.
func (l *loop) between(low, high time.Duration) time.Duration {
	span := int((high - low) / time.Microsecond)
	return low + time.Duration(l.luck.upTo(span+1))*time.Microsecond
}

// pick draws an element.
func pick[T any](l *loop, from []T) T { return from[l.luck.upTo(len(from))] }
