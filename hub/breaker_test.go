package hub

import (
	"fmt"
	"testing"
	"time"
)

func TestBreakerOpensOnlyWhenNothingIsHeard(t *testing.T) {
	start := time.Unix(1000, 0)
	tests := []struct {
		name  string
		rooms int
		calls int           // failures, spread over the rooms
		over  time.Duration // from first to last
		good  bool          // one understood answer before the last failure
		open  bool
	}{
		{"silence over many rooms", 3, 20, 5 * time.Second, false, true},
		{"one failing game", 1, 500, time.Minute, false, false},
		{"two failing games", 2, 500, time.Minute, false, false},
		{"too few failures", 3, 19, time.Minute, false, false},
		{"too soon", 3, 100, 5*time.Second - 1, false, false},
		{"one answer is enough", 3, 20, time.Minute, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b breaker
			var at time.Time
			for i := range tt.calls {
				at = start.Add(tt.over * time.Duration(i) / time.Duration(tt.calls-1))
				if tt.good && i == tt.calls-1 {
					b.answered("other", true, at)
				}
				b.answered(fmt.Sprintf("r%d", i%tt.rooms), false, at)
			}
			if got := b.open(at); got != tt.open {
				t.Errorf("open %v, want %v", got, tt.open)
			}
			if _, ok := b.allow(at); !tt.open && !ok {
				t.Error("a closed breaker holds a call back")
			}
		})
	}
}

func TestBreakerProbesOnceASecondAndCloses(t *testing.T) {
	var b breaker
	now := time.Unix(1000, 0)
	for i := range 30 {
		b.answered(fmt.Sprintf("r%d", i), false, now.Add(time.Duration(i)*time.Second))
	}
	now = now.Add(30 * time.Second)
	if _, ok := b.allow(now); !ok {
		t.Fatal("the first probe is held back")
	}
	if wait, ok := b.allow(now.Add(400 * time.Millisecond)); ok || wait != 600*time.Millisecond {
		t.Errorf("second call: wait %v, %v; want 600ms, false", wait, ok)
	}
	if _, ok := b.allow(now.Add(time.Second)); !ok {
		t.Error("no probe after a second")
	}
	b.answered("r1", true, now.Add(time.Second))
	for range 100 {
		if _, ok := b.allow(now.Add(time.Second)); !ok {
			t.Fatal("held back after ZEGO answered")
		}
	}
}
