package room

import "time"

// stage is where an open gift is.
type stage int

const (
	held    stage = iota // its turn has not come: a join comment or an earlier gift of the viewer is before it
	ready                // in its lane, for the next call
	suspect              // in a part of a list that was refused
	resting              // waiting out its own backoff
	flying               // in a call
	asking               // looked up: waiting for its next query
	closed               // decided: whoever still points to it leaves it alone
)

// openGift is a gift that is not decided.
type openGift struct {
	place

	gift  *Gift
	order uint64 // place in the journal
	size  int    // GiftSize
	birth birth
	lane  *lane
	know  knowledge

	turn    turn    // its place among the viewer's gifts
	sends   sends   // what became of its sends
	lookup  lookup  // its queries
	history history // its attempts, for people
}

// place is where an open gift is, and until when if nothing happens.
type place struct {
	stage  stage
	alarm  time.Duration // when it has to be looked at again
	seat   flightSeat
	places [seats]int // index + 1 in the heap of each seat; kept by giftHeap
}

// sends is what a gift remembers of its sends.
type sends struct {
	ended   time.Duration // Mono, of the last one
	due     time.Duration // when it wants to go, while it is ready
	rests   int           // own backoffs so far
	class   Class         // of the last answer with a Code
	code    int
	message string
	alone   bool // only in a call of its own: it was refused alone
}

// flightSeat is the place of a flying gift in its call.
type flightSeat struct {
	call  uint64
	index int
}

// age is how old the gift is.
func (g *openGift) age(now Now) time.Duration { return g.birth.age(now) }

// sendUntil is the age at which the gift is too old to be sent: the time to live, but
// never past the age at which ZEGO may have forgotten the id, whatever the limits say.
func sendUntil(l Limits) time.Duration { return min(l.GiftTTL, SendAgeMax) }

// book is what is open, with one alarm clock a gift. It is bounded by whoever accepts
// gifts: 20,000 a room in the hub, at about 1 KiB each with a few attempts.
type book struct {
	gifts  map[MsgID]*openGift
	alarms giftHeap
	orders uint64 // gifts so far
	drift  int64  // Wall - Mono in ms, that the alarms were set by
}

// driftMax is how far the wall clock may move against the monotonic one, in ms, before
// the alarms are set anew: an alarm that was set at one end of that range goes off a
// second late at the other. No gift is sent in that second, because its exact age is
// looked at then.
const driftMax = 500

func newBook() book {
	return book{alarms: giftHeap{seat: seatAlarm, before: func(a, b *openGift) bool {
		return a.alarm < b.alarm || (a.alarm == b.alarm && a.order < b.order)
	}}}
}

// find returns the open gift or nil.
func (b *book) find(id MsgID) *openGift { return b.gifts[id] }

// add opens a gift.
func (b *book) add(g *openGift) {
	if b.gifts == nil {
		b.gifts = make(map[MsgID]*openGift)
	}
	b.orders++
	g.order = b.orders
	b.gifts[g.gift.MsgID] = g
}

// drop closes a gift.
func (b *book) drop(g *openGift) {
	b.unset(g)
	delete(b.gifts, g.gift.MsgID)
}

// set sets the gift's alarm clock.
func (b *book) set(g *openGift, at time.Duration) {
	g.alarm = at
	if b.alarms.holds(g) {
		b.alarms.fix(g)
		return
	}
	b.alarms.push(g)
}

// unset stops the gift's alarm clock.
func (b *book) unset(g *openGift) {
	if b.alarms.holds(g) {
		b.alarms.remove(g)
	}
}

// next is when the next alarm goes off.
func (b *book) next() time.Duration {
	if b.alarms.len() == 0 {
		return never
	}
	return b.alarms.top().alarm
}

// follow notices a jump of the wall clock, and then sets every alarm anew: O(n), once a
// jump.
func (b *book) follow(now Now, alarm func(*openGift) time.Duration) {
	drift := now.Wall - now.Mono.Milliseconds()
	if d := drift - b.drift; d <= driftMax && d >= -driftMax {
		return
	}
	b.drift = drift
	for _, g := range b.alarms.items {
		g.alarm = alarm(g)
	}
	b.alarms.rebuild()
}
