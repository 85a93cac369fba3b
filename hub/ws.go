package hub

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/socket"
	"github.com/giftwire/giftwire/hub/wire"
)

// This is the one file that knows the WebSocket library (coder/websocket v1.8.15). It
// sets no deadlines, answers pings by itself, and closes by itself on most broken
// frames; what it leaves to us is here: UTF-8 of text, unmasked frames, and peers that
// announce bytes and do not send them. It accepts and reads; it must not be asked to
// write data, which goes past it: see package socket.

// link is one WebSocket connection.
type link struct {
	ws      *websocket.Conn
	socket  *socket.Conn
	frames  *rate.Limiter // what the peer may send, control frames included
	closing atomic.Bool
}

var _ audience.Prompt = (*link)(nil)

// Times of a link.
const (
	// closeTime bounds the closing handshake, and everything that the peer is still
	// read for then.
	closeTime = 5 * time.Second
	// pingTime bounds one ping. Its pong is no concern of ours: whatever the peer sends
	// shows that it lives.
	pingTime = 20 * time.Second
)

// accept upgrades the request, which is known to be a good upgrade. On an error it has
// answered the request, and what is set up has ended.
func accept(w http.ResponseWriter, r *http.Request, frames *rate.Limiter, setup socket.Setup) (*link, error) {
	k := &link{frames: frames}
	hj := &socket.Hijacker{ResponseWriter: w, Setup: setup}
	ws, err := websocket.Accept(hj, r, &websocket.AcceptOptions{
		Subprotocols:       []string{wire.Subprotocol},
		InsecureSkipVerify: true, // the origin was checked with the other conditions
		OnPingReceived: func(context.Context, []byte) bool {
			return k.borne() && !k.closing.Load() // a pong behind a close frame would fail
		},
		OnPongReceived: func(context.Context, []byte) { k.borne() },
	})
	if err != nil {
		if hj.Conn != nil {
			hj.Conn.Kill()
		} else {
			setup.Ended()
		}
		return nil, err
	}
	ws.SetReadLimit(wire.MessageMax)
	k.ws, k.socket = ws, hj.Conn
	return k, nil
}

// borne counts a control frame. A flood of them is slowed, as one of messages is, and
// its pings are not answered. It is called by the reader.
func (k *link) borne() bool {
	if k.frames.AllowN(time.Now(), 1) {
		return true
	}
	<-time.After(floodPause)
	return false
}

// Messages that viewers may not send.
var (
	errBinary  = errors.New("hub: binary message")
	errBadUTF8 = errors.New("hub: text message that is not UTF-8")
)

// wait waits for the next message. It holds no buffer meanwhile.
func (k *link) wait() (io.Reader, error) {
	kind, r, err := k.ws.Reader(context.Background()) // ended by closing the connection
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageText {
		return nil, errBinary
	}
	return r, nil
}

// TryFrame implements audience.Prompt.
func (k *link) TryFrame(frame []byte) bool { return k.socket.TryFrame(frame) }

// WriteFrame implements audience.Conn. The sweeper bounds how long it takes.
func (k *link) WriteFrame(frame []byte) error { return k.socket.WriteFrame(frame) }

// Bye implements audience.Conn. It blocks for at most two closeTimes.
func (k *link) Bye(code wire.CloseCode) {
	if k.closing.Swap(true) {
		return
	}
	k.socket.Part(closeTime)                       // the library reads without a bound
	_ = k.ws.Close(websocket.StatusCode(code), "") // the connection is over, whatever it says
}

// fail ends the connection after a failed read: where the peer is there and has not
// closed itself, with the close code that the failure asks for. The library has sent
// it already in most cases; then only the handshake is left.
func (k *link) fail(err error) {
	if !k.socket.Broken() && websocket.CloseStatus(err) == -1 {
		code := wire.CloseProtocol
		switch {
		case errors.Is(err, errBinary):
			code = wire.CloseUnsupported
		case errors.Is(err, errBadUTF8):
			code = wire.CloseBadUTF8
		case errors.Is(err, websocket.ErrMessageTooBig):
			code = wire.CloseTooBig
		}
		k.Bye(code)
	}
	_ = k.ws.CloseNow() // nothing is left to say
}

// ping asks the peer for a sign of life.
func (k *link) ping() {
	ctx, cancel := context.WithTimeout(context.Background(), pingTime)
	defer cancel()
	_ = k.ws.Ping(ctx) // silence is noticed by the sweeper, a broken connection by its reader
}
