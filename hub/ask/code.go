package ask

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
)

var (
	// ErrBusy says that the owner has as many questions as it takes at a time. It comes
	// with owner.ErrNotReady.
	ErrBusy = errors.New("ask: the owner has too many questions")
	// ErrFailed says that the owner could not answer, for a reason that asking again does
	// not mend: the message has it.
	ErrFailed = errors.New("ask: the owner failed")
	// ErrVersion says that a message is of another release's version. It comes with
	// owner.ErrNotReady, but asking again is of no use until the nodes are of one.
	ErrVersion = errors.New("ask: message of another version")
)

// code says in an answer why there is no reply.
type code string

const (
	codeOK          code = ""
	codeNotReady    code = "not_ready"
	codeBusy        code = "busy"
	codeUnknownGift code = "unknown_gift"
	codeCursorGone  code = "cursor_gone"
	codeGone        code = "gone"
	codeVersion     code = "version"
	codeFailed      code = "failed"
)

// codeOf is how an owner's error travels.
func codeOf(err error) code {
	switch {
	case err == nil:
		return codeOK
	case errors.Is(err, owner.ErrUnknownGift):
		return codeUnknownGift
	case errors.Is(err, owner.ErrCursorGone):
		return codeCursorGone
	case errors.Is(err, journal.ErrGone):
		return codeGone
	case errors.Is(err, owner.ErrNotReady), errors.Is(err, journal.ErrUnavailable), errors.Is(err, journal.ErrClosed),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		// It takes too long, or the partition is on its way elsewhere.
		return codeNotReady
	default:
		return codeFailed
	}
}

// error is the owner's error as its asker has it.
func (a *answer) error() error {
	switch a.Code {
	case codeOK:
		return nil
	case codeNotReady:
		return a.told(owner.ErrNotReady)
	case codeBusy:
		return a.told(fmt.Errorf("%w: %w", owner.ErrNotReady, ErrBusy))
	case codeUnknownGift:
		return a.told(owner.ErrUnknownGift)
	case codeCursorGone:
		return a.told(owner.ErrCursorGone)
	case codeGone:
		return a.told(journal.ErrGone)
	case codeVersion:
		return a.told(fmt.Errorf("%w: %w", owner.ErrNotReady, ErrVersion))
	case codeFailed:
		return a.told(ErrFailed)
	default: // of a newer release
		return a.told(fmt.Errorf("%w: code %.32q", ErrFailed, string(a.Code)))
	}
}

// told is err with who said it.
func (a *answer) told(err error) error {
	if a.Text == "" {
		return fmt.Errorf("%w (node %.64s)", err, a.Node)
	}
	return fmt.Errorf("%w (node %.64s: %.256s)", err, a.Node, a.Text)
}

// clip cuts a text to textMax bytes, between two characters.
func clip(s string) string {
	if len(s) <= textMax {
		return s
	}
	end := textMax
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
