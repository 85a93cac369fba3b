package relay

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/cluster"
)

// Subjects. A room's name is one token of a subject; a node's need not be.
const (
	roomSubject = "gw.room."
	chatSubject = "gw.chat."
	beatSubject = "gw.beat"
)

// version begins every message. A change of meaning raises it.
const version = "1"

// The kinds of messages.
const (
	kindNews     = "news"     // number: none
	kindRepeated = "repeated" // number: none
	kindGame     = "game"     // number: of the instance's changes of games
	kindChat     = "chat"     // number: none
	kindBeat     = "beat"     // number: of the instance's messages on gw.beat
	kindHeads    = "heads"    // the same
	kindCounts   = "counts"   // the same
)

// header is a message's first line. Its parts are of the message's bytes.
type header struct {
	kind, node, instance []byte
	number               uint64
}

var (
	errVersion  = errors.New("relay: message of another version")
	errMessage  = errors.New("relay: message cannot be read")
	errTooLarge = errors.New("relay: message is too large")
)

// origin is who sends: the instance is new with every relay, so that a node that
// restarts is not taken for its earlier life.
type origin struct{ node, instance string }

// encode makes a message.
func (o origin) encode(kind string, number uint64, body any) ([]byte, error) {
	b := make([]byte, 0, 1<<10)
	for _, part := range [...]string{version, kind, o.node, o.instance} {
		b = append(append(b, part...), ' ')
	}
	buf := bytes.NewBuffer(append(strconv.AppendUint(b, number, 10), '\n'))
	if err := json.MarshalWrite(buf, body); err != nil {
		return nil, fmt.Errorf("relay: encode %s: %w", kind, err)
	}
	if buf.Len() > cluster.MessageMax {
		return nil, fmt.Errorf("%w: %s of %d bytes", errTooLarge, kind, buf.Len())
	}
	return buf.Bytes(), nil
}

// parse cuts a message in two.
func parse(data []byte) (header, []byte, error) {
	line, body, ok := bytes.Cut(data, []byte{'\n'})
	v, rest, _ := bytes.Cut(line, []byte{' '})
	if !ok || len(v) == 0 {
		return header{}, nil, errMessage
	}
	if string(v) != version {
		return header{}, nil, errVersion
	}
	parts := bytes.Split(rest, []byte{' '})
	if len(parts) != 4 {
		return header{}, nil, fmt.Errorf("%w: %d parts", errMessage, len(parts))
	}
	h := header{kind: parts[0], node: parts[1], instance: parts[2]}
	number, err := strconv.ParseUint(string(parts[3]), 10, 64)
	if err != nil || len(h.node) == 0 || len(h.instance) == 0 {
		return header{}, nil, fmt.Errorf("%w: first line %.80q", errMessage, line)
	}
	h.number = number
	return h, body, nil
}

// read decodes a message's body.
func read[T any](body []byte) (T, error) {
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fmt.Errorf("%w: %w", errMessage, err)
	}
	return v, nil
}
