package socket_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/socket"
	"github.com/giftwire/giftwire/hub/wire"
)

// Control frames of a server.
const (
	ping1   = "\x89\x011"
	ping2   = "\x89\x012"
	pong1   = "\x8a\x011"
	pong2   = "\x8a\x012"
	closing = "\x88\x02\x03\xe8"
)

// piped is a Conn over a pipe, on which nothing can be written without waiting.
func piped(t *testing.T) (c *socket.Conn, far net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	var all sync.WaitGroup
	c = socket.New(near, socket.Setup{Spawn: func(f func()) bool { all.Go(f); return true }})
	t.Cleanup(func() {
		c.Kill()
		_ = far.Close() // it may be closed already
		all.Wait()
	})
	return c, far
}

func text(payload string) []byte {
	return append(wire.AppendTextHeader(nil, len(payload)), payload...)
}

func control(t *testing.T, c *socket.Conn, frames ...string) {
	t.Helper()
	for _, f := range frames {
		if n, err := c.Write([]byte(f)); n != len(f) || err != nil {
			t.Errorf("%q: %d, %v", f, n, err)
		}
	}
}

// TestControlWaits: control frames of the library come after the frame that is being
// written, the newest of a kind alone, the close frame last and nothing behind it; and
// the library does not wait for any of it.
func TestControlWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, far := piped(t)
		wrote := make(chan error, 2)
		go func() { wrote <- c.WriteFrame(text("one")) }() // joined by receiving
		synctest.Wait()                                    // it waits for the peer
		control(t, c, pong1, ping1, pong2, ping2)
		if c.TryFrame(text("past")) {
			t.Error("a frame was taken past one that is being written")
		}
		control(t, c, closing, pong1, closing)
		go func() { wrote <- c.WriteFrame(text("late")) }() // joined by receiving
		got := make(chan string)
		go func() { // joined by receiving
			all, err := io.ReadAll(far)
			if err != nil {
				t.Error(err)
			}
			got <- string(all)
		}()
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		if err := <-wrote; !errors.Is(err, net.ErrClosed) {
			t.Errorf("a frame after the close frame: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(string(text("one"))+ping2+pong2+closing, <-got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err := c.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Close again: %v", err)
		}
	})
}

// TestControlAlone: a control frame that nobody else would write is written all the
// same.
func TestControlAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, far := piped(t)
		for _, frame := range []string{pong1, ping1, closing} {
			control(t, c, frame)
			got := make([]byte, len(frame))
			if _, err := io.ReadFull(far, got); err != nil || string(got) != frame {
				t.Errorf("%q, %v", got, err)
			}
			synctest.Wait()
		}
	})
}

// TestStray: what is no whole control frame ends the connection.
func TestStray(t *testing.T) {
	t.Parallel()
	for _, stray := range []string{"", "\x89", "\x89\x02a", "\x89\x01aa", "\x81\x01a", "\x09\x01a", "\x89\x7e\x00\x7e" + strings.Repeat("a", 126), ping1 + ping1} {
		c, far := piped(t)
		if _, err := c.Write([]byte(stray)); !errors.Is(err, socket.ErrStray) {
			t.Errorf("%q: %v", stray, err)
		}
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("%q: the peer reads %v", stray, err)
		}
	}
}

// TestCloseIsBounded: a peer that takes nothing holds Close up for a second, and nothing
// for longer.
func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := piped(t)
		wrote := make(chan error, 1)
		go func() { wrote <- c.WriteFrame(text(strings.Repeat("a", 50_000))) }() // joined by receiving
		synctest.Wait()
		start := time.Now()
		time.Sleep(10 * time.Second)
		if got := c.Stalled(time.Now()); got != 10*time.Second {
			t.Errorf("stalled for %v", got)
		}
		if got := c.Silent(time.Now()); got != 10*time.Second {
			t.Errorf("silent for %v", got)
		}
		control(t, c, closing)
		_ = c.Close() // whatever it says of a peer that is gone
		if took := time.Since(start); took != 11*time.Second {
			t.Errorf("closed after %v", took)
		}
		if err := <-wrote; err == nil {
			t.Error("a frame that nobody read was written")
		}
		if c.Stalled(time.Now()) != 0 {
			t.Error("stalled, although nothing is written any more")
		}
	})
}

// TestProgress: a slow peer that reads is not stalled.
func TestProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, far := piped(t)
		wrote := make(chan error, 1)
		go func() { wrote <- c.WriteFrame(text(strings.Repeat("a", 60_000))) }() // joined by receiving
		for range 3 {
			time.Sleep(5 * time.Second)
			if _, err := io.CopyN(io.Discard, far, 16<<10); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if got := c.Stalled(time.Now()); got != 0 {
				t.Errorf("stalled for %v", got)
			}
		}
		c.Kill()
		if err := <-wrote; err == nil {
			t.Error("written, although nobody has read it all")
		}
	})
}

// loopback is a Conn over loopback TCP.
func loopback(t *testing.T, spawn func(func()) bool) (c *socket.Conn, far net.Conn) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // of a listener that is not needed any more
	if far, err = new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	near, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c = socket.New(near, socket.Setup{Spawn: spawn})
	t.Cleanup(func() {
		c.Kill()
		_ = far.Close() // it may be closed already
	})
	return c, far
}

// TestNobodyToWrite: a frame that is cut and cannot be finished ends the connection.
func TestNobodyToWrite(t *testing.T) {
	t.Parallel()
	c, far := loopback(t, func(func()) bool { return false })
	frame := text(strings.Repeat("a", 30_000))
	for c.TryFrame(frame) {
	}
	if _, err := io.Copy(io.Discard, far); err == nil {
		t.Error("the connection ended well")
	}
}

// TestTryFrameAllocatesNothing: nor does anything else a delivery.
func TestTryFrameAllocatesNothing(t *testing.T) {
	c, far := loopback(t, func(func()) bool { return false })
	frame := text(strings.Repeat("a", 300))
	got := make([]byte, len(frame))
	allocs := testing.AllocsPerRun(100, func() {
		if !c.TryFrame(frame) {
			t.Error("declined")
		}
		if _, err := io.ReadFull(far, got); err != nil {
			t.Error(err)
		}
	})
	if allocs != 0 || !bytes.Equal(got, frame) {
		t.Errorf("%v allocations", allocs)
	}
}

// TestHijackNotEmpty: bytes that net/http has not sent yet would come after ours.
func TestHijackNotEmpty(t *testing.T) {
	t.Parallel()
	faults := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := &socket.Hijacker{ResponseWriter: unflushed{w}}
		_, _, err := h.Hijack()
		faults <- err
	}))
	defer srv.Close()
	_, err := srv.Client().Get(srv.URL) //nolint:bodyclose // there is no answer
	if err == nil || <-faults == nil || errors.Is(err, http.ErrHijacked) {
		t.Errorf("answered: %v", err)
	}
}

// unflushed is a ResponseWriter whose connection has bytes left to write.
type unflushed struct{ http.ResponseWriter }

// Hijack implements http.Hijacker.
func (u unflushed) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err == nil {
		_, err = rw.WriteString("left")
	}
	return conn, rw, err
}

// TestCutFrameIsFinished: whatever is tried while the rest of a frame is on its way, the
// peer reads the frames that were taken, whole and in order.
func TestCutFrameIsFinished(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	defer all.Wait()
	c, far := loopback(t, func(f func()) bool { all.Go(f); return true })
	var taken bytes.Buffer // read when the writer is done
	done := make(chan struct{})
	go func() { // joined by receiving
		defer close(done)
		for n := 0; taken.Len() < 4<<20; n++ {
			if frame := message(n, [...]int{60 << 10, 10, 5}[n%3]); c.TryFrame(frame) {
				taken.Write(frame)
			}
		}
		_ = c.Close() // what is owed is written before
	}()
	var got bytes.Buffer
	for buf := make([]byte, 20_000); ; <-time.After(time.Millisecond) {
		_ = far.SetReadDeadline(time.Now().Add(20 * time.Second)) // an error shows in the read
		n, err := far.Read(buf)
		got.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("after %d bytes: %v", got.Len(), err)
		}
	}
	<-done
	if !bytes.Equal(got.Bytes(), taken.Bytes()) {
		t.Errorf("torn: %d bytes were taken, %d arrived", taken.Len(), got.Len())
	}
}

// TestNothingWaitsForAStalledPeer: neither a broadcast nor the library's reader.
func TestNothingWaitsForAStalledPeer(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	c, _ := loopback(t, func(f func()) bool { all.Go(f); return true })
	frame := text(strings.Repeat("a", 60_000))
	for c.Stalled(time.Now()) == 0 { // until a frame is cut and its rest waits
		c.TryFrame(frame)
	}
	done := make(chan struct{})
	go func() { // joined by receiving, or at the end
		defer close(done)
		if c.TryFrame(frame) {
			t.Error("a frame was taken")
		}
		control(t, c, pong1, ping1, closing)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("waits")
	}
	c.Kill()
	<-done
	all.Wait()
}
