package hub

import (
	"log/slog"
	"sync"
	"time"

	"github.com/giftwire/giftwire/room"
)

// weatherEvery is the pause between two lines about the same trouble: an outage of an
// hour is 360 lines, whatever the rooms try meanwhile.
const weatherEvery = 10 * time.Second

// weather writes to the log how it goes with ZEGO: that calls fail, that they still do,
// and that they work again.
type weather struct {
	log *slog.Logger

	mu       sync.Mutex // guards the following
	since    time.Time  // of the first failure after the last good answer; zero: all is well
	failures int        // since then
	said     time.Time  // the newest line about a failure
	told     bool       // whether this trouble was told
}

// failed notes a call without an understandable answer.
func (w *weather) failed(a room.Action, roomID string, ans room.Answer, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failures == 0 {
		w.since, w.told = now, false
	}
	w.failures++
	if now.Sub(w.said) < weatherEvery {
		return
	}
	w.said, w.told = now, true
	w.log.Warn("no understandable answer from ZEGO; gifts wait and are sent again",
		slog.String("action", a.String()), slog.String("room", roomID), slog.String("error", ans.Message),
		slog.Int("failures", w.failures), slog.Duration("for", now.Sub(w.since)))
}

// worked notes an answer.
func (w *weather) worked(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failures > 0 && w.told {
		w.log.Info("ZEGO answers again", slog.Int("failures", w.failures), slog.Duration("after", now.Sub(w.since)))
	}
	w.failures = 0
}
