package socket

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// Bounds of a connection.
const (
	// sendBuffer bounds what the kernel holds for a viewer that does not read; by itself
	// it grows to 4 MiB.
	sendBuffer = 64 << 10
	// writePiece is how much is written at a time: progress is noticed by pieces, so that
	// a slow viewer that reads is told from one that does not.
	writePiece = 16 << 10
	// owedTime is how long Close waits for a peer that has not taken what is owed to it,
	// the close frame above all.
	owedTime = time.Second
	// lingerTime and lingerBytes bound what is read and dropped after our last byte:
	// closing with unread bytes resets the connection, and the peer may lose the close
	// frame that tells it why.
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// Conn is a net.Conn under a WebSocket connection: see the package's rules. Read is
// called by one goroutine, everything else by any.
type Conn struct {
	net.Conn
	early []byte // read by net/http already; owned by Read
	spawn func(func()) bool
	ended func()

	seen   atomic.Int64 // Unix ns of the last byte read
	since  atomic.Int64 // Unix ns of the last progress of a write that waits; 0: none does
	broken atomic.Bool  // reading has failed: the peer is gone
	polite atomic.Bool  // Close waits for the peer
	over   atomic.Bool  // ended was called

	out outlet
}

// Setup is what a connection is made with.
type Setup struct {
	// Early are bytes that were read from the connection before.
	Early []byte
	// Spawn runs a function in a goroutine of its own, and joins it; false: it does not
	// any more, and the connection is killed.
	Spawn func(func()) bool
	// Ended is called once, when the connection is closed. It must not block. May be nil.
	Ended func()
}

// New makes a Conn over an accepted connection.
func New(conn net.Conn, s Setup) *Conn {
	c := &Conn{Conn: conn, early: s.Early, spawn: s.Spawn, ended: s.Ended}
	c.seen.Store(time.Now().UnixNano())
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // a bound that the system may not know
		if raw, err := tcp.SyscallConn(); err == nil {
			c.out.prepare(raw)
		}
	}
	return c
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	c.early = nil
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.seen.Store(time.Now().UnixNano())
	}
	if err != nil {
		c.broken.Store(true)
	}
	return n, err
}

// Stalled reports for how long a write that waits has made no progress; 0: none waits.
func (c *Conn) Stalled(now time.Time) time.Duration {
	since := c.since.Load()
	if since == 0 {
		return 0
	}
	return max(0, now.Sub(time.Unix(0, since)))
}

// Silent is for how long nothing was read.
func (c *Conn) Silent(now time.Time) time.Duration {
	return now.Sub(time.Unix(0, c.seen.Load()))
}

// Broken reports whether reading has failed: the peer is gone.
func (c *Conn) Broken() bool { return c.broken.Load() }

// Part makes Close a polite one, which lets the peer close first, and bounds by patience
// what is read until then.
func (c *Conn) Part(patience time.Duration) {
	c.polite.Store(true)
	_ = c.SetReadDeadline(time.Now().Add(patience)) // an error shows in the read
}

// Close implements net.Conn. What is owed to the peer is written, if the peer takes it.
// A polite Close then tells the peer that nothing more comes, and waits for a moment
// until the peer has closed, too.
func (c *Conn) Close() error {
	owes, first := c.out.close()
	if !first {
		return net.ErrClosed
	}
	if owes {
		_ = c.SetWriteDeadline(time.Now().Add(owedTime)) // an error shows in the write
		_ = c.settle()                                   // it is over, in any case
	}
	half, can := c.Conn.(interface{ CloseWrite() error })
	if can && c.polite.Load() && !c.broken.Load() && half.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime)) // an error shows in the read
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)  // whatever it says, we close
	}
	err := c.Conn.Close()
	c.end()
	return err
}

// Kill closes at once; what was not sent is dropped. Whoever reads or writes gets an
// error.
func (c *Conn) Kill() {
	if tcp, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // without it the kernel goes on sending for minutes
	}
	_ = c.Conn.Close() // it may be closed already
	c.end()
}

func (c *Conn) end() {
	if !c.over.Swap(true) && c.ended != nil {
		c.ended()
	}
}

// ErrStray is the error of a Write that is no control frame.
var ErrStray = errors.New("socket: the library may write whole control frames only")

// raw is how a connection is written without waiting.
type raw = syscall.RawConn
