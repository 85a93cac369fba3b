// Package verdict judges what viewers, ZEGO and the hub's ledger saw of a run with
// faults: whether a gift was lost or had its effect twice, whether a viewer missed
// something in silence, and how many calls came to ZEGO's door at once. It knows
// nothing of the hub but what is promised of it.
package verdict

import "time"

// Statuses of a result.
const (
	Delivered  = "delivered"
	Failed     = "failed"
	Unresolved = "unresolved"
)

// Evidence is what was seen, after everything has healed.
type Evidence struct {
	Gifts    []Gift
	Chains   []Chain
	Arrivals []Arrival // in the order in which they came
	Effects  []Effect
	Ledger   []Row
	// Conflicts is how often ZEGO was sent a MsgId with another content.
	Conflicts uint64
}

// Gift is all that its sender heard of one gift, over all connections and repeats.
type Gift struct {
	Room, User, ID string
	// Accepted are the MsgIds of every accepted event.
	Accepted []string
	Results  []Result
	// Refused: a rejected event ended it, and no sending of it was left without answer.
	Refused bool
}

// Answered reports whether the sender knows what became of the gift.
func (g *Gift) Answered() bool { return len(g.Results) > 0 || g.Refused && len(g.Accepted) == 0 }

// Result is one result event.
type Result struct {
	MsgID, Status, Reason string
	Code                  int
}

// Chain is what one viewer heard of a room's gifts, over its reconnections, each of
// which asked for what came after the last.
type Chain struct {
	Room, Viewer string
	Heard        []Heard
}

// Heard is one event that has a place in the room's order.
type Heard struct {
	Kind    Kind
	Epoch   string // of a welcome
	Resumed bool   // of a welcome
	Seq     uint64 // of a lagged, its from
	To      uint64 // of a lagged
	MsgIDs  []string
}

// Kind is an event's kind.
type Kind int

// The kinds.
const (
	Welcome Kind = iota
	Gifts
	Lagged
)

// Arrival is one call at ZEGO's door, whatever became of it.
type Arrival struct {
	At     time.Time
	Room   string
	Action string
	Limit  int // calls of the action that ZEGO takes in a second and room
	// From is the address of whoever called. It is not judged.
	From string
}

// Effect is one gift given by ZEGO.
type Effect struct{ Room, MsgID string }

// Row is one row of the hub's own ledger.
type Row struct{ Room, MsgID, Status string }
