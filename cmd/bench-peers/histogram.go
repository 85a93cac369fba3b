package main

import (
	"math/bits"
	"time"
)

// fine is how many buckets of a histogram are in each power of two: 0.8 % apart.
const fine = 128

// histogram counts durations by microseconds.
type histogram struct {
	buckets [40 * fine]int
	total   int
}

func (h *histogram) add(d time.Duration) {
	us := uint64(max(0, d.Microseconds())) //nolint:gosec // not below zero
	i := int(us)
	if us >= fine {
		shift := bits.Len64(us) - 8 // leaves 8 bits, the first of which is set
		i = (shift+1)*fine + int(us>>shift) - fine
	}
	h.buckets[min(i, len(h.buckets)-1)]++
	h.total++
}

// quantile is what the share q of all are not above.
func (h *histogram) quantile(q float64) time.Duration {
	rank := int(q * float64(h.total))
	for i, n := range h.buckets {
		if rank -= n; rank < 0 {
			us := i
			if i >= fine {
				us = (i%fine + fine) << (i/fine - 1)
			}
			return time.Duration(us) * time.Microsecond
		}
	}
	return 0
}
