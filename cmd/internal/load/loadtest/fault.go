// Package loadtest is a hub for tests of the load generator: it does what the protocol
// says in the simplest way, and breaks one promise where it is told to.
package loadtest

import "time"

// stallTime is how long a hub with the fault Stalls stands still.
const stallTime = time.Second

// Fault is a promise that is broken, once, in the middle of a room's gifts.
type Fault string

// The faults. None breaks nothing, and Lagged only looks as if it did.
const (
	None          Fault = ""
	Lagged        Fault = "lagged"          // an event is lost, and announced as such
	RepeatsResult Fault = "repeats result"  // a result comes twice
	OtherResult   Fault = "other result"    // another result follows the first
	NoResult      Fault = "no result"       // accepted, and never decided
	LosesAccepted Fault = "loses accepted"  // a result without accepted
	OtherMsgID    Fault = "other msg_id"    // accepted under another MsgId
	Unanswered    Fault = "unanswered"      // a gift that nobody hears of again
	HidesGift     Fault = "hides gift"      // the same, but the ledger has it
	RejectsGiven  Fault = "rejects given"   // rejected, and in the ledger
	SkipsSeq      Fault = "skips seq"       // one viewer does not hear one event
	RepeatsSeq    Fault = "repeats seq"     // one viewer hears one event twice
	BadLagged     Fault = "bad lagged"      // the lagged names the wrong sequence
	OtherContent  Fault = "other content"   // one viewer hears another event
	LosesEnd      Fault = "loses end"       // one viewer hears nothing more
	StartsOver    Fault = "starts over"     // whoever comes back has to start over
	ResumesWrong  Fault = "resumes wrong"   // whoever comes back is put elsewhere
	NotShown      Fault = "not shown"       // no event shows a delivered gift
	ShownTwice    Fault = "shown twice"     // two gifts of an event are the same
	ShowsFailed   Fault = "shows failed"    // an event shows a failed gift
	NoFrame       Fault = "no frame"        // what is sent is no array of events
	StrangeAnswer Fault = "strange answer"  // an answer to a gift of somebody else
	NotInLedger   Fault = "not in ledger"   // a result without a row
	TwiceInLedger Fault = "twice in ledger" // two rows of a gift
	LedgerDiffers Fault = "ledger differs"  // the row says something else
	LedgerInvents Fault = "ledger invents"  // a row of a gift that was never sent
	Counters      Fault = "counters"        // they are one off
	Refuses       Fault = "refuses"         // nobody is let in
	SendsAway     Fault = "sends away"      // one viewer is told not to come back
	RefusesLedger Fault = "refuses ledger"  // the ledger cannot be read
	Stalls        Fault = "stalls"          // the hub stands still for stallTime
	ForgetsRooms  Fault = "forgets rooms"   // rooms cannot be made
	faultAt             = 20                // the gift of a room that a fault is for
)
