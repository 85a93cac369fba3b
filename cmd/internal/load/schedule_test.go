package load

import (
	"math"
	"slices"
	"testing"
	"time"
)

// Workers deal even steps out between them: together they are the whole rate's.
func TestEvenSchedule(t *testing.T) {
	t.Parallel()
	var got []time.Duration
	for worker := range 3 {
		s := newSchedule(100, true, worker, 3, 1)
		for at := s.next(); at < time.Second-time.Nanosecond; at = s.next() {
			got = append(got, at.Round(time.Microsecond))
		}
	}
	slices.Sort(got)
	if len(got) != 100 {
		t.Fatalf("%d in a second, want 100", len(got))
	}
	for i, at := range got {
		if want := time.Duration(i) * 10 * time.Millisecond; at != want {
			t.Fatalf("number %d is due at %v, want %v", i, at, want)
		}
	}
}

// Random arrivals have the rate, the spread of a Poisson process, and are the same for a
// seed. Nothing that happens to a gift changes when the next one is due: next takes no
// argument.
func TestRandomSchedule(t *testing.T) {
	t.Parallel()
	const rate, workers, seconds = 1000.0, 4, 100
	perSecond := make([]float64, seconds)
	for worker := range workers {
		s, again := newSchedule(rate, false, worker, workers, 7), newSchedule(rate, false, worker, workers, 7)
		for at := s.next(); at < seconds*time.Second; at = s.next() {
			if other := again.next(); other != at {
				t.Fatalf("due at %v and, with the same seed, at %v", at, other)
			}
			perSecond[int(at.Seconds())]++
		}
	}
	mean, variance := 0.0, 0.0
	for _, n := range perSecond {
		mean += n / seconds
	}
	for _, n := range perSecond {
		variance += (n - mean) * (n - mean) / (seconds - 1)
	}
	// Of 100,000 arrivals, 4 standard deviations are 1.3 %. The variance of a Poisson
	// process is its mean; its estimate from 100 seconds is within 57 % (4 deviations).
	if math.Abs(mean-rate) > 13 || variance < 0.43*rate || variance > 1.57*rate {
		t.Errorf("%.0f a second with variance %.0f, want %.0f of both", mean, variance, rate)
	}
	if other := newSchedule(rate, false, 0, workers, 8); other.next() == newSchedule(rate, false, 0, workers, 7).next() {
		t.Error("two seeds draw the same")
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	for _, want := range []tag{{}, {due: 90 * time.Minute, worker: 63, serial: GiftsMax}, {due: time.Microsecond, worker: 1, serial: 35}} {
		text := want.String()
		if got, ok := parseTag(text); !ok || got != want || len(text) > 48 {
			t.Errorf("%s: %+v %v, want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "anchor1", "1W2", "W", "WW", "xWyWz", "1W1W1W1", "1W-1W1", "-1W1W1"} {
		if got, ok := parseTag(text); ok {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}
