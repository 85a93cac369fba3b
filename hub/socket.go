package hub

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of a viewer's connection.
const (
	// readBuffer and writeBuffer are what the WebSocket library keeps for a connection,
	// in bytes. Small ones are what makes an idle viewer cheap (net/http's are 4 KiB
	// each): frames from viewers are short, frames to viewers are not copied into the
	// buffer beyond its size.
	readBuffer  = 512
	writeBuffer = 128
	// sendBuffer bounds what the kernel holds for a viewer that does not read; by itself
	// it grows to 4 MiB.
	sendBuffer = 64 << 10
	// writePiece is how much is written at a time: progress is noticed by pieces, so that
	// a slow viewer that reads is told from one that does not.
	writePiece = 16 << 10
	// lingerTime and lingerBytes bound what is read and dropped after our last byte:
	// closing with unread bytes resets the connection, and the peer may lose the close
	// frame that tells it why.
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// socket is the net.Conn under a WebSocket connection: it joins a frame's header and
// payload to one write, knows when something was last read and written, and closes so
// that the peer gets what was written. The library calls Read from one goroutine,
// and Write under a lock of its own.
type socket struct {
	net.Conn
	early []byte // read by net/http already; owned by Read

	mu     sync.Mutex // guards frame; held while writing
	frame  joining
	seen   atomic.Int64 // Unix ns of the last byte read
	since  atomic.Int64 // Unix ns of the last progress of a write that is going on; 0: none is
	broken atomic.Bool  // reading has failed: the peer is gone
	polite atomic.Bool  // Close waits for the peer
	closed atomic.Bool
}

// joining makes one write of a frame's header and payload.
type joining struct {
	on     bool   // a frame is being written: keep short pieces back
	held   []byte // kept back, in space
	space  [writeBuffer]byte
	parts  [2][]byte   // what is written together
	vector net.Buffers // parts, as they are being written: kept here to save an allocation
}

// Read implements net.Conn.
func (s *socket) Read(p []byte) (int, error) {
	if len(s.early) > 0 {
		n := copy(p, s.early)
		s.early = s.early[n:]
		return n, nil
	}
	s.early = nil
	n, err := s.Conn.Read(p)
	if n > 0 {
		s.seen.Store(time.Now().UnixNano())
	}
	if err != nil {
		s.broken.Store(true)
	}
	return n, err
}

// begin makes the writes until end one, if they are a frame's header and the rest.
func (s *socket) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frame.on = true
}

// end writes what was kept back.
func (s *socket) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frame.on = false
	_, err := s.flush(nil)
	return err
}

// Write implements net.Conn. The library writes a frame as its buffer, which holds the
// header and the payload's beginning, and then the payload's rest. Control frames come
// between frames, and are never kept back: nothing may follow a close frame.
func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := &s.frame; f.on && len(f.held) == 0 && len(p) <= len(f.space) && !isControl(p) {
		f.held = append(f.space[:0], p...)
		return len(p), nil
	}
	return s.flush(p)
}

// isControl reports whether a frame is a control frame (RFC 6455, section 5.5).
func isControl(frame []byte) bool { return len(frame) > 0 && frame[0]&0x08 != 0 }

// flush writes what was kept back and then p, in pieces.
func (s *socket) flush(p []byte) (int, error) {
	defer s.since.Store(0)
	if f := &s.frame; len(f.held) > 0 {
		first := p[:min(len(p), writePiece-len(f.space))]
		s.since.Store(time.Now().UnixNano())
		f.parts = [2][]byte{f.held, first}
		f.vector = f.parts[:]
		_, err := f.vector.WriteTo(s.Conn)
		f.held, f.parts, f.vector = nil, [2][]byte{}, nil
		if err != nil {
			return 0, err
		}
		n, err := s.pieces(p[len(first):])
		return len(first) + n, err
	}
	return s.pieces(p)
}

func (s *socket) pieces(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		s.since.Store(time.Now().UnixNano())
		n, err := s.Conn.Write(p[:min(len(p), writePiece)])
		written += n
		if err != nil {
			return written, err
		}
		p = p[n:]
	}
	return written, nil
}

// stalled reports for how long a write has made no progress; 0: none is going on.
func (s *socket) stalled(now time.Time) time.Duration {
	since := s.since.Load()
	if since == 0 {
		return 0
	}
	return max(0, now.Sub(time.Unix(0, since)))
}

// silent is for how long nothing was read.
func (s *socket) silent(now time.Time) time.Duration {
	return now.Sub(time.Unix(0, s.seen.Load()))
}

// Close implements net.Conn. A polite one tells the peer that nothing more comes, and
// waits for a moment until the peer has closed, too.
func (s *socket) Close() error {
	if s.closed.Swap(true) {
		return net.ErrClosed
	}
	half, can := s.Conn.(interface{ CloseWrite() error })
	if can && s.polite.Load() && !s.broken.Load() && half.CloseWrite() == nil {
		_ = s.SetReadDeadline(time.Now().Add(lingerTime)) // an error shows in the read
		_, _ = io.CopyN(io.Discard, s.Conn, lingerBytes)  // whatever it says, we close
	}
	return s.Conn.Close()
}

// kill closes at once; what was not sent is dropped. Whoever reads or writes gets an
// error.
func (s *socket) kill() {
	if tcp, ok := s.Conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // without it the kernel goes on sending for minutes
	}
	_ = s.Conn.Close() // it may be closed already
}

// hijacker gives the WebSocket library a socket and small buffers in place of
// net/http's.
type hijacker struct {
	http.ResponseWriter
	socket *socket // after Hijack
}

// errNotEmpty would mean that net/http has answered before the upgrade.
var errNotEmpty = errors.New("hub: bytes wait in the connection's write buffer")

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if rw.Writer.Buffered() != 0 {
		_ = conn.Close() // the error below is told
		return nil, nil, errNotEmpty
	}
	early, err := rw.Peek(rw.Reader.Buffered())
	if err != nil {
		_ = conn.Close() // the error below is told
		return nil, nil, err
	}
	if tcp, ok := conn.(interface{ SetWriteBuffer(int) error }); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // a bound that the system may not know
	}
	h.socket = &socket{Conn: conn, early: append([]byte(nil), early...)}
	h.socket.seen.Store(time.Now().UnixNano())
	return h.socket, bufio.NewReadWriter(
		bufio.NewReaderSize(h.socket, readBuffer), bufio.NewWriterSize(h.socket, writeBuffer)), nil
}
