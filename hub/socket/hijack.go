package socket

import (
	"bufio"
	"errors"
	"net"
	"net/http"
)

// readBuffer and writeBuffer are what the WebSocket library keeps for a connection, in
// bytes. Small ones are what makes an idle viewer cheap (net/http's are 4 KiB each):
// what is longer than the first is read straight into the reader's own buffer, one system
// call more a frame, and the library writes control frames only, which have to fit
// (2 + 125 bytes).
const (
	readBuffer  = 128
	writeBuffer = 128
)

// Hijacker is a ResponseWriter that gives the WebSocket library a Conn and small buffers
// in place of net/http's. It must be the outermost one given to the library.
type Hijacker struct {
	http.ResponseWriter
	// Setup is what the Conn is made with; Early is not used.
	Setup Setup
	// Conn is set by Hijack.
	Conn *Conn
}

// errNotEmpty would mean that net/http has answered before the upgrade.
var errNotEmpty = errors.New("socket: bytes wait in the connection's write buffer")

// Hijack implements http.Hijacker.
func (h *Hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
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
	setup := h.Setup
	setup.Early = append([]byte(nil), early...)
	h.Conn = New(conn, setup)
	return h.Conn, bufio.NewReadWriter(
		bufio.NewReaderSize(h.Conn, readBuffer), bufio.NewWriterSize(h.Conn, writeBuffer)), nil
}
