package room

import (
	"slices"
	"unicode/utf8"
)

// messageMax bounds texts for people, in bytes.
const messageMax = 256

// history is what is remembered of one gift's calls: the first half of
// [AttemptsMax] and the newest half.
type history struct {
	kept  []Attempt
	count int // calls so far, dropped ones included
}

// add notes a call that carried the gift.
func (h *history) add(a Attempt) {
	h.count++
	a.N = h.count
	if len(h.kept) == AttemptsMax {
		h.kept = slices.Delete(h.kept, AttemptsMax/2, AttemptsMax/2+1)
	}
	h.kept = append(h.kept, a)
}

// attemptOf describes a call to one of its gifts.
func attemptOf(f *flight, a *Answer, row *reading, endedAt int64) Attempt {
	t := Attempt{
		Query: f.action == ActionQuery, StartedAt: f.started.Wall, EndedAt: endedAt,
		Outcome: a.Outcome, Code: a.Code, RequestID: a.RequestID, Message: a.Message,
	}
	if row.found {
		t.HasRow, t.Result, t.Message = true, row.Result, row.Message
	}
	t.Message = clip(t.Message)
	return t
}

// clip cuts a text for people to messageMax bytes, between two characters.
func clip(s string) string {
	if len(s) <= messageMax {
		return s
	}
	cut := messageMax
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
