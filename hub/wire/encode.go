package wire

import (
	"encoding/binary"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/giftwire/giftwire/room"
)

// AppendFrame appends the server frame that holds the encoded events: a JSON array.
// The events are copied as they are.
func AppendFrame(dst []byte, events ...[]byte) []byte {
	dst = append(dst, '[')
	for i, e := range events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, e...)
	}
	return append(dst, ']')
}

// AppendTextHeader appends the header of a server's WebSocket text frame with a payload
// of n bytes: RFC 6455, section 5.2, whole, unmasked and uncompressed.
func AppendTextHeader(dst []byte, n int) []byte {
	const finText = 0x81
	switch {
	case n < 126:
		return append(dst, finText, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, finText, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, finText, 127), uint64(n)) //nolint:gosec // a length
	}
}

// Encode returns the event's own bytes, of exactly the needed capacity: they are
// shared and kept, so that spare capacity would be kept, too.
func Encode(e Event) []byte {
	var scratch [512]byte
	b := e.Append(scratch[:0])
	out := make([]byte, len(b))
	copy(out, b)
	return out
}

// object writes one event. Members come in the order of the calls, which the
// golden files fix.
type object []byte

func open(dst []byte, typ string) object {
	dst = append(dst, `{"type":"`...)
	dst = append(dst, typ...)
	return append(dst, '"')
}

func (o object) name(name string) object {
	o = append(o, `,"`...)
	o = append(o, name...)
	return append(o, `":`...)
}

func (o object) str(name, value string) object { return quote(o.name(name), value) }

func (o object) num(name string, value int64) object {
	return strconv.AppendInt(o.name(name), value, 10)
}

func (o object) unum(name string, value uint64) object {
	return strconv.AppendUint(o.name(name), value, 10)
}

func (o object) flag(name string, value bool) object {
	return strconv.AppendBool(o.name(name), value)
}

func (o object) msgID(id room.MsgID) object { return o.str("msg_id", id.String()) }

func (o object) close() []byte { return append(o, '}') }

// quote appends a JSON string. Its error says only that bytes that are not UTF-8
// were replaced: the best that can be done with them.
func quote(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// list appends the elements between brackets.
func list[T any](dst []byte, elements []T, each func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, e := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = each(dst, e)
	}
	return append(dst, ']')
}

// first appends the name of an object's first member.
func first(dst []byte, name string) []byte {
	dst = append(dst, `{"`...)
	dst = append(dst, name...)
	return append(dst, `":`...)
}
