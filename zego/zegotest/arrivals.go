package zegotest

import (
	"context"
	"slices"
	"time"

	"github.com/giftwire/giftwire/zego"
)

// Arrival is one call as it came to ZEGO's door, whatever became of it.
type Arrival struct {
	Seq     uint64      `json:"seq"` // counts calls from 1
	At      time.Time   `json:"at"`
	Action  zego.Action `json:"action"`
	Room    string      `json:"room"`
	Game    string      `json:"mini_game_id"`
	Entries []Entry     `json:"entries"`
	Over    bool        `json:"over"` // over the budget
	// Working: its gifts are being processed; repeats of their MsgIds get 10006.
	Working bool `json:"working"`
	// Done: the call has ended, the rest is final.
	Done bool `json:"done"`
	Outcome
}

// Outcome is what became of a call.
type Outcome struct {
	// Processed: it reached the game, so its gifts are consumed.
	Processed bool `json:"processed"`
	// Code and Status are what was answered, or would have been if Reply lost it.
	Code   int   `json:"code"`
	Status int   `json:"status"`
	Reply  Reply `json:"reply"`
	TookMS int64 `json:"took_ms"`
}

// Entry is one entry of a call's list; what does not apply is empty.
type Entry struct {
	User     string `json:"user_id,omitzero"`
	Nickname string `json:"nickname,omitzero"`
	MsgID    string `json:"msg_id,omitzero"`
	Gift     string `json:"gift_id,omitzero"`
	Value    int    `json:"value,omitzero"`
	Num      int    `json:"num,omitzero"`
	Text     string `json:"text,omitzero"`   // of a comment
	Amount   int    `json:"amount,omitzero"` // of likes
	Result   int    `json:"result"`          // of a gift, as answered
	Effects  int    `json:"effects"`         // of a gift, how often it has had its effect
}

// Arrivals lists calls with Seq greater than since, oldest first, at most limit. The
// log shows the newest [MemoryChoices.Arrivals]; if older ones were dropped, the
// first Seq is greater than since+1.
func (s *Server) Arrivals(since uint64, limit int) []Arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.arrivals.after(since, limit)
	for i := range list {
		list[i] = list[i].clone()
	}
	return list
}

// clone copies the entries too: the log's change until the call has ended.
func (a Arrival) clone() Arrival {
	a.Entries = slices.Clone(a.Entries)
	return a
}

// Calls counts the calls of an action that have arrived for a room, over the whole
// run; an empty room means all.
func (s *Server) Calls(roomID string, action zego.Action) int {
	calls := 0
	for _, b := range s.Budget() {
		if (roomID == "" || b.Room == roomID) && b.Action == action {
			calls += int(b.Calls)
		}
	}
	return calls
}

// Changed is closed at the next change of anything: a call arrives or ends, a game
// starts, a rule is used up. Ask for it before looking.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Await blocks until the condition holds, looking again at each change, or ctx
// ends. The condition may call every method of the server.
func (s *Server) Await(ctx context.Context, condition func() bool) error {
	for {
		changed := s.Changed()
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// change wakes who waits. mu is held.
func (s *Server) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}
