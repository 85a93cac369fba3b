//go:build linux

package main

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
)

// Two owners of r1: a until 3 s, b from 5 s on; r2 is c's.
func handedOver() (at func(float64) time.Time, arrivals []verdict.Arrival) {
	begun := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	at = func(s float64) time.Time { return begun.Add(time.Duration(s * float64(time.Second))) }
	call := func(s float64, room, from string) verdict.Arrival {
		return verdict.Arrival{At: at(s), Room: room, Action: "SendDanmakuGifts", From: from}
	}
	return at, []verdict.Arrival{
		call(1, "r1", "a"), call(2, "r2", "c"), call(3, "r1", "a"),
		{At: at(4), Room: "r1", Action: "SendDanmakuComments", From: "b"},
		call(5, "r1", "b"), call(6, "r2", "c"), call(7, "r1", "b"),
	}
}

func TestSuccessions(t *testing.T) {
	at, arrivals := handedOver()
	got := successions(arrivals, []string{"r1"}, "a", at(3.5))
	want := map[string]succession{"r1": {after: 1500 * time.Millisecond, silent: 2 * time.Second, to: "b"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(succession{})); diff != "" {
		t.Error(diff)
	}
	if got := successions(arrivals, []string{"r2"}, "c", at(0)); len(got) != 0 {
		t.Errorf("r2 never changed: %v", got)
	}
}

func TestCallers(t *testing.T) {
	at, arrivals := handedOver()
	if diff := cmp.Diff([]string{"r1"}, callers(arrivals, at(3)).of("a")); diff != "" {
		t.Error(diff)
	}
	if got := callers(arrivals, at(7)).of("a"); len(got) != 0 {
		t.Errorf("a owns %v no more", got)
	}
	if got := callers(arrivals, at(20)); len(got) != 0 {
		t.Errorf("nobody has sent for long: %v", got)
	}
}

func TestLateAndStaleCalls(t *testing.T) {
	at, arrivals := handedOver()
	if got := lateCalls(arrivals, "a", at(2), at(10)); len(got) != 1 || !got[0].At.Equal(at(3)) {
		t.Errorf("late: %v", got)
	}
	if got := staleCalls(arrivals, []string{"r1"}, "b"); len(got) != 0 {
		t.Errorf("b is the owner: %v", got)
	}
	if got := staleCalls(arrivals, []string{"r1"}, "a"); len(got) != 2 {
		t.Errorf("b goes on behind both calls of a: %v", got)
	}
}

func TestSilence(t *testing.T) {
	at, arrivals := handedOver()
	if diff := cmp.Diff([]time.Duration{2 * time.Second}, silence(arrivals[:5], at(3), at(4))); diff != "" {
		t.Error(diff)
	}
}

func TestOwnCPU(t *testing.T) {
	used, err := cpu(os.Getpid())
	if err != nil || used < 0 || resident(os.Getpid()) < 1<<20 {
		t.Errorf("%v, %v, %d bytes", used, err, resident(os.Getpid()))
	}
}
