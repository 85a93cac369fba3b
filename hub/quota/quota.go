// Package quota limits how often keyed things may happen: gifts per user and room,
// upgrades per address. A key costs memory only while it is being used, and what it
// has used up is not forgotten by going away for a moment.
package quota

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limit is a token bucket: PerSecond in the long run, Burst at once.
type Limit struct {
	PerSecond float64
	Burst     int
}

// ErrBadLimit is wrapped by errors of [Limit.Check].
var ErrBadLimit = errors.New("quota: bad limit")

// Check refuses limits that let nothing pass, and those that are not numbers.
func (l Limit) Check() error {
	if !(l.PerSecond > 0) || math.IsInf(l.PerSecond, 0) || l.Burst < 1 {
		return fmt.Errorf("%w: %v per second, burst %d: both must be above zero", ErrBadLimit, l.PerSecond, l.Burst)
	}
	return nil
}

// Bucket returns a limiter of this limit for one owner who keeps it.
func (l Limit) Bucket() *rate.Limiter { return rate.NewLimiter(rate.Limit(l.PerSecond), l.Burst) }

// Table holds one bucket a key. It is safe for concurrent use.
type Table[K comparable] struct {
	limit Limit
	most  int

	mu      sync.Mutex
	buckets map[K]*rate.Limiter
	// crowd is what new keys share while the table is full.
	crowd *rate.Limiter
}

// NewTable makes a table of at most most keys, of about 150 bytes each. While it is
// full, keys that are not in it share one bucket: a flood of new keys then limits new
// keys, and those that are in it go on.
func NewTable[K comparable](limit Limit, most int) *Table[K] {
	return &Table[K]{limit: limit, most: most, buckets: make(map[K]*rate.Limiter), crowd: limit.Bucket()}
}

// Allow takes one token of the key. Where there is none, retry is when there will be
// one.
func (t *Table[K]) Allow(key K, now time.Time) (retry time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.buckets[key]
	switch {
	case b != nil:
	case len(t.buckets) < t.most:
		b = t.limit.Bucket()
		t.buckets[key] = b
	default:
		b = t.crowd
	}
	return Take(b, now)
}

// Take takes one token of a bucket. Where there is none, retry is when there will be
// one, at least a millisecond.
func Take(b *rate.Limiter, now time.Time) (retry time.Duration, ok bool) {
	if b.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - b.TokensAt(now)
	return max(time.Millisecond, time.Duration(missing/float64(b.Limit())*float64(time.Second))), false
}

// Sweep forgets keys whose bucket is full again: they would get the same one anew.
// Call it every few seconds.
func (t *Table[K]) Sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, b := range t.buckets {
		if b.TokensAt(now) >= float64(t.limit.Burst) {
			delete(t.buckets, key)
		}
	}
}

// Len counts the keys.
func (t *Table[K]) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.buckets)
}
