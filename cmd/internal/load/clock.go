package load

import "time"

// clock tells the time since a run's origin. The wall is looked at once: what happens
// to it later changes nothing. Processes of one machine that share an origin agree to
// within what the wall was moved between their starts.
type clock struct {
	base   time.Time
	offset time.Duration
}

func newClock(originUnixNano int64) clock {
	now := time.Now()
	return clock{base: now, offset: now.Sub(time.Unix(0, originUnixNano))}
}

// now is the time since the origin.
func (c clock) now() time.Duration { return c.offset + time.Since(c.base) }

// until is how long it is from now to a time since the origin.
func (c clock) until(at time.Duration) time.Duration { return at - c.now() }
