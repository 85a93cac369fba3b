package roomtest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/giftwire/giftwire/room"
)

// known is what a gift's whole history says of it.
type known struct {
	visits   int           // that were read
	sent     time.Duration // the end of the last send
	end      *room.Row     // the first row that is a result
	unknown  bool          // some send may have been recorded
	recorded bool          // ZEGO has it, without a result
	since    time.Duration
	empty    int        // answers in a row that know nothing of it, and count
	refused  bool       // the last send carried it alone and was refused
	last     room.Class // of the last Code
}

// knows reads the gift's history: what has ended since it did last.
func (t *Twin) knows(s *story) *known {
	for _, v := range s.visits[s.known.visits:] {
		if !v.ended {
			break
		}
		s.known.read(s, v)
		s.known.visits++
	}
	return &s.known
}

// read reads one call that has ended.
func (k *known) read(s *story, v *callStory) {
	if v.Action == room.ActionGifts {
		k.sent = v.endedAt
		k.afterSend(s, v)
	}
	row, rows := s.row(v)
	switch {
	case rows == 0 && v.Action == room.ActionQuery && v.answer.Outcome == room.Consumed:
		if v.started.Mono-k.sent >= 30*time.Second {
			k.empty++
		}
	case rows == 0:
	case rows > 1 || row.Class == room.ResultException || row.Class == room.ResultOther:
		if !k.recorded {
			k.recorded, k.since = true, v.endedAt
		}
		k.empty = 0
	case row.Class == room.ResultPending:
		k.empty = 0
	case k.end == nil:
		k.end = &row
	}
}

func (k *known) afterSend(s *story, v *callStory) {
	a := &v.answer
	row, rows := s.row(v)
	k.refused = a.Outcome == room.NotTaken && a.Class == room.ClassBadRequest && len(v.Gifts.Gifts) == 1
	if a.Code != 0 || a.Class > room.ClassRetry {
		k.last = a.Class
	}
	if a.Outcome == room.Unknown || (a.Outcome == room.Consumed && (rows == 0 || row.Class == room.ResultPending)) {
		k.unknown = true
	}
}

// row returns the gift's row in the answer, and how many different ones there are.
func (s *story) row(v *callStory) (row room.Row, different int) {
	if v.answer.Outcome != room.Consumed {
		return row, 0
	}
	var mine, strange []room.Row
	for _, r := range v.answer.Rows {
		switch {
		case r.MsgID != s.Gift.MsgID:
		case r.At == 0 || r.At == s.Gift.At:
			mine = append(mine, r)
		default:
			strange = append(strange, r)
		}
	}
	if len(mine) == 0 {
		mine = strange
	}
	for i, r := range mine {
		same := func(o room.Row) bool { return o.Class == r.Class && o.Result == r.Result }
		if !slices.ContainsFunc(mine[:i], same) {
			different++
		}
	}
	if different > 0 {
		row = mine[0]
	}
	return row, different
}

// ending is how a gift has to end now.
type ending struct {
	status room.Status
	reason room.Reason
}

// ends works out how the gift has to end now, if it has to. By grace it may take that
// much longer where its age is what ends it.
func (t *Twin) ends(s *story, grace time.Duration) (ending, bool) {
	k, age := t.knows(s), t.age(s)-grace
	switch {
	case k.end != nil && k.end.Class == room.ResultDelivered:
		return ending{room.Delivered, room.ReasonOK}, true
	case k.end != nil && k.end.Class == room.ResultNotJoined:
		return ending{room.Failed, room.ReasonNotJoined}, true
	case k.end != nil:
		return ending{room.Failed, room.ReasonNoSuchGift}, true
	case k.recorded:
		return ending{room.Unresolved, room.ReasonUnknownOutcome}, age >= room.SendAgeMax || t.now.Mono-k.since >= time.Minute
	case k.unknown && k.empty >= 3:
		return ending{room.Failed, room.ReasonExpired}, true
	case k.unknown:
		return ending{room.Unresolved, room.ReasonUnknownOutcome}, age >= room.SendAgeMax
	case k.refused:
		return ending{room.Failed, room.ReasonRefused}, true
	case k.last == room.ClassNotStarted:
		return ending{room.Failed, room.ReasonNotStarted}, age >= t.sendable()
	case k.last == room.ClassNoGame:
		return ending{room.Failed, room.ReasonGameNotFound}, age >= t.sendable()
	default:
		return ending{room.Failed, room.ReasonExpired}, age >= t.sendable()
	}
}

// judgeDecision asks whether the gift has to end, and so (P2).
func (t *Twin) judgeDecision(d *room.Decision) error {
	s := t.story(d.Gift.MsgID)
	switch {
	case s == nil || s.decision != nil:
		return errors.New("the gift is not open")
	case s.flies():
		return errors.New("the gift is in a call")
	}
	if want, ok := t.ends(s, 0); !ok || want != (ending{d.Status, d.Reason}) {
		return fmt.Errorf("the history says %v %v, due %v", want.status, want.reason, ok)
	}
	s.decision = d
	n := len(s.visits)
	switch {
	case len(d.Attempts) != min(n, room.AttemptsMax):
		return fmt.Errorf("%d attempts of %d", len(d.Attempts), n)
	case n > 0 && (d.Attempts[0].N != 1 || d.Attempts[len(d.Attempts)-1].N != n):
		return errors.New("the first or the last attempt is missing")
	case d.Status == room.Delivered && d.Code != 0, d.Message == "", len(d.Message) > 256, d.At != t.now.Wall:
		return fmt.Errorf("code %d, message %q, at %d", d.Code, d.Message, d.At)
	}
	return nil
}

// lateMax is how late a gift may be given up when the wall clock moves a little.
const lateMax = 1001 * time.Millisecond

// judgeOverdue asks whether a gift should have been decided.
func (t *Twin) judgeOverdue() error {
	for _, s := range t.gifts {
		if s.decision != nil || s.flies() {
			continue
		}
		k := t.knows(s)
		answered := k.end != nil || (k.refused && !k.unknown) || (k.empty >= 3 && !k.recorded)
		if t.stopped && !answered {
			continue // a stopped core gives up nothing
		}
		if want, ok := t.ends(s, lateMax); ok {
			return fmt.Errorf("gift %s should have ended: %v %v", s.Gift.ClientID, want.status, want.reason)
		}
	}
	return nil
}
