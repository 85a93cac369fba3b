package load

import (
	"math/rand/v2"
	"time"
)

// schedule says when things are due, from the load's beginning. It knows nothing of
// what becomes of them: that is the open model.
type schedule struct {
	perSecond float64 // of this worker
	first     float64 // s, of the first one, where steps are even
	random    *rand.Rand
	even      bool

	n  int     // how many were drawn
	at float64 // s, of the last one
}

// newSchedule is worker's part of a rate that so many workers keep together. Even steps
// are dealt out in turn; random arrivals stay random when they are split.
func newSchedule(rate float64, even bool, worker, workers int, seed uint64) *schedule {
	return &schedule{
		perSecond: rate / float64(workers),
		first:     float64(worker) / rate,
		even:      even,
		random:    rand.New(rand.NewPCG(seed, uint64(worker))), //nolint:gosec // dice, not secrets
	}
}

// next is when the next one is due. It must not be called where the rate is zero.
func (s *schedule) next() time.Duration {
	if s.even {
		s.at = s.first + float64(s.n)/s.perSecond
	} else {
		s.at += s.random.ExpFloat64() / s.perSecond
	}
	s.n++
	return time.Duration(s.at * float64(time.Second))
}
