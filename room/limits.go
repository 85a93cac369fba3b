package room

import (
	"errors"
	"fmt"
	"time"
)

// Bounds of one call, and ZEGO's budget. ZEGO allows 20 gift calls, 20 queries,
// 50 comment calls and 100 like calls a second and room (ZEGO.md 1 and 2). Steady
// use stays below: what is left is for the first second of a new owner, who does
// not know what the old one has sent (DESIGN.md, Budget).
const (
	// BatchMax is the most entries of one call. ZEGO gives no maximum: unknown 1.
	BatchMax = 50
	// BatchBytes bounds one call's encoded body.
	BatchBytes = 64 << 10
	// GiftCallsPerSecond is the steady budget of SendGifts, of ZEGO's 20.
	GiftCallsPerSecond = 18
	// QueryCallsPerSecond is the steady budget of QueryGifts, of ZEGO's 20.
	QueryCallsPerSecond = 18
	// CommentCallsPerSecond is the steady budget of SendComments, of ZEGO's 50.
	CommentCallsPerSecond = 45
	// LikeCallsPerSecond is the steady budget of SendLikes, of ZEGO's 100.
	LikeCallsPerSecond = 90
	// TakeoverCalls is how many calls of an action a new owner starts in its first
	// second: 18 of the old owner and 2 of the new one are ZEGO's 20.
	TakeoverCalls = 2
	// SendAgeMax is the age past which a MsgId is never sent: ZEGO forgets it after
	// 24 h, and a forgotten one would be given again (P3).
	SendAgeMax = 23 * time.Hour
)

// Limits are the times of a room. The zero value of a field is its default.
type Limits struct {
	// FlushInterval is how long the first gift of a batch waits for others: 50 to
	// 200 ms, ZEGO's advice (ZEGO.md 1). Default 100 ms.
	FlushInterval time.Duration
	// GiftTTL is how old a gift may become before it is not sent any more, counted
	// from its acceptance: 1 s to 22 h. Default 60 s.
	GiftTTL time.Duration
	// CallTimeout ends a call whose answer does not come; its outcome is then
	// unknown. 100 ms to 60 s. Default 5 s.
	CallTimeout time.Duration
	// BackoffBase and BackoffMax bound the wait after a call that was not consumed:
	// a uniformly drawn part of base x 2^n, at most max ("full jitter"). Defaults
	// 100 ms and 2 s.
	BackoffBase time.Duration
	BackoffMax  time.Duration
	// PauseBase and PauseMax are the same, without jitter, for signature and
	// configuration codes, which a person has to mend. Defaults 1 s and 10 s.
	PauseBase time.Duration
	PauseMax  time.Duration
	// JoinWait is the longest that a viewer's gifts wait for the comment by which
	// the viewer joined. Default 2 s.
	JoinWait time.Duration
}

// ErrBadLimits is wrapped by every error of [Limits.WithDefaults].
var ErrBadLimits = errors.New("room: bad limits")

// WithDefaults fills what is zero and checks the rest. All faults are reported at
// once, each naming its field.
func (l Limits) WithDefaults() (Limits, error) {
	fill := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	fill(&l.FlushInterval, 100*time.Millisecond)
	fill(&l.GiftTTL, time.Minute)
	fill(&l.CallTimeout, 5*time.Second)
	fill(&l.BackoffBase, 100*time.Millisecond)
	fill(&l.BackoffMax, 2*time.Second)
	fill(&l.PauseBase, time.Second)
	fill(&l.PauseMax, 10*time.Second)
	fill(&l.JoinWait, 2*time.Second)

	var faults []error
	within := func(name string, d, low, high time.Duration) {
		if d < low || d > high {
			faults = append(faults, fmt.Errorf("%w: %s %v is not between %v and %v", ErrBadLimits, name, d, low, high))
		}
	}
	within("FlushInterval", l.FlushInterval, 50*time.Millisecond, 200*time.Millisecond)
	// An hour below SendAgeMax: a gift is decided by query before its id is too old.
	within("GiftTTL", l.GiftTTL, time.Second, SendAgeMax-time.Hour)
	within("CallTimeout", l.CallTimeout, 100*time.Millisecond, time.Minute)
	within("BackoffMax", l.BackoffMax, 10*time.Millisecond, time.Minute)
	within("BackoffBase", l.BackoffBase, time.Millisecond, l.BackoffMax)
	within("PauseMax", l.PauseMax, 10*time.Millisecond, 10*time.Minute)
	within("PauseBase", l.PauseBase, time.Millisecond, l.PauseMax)
	within("JoinWait", l.JoinWait, time.Millisecond, time.Minute)
	return l, errors.Join(faults...)
}
