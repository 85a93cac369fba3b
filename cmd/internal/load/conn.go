package load

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
)

// conn is the client's side of a WebSocket (RFC 6455) with no more than a load generator
// needs, so that many of them are cheap: one small buffer, no goroutine, no timer. It
// answers pings while it is read. next is for one goroutine, send for any.
type conn struct {
	net   net.Conn
	buf   []byte // owned by next; what was received and not used is buf[r:w]
	r, w  int
	parts []byte // owned by next: the beginning of a fragmented message

	mu  sync.Mutex // guards out and the order of frames
	out []byte
}

const (
	// bufferStart is a reading buffer's size while messages are small: x 20,000 = 40 MB.
	bufferStart = 2 << 10
	// messageMax bounds a message: an array frame has 256 KiB at most, or one event.
	messageMax = 4 << 20
	// writeTime bounds a write, so that a hub that does not read is noticed.
	writeTime = 10 * time.Second
)

// WebSocket opcodes and bits (RFC 6455, section 5.2).
const (
	opContinue = 0x0
	opText     = 0x1
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xA
	finBit     = 0x80
	maskBit    = 0x80
)

// errClosed is wrapped by the end of a connection that the hub closed.
var errClosed = errors.New("load: closed by the hub")

// closedError is the close frame's code.
type closedError struct{ code int }

func (e *closedError) Error() string { return fmt.Sprintf("%v with %d", errClosed, e.code) }
func (e *closedError) Unwrap() error { return errClosed }

// next returns the next text message; it is the conn's again with the next call.
func (c *conn) next() ([]byte, error) {
	for {
		head, payload, err := c.frame()
		if err != nil {
			return nil, err
		}
		switch head & 0xF {
		case opText, opContinue:
			if head&finBit != 0 && len(c.parts) == 0 {
				return payload, nil
			}
			if len(c.parts)+len(payload) > messageMax {
				return nil, fmt.Errorf("load: a message of more than %d bytes", messageMax)
			}
			c.parts = append(c.parts, payload...)
			if head&finBit != 0 {
				whole := c.parts
				c.parts = nil
				return whole, nil
			}
		case opPing:
			if err := c.write(opPong, payload); err != nil {
				return nil, err
			}
		case opPong:
		case opClose:
			code := 1005 // none was given: RFC 6455, section 7.1.5
			if len(payload) >= 2 {
				code = int(binary.BigEndian.Uint16(payload))
			}
			_ = c.write(opClose, payload) // the answer; the connection is over either way
			return nil, &closedError{code}
		default:
			return nil, fmt.Errorf("load: opcode %d", head&0xF)
		}
	}
}

// frame reads one frame: its first byte, and its payload in the buffer.
func (c *conn) frame() (head byte, payload []byte, err error) {
	if err = c.fill(2); err != nil {
		return 0, nil, err
	}
	head = c.buf[c.r]
	size, skip := uint64(c.buf[c.r+1]), 2
	switch size {
	case 126:
		skip = 4
		if err = c.fill(skip); err != nil {
			return 0, nil, err
		}
		size = uint64(binary.BigEndian.Uint16(c.buf[c.r+2:]))
	case 127:
		skip = 10
		if err = c.fill(skip); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(c.buf[c.r+2:])
	}
	if size > messageMax { // the mask bit, which servers must not set, lands here, too
		return 0, nil, fmt.Errorf("load: a frame of %d bytes", size)
	}
	if err = c.fill(skip + int(size)); err != nil {
		return 0, nil, err
	}
	payload = c.buf[c.r+skip : c.r+skip+int(size)]
	c.r += skip + int(size)
	return head, payload, nil
}

// fill reads until n bytes are there. It gives large buffers back when they are empty.
func (c *conn) fill(n int) error {
	if c.r == c.w {
		c.r, c.w = 0, 0
		if len(c.buf) > 4*bufferStart && n <= bufferStart {
			c.buf = nil
		}
	}
	if c.w-c.r >= n {
		return nil
	}
	if c.r+n > len(c.buf) {
		if n > len(c.buf) {
			c.buf = append(make([]byte, 0, max(n, bufferStart)), c.buf[c.r:c.w]...)
			c.buf = c.buf[:cap(c.buf)]
		} else {
			copy(c.buf, c.buf[c.r:c.w])
		}
		c.r, c.w = 0, c.w-c.r
	}
	for c.w-c.r < n {
		got, err := c.net.Read(c.buf[c.w:])
		c.w += got
		if err != nil && c.w-c.r < n {
			return err
		}
	}
	return nil
}

// send writes a text message.
func (c *conn) send(message []byte) error { return c.write(opText, message) }

// write writes one masked frame (section 5.3).
func (c *conn) write(op byte, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.out[:0]
	switch n := len(payload); {
	case n < 126:
		b = append(b, op|finBit, maskBit|byte(n))
	default: // a client's messages have 16 KiB at most
		b = append(b, op|finBit)
		b = binary.BigEndian.AppendUint16(append(b, maskBit|126), uint16(n)) //nolint:gosec // see above
	}
	mask := binary.LittleEndian.AppendUint32(nil, rand.Uint32())
	b = append(b, mask...)
	for i, x := range payload {
		b = append(b, x^mask[i%4])
	}
	c.out = b
	if err := c.net.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	_, err := c.net.Write(b)
	return err
}

// leaveTime is how long the hub may take to answer a goodbye.
const leaveTime = 5 * time.Second

// leave says goodbye; the hub closes then, which next hears.
func (c *conn) leave() {
	_ = c.net.SetReadDeadline(time.Now().Add(leaveTime))                               // on a closed one it does not matter
	_ = c.write(opClose, binary.BigEndian.AppendUint16(nil, uint16(wire.CloseNormal))) // else it is over already
}

// cut ends the connection without a word, by a reset: what was not sent is dropped, and
// no port stays behind in TIME_WAIT.
func (c *conn) cut() {
	raw := c.net
	if t, ok := raw.(*tls.Conn); ok {
		raw = t.NetConn()
	}
	if t, ok := raw.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // on a closed one it does not matter
	}
	_ = raw.Close() // it is over, whatever it says
}
