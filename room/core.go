package room

import "time"

// Now is when an event happens. The core reads no clock: whoever steps it says
// what time it is.
type Now struct {
	// Mono is monotonic time since any origin that is fixed for the core's life.
	// All waiting and the budget are counted in it.
	Mono time.Duration
	// Wall is Unix ms. It may jump; it is used for a gift's age (together with
	// Mono, the larger wins) and to stamp attempts and decisions.
	Wall int64
}

// Action names one of the four kinds of call. Each has its own slot (one call in
// flight a room) and its own budget, so that a hanging query does not hold gifts.
type Action int

// The actions.
const (
	ActionGifts Action = iota
	ActionComments
	ActionLikes
	ActionQuery
	actions = iota
)

// String is a bounded label.
func (a Action) String() string {
	switch a {
	case ActionGifts:
		return "gifts"
	case ActionComments:
		return "comments"
	case ActionLikes:
		return "likes"
	default:
		return "query"
	}
}

// Event is what happens to a room. The set is closed.
type Event interface{ event() }

// The events.
type (
	// GiftAccepted says that the journal has the gift. Given in journal order, each
	// MsgID at most once while it is open; a repeat of an open one is ignored.
	GiftAccepted struct {
		Gift *Gift
		// StoredAt is the journal's wall clock time of the record, Unix ms.
		StoredAt int64
		// AgeAtRead is how old the gift was when the owner read it.
		AgeAtRead time.Duration
		// Recovered: the gift was open when the partition was taken over, so an
		// earlier owner may have sent it: its outcome is unknown, its last send is
		// taken to end at SentUntil.
		Recovered bool
		SentUntil time.Duration // Mono; with Recovered
	}
	// Commented is a viewer's comment. A joining one holds that viewer's gifts, but for
	// those in a call, until ZEGO has taken it; it is tried again when a call fails, and
	// given up when it is as old as a gift may become. Any other is tried once.
	Commented struct {
		Game    string // MiniGameId
		Comment Comment
	}
	// Liked is some likes of a viewer, merged with those that wait. They are tried once.
	Liked struct {
		Game string // MiniGameId
		Like Like
	}
	// GameChanged tells the phase of the game. Gifts are held while it is ended, and go
	// on one flush interval after a round starts: joins that are repeated for the new
	// round go before them.
	GameChanged struct{ Game Game }
	// CallEnded is the answer of a call that an effect asked for.
	CallEnded struct {
		ID     uint64 // Call.ID
		Answer Answer
	}
	// CallHeld says that a call that an effect asked for was not started, because the
	// lease or the endpoint's breaker forbade it. Nothing was sent; nothing more of its
	// action is started before Until.
	CallHeld struct {
		ID    uint64
		Until time.Duration // Mono
	}
	// TimerFired says that the time asked for by Effects.Wake has come. Harmless at any
	// time.
	TimerFired struct{}
	// Stopped ends the core's life: no more calls are started and no gift is given up;
	// the answers of calls in flight still decide. It cannot be undone.
	Stopped struct{}
)

func (GiftAccepted) event() {}
func (Commented) event()    {}
func (Liked) event()        {}
func (GameChanged) event()  {}
func (CallEnded) event()    {}
func (CallHeld) event()     {}
func (TimerFired) event()   {}
func (Stopped) event()      {}

// Call is a call to start now. Exactly one of the four payloads is set, by Action.
type Call struct {
	ID       uint64 // never repeated within one core
	Action   Action
	Gifts    *GiftCall
	Comments *CommentCall
	Likes    *LikeCall
	Query    *QueryCall
}

// Alarm is something that a person should hear of: the room cannot mend it.
type Alarm struct {
	Class   Class
	Code    int
	Message string
}

// Effects is what to do after a step, in this order: start Calls, hand Decisions
// over, report Joined, raise Alarms, and step with TimerFired at Wake. What it holds
// is not reused: it is the caller's to keep.
type Effects struct {
	Calls     []Call
	Decisions []Decision
	// Joined: joining comments that ZEGO has taken (Code 0) in this step, so that the
	// owner need not send them again after a restart.
	Joined []Comment
	Alarms []Alarm
	// Wake is the Mono time of the next TimerFired; 0: none is needed.
	Wake time.Duration
	// Idle says that nothing is open, waiting or in flight, and no budget is owed, so
	// the goroutine may end. The core can be kept or dropped; a core made in place of a
	// dropped one has to be told the game's state again (CoreConfig.Game).
	Idle bool
	// Shed is what this step dropped of comments and likes, because more waited than
	// may, or their only call failed.
	Shed Shed
}

// Shed counts what was dropped, which happens to nothing that was accepted as a
// gift.
type Shed struct {
	Comments int // comments, given up joins included
	Likes    int // likes, not viewers
}
