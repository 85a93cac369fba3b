package hub

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
)

// rawFrame writes a frame as RFC 6455, section 5.2, has it. first is the first byte:
// FIN, reserved bits and opcode.
func rawFrame(first byte, payload string) []byte {
	b := rawHeader(first, uint64(len(payload)), true)
	mask := []byte{1, 2, 3, 4}
	b = append(b, mask...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

func rawHeader(first byte, n uint64, masked bool) []byte {
	b := []byte{first, 0}
	switch {
	case n < 126:
		b[1] = byte(n)
	case n < 1<<16:
		b[1] = 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] = 127
		b = binary.BigEndian.AppendUint64(b, n)
	}
	if masked {
		b[1] |= 0x80
	}
	return b
}

// Opcodes with FIN.
const (
	finText   = 0x81
	finBinary = 0x82
	finClose  = 0x88
	finPing   = 0x89
	finPong   = 0x8a
)

// rawGuest is a viewer at the level of bytes.
type rawGuest struct {
	t    *testing.T
	conn net.Conn
}

func (st *stage) rawGuest() *rawGuest {
	st.t.Helper()
	resp, conn := handshake(st.t, st, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Authorization: Bearer "+st.token("ann"))
	if resp.status != http.StatusSwitchingProtocols {
		st.t.Fatalf("upgrade: %d", resp.status)
	}
	return &rawGuest{st.t, conn}
}

func (g *rawGuest) write(frames ...[]byte) {
	g.t.Helper()
	if _, err := g.conn.Write(bytes.Join(frames, nil)); err != nil {
		g.t.Fatal(err)
	}
}

// read returns the next frame's first byte and payload. The error is of the
// connection.
func (g *rawGuest) read() (first byte, payload string, err error) {
	g.t.Helper()
	return g.readFor(20 * time.Second)
}

// head reads the answer to the upgrade.
func (g *rawGuest) head() {
	g.t.Helper()
	var head []byte // byte by byte: what follows is a frame
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		b := make([]byte, 1)
		if _, err := g.conn.Read(b); err != nil {
			g.t.Fatal(err)
		}
		head = append(head, b...)
	}
}

func (g *rawGuest) readFor(patience time.Duration) (first byte, payload string, err error) {
	g.t.Helper()
	_ = g.conn.SetReadDeadline(time.Now().Add(patience)) // an error shows in the read
	head := make([]byte, 2)
	if _, err := io.ReadFull(g.conn, head); err != nil {
		return 0, "", err
	}
	n := uint64(head[1])
	if n >= 126 {
		long := make([]byte, 2)
		if n == 127 {
			long = make([]byte, 8)
		}
		if _, err := io.ReadFull(g.conn, long); err != nil {
			return 0, "", err
		}
		n = binary.BigEndian.Uint64(append(make([]byte, 8-len(long)), long...))
	}
	body := make([]byte, n)
	_, err = io.ReadFull(g.conn, body)
	return head[0], string(body), err
}

// until returns the payload of the next frame with this first byte.
func (g *rawGuest) until(first byte) string {
	g.t.Helper()
	for {
		f, payload, err := g.read()
		if err != nil {
			g.t.Fatalf("waiting for %#x: %v", first, err)
		}
		if f == first {
			return payload
		}
	}
}

// closed returns the code of the close frame, which must be the last.
func (g *rawGuest) closed() wire.CloseCode {
	g.t.Helper()
	payload := g.until(finClose)
	if _, _, err := g.read(); !errors.Is(err, io.EOF) {
		g.t.Errorf("after the close frame: %v, want EOF", err)
	}
	if len(payload) < 2 {
		return 0
	}
	return wire.CloseCode(binary.BigEndian.Uint16([]byte(payload)))
}

func closePayload(code uint16, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, code)) + reason
}

const ping = `{"type":"ping","t":1}`

// TestBrokenFrames: every way to break the rules of RFC 6455 has its close code, and
// the peer gets to read it.
func TestBrokenFrames(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	big := strings.Repeat("x", wire.MessageMax+1)
	tests := []struct {
		name   string
		frames [][]byte
		want   wire.CloseCode
	}{
		{"not masked", [][]byte{append(rawHeader(finText, uint64(len(ping)), false), ping...)}, 1002},
		{"reserved bit 1", [][]byte{rawFrame(finText|0x40, ping)}, 1002},
		{"reserved bit 2", [][]byte{rawFrame(finText|0x20, ping)}, 1002},
		{"reserved bit 3", [][]byte{rawFrame(finText|0x10, ping)}, 1002},
		{"reserved bit, and more", [][]byte{rawFrame(finText|0x40, strings.Repeat("\x02", 300_000))}, 1002},
		{"reserved opcode", [][]byte{rawFrame(0x83, ping)}, 1002},
		{"reserved control opcode", [][]byte{rawFrame(0x8b, "")}, 1002},
		{"ping in pieces", [][]byte{rawFrame(0x09, "a"), rawFrame(0x80, "b")}, 1002},
		{"ping too long", [][]byte{rawFrame(finPing, strings.Repeat("p", 126))}, 1002},
		{"close too long", [][]byte{rawFrame(finClose, closePayload(1000, strings.Repeat("r", 124)))}, 1002},
		{"close with one byte", [][]byte{rawFrame(finClose, "x")}, 1002},
		{"close with a code that is never sent", [][]byte{rawFrame(finClose, closePayload(1005, ""))}, 1002},
		{"close with code 999", [][]byte{rawFrame(finClose, closePayload(999, ""))}, 1002},
		{"continuation of nothing", [][]byte{rawFrame(0x80, ping)}, 1002},
		{"text within text", [][]byte{rawFrame(0x01, `{"type":`), rawFrame(finText, ping)}, 1002},
		{"length beyond all bounds", [][]byte{append(rawHeader(finText, 1<<63, true), 1, 2, 3, 4)}, 1002},
		{"binary", [][]byte{rawFrame(finBinary, ping)}, 1003},
		{"binary in pieces", [][]byte{rawFrame(0x02, "a"), rawFrame(0x80, "b")}, 1003},
		{"empty binary", [][]byte{rawFrame(finBinary, "")}, 1003},
		{"invalid UTF-8", [][]byte{rawFrame(finText, "{\"type\":\"ping\xff\"}")}, 1007},
		{"overlong UTF-8", [][]byte{rawFrame(finText, "\xc0\xaf")}, 1007},
		{"UTF-8 cut off", [][]byte{rawFrame(finText, "\xf0\x9f\x9a")}, 1007},
		{"surrogate as UTF-8", [][]byte{rawFrame(finText, "\xed\xa0\x80")}, 1007},
		{"too large", [][]byte{rawFrame(finText, big)}, 1009},
		{"too large in pieces", [][]byte{rawFrame(0x01, big[:9000]), rawFrame(0x00, big[:9000]), rawFrame(0x80, "x")}, 1009},
		{"too large, and more", [][]byte{rawFrame(finText, strings.Repeat("x", 300_000)), rawFrame(finText, ping)}, 1009},
		{"too large to come", [][]byte{append(rawHeader(finText, 1<<40, true), append([]byte{1, 2, 3, 4}, big...)...)}, 1009},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st := &stage{lobby: st.lobby, t: t, signer: st.signer, docs: st.docs, url: st.url}
			g := st.rawGuest()
			g.write(tt.frames...)
			payload := g.until(finClose)
			got := wire.CloseCode(binary.BigEndian.Uint16([]byte(payload)))
			if got != tt.want {
				t.Errorf("closed with %d, want %d", got, tt.want)
			}
			// A peer that answers and closes is not reset.
			g.write(rawFrame(finClose, payload[:2]))
			if _, _, err := g.read(); !errors.Is(err, io.EOF) {
				t.Errorf("after the close frame: %v, want EOF", err)
			}
		})
	}
}

// TestGoodFrames: whatever is odd and allowed, works.
func TestGoodFrames(t *testing.T) {
	st := newStage(t)
	const pong = `"type":"pong","t":1,`
	var bytewise [][]byte
	for i := range len(ping) {
		first := byte(0x00)
		switch i {
		case 0:
			first = 0x01
		case len(ping) - 1:
			first = 0x80
		}
		bytewise = append(bytewise, rawFrame(first, ping[i:i+1]))
	}
	padded := ping[:len(ping)-1] + strings.Repeat(" ", wire.MessageMax-len(ping)) + "}"
	for name, frames := range map[string][][]byte{
		"one frame":             {rawFrame(finText, ping)},
		"as large as allowed":   {rawFrame(finText, padded)},
		"one byte a frame":      bytewise,
		"empty pieces":          {rawFrame(0x01, ""), rawFrame(0x00, ping), rawFrame(0x00, ""), rawFrame(0x80, "")},
		"a ping between":        {rawFrame(0x01, ping[:5]), rawFrame(finPing, "x"), rawFrame(finPong, "?"), rawFrame(0x80, ping[5:])},
		"an unasked pong first": {rawFrame(finPong, strings.Repeat("p", 125)), rawFrame(finText, ping)},
		"character in pieces": {
			rawFrame(0x01, `{"type":"comment","id":"c","text":"`+"\xf0\x9f"), rawFrame(0x80, "\x9a\x80\"}"), rawFrame(finText, ping),
		},
	} {
		g := st.rawGuest()
		g.write(frames...)
		for payload := ""; !strings.Contains(payload, pong); {
			if payload = g.until(finText); strings.Contains(payload, `"error"`) || strings.Contains(payload, `"rejected"`) {
				t.Errorf("%s: %s", name, payload)
			}
		}
		g.write(rawFrame(finClose, closePayload(1000, "bye")))
		if code := g.closed(); code != 1000 {
			t.Errorf("%s: closed with %d, want the 1000 that was sent", name, code)
		}
	}
	g := st.rawGuest()
	for _, b := range rawFrame(finText, ping) { // a byte a segment
		g.write([]byte{b})
	}
	g.until(finText)
	g.write(rawFrame(finPing, "are you there"))
	if got := g.until(finPong); got != "are you there" {
		t.Errorf("pong %q", got)
	}
	g.write(rawFrame(finClose, ""))
	if code := g.closed(); code != 0 {
		t.Errorf("closed with %d, want no code, as was sent", code)
	}
}

// TestEarlyFrames: what a client sends together with its upgrade is not lost.
func TestEarlyFrames(t *testing.T) {
	st := newStage(t)
	early := bytes.Repeat(rawFrame(finText, ping), 30) // more than the reading buffer holds
	resp, conn := handshakeWith(t, st, early, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Authorization: Bearer "+st.token("ann"))
	if resp.status != http.StatusSwitchingProtocols {
		t.Fatal(resp.status)
	}
	g := &rawGuest{t, conn}
	for pongs := 0; pongs < 30; {
		pongs += strings.Count(g.until(finText), `"pong"`)
	}
}
