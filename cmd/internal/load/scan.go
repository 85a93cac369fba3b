package load

import (
	"bytes"
	"fmt"

	"github.com/giftwire/giftwire/hub/wire"
)

// objectEnd is the length of the JSON object that text begins with, and 0 where there is
// none. It only counts braces outside of strings: whoever reads the object finds what
// else is wrong.
func objectEnd(text []byte) int {
	if len(text) == 0 || text[0] != '{' {
		return 0
	}
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		}
	}
	return 0
}

// kindOf is the type of an event that begins with it, as this project's hub writes it;
// "" for any other text.
func kindOf(text []byte) string {
	rest, ok := bytes.CutPrefix(text, []byte(`{"type":"`))
	if !ok {
		return ""
	}
	kind, _, _ := bytes.Cut(rest[:min(len(rest), 16)], []byte(`"`))
	return string(kind)
}

// parseOne reads one event; nil for a type that is not known.
func parseOne(text []byte) (wire.Event, error) {
	events, err := wire.Parse(wire.AppendFrame(nil, text))
	if err != nil || len(events) == 0 {
		return nil, err
	}
	return events[0], nil
}

// separator takes the comma before the next event, or the array's end.
func separator(rest []byte) (after []byte, more bool, err error) {
	switch {
	case len(rest) > 1 && rest[0] == ',':
		return rest[1:], true, nil
	case len(rest) == 1 && rest[0] == ']':
		return nil, false, nil
	}
	return nil, false, fmt.Errorf("%w: no array of events", wire.ErrBadFrame)
}
