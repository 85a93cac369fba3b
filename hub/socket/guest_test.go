package socket_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// habit is how a viewer behaves.
type habit int

const (
	calm     habit = iota // reads
	stormy                // reads, and sends pings as fast as it can
	restless              // stops reading and goes on
	leaving               // closes in the middle
	breaking              // resets the connection in the middle
	sentAway              // is closed by the server in the middle
	habits
)

// guest is a viewer's side, which takes its stream apart byte by byte.
type guest struct {
	conn   *net.TCPConn
	in     *bufio.Reader
	n      int
	seen   *atomic.Int64 // frames read
	next   int           // the message that is expected
	ponged int           // the newest pong's number
}

// enter makes the n-th viewer, whose window is small, but not below a segment of
// the loopback's: then every write would wait for the persist timer.
func enter(tb testing.TB, addr string, n int) *guest {
	tb.Helper()
	conn, err := new(net.Dialer).DialContext(tb.Context(), "tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() }) // it may be closed already
	tcp := conn.(*net.TCPConn)
	if err := tcp.SetReadBuffer(64 << 10); err != nil {
		tb.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "GET /?n=%d HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", n, addr)
	if err != nil {
		tb.Fatal(err)
	}
	g := &guest{conn: tcp, in: bufio.NewReaderSize(conn, 512), n: n}
	for line := ""; line != "\r\n"; {
		if line, err = g.in.ReadString('\n'); err != nil {
			tb.Fatal(err)
		}
	}
	return g
}

// listen reads until the end. The error says how the stream was torn.
func (g *guest) listen() error {
	quit := make(chan struct{})
	ended := make(chan struct{})
	go func() { // joined below
		defer close(ended)
		g.behave(quit)
	}()
	err := g.frames()
	_ = g.conn.Close() // it may be closed already; who still writes to it is not to wait
	close(quit)
	<-ended
	if err != nil {
		return fmt.Errorf("viewer %d, at message %d: %w", g.n, g.next, err)
	}
	return nil
}

// behave sends what the habit asks for.
func (g *guest) behave(quit <-chan struct{}) {
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for i := 0; habit(g.n)%habits == stormy; i++ {
		select {
		case <-tick.C:
		case <-quit:
			return
		}
		if g.send(0x89, fmt.Sprintf("%0*d", 1+i%120, i)) != nil {
			return
		}
	}
}

// send sends a control frame, masked with zeros.
func (g *guest) send(first byte, payload string) error {
	frame := append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
	_, err := g.conn.Write(frame)
	return err
}

// Faults of a stream.
var (
	errTorn   = errors.New("torn")
	errClosed = errors.New("not closed as it should be")
)

// frames reads frames until the connection ends.
func (g *guest) frames() error {
	closed := false
	for {
		first, payload, err := g.frame()
		switch {
		case errors.Is(err, syscall.ECONNRESET):
			if h := habit(g.n) % habits; h == leaving || h == breaking || h == sentAway {
				return nil
			}
			return errors.Join(errClosed, err)
		case errors.Is(err, net.ErrClosed) && habit(g.n)%habits == breaking:
			return nil
		case errors.Is(err, io.EOF):
			return g.end(closed)
		case err != nil:
			return err
		case closed:
			return fmt.Errorf("%w: %#x after the close frame", errTorn, first)
		}
		g.seen.Add(1)
		if err := g.take(first, payload); err != nil {
			return err
		}
		closed = first == 0x88
	}
}

// end judges an end between two frames.
func (g *guest) end(closed bool) error {
	h := habit(g.n) % habits
	all := g.next == messages || h == leaving || h == sentAway
	if !closed || !all {
		return fmt.Errorf("%w: close frame %v", errClosed, closed)
	}
	return nil
}

// frame reads one frame; io.EOF is the end before it.
func (g *guest) frame() (first byte, payload []byte, err error) {
	if first, err = g.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	rest := func(n int) []byte {
		b := make([]byte, 0, n)
		for range n {
			var c byte
			if c, err = g.in.ReadByte(); err != nil {
				return b
			}
			b = append(b, c)
		}
		return b
	}
	head := rest(1)
	if err == nil {
		n := int(head[0])
		switch {
		case n == 126:
			n = int(binary.BigEndian.Uint16(append(rest(2), 0, 0)))
		case n == 127:
			n = int(min(1<<30, binary.BigEndian.Uint64(append(rest(8), make([]byte, 8)...))))
		case n > 127:
			return 0, nil, fmt.Errorf("%w: masked", errTorn)
		}
		if n > 1<<20 {
			return 0, nil, fmt.Errorf("%w: %d bytes", errTorn, n)
		}
		payload = rest(n)
	}
	if errors.Is(err, io.EOF) {
		return 0, nil, fmt.Errorf("%w: ends within a frame", errTorn)
	}
	return first, payload, err
}

// take checks a frame, and does what the habit asks for then.
func (g *guest) take(first byte, payload []byte) error {
	switch first {
	case 0x81:
	case 0x88:
		_ = g.send(0x88, string(payload)) // it may have gone, or be our own answered
		return nil
	case 0x89:
		return nil
	case 0x8a:
		return g.pong(string(payload))
	default:
		return fmt.Errorf("%w: a frame begins with %#x", errTorn, first)
	}
	var from, to int
	n := len(payload)
	if n < 16 {
		return fmt.Errorf("%w: %q", errTorn, payload)
	}
	if _, err := fmt.Sscanf(string(payload[:8])+" "+string(payload[n-8:]), "%d %d", &from, &to); err != nil || from != to || from != g.next {
		return fmt.Errorf("%w: message %q to %q", errTorn, payload[:8], payload[n-8:])
	}
	for _, c := range payload[8 : n-8] {
		if c != 'x' {
			return fmt.Errorf("%w: %q within message %d", errTorn, c, from)
		}
	}
	g.next++
	return g.act()
}

// pong checks that pongs are of pings that were sent, each newer than the last.
func (g *guest) pong(payload string) error {
	i, err := strconv.Atoi(payload)
	if err != nil || i <= g.ponged && i > 0 || payload != fmt.Sprintf("%0*d", 1+i%120, i) {
		return fmt.Errorf("%w: pong %q after %d", errTorn, payload, g.ponged)
	}
	g.ponged = i
	return nil
}

// act is what the habit does between messages.
func (g *guest) act() error {
	switch habit(g.n) % habits {
	case restless:
		if g.next%10 == 0 {
			<-time.After(20 * time.Millisecond)
		}
	case leaving:
		if g.next == messages/3 {
			return g.send(0x88, "\x03\xe8")
		}
	case breaking:
		if g.next == messages/3 {
			_ = g.conn.SetLinger(0) // an error shows in the close
			return g.conn.Close()
		}
	case calm, stormy, sentAway, habits:
	}
	return nil
}
