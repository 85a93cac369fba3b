package wire

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrBadFrame is wrapped by errors of [Parse].
var ErrBadFrame = errors.New("wire: bad server frame")

// Parse reads a server frame as a client does: event types and members that it does
// not know are left out. The events are values, not pointers.
func Parse(frame []byte) ([]Event, error) {
	var raw []jsontext.Value
	if err := json.Unmarshal(frame, &raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadFrame, err)
	}
	events := make([]Event, 0, len(raw))
	for _, value := range raw {
		e, err := parseEvent(value)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadFrame, err)
		}
		if e != nil {
			events = append(events, e)
		}
	}
	return events, nil
}

// parseEvent returns nil for a type that is not known.
func parseEvent(value jsontext.Value) (Event, error) {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(value, &head); err != nil {
		return nil, err
	}
	switch head.Type {
	case "welcome":
		return parse[Welcome](value)
	case "accepted":
		return parse[Accepted](value)
	case "rejected":
		return parse[Rejected](value)
	case "result":
		return parse[Result](value)
	case "gifts":
		return parse[Gifts](value)
	case "comments":
		return parse[Comments](value)
	case "likes":
		return parse[Likes](value)
	case "presence":
		return parse[Presence](value)
	case "game":
		return parse[Game](value)
	case "lagged":
		return parse[Lagged](value)
	case "error":
		return parse[Error](value)
	case "pong":
		return parse[Pong](value)
	case "bye":
		return parse[Bye](value)
	case "":
		return nil, errors.New("an event has no type")
	default:
		return nil, nil //nolint:nilnil // told in the doc comment: there is no event for us
	}
}

func parse[E Event](value jsontext.Value) (Event, error) {
	var e E
	if err := json.Unmarshal(value, &e); err != nil {
		return nil, fmt.Errorf("%s: %w", e.Type(), err)
	}
	return e, nil
}
