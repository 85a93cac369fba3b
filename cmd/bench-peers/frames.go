package main

import (
	"bytes"
	"encoding/binary"
	"time"
)

// frames follows the WebSocket frames of one connection, whose header may come in
// pieces.
type frames struct {
	left int // bytes of the payload that are to come
	head [10]byte
	have int // bytes of the next header that are here

	pinged bool // a ping has come that was not answered
}

// feed takes bytes that were read, and counts the messages in them.
func (f *frames) feed(p []byte, seen *deliveries) {
	for len(p) > 0 {
		if f.left > 0 {
			n := min(f.left, len(p))
			seen.count(p[:n])
			f.left -= n
			p = p[n:]
			continue
		}
		f.head[f.have] = p[0]
		f.have++
		p = p[1:]
		if f.have < 2 {
			continue
		}
		if f.left, f.have = f.length(); f.have == 0 {
			seen.frames++
			f.pinged = f.pinged || f.head[0] == 0x89
		}
	}
}

// length is the payload's, when the header is whole, and then 0 is how much of the next
// one is here.
func (f *frames) length() (payload, have int) {
	switch n := f.head[1]; {
	case n < 126:
		return int(n), 0
	case n == 126 && f.have == 4:
		return int(binary.BigEndian.Uint16(f.head[2:])), 0
	case n == 127 && f.have == 10:
		return int(binary.BigEndian.Uint64(f.head[2:])), 0 //nolint:gosec // our own servers'
	default:
		return 0, f.have
	}
}

// deliveries counts messages, and how long they were on their way.
type deliveries struct {
	n      int
	frames int // that they came in
	hist   histogram
}

// count finds the messages in a part of a payload. Of one whose time is cut off, only
// the number is taken.
func (d *deliveries) count(p []byte) {
	for {
		i := bytes.IndexByte(p, stamp)
		if i < 0 {
			return
		}
		p = p[i+1:]
		d.n++
		if len(p) < 19 {
			return
		}
		var at int64
		for _, c := range p[:19] {
			at = at*10 + int64(c-'0')
		}
		d.hist.add(time.Duration(time.Now().UnixNano() - at))
	}
}
