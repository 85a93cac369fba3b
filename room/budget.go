package room

import "time"

// second is ZEGO's unit: so many calls of an action a second and room.
const second = time.Second

// budget is the allowance of one action, kept so that it holds at ZEGO's door (P6).
// ZEGO counts arrivals, we see starts and ends, and a call arrives somewhere
// between. Call n+size starts no sooner than one second after call n ended, so it
// arrives at least a second later than n did: at most size arrive in any sliding
// second, however long each was under way.
//
// An owner's first second is special. Its predecessor may have used the whole
// allowance up to the takeover, so only [TakeoverCalls] start within a second of it;
// 18 and 2 are ZEGO's 20. They are spread over it, half a second apart, so that no room is
// silent for the rest of the second (P14). The predecessor's call that was in flight at the takeover
// is one of those 18 and may arrive later: then it stands beside at most 18 of the
// new owner's. Owners that follow each other faster than calls end leave more than one
// such call behind, hence [CoreConfig.NotBefore]. Not covered: a call that the network
// delays past its timeout, and a fourth owner within one timeout.
type budget struct {
	size    int             // calls a second
	ends    []time.Duration // when the last size calls ended, a ring once it is full
	oldest  int             // where the ring begins
	since   time.Duration   // the takeover
	early   int             // calls started within a second of it
	notYet  time.Duration   // no call before
	started time.Duration   // of the call in flight
}

func newBudget(size int, since, notBefore time.Duration) budget {
	return budget{size: size, since: since, notYet: notBefore}
}

// earliest is the first moment at which the next call may start, if none is in
// flight; it may be in the past.
func (b *budget) earliest() time.Duration {
	t := max(b.notYet, b.since+time.Duration(b.early)*second/TakeoverCalls)
	if len(b.ends) == b.size {
		t = max(t, b.ends[b.oldest]+second)
	}
	return t
}

// start notes that a call starts.
func (b *budget) start(now time.Duration) {
	b.started = now
	if now < b.since+second {
		b.early++
	}
}

// end notes that the call in flight ended or was abandoned.
func (b *budget) end(now time.Duration) {
	if len(b.ends) < b.size {
		b.ends = append(b.ends, now)
		return
	}
	b.ends[b.oldest] = now
	b.oldest = (b.oldest + 1) % b.size
}

// cancel takes the start of the call in flight back: nothing was sent.
func (b *budget) cancel() {
	if b.started < b.since+second {
		b.early--
	}
}

// owed is until when the past calls still count. A core that is dropped later than
// this takes nothing with it that a new one would have to know.
func (b *budget) owed() time.Duration {
	if len(b.ends) == 0 {
		return 0
	}
	newest := (b.oldest + len(b.ends) - 1) % len(b.ends)
	return b.ends[newest] + second
}

// forget releases the memory of calls that no longer count.
func (b *budget) forget() { b.ends, b.oldest = nil, 0 }
