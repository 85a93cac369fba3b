package zegotest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/giftwire/giftwire/zego"
)

// Reply is how an answer is given.
type Reply string

// The replies.
const (
	// ReplyAnswer gives the answer.
	ReplyAnswer Reply = ""
	// ReplyDrop closes the connection.
	ReplyDrop Reply = "drop"
	// ReplyHang says nothing until the caller gives up; then the connection is closed.
	// [Server.Release] lets the call be answered, or, if it was lost, be dropped.
	ReplyHang Reply = "hang"
	// ReplyHTML is a gateway's error page, with Fault.Status.
	ReplyHTML Reply = "html"
	// ReplyMalformed is text that is not JSON, with status 200.
	ReplyMalformed Reply = "malformed"
	// ReplyTruncated is the first half of the answer, then the connection is closed.
	ReplyTruncated Reply = "truncated"
	// ReplyHuge is the answer with 2 MiB of an unknown field.
	ReplyHuge Reply = "huge"
	// ReplyDrip is the answer at a byte a second.
	ReplyDrip Reply = "drip"
	// ReplyWrongType is the right answer as text/html.
	ReplyWrongType Reply = "wrong_type"
	// ReplyNoCode is the answer without its Code.
	ReplyNoCode Reply = "no_code"
	// ReplyEmpty is status 200 without a body.
	ReplyEmpty Reply = "empty"
)

// Replies lists the replies.
func Replies() []Reply {
	return []Reply{
		ReplyAnswer, ReplyDrop, ReplyHang, ReplyHTML, ReplyMalformed, ReplyTruncated, ReplyHuge,
		ReplyDrip, ReplyWrongType, ReplyNoCode, ReplyEmpty,
	}
}

// Fault is what goes wrong with a call. Its fields act in the order in which they
// stand and can be combined; the zero Fault is a call that goes well.
type Fault struct {
	// Before delays the call on its way in; others may overtake it. It is processed
	// even if its caller has gone meanwhile, as in a slow network.
	Before time.Duration
	// Lost calls never reach the game: nothing is processed.
	Lost bool
	// Code, if not 0, is answered instead of processing.
	Code int
	// Work is how long processing takes: repeats of the MsgIds get 10006 meanwhile. It
	// is done even if the caller has gone.
	Work time.Duration
	// Hold goes on processing until [Server.Release], or the caller gives up.
	Hold bool
	// Result changes what becomes of some gifts.
	Result ResultFault
	// Rows changes the rows of the answer.
	Rows RowFault
	// After delays the answer.
	After time.Duration
	// Reply is how it is given, Status the HTTP status of [ReplyHTML] (default 502).
	Reply  Reply
	Status int
}

// ResultFault gives some gifts another Result.
type ResultFault struct {
	// Result, if not 0. 10005 is remembered but not shown to queries. 10006 is not an
	// outcome: nothing is recorded, unless Happened. Any other is the gift's outcome.
	Result int
	// User and Gift choose the gifts; empty: all.
	User, Gift string
	// Happened: the effect takes place all the same.
	Happened bool
}

func (f ResultFault) hits(g *giftEntry) bool {
	return f.Result != 0 && (f.User == "" || f.User == g.User.UserID) && (f.Gift == "" || f.Gift == g.Info.GiftID)
}

// RowFault changes the rows of an answer, not what they report.
type RowFault struct {
	// Reversed gives them in reverse order.
	Reversed bool
	// Omit leaves out the first so many; a negative number leaves out all.
	Omit int
	// Doubled gives each twice.
	Doubled bool
	// Contradicted follows each by one that says the opposite: 10003 for 0, else 0.
	Contradicted bool
	// Foreign adds a row of a MsgId that nobody sent.
	Foreign bool
}

// DropBefore closes the connection of a call that never reached the game.
func DropBefore() Fault { return Fault{Lost: true, Reply: ReplyDrop} }

// DropAfter processes the call and closes the connection: the answer is lost.
func DropAfter() Fault { return Fault{Reply: ReplyDrop} }

// HangBefore says nothing to a call that has not reached the game.
func HangBefore() Fault { return Fault{Lost: true, Reply: ReplyHang} }

// HangAfter processes the call and says nothing.
func HangAfter() Fault { return Fault{Reply: ReplyHang} }

// Refuse answers the Code without processing.
func Refuse(code int) Fault { return Fault{Code: code} }

// Gateway answers an HTML page with the status; nothing is processed.
func Gateway(status int) Fault { return Fault{Lost: true, Reply: ReplyHTML, Status: status} }

// Answer processes the call and gives the answer in that way.
func Answer(reply Reply) Fault { return Fault{Reply: reply} }

// GiveResult makes the Result the outcome of every gift.
func GiveResult(result int) Fault { return Fault{Result: ResultFault{Result: result}} }

// Slow processes the call at once and answers later.
func Slow(d time.Duration) Fault { return Fault{After: d} }

// Rule says which calls a fault hits. Rules are tried in the order in which they were
// given; the first that hits is used, and no other.
type Rule struct {
	Action zego.Action // empty: any
	Room   string      // empty: any
	// Skip lets so many matching calls pass first.
	Skip int
	// Times is how many calls are hit; 0: no limit.
	Times int
	// For is how long the rule holds, from when it is given, on the server's clock; 0:
	// until it is cleared.
	For   time.Duration
	Fault Fault
}

// rulesMax bounds the rules; beyond it the oldest is dropped.
const rulesMax = 1000

// RuleState is a rule and how it was used.
type RuleState struct {
	ID   int
	Rule Rule
	Hits int
}

// Fail adds a rule and returns its number, for [Server.Clear].
func (s *Server) Fail(rule Rule) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.last++
	s.faults.rules = append(s.faults.rules, &activeRule{
		RuleState: RuleState{ID: s.faults.last, Rule: rule}, since: s.cfg.Now(),
	})
	if len(s.faults.rules) > rulesMax {
		s.faults.rules = s.faults.rules[1:]
	}
	s.change()
	return s.faults.last
}

// Rules lists the rules that still hold.
func (s *Server) Rules() []RuleState {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.expire(s.cfg.Now())
	list := make([]RuleState, len(s.faults.rules))
	for i, r := range s.faults.rules {
		list[i] = r.RuleState
	}
	return list
}

// Clear removes a rule; false if it is not there any more.
func (s *Server) Clear(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.faults.rules {
		if r.ID == id {
			s.faults.rules = append(s.faults.rules[:i:i], s.faults.rules[i+1:]...)
			s.change()
			return true
		}
	}
	return false
}

// ClearAll removes all rules. Calls that hang go on hanging, see [Server.Release].
func (s *Server) ClearAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.rules = nil
	s.change()
}

// Release lets every call that hangs now go on.
func (s *Server) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.released)
	s.released = make(chan struct{})
	s.change()
}

type faultList struct {
	rules []*activeRule
	last  int // number of the newest
}

type activeRule struct {
	RuleState
	since time.Time
	seen  int // matching calls, skipped ones too
}

// expire drops rules whose time is over or that are used up.
func (l *faultList) expire(now time.Time) {
	kept := l.rules[:0]
	for _, r := range l.rules {
		over := r.Rule.For > 0 && now.Sub(r.since) >= r.Rule.For
		if !over && (r.Rule.Times == 0 || r.Hits < r.Rule.Times) {
			kept = append(kept, r)
		}
	}
	clear(l.rules[len(kept):])
	l.rules = kept
}

// pick returns the fault of a call that arrives at now.
func (l *faultList) pick(action zego.Action, roomID string, now time.Time) Fault {
	l.expire(now)
	for _, r := range l.rules {
		if (r.Rule.Action != "" && r.Rule.Action != action) || (r.Rule.Room != "" && r.Rule.Room != roomID) {
			continue
		}
		if r.seen++; r.seen <= r.Rule.Skip {
			continue
		}
		r.Hits++
		return r.Rule.Fault
	}
	return Fault{}
}

// waitMax bounds every time of a fault, so that no handler outlives its test by more.
const waitMax = 10 * time.Minute

// check names the first field of a rule that makes no sense.
func (r Rule) check() error {
	if r.Action != "" && r.Action.PerSecond() == 0 {
		return fmt.Errorf("unknown action %.64q", r.Action)
	}
	if r.Skip < 0 || r.Times < 0 || r.For < 0 {
		return errors.New("skip, times and for must not be negative")
	}
	for _, d := range []time.Duration{r.Fault.Before, r.Fault.Work, r.Fault.After} {
		if d < 0 || d > waitMax {
			return fmt.Errorf("a fault's times must be between 0 and %v", waitMax)
		}
	}
	if s := r.Fault.Status; s != 0 && (s < 300 || s > 599) {
		return fmt.Errorf("status %d is not between 300 and 599", s)
	}
	if !slices.Contains(Replies(), r.Fault.Reply) {
		return fmt.Errorf("unknown reply %.64q", r.Fault.Reply)
	}
	return nil
}

// pause waits for d, and reports false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(min(d, waitMax))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
