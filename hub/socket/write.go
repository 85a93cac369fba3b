package socket

import (
	"net"
	"time"
)

// First bytes of the control frames that the library sends: FIN and opcode (RFC 6455,
// section 5.5).
const (
	opClose = 0x88
	opPing  = 0x89
	opPong  = 0x8a
)

// controlMax is the longest payload of a control frame (RFC 6455, section 5.5).
const controlMax = 125

// isControl reports whether p is one whole control frame of a server.
func isControl(p []byte) bool {
	return len(p) >= 2 && (p[0] == opClose || p[0] == opPing || p[0] == opPong) && p[1] <= controlMax && len(p) == 2+int(p[1])
}

// Write implements net.Conn for the WebSocket library: see the package's rules. It does
// not block. The error is ErrStray, and then the connection is killed.
func (c *Conn) Write(p []byte) (int, error) {
	if !isControl(p) {
		c.Kill()
		return 0, ErrStray
	}
	if c.out.control(p) {
		c.see()
	}
	return len(p), nil
}

// TryFrame writes a whole encoded frame if that needs no waiting, and reports whether it
// did; if not, nothing of it was written, and WriteFrame is the way. The frame is the
// caller's again when it returns.
func (c *Conn) TryFrame(frame []byte) bool {
	taken, see := c.out.data(frame)
	if see {
		c.see()
	}
	return taken
}

// WriteFrame writes a whole encoded frame, and blocks until it is handed to the system.
// After an error the connection is closed, or is being closed.
func (c *Conn) WriteFrame(frame []byte) error {
	c.out.enter()
	defer c.out.leave()
	defer c.since.Store(0)
	for {
		next, open := c.out.take()
		switch {
		case next != nil:
			if err := c.pieces(next); err != nil {
				return err
			}
		case !open:
			return c.finish(net.ErrClosed)
		default:
			return c.finish(c.pieces(frame))
		}
	}
}

// see has what is owed written by a goroutine that can wait.
func (c *Conn) see() {
	if !c.spawn(c.pay) {
		c.Kill()
	}
}

// pay writes what is owed.
func (c *Conn) pay() { _ = c.settle() } // the connection is killed on an error

func (c *Conn) settle() error {
	c.out.enter()
	defer c.out.leave()
	defer c.since.Store(0)
	return c.finish(nil)
}

// finish writes what has become owed, and gives the lane back. It returns err, or what
// goes wrong.
func (c *Conn) finish(err error) error {
	for next := c.out.release(); next != nil; next = c.out.release() {
		if failed := c.pieces(next); failed != nil {
			return failed
		}
	}
	return err
}

// pieces writes p, and waits for the peer as long as it takes; whoever watches Stalled
// ends it. On an error the connection is killed: a part of a frame may have left. The
// caller remains the owner then, so that nobody tries to write.
func (c *Conn) pieces(p []byte) error {
	for len(p) > 0 {
		c.since.Store(time.Now().UnixNano())
		n, err := c.Conn.Write(p[:min(len(p), writePiece)])
		if err != nil {
			c.Kill()
			return err
		}
		p = p[n:]
	}
	return nil
}
