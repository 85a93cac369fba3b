package audience_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/wire"
)

// nobody is a connection that takes everything at once.
type nobody struct{ events *atomic.Int64 }

func (n nobody) WriteFrame(frame []byte) error {
	// Gifts events are the only ones of this length.
	n.events.Add(int64(len(frame)))
	return nil
}

func (n nobody) Bye(wire.CloseCode) {}

func crowd(b *testing.B, members int) (*audience.House, *atomic.Int64, func()) {
	b.Helper()
	h, err := audience.New(audience.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	stop := run(b, h)
	var bytes atomic.Int64
	all := make([]*audience.Member, members)
	for i := range all {
		j := audience.Joining{Room: "r1", User: fmt.Sprintf("u%d", i), Conn: nobody{&bytes}, Welcome: welcome}
		if all[i], err = h.Join(j); err != nil {
			b.Fatal(err)
		}
	}
	return h, &bytes, func() {
		for _, m := range all {
			m.Leave()
		}
		stop()
	}
}

// BenchmarkFanOut tells 1,000 members of one flush of five gifts and waits until
// every frame is written: ns/op is a delivery.
func BenchmarkFanOut(b *testing.B) {
	const members = 1000
	h, written, end := crowd(b, members)
	defer end()
	flush := news(0, delivered("u1", "1"), delivered("u2", "2"), delivered("u3", "3"), delivered("u4", "4"), delivered("u5", "5"))
	b.ReportAllocs()
	b.ResetTimer()
	var seq uint64
	for n := 0; n < b.N; n += members {
		seq++
		flush.Seq = seq
		before := h.Stats().Events
		h.Decided(flush)
		for h.Stats().Events < before+members+5 {
			runtime.Gosched()
		}
	}
	b.SetBytes(written.Load() / int64(b.N))
}

// BenchmarkIdleMember reports what a member costs that hears nothing.
func BenchmarkIdleMember(b *testing.B) {
	const members = 10_000
	for b.Loop() {
		var before, after runtime.MemStats
		goroutines := runtime.NumGoroutine()
		runtime.GC()
		runtime.ReadMemStats(&before)
		h, _, end := crowd(b, members)
		for h.Stats().Events < members {
			runtime.Gosched()
		}
		for runtime.NumGoroutine() > goroutines+1 {
			runtime.Gosched()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/members, "B/member")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines-1)/members, "goroutines/member")
		end()
	}
}
