package zego

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/giftwire/giftwire/room"
)

// messageMax bounds what is kept of a message, in bytes: [room.Answer]'s bound.
const messageMax = 256

// Error is a call that was not consumed, or of which nothing is known. It holds no
// secret and no signature.
type Error struct {
	Action  Action
	Outcome room.Outcome // NotTaken or Unknown
	// Class is what the Code asks for; ClassBadRequest also for a local value that
	// ZEGO would refuse; else ClassNone.
	Class     room.Class
	Code      int    // ZEGO's Code, 0 when no answer was understood
	Message   string // ZEGO's Message, or what went wrong; at most 256 bytes
	RequestID string // ZEGO's RequestId, may be empty
	Status    int    // HTTP status, 0 when there was no answer
	Err       error  // the cause below, may be nil
}

// Error names action, outcome, code and message.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "zego: %s: %s", e.Action, e.Outcome)
	if e.Code != 0 {
		info, _ := LookupCode(e.Code)
		fmt.Fprintf(&b, ": code %d (%s)", e.Code, info.Name)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.RequestID != "" {
		b.WriteString(" [" + e.RequestID + "]")
	}
	return b.String()
}

// Unwrap returns the cause: context.DeadlineExceeded, a *net.OpError and such.
func (e *Error) Unwrap() error { return e.Err }

// badRequest is a value that ZEGO would refuse, found before sending.
func badRequest(action Action, fault error) *Error {
	return &Error{
		Action: action, Outcome: room.NotTaken, Class: room.ClassBadRequest,
		Message: clean(fault.Error(), messageMax), Err: fault,
	}
}

// withoutURL drops the layers that name the URL, and with it the signature. A
// plain http.Transport adds none; another RoundTripper may.
func withoutURL(err error) error {
	var withURL *url.Error
	for errors.As(err, &withURL) {
		err = withURL.Err
	}
	return err
}

// clean makes foreign text fit for a log line: valid UTF-8, no control characters,
// at most limit bytes, cut between runes.
func clean(s string, limit int) string {
	// What is cut off anyway is not looked at: a message may be a megabyte.
	if len(s) > 4*limit {
		s = s[:4*limit]
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
