package hub

import (
	"sync"
	"time"
)

// The endpoint's breaker (DESIGN.md, "Fate of a gift"). One failing game must never
// delay another room, so it opens only when nothing at all is heard from ZEGO: for
// breakerSilence not one understandable answer on any room, and breakerFailures
// failures over breakerRooms rooms. A circuit breaker of the shelf counts failures
// and time, but not rooms.
const (
	breakerSilence  = 5 * time.Second
	breakerFailures = 20
	breakerRooms    = 3
	breakerProbe    = time.Second // one call a second finds out whether ZEGO is back
)

// breaker watches the calls of all rooms. The zero value is closed.
type breaker struct {
	mu       sync.Mutex
	since    time.Time           // of the first failure after the last good answer; zero: none
	failures int                 // since then
	rooms    map[string]struct{} // that failed since then, at most breakerRooms of them
	probe    time.Time           // when the next call may start while open
}

// answered takes note of a call's end: whether an answer of ZEGO was understood.
func (b *breaker) answered(roomID string, understood bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if understood {
		b.since, b.failures, b.rooms = time.Time{}, 0, nil
		return
	}
	if b.failures == 0 {
		b.since = now
		b.rooms = make(map[string]struct{}, breakerRooms)
	}
	b.failures++
	if len(b.rooms) < breakerRooms {
		b.rooms[roomID] = struct{}{}
	}
}

// allow says whether a call may start now; if not, when to ask again. It does not
// block.
func (b *breaker) allow(now time.Time) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.openAt(now) {
		return 0, true
	}
	if now.Before(b.probe) {
		return b.probe.Sub(now), false
	}
	b.probe = now.Add(breakerProbe)
	return 0, true
}

// open reports whether calls are held back now.
func (b *breaker) open(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.openAt(now)
}

func (b *breaker) openAt(now time.Time) bool {
	return b.failures >= breakerFailures && len(b.rooms) >= breakerRooms && now.Sub(b.since) >= breakerSilence
}
