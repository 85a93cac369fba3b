package hub

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/room"
)

// TestWeather: an outage is told at its beginning, now and then, and at its end, however
// many calls fail meanwhile.
func TestWeather(t *testing.T) {
	var out bytes.Buffer
	w := weather{log: slog.New(slog.NewTextHandler(&out, nil))}
	start := time.Unix(1_800_000_000, 0)
	w.worked(start)
	for i := range 250 { // 25 s
		w.failed(room.ActionGifts, "r1", room.Answer{Message: "HTTP 502"}, start.Add(time.Duration(i)*100*time.Millisecond))
	}
	w.worked(start.Add(25 * time.Second))
	w.worked(start.Add(26 * time.Second))
	log := out.String()
	if n := strings.Count(log, "no understandable answer"); n != 3 {
		t.Errorf("told %d times in 25 s, want 3:\n%s", n, log)
	}
	if strings.Count(log, "ZEGO answers again") != 1 || !strings.Contains(log, "failures=250 after=25s") || !strings.Contains(log, "HTTP 502") {
		t.Errorf("the end is not told:\n%s", log)
	}
	// One call that is lost among many is told at most every 10 s, too.
	out.Reset()
	for i := range 100 {
		at := start.Add(time.Minute + time.Duration(i)*time.Second/10)
		w.failed(room.ActionGifts, "r1", room.Answer{}, at)
		w.worked(at)
	}
	if n := strings.Count(out.String(), "\n"); n != 2 {
		t.Errorf("%d lines about single failures in 10 s, want 2:\n%s", n, out.String())
	}
}
