package load

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Histograms of several processes, packed and merged, are those of one that heard it all.
func TestHistogramsMerge(t *testing.T) {
	t.Parallel()
	var whole, merged histograms
	for process := range 3 {
		var own histograms
		for i := range 10_000 {
			took := time.Duration(i*(process+1)) * 37 * time.Microsecond
			for _, m := range []Measure{Accept, Seen} {
				own.record(m, took)
				whole.record(m, took)
			}
		}
		data, err := own.pack()
		if err != nil {
			t.Fatal(err)
		}
		opened, err := data.open()
		if err != nil {
			t.Fatal(err)
		}
		merged.add(opened)
	}
	for _, m := range []Measure{Accept, Seen} {
		want, _ := whole.summary(m)
		got, ok := merged.summary(m)
		if diff := cmp.Diff(want, got); diff != "" || !ok || got.Count != 30_000 {
			t.Errorf("%v (-whole +merged):\n%s", m, diff)
		}
	}
	if _, ok := merged.summary(Result); ok {
		t.Error("result has values that nobody recorded")
	}
}

func TestHistogramsBounds(t *testing.T) {
	t.Parallel()
	var h histograms
	h.record(Accept, -time.Second)
	h.record(Accept, time.Hour)
	l, ok := h.summary(Accept)
	if !ok || l.Count != 2 || l.Max < 299_000 || l.Curve[0] != 0.001 {
		t.Errorf("%+v, want a µs and 300 s", l)
	}
	h.reset()
	if _, ok := h.summary(Accept); ok {
		t.Error("values are left after reset")
	}
	for _, bad := range []packed{{measures: []byte("x")}, {-1: nil}, {Accept: []byte("no histogram")}} {
		if _, err := bad.open(); err == nil {
			t.Errorf("%v is taken for histograms", bad)
		}
	}
}

// The seconds of several workers add up, also where one could not tell for a while.
func TestSecondsAddUp(t *testing.T) {
	t.Parallel()
	s := newSums()
	tell := func(worker int, at time.Duration, accepted int64, took time.Duration) {
		var h histograms
		h.record(Accept, took)
		data, err := h.pack()
		if err != nil {
			t.Fatal(err)
		}
		err = s.second(&second{
			Worker: worker, At: at, Counts: counts{Accepted: accepted}, Packed: data, CPU: at / 2,
			Standing: Standing{Connected: 10}, Reasons: map[string]int64{"result: ok": accepted},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	tell(0, 4*time.Second, 1, time.Second)
	tell(1, 4*time.Second, 1, time.Second)
	s.start = 4 * time.Second
	for n := range 10 {
		at := 5*time.Second + time.Duration(n)*time.Second
		tell(0, at+3*time.Millisecond, 5, 10*time.Millisecond)
		tell(1, at+400*time.Millisecond, 7, 30*time.Millisecond)
	}
	// 3 s late: what it counted is dealt out to the seconds it was silent for.
	tell(0, 18*time.Second, 16, 10*time.Millisecond)
	tell(1, 18*time.Second, 8, 10*time.Millisecond)
	var late []int64
	points := s.series()
	for _, p := range points[10:] {
		late = append(late, p.Accepted)
	}
	if diff := cmp.Diff([]int64{6, 6, 6, 6}, late); diff != "" {
		t.Errorf("seconds told late (-want +got):\n%s", diff)
	}
	points = points[:10]
	if len(points) != 10 || s.counts[Accepted] != 146 || s.reasons["result: ok"] != 146 {
		t.Fatalf("%d seconds, %v", len(points), s.counts)
	}
	for i, p := range points {
		if p.At != i || p.Accepted != 12 || p.Connected != 20 || p.AcceptP99 < 29.9 || p.AcceptP99 > 30.1 || i > 0 && p.CPU != 1 {
			t.Errorf("second %d: %+v", i, p)
		}
	}
	if l, _ := s.hists.summary(Accept); l.Count != 22 || l.Max > 31 {
		t.Errorf("%+v: what was measured before the load is in it", l)
	}
}
