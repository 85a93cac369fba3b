package audience_test

import (
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/wire"
)

// busy is a connection that takes every frame at once, in the time that the system needs
// for that.
type busy struct{}

const busyFor = 6 * time.Microsecond

func (busy) TryFrame([]byte) bool {
	for begun := time.Now(); time.Since(begun) < busyFor; {
	}
	return true
}

func (b busy) WriteFrame(frame []byte) error { b.TryFrame(frame); return nil }

func (busy) Bye(wire.CloseCode) {}

// BenchmarkEchoBeside is how long the rest of a process waits for the network: an echo
// over loopback, alone and while a room of 15,000 is told without a pause.
func BenchmarkEchoBeside(b *testing.B) {
	for _, rooms := range []int{0, 1} {
		b.Run(fmt.Sprintf("%d_large_rooms", rooms), func(b *testing.B) {
			conn := echo(b)
			if rooms > 0 {
				defer tellOn(b, 15_000)()
			}
			var took []time.Duration
			word := []byte("12345678")
			b.ResetTimer()
			for range b.N {
				begun := time.Now()
				if _, err := conn.Write(word); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(conn, word); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2].Seconds()*1e3, "ms-p50")
			b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "ms-p99")
		})
	}
}

// echo is a connection that says again what it hears.
func echo(b *testing.B) net.Conn {
	b.Helper()
	l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { // joined below
		c, err := l.Accept()
		if err == nil {
			_, err = io.Copy(c, c)
			_ = c.Close() // the other side has closed
		}
		done <- err
	}()
	conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := conn.Close(); err != nil {
			b.Error(err)
		}
		if err := <-done; err != nil {
			b.Error(err)
		}
		_ = l.Close() // nobody waits for it
	})
	return conn
}

// tellOn tells a room again and again until the function that it returns is called.
func tellOn(b *testing.B, members int) func() {
	b.Helper()
	h, err := audience.New(audience.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	stop := run(b, h)
	all := make([]*audience.Member, members)
	for i := range all {
		j := audience.Joining{Room: "r1", User: fmt.Sprintf("u%d", i), Conn: busy{}, Welcome: welcome}
		if all[i], err = h.Join(j); err != nil {
			b.Fatal(err)
		}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() { // joined by the function returned
		defer close(ended)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for seq := uint64(1); ; seq++ {
			select {
			case <-tick.C:
				h.Decided(news(seq, delivered("u1", fmt.Sprint(seq))))
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
		for _, m := range all {
			m.Leave()
		}
		stop()
	}
}
