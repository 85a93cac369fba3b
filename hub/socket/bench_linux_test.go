package socket_test

import (
	"context"
	"io"
	"net/http/httptest"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sys/unix"
)

// BenchmarkWayOut compares ways to write a message of 300 bytes to each of 500 viewers,
// in the processor time of the writing thread: what else the machine does changes it
// little. An op is a delivery. In "library" and "library polled" the library frames and
// writes, as it would without this package; "tcp" is a bare write of the encoded frame.
func BenchmarkWayOut(b *testing.B) {
	const viewers = 500
	h := &hall{past: true, viewers: make([]*seat, viewers)}
	srv := httptest.NewServer(h)
	defer srv.Close()
	h.entered.Add(viewers)
	var readers sync.WaitGroup
	for i := range viewers {
		g := enter(b, srv.Listener.Addr().String(), i)
		readers.Go(func() { _, _ = io.Copy(io.Discard, g.conn) }) // until the end
	}
	h.entered.Wait()
	frame := message(1, 284)
	payload := frame[4:]
	for name, write := range map[string]func(s *seat) bool{
		"straight": func(s *seat) bool { return s.conn.TryFrame(frame) },
		"tcp":      func(s *seat) bool { _, err := s.conn.Conn.Write(frame); return err == nil },
		"library": func(s *seat) bool {
			return s.ws.Write(context.Background(), websocket.MessageText, payload) == nil
		},
		"library polled": func(s *seat) bool {
			return writable(s) && s.ws.Write(context.Background(), websocket.MessageText, payload) == nil
		},
	} {
		b.Run(name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var spent time.Duration
			declined := 0
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += viewers {
				before := threadTime(b)
				for _, s := range h.viewers {
					if !write(s) {
						declined++
					}
				}
				spent += threadTime(b) - before
				<-time.After(time.Millisecond) // the readers read
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(max(viewers, b.N)), "cpu-ns/delivery")
			b.ReportMetric(float64(declined), "declined")
		})
	}
	for _, s := range h.viewers {
		s.conn.Kill()
	}
	h.lane.Wait()
	readers.Wait()
}

// writable asks the system whether a third of the connection's send buffer is free.
func writable(s *seat) bool {
	raw, err := s.conn.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return false
	}
	ready := false
	_ = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(fds, 0)
		ready = err == nil && n == 1
	}) // closed: not ready
	return ready
}

// threadTime is the processor time of this thread.
func threadTime(b *testing.B) time.Duration {
	b.Helper()
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(thread, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
