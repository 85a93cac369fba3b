package room

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// CoreConfig is what a core has to know before its first step.
type CoreConfig struct {
	// Room is ZEGO's RoomId.
	Room string
	// Limits are the room's times, as [Limits.WithDefaults] returns them.
	Limits Limits
	// Seed draws the backoffs: the same seed and events give the same effects.
	Seed uint64
	// OwnedSince is the Mono time at which the takeover was acknowledged. In the second
	// after it at most [TakeoverCalls] calls of an action start.
	OwnedSince time.Duration
	// NotBefore is the Mono time before which no call starts. An owner starts a second
	// after its takeover if its predecessor's own was less than CallTimeout and a second
	// before: a call of the one before that may still be under way, and stand beside 18
	// of the predecessor. 0: at once.
	NotBefore time.Duration
	// Game is the phase of the room's game, as far as it is known.
	Game GameState
}

// Core is the state machine of one room: events and time in, effects out. It decides
// when which gifts are sent, and what became of each. It has no goroutine, channel,
// clock or randomness of its own: the same config and events give the same effects, so
// that a simulator can replay a failure. It is not safe for concurrent use; [Actor]
// drives one.
//
// A step takes time logarithmic in the number of open gifts, beside what it does for
// the gifts of the call that it starts or ends, or gives up.
type Core struct {
	cfg    CoreConfig
	random rand.PCG
	phase  phase
	calls  uint64 // calls so far; the newest one's id

	now Now     // of the step under way
	out Effects // of the step under way

	book  book
	slots [actions]slot
	waiting
}

// phase is what forbids calls.
type phase struct {
	ended   bool          // the game is over: no gift is sent
	stopped bool          // nothing is sent
	resumed time.Duration // no gift is sent before, for the joins of a new round go first
}

// waiting is all that waits for a call.
type waiting struct {
	viewers  viewers  // whose gifts are in their turn
	lanes    lanes    // gifts to send
	lookups  giftHeap // gifts to query
	comments comments
	likes    likes
}

// NewCore returns the core of a room in which nothing has happened. Zero limits are
// their defaults. It panics on limits that [Limits.WithDefaults] refuses: they are
// settings, which are checked where they are read.
func NewCore(cfg CoreConfig) *Core {
	limits, err := cfg.Limits.WithDefaults()
	if err != nil {
		panic(fmt.Sprintf("room: NewCore: %v", err))
	}
	cfg.Limits = limits
	c := &Core{
		cfg: cfg, book: newBook(), slots: newSlots(cfg.OwnedSince, cfg.NotBefore),
		waiting: waiting{
			lookups: newLookups(), comments: comments{tick: never}, likes: likes{tick: never},
		},
	}
	c.random.Seed(cfg.Seed, cfg.Seed)
	c.phase.ended = cfg.Game == GameEnded
	return c
}

// Step takes an event in, does what has become due, and returns what is to be done.
// now.Mono never goes back; an earlier one counts as the latest.
func (c *Core) Step(now Now, ev Event) Effects {
	now.Mono = max(now.Mono, c.now.Mono)
	c.begin(now)
	c.handle(ev)
	for ok := !c.phase.stopped; ok; ok = c.book.next() <= now.Mono {
		c.ring()
		c.start()
	}
	c.finish()
	return c.out
}

func (c *Core) begin(now Now) {
	c.now = now
	c.out = Effects{}
	c.book.follow(now, c.alarmOf)
	c.forgetJoins()
	if len(c.lanes) > 1 {
		c.lanes.sweep(now.Mono)
	}
}

func (c *Core) handle(ev Event) {
	switch e := ev.(type) {
	case GiftAccepted:
		c.accepted(e)
	case Commented:
		c.commented(e)
	case Liked:
		c.liked(e)
	case GameChanged:
		c.gameChanged(e)
	case CallEnded:
		c.callEnded(e)
	case CallHeld:
		c.callHeld(e)
	case Stopped:
		c.phase.stopped = true
	case TimerFired: // what is due is done at every step
	}
}

// gameChanged holds gifts, or lets them go on. After the end of a round ZEGO has
// forgotten who joined, and whoever tells the new round's begin tells the joins again
// right after it: gifts go with the next tick, not with that very step.
func (c *Core) gameChanged(e GameChanged) {
	was := c.phase.ended
	c.phase.ended = e.Game.State == GameEnded
	if was && !c.phase.ended {
		c.phase.resumed = c.now.Mono + c.cfg.Limits.FlushInterval
	}
}

// accepted opens a gift.
func (c *Core) accepted(e GiftAccepted) {
	if c.book.find(e.Gift.MsgID) != nil {
		return
	}
	g := &openGift{
		gift: e.Gift, size: GiftSize(e.Gift), lane: c.lanes.of(c.cfg.Room, e.Gift.Game),
		birth: birth{storedAt: e.StoredAt, ageAtRead: e.AgeAtRead, readAt: c.now.Mono},
	}
	if e.Recovered {
		g.know, g.sends.ended = unknown, e.SentUntil
	}
	g.lane.open++
	c.book.add(g)
	c.queueUp(g)
}

// callEnded takes an answer in. One that belongs to no call in flight is ignored.
func (c *Core) callEnded(e CallEnded) {
	f := c.land(e.ID)
	if f == nil {
		return
	}
	c.slots[f.action].budget.end(c.now.Mono)
	switch f.action {
	case ActionGifts:
		c.giftsEnded(f, &e.Answer)
	case ActionComments:
		c.commentsEnded(f, &e.Answer)
	case ActionLikes:
		c.likesEnded(f, &e.Answer)
	default:
		c.queryEnded(f, &e.Answer)
	}
}

// callHeld takes back a call that was not made.
func (c *Core) callHeld(e CallHeld) {
	f := c.land(e.ID)
	if f == nil {
		return
	}
	s := &c.slots[f.action]
	s.budget.cancel()
	s.heldTo = e.Until
	switch f.action {
	case ActionGifts:
		c.giftsHeld(f)
	case ActionComments:
		c.commentsHeld(f)
	case ActionLikes:
		c.likesHeld(f)
	default:
		c.queryHeld(f)
	}
}

// start starts the calls that are due. Comments go first, and with the gifts' call if
// they are not due themselves: one of them may be how a giver joined.
func (c *Core) start() {
	at := func(a Action, wanted time.Duration) bool { return c.slots[a].from(wanted) <= c.now.Mono }
	_, wanted := c.wantGifts()
	if at(ActionGifts, wanted) && c.comments.waiting() > 0 {
		c.comments.tick = min(c.comments.tick, c.now.Mono)
	}
	// A start may find that all it would have sent is too old, hence the loops.
	for at(ActionComments, c.wantComments()) {
		c.startComments()
	}
	for l, wanted := c.wantGifts(); at(ActionGifts, wanted); l, wanted = c.wantGifts() {
		c.startGifts(l)
	}
	if at(ActionLikes, c.wantLikes()) {
		c.startLikes()
	}
	if at(ActionQuery, c.wantQuery()) {
		c.startQuery()
	}
}

// finish says when the core wants to be woken, and whether it is done.
func (c *Core) finish() {
	if c.phase.stopped {
		return
	}
	_, gifts := c.wantGifts()
	wake := min(c.book.next(),
		c.slots[ActionGifts].from(gifts), c.slots[ActionComments].from(c.wantComments()),
		c.slots[ActionLikes].from(c.wantLikes()), c.slots[ActionQuery].from(c.wantQuery()))
	if wake == never && c.quiet() {
		wake = c.idle()
	}
	if wake != never {
		c.out.Wake = wake
	}
}

// quiet reports whether nothing is open, waiting or in flight.
func (c *Core) quiet() bool {
	for a := range c.slots {
		if c.slots[a].flight != nil {
			return false
		}
	}
	return len(c.book.gifts) == 0 && c.comments.waiting() == 0 && c.likes.queue.len() == 0
}

// idle ends the core's work once its calls do not count against the budget any more,
// and gives their memory back; until then it returns when that will be.
func (c *Core) idle() time.Duration {
	var owed time.Duration
	for a := range c.slots {
		owed = max(owed, c.slots[a].budget.owed())
	}
	if owed > c.now.Mono {
		return owed
	}
	for a := range c.slots {
		c.slots[a].budget.forget()
	}
	// Maps and heaps are as large as the busiest moment made them.
	c.book.gifts, c.book.alarms.items, c.lookups.items, c.viewers.byID = nil, nil, nil, nil
	c.lanes.sweep(c.now.Mono)
	c.out.Idle = true
	return never
}

// Open counts the gifts that are not decided.
func (c *Core) Open() int { return len(c.book.gifts) }

// Attempts returns what is remembered of an open gift's calls that have ended, oldest
// first: at most [AttemptsMax]. False: the gift is not open.
func (c *Core) Attempts(id MsgID) ([]Attempt, bool) {
	g := c.book.find(id)
	if g == nil {
		return nil, false
	}
	return slices.Clone(g.history.kept), true
}
