package room

// Status is the fate of a gift.
type Status int

// A gift is Pending until one of the other three is written, once.
const (
	Pending Status = iota
	Delivered
	Failed
	Unresolved
)

// String is the name used on the wire.
func (s Status) String() string {
	switch s {
	case Delivered:
		return "delivered"
	case Failed:
		return "failed"
	case Unresolved:
		return "unresolved"
	default:
		return "pending"
	}
}

// Reason tells people and programs why a gift ended as it did. The list is
// closed: PROTOCOL.md, "Reasons of a result".
type Reason string

// The reasons.
const (
	ReasonOK             Reason = "ok"
	ReasonNotJoined      Reason = "not_joined_or_refused" // 10003
	ReasonNoSuchGift     Reason = "no_such_gift"          // 10004
	ReasonNotStarted     Reason = "game_not_started"      // 7206001 until the time to live
	ReasonGameNotFound   Reason = "game_not_found"        // 7202001, 7202002 until the time to live
	ReasonRefused        Reason = "refused"               // 7200004 for this gift alone
	ReasonExpired        Reason = "expired"               // surely not given, and too late to send
	ReasonUnknownOutcome Reason = "unknown_outcome"       // ZEGO may or may not have given it
	ReasonGameError      Reason = "game_error"            // other
)

// Decision is the end of one gift. The first one written wins (P2).
type Decision struct {
	Gift     *Gift
	Status   Status // never Pending
	Code     int    // ZEGO's Result or Code; 0 for delivered
	Reason   Reason
	Message  string    // for people, at most 256 bytes
	At       int64     // when it was decided, Unix ms
	Attempts []Attempt // at most AttemptsMax; the first and the newest are kept
}

// AttemptsMax bounds what is remembered of one gift's calls: the first half and
// the newest half, so that a gift that was retried for an hour still shows how it
// began and how it ended.
const AttemptsMax = 16

// Attempt is one call that carried the gift, and its answer.
type Attempt struct {
	N         int   // counts from 1, dropped ones included
	Query     bool  // a result query, else a send
	StartedAt int64 // Unix ms
	EndedAt   int64 // Unix ms
	Outcome   Outcome
	Code      int
	Result    int  // the gift's own row, if HasRow
	HasRow    bool // the answer had a row for this gift
	RequestID string
	Message   string
}
