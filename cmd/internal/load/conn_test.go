package load

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

// serverFrame is a frame as a server sends it: not masked.
func serverFrame(head byte, payload []byte) []byte {
	switch n := len(payload); {
	case n < 126:
		return append([]byte{head, byte(n)}, payload...)
	case n < 1<<16:
		return append(binary.BigEndian.AppendUint16([]byte{head, 126}, uint16(n)), payload...)
	default:
		return append(binary.BigEndian.AppendUint64([]byte{head, 127}, uint64(n)), payload...)
	}
}

// oneByOne is a connection that gives a byte a read.
type oneByOne struct {
	net.Conn
	r io.Reader
}

func (c oneByOne) Read(p []byte) (int, error) { return c.r.Read(p) }

// Messages of every size come through, however they are cut up, with control frames
// between them; the answers to those are masked.
func TestConnReads(t *testing.T) {
	t.Parallel()
	texts := []string{"", "a", strings.Repeat("b", 125), strings.Repeat("c", 126), strings.Repeat("d", 5000), "e", strings.Repeat("f", 70_000), "g"}
	var stream []byte
	for _, text := range texts {
		stream = append(stream, serverFrame(finBit|opText, []byte(text))...)
		stream = append(stream, serverFrame(finBit|opPing, []byte("hi"))...)
	}
	half := len("in pieces") / 2
	stream = append(stream, serverFrame(opText, []byte("in pieces")[:half])...)
	stream = append(stream, serverFrame(finBit|opPong, nil)...)
	stream = append(stream, serverFrame(finBit|opContinue, []byte("in pieces")[half:])...)
	stream = append(stream, serverFrame(finBit|opClose, []byte{0x03, 0xF4})...)
	for _, cut := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, func(r io.Reader) io.Reader { return r }} {
		near, far := net.Pipe()
		var sent []byte
		var reader sync.WaitGroup
		reader.Go(func() { sent, _ = io.ReadAll(far) }) // to its end, which is what it waits for
		c := &conn{net: oneByOne{near, cut(bytes.NewReader(stream))}}
		for _, want := range append(texts, "in pieces") {
			if got, err := c.next(); err != nil || string(got) != want {
				t.Fatalf("%.20q (%d bytes) %v, want %d bytes", got, len(got), err, len(want))
			}
		}
		_, err := c.next()
		var closed *closedError
		if !errors.As(err, &closed) || closed.code != 1012 {
			t.Errorf("the end: %v, want a close with 1012", err)
		}
		_ = near.Close() // so that the reader ends
		reader.Wait()
		if pongs := bytes.Count(sent, []byte{finBit | opPong, maskBit | 2}); pongs != len(texts) {
			t.Errorf("%d pongs of %d pings", pongs, len(texts))
		}
		if len(c.buf) > 4*bufferStart {
			t.Errorf("a buffer of %d bytes is kept for small messages", len(c.buf))
		}
	}
}

func TestConnRefusesHugeFrames(t *testing.T) {
	t.Parallel()
	huge := binary.BigEndian.AppendUint64([]byte{finBit | opText, 127}, messageMax+1)
	c := &conn{net: oneByOne{nil, bytes.NewReader(huge)}}
	if _, err := c.next(); err == nil || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("%v, want a refusal", err)
	}
	var pieces []byte
	for range 5 {
		pieces = append(pieces, serverFrame(opText, make([]byte, messageMax/4))...)
	}
	c = &conn{net: oneByOne{nil, bytes.NewReader(pieces)}}
	if _, err := c.next(); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%v, want a refusal", err)
	}
}

// The end of an object is where a JSON parser sees it, too.
func FuzzObjectEnd(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":{"b":"}\"{"}}`, `{"a":[{},{}]}`, `{"`, `{"\\":"\\"}`, `[]`, ``} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size := objectEnd([]byte(text + `,{"next":1}]`))
		if json.Valid([]byte(text)) && strings.HasPrefix(text, "{") {
			if want := strings.LastIndexByte(text, '}') + 1; size != want {
				t.Errorf("%q ends at %d, want %d", text, size, want)
			}
		}
	})
}
