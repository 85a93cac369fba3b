package room

import (
	"math/bits"
	"time"
)

// retry is how long calls wait after some that failed. The zero value waits for
// nothing.
type retry struct {
	fails  int           // in a row, of the same kind
	paused bool          // the kind: a pause, for a person to mend; else a backoff
	wait   time.Duration // the last pause
	code   int           // of the last pause
	until  time.Duration // no call before
}

// pauses reports whether the answer asks for a pause: the call was refused for a
// reason that lies in the configuration of this side or of the game.
func pauses(a *Answer) bool {
	return a.Outcome == NotTaken && (a.Class == ClassConfig || a.Class == ClassNoGame)
}

// backOff notes that a call was not consumed, and when the next may start. A backoff
// is a uniformly drawn part of base x 2^n ("full jitter": rooms that failed together
// do not come back together). A pause is not jittered, and probes with one call, since
// one is all that is in flight. An alarm is raised when a pause begins, grows, or its
// code changes: five times from 1 s to 10 s, then no more.
func (c *Core) backOff(r *retry, a *Answer) {
	pause := pauses(a)
	if pause != r.paused {
		*r = retry{paused: pause}
	}
	l := &c.cfg.Limits
	if pause {
		wait := doubled(l.PauseBase, l.PauseMax, r.fails)
		if wait != r.wait || a.Code != r.code {
			c.out.Alarms = append(c.out.Alarms, Alarm{Class: a.Class, Code: a.Code, Message: clip(a.Message)})
		}
		r.wait, r.code, r.until = wait, a.Code, c.now.Mono+wait
	} else {
		r.until = c.now.Mono + c.part(doubled(l.BackoffBase, l.BackoffMax, r.fails))
	}
	r.fails++
}

// part draws a uniform part of d, both ends included.
func (c *Core) part(d time.Duration) time.Duration {
	high, _ := bits.Mul64(c.random.Uint64(), uint64(d)+1)
	return time.Duration(high)
}

// doubled is base x 2^n, at most most.
func doubled(base, most time.Duration, n int) time.Duration {
	for ; n > 0 && base < most; n-- {
		base *= 2
	}
	return min(base, most)
}
