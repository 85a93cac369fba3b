package room

import "time"

// knowledge is what the room knows of a gift. It only rises: what a send may have
// done is not undone by what a later one says.
type knowledge int

const (
	// notTaken: never sent, or surely recorded by no send so far.
	notTaken knowledge = iota
	// unknown: some send may have been recorded. Sticky: a later Code != 0 says nothing
	// of the earlier send.
	unknown
	// recorded: ZEGO has it, but what it says of it is not a result: 10005, a number
	// that nobody knows, or rows that contradict each other.
	recorded
)

// finding is what one answer says of one gift.
type finding int

const (
	silence    finding = iota // no understandable answer
	refusal                   // Code != 0: no gift of the list was recorded
	badRequest                // 7200004: the same, and a gift of the list may be the reason
	noRow                     // Code 0 without a row for this gift
	given                     // 0
	notJoined                 // 10003
	noSuchGift                // 10004
	processing                // 10006
	unclear                   // 10005, an unknown result, contradicting rows
)

// move is what the room does with a gift next.
type move int

const (
	sendAgain move = iota // in the next call of its lane, after the lane's backoff
	rest                  // send it again after a wait of its own
	split                 // bisect the list that it was in
	lookUp                // query; never send it again
	settle                // it is decided
)

// fate is a row's worth of the table: what is known now, what to do, and with settle
// how it ends.
type fate struct {
	know   knowledge
	move   move
	status Status
	reason Reason
}

func settled(s Status, r Reason) fate { return fate{move: settle, status: s, reason: r} }

// The table (DESIGN.md, "Fate of a gift") is the five functions below, and nothing
// else decides a gift:
//
//	event                    not taken               unknown                  recorded
//	send: no answer          unknown, send again     send again               -
//	send: Code != 0          send again              send again               -
//	send: 7200004            bisect                  bisect                   -
//	  and it was alone       failed refused          send again, alone        -
//	send: row missing, 10006 unknown, rest           rest                     -
//	any: row 0               delivered               delivered                delivered
//	any: row 10003, 10004    failed                  failed                   failed
//	any: other row           recorded, look up       recorded, look up        look up
//	too old to be sent       failed by last Code     look up                  look up
//	query: no row            -                       look up; the third in    look up
//	                                                 time: failed expired
//	query: 10006, no answer  -                       look up                  look up
//	looked up too long       -                       unresolved at 23 h       unresolved after 60 s
//
// "-" cannot happen: a recorded gift is not sent, one that is not taken is not
// queried.

// Bounds of looking a gift up.
const (
	// emptyAnswersMax is how many queries in a row may know nothing of an unknown gift
	// before it is taken for not given.
	emptyAnswersMax = 3
	// emptyAnswersFrom is how long after the end of the last send such a query has to
	// start: an earlier one may have overtaken the send, or ZEGO's own queues.
	emptyAnswersFrom = 30 * time.Second
	// recordedFor is how long a recorded gift without a result is looked up before a
	// person has to look.
	recordedFor = 60 * time.Second
)

// rowFate is the part that sends and queries share: what a row says.
func rowFate(f finding) (fate, bool) {
	switch f {
	case given:
		return settled(Delivered, ReasonOK), true
	case notJoined:
		return settled(Failed, ReasonNotJoined), true
	case noSuchGift:
		return settled(Failed, ReasonNoSuchGift), true
	case unclear:
		return fate{know: recorded, move: lookUp}, true
	default:
		return fate{}, false
	}
}

// afterSend is what becomes of a gift that a call carried.
func afterSend(k knowledge, f finding) fate {
	if fate, ok := rowFate(f); ok {
		return fate
	}
	switch f {
	case refusal:
		return fate{know: k, move: sendAgain}
	case badRequest:
		return fate{know: k, move: split}
	case noRow, processing:
		return fate{know: max(k, unknown), move: rest}
	default: // silence; anything that is not understood is treated as unknown
		return fate{know: max(k, unknown), move: sendAgain}
	}
}

// refusedAlone is what becomes of a gift that got 7200004 in a call of its own. An
// unknown one may have been given by an earlier send, so it cannot be failed; it goes
// on alone, not to spoil other gifts' calls.
func refusedAlone(k knowledge) fate {
	if k == notTaken {
		return settled(Failed, ReasonRefused)
	}
	return fate{know: k, move: rest}
}

// tooOld is what becomes of a gift that must not be sent any more. last is the class
// of the last Code that a send of it got.
func tooOld(k knowledge, last Class) fate {
	switch {
	case k != notTaken:
		return fate{know: k, move: lookUp}
	case last == ClassNotStarted:
		return settled(Failed, ReasonNotStarted)
	case last == ClassNoGame:
		return settled(Failed, ReasonGameNotFound)
	default:
		return settled(Failed, ReasonExpired)
	}
}

// afterQuery is what becomes of a gift that was looked up. empty counts the answers in
// a row, this one included, that knew nothing of it and count.
func afterQuery(k knowledge, f finding, empty int) fate {
	if fate, ok := rowFate(f); ok {
		return fate
	}
	if f == noRow && k == unknown && empty >= emptyAnswersMax {
		return settled(Failed, ReasonExpired)
	}
	return fate{know: k, move: lookUp}
}

// lookedUpEnough is what becomes of a gift that no query decides: age is its own,
// since is how long it has been known to be recorded.
func lookedUpEnough(k knowledge, age, since time.Duration) fate {
	if age >= SendAgeMax || (k == recorded && since >= recordedFor) {
		return settled(Unresolved, ReasonUnknownOutcome)
	}
	return fate{know: k, move: lookUp}
}
