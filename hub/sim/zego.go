package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

// ZEGO's limits at its door, in calls a second and room (ZEGO.md 1 and 2).
var doors = map[room.Action]int{room.ActionGifts: 20, room.ActionComments: 50, room.ActionLikes: 100, room.ActionQuery: 20}

// forgets is how long ZEGO knows a MsgId.
const forgets = 24 * time.Hour

// zego is the game platform as its documents describe it: it gives what it has recorded
// once, answers a repeat with the first outcome for 24 h, and whatever can go wrong on
// the way does. It also keeps the truth that the judge compares with.
type zego struct {
	w        *World
	facts    map[room.MsgID]*fact
	known    []room.MsgID
	doors    map[door][]time.Duration // arrivals in the last second
	names    map[string]room.MsgID    // by room, user and client id: the first MsgID seen
	running  map[string]bool          // by room: the game runs; gifts are refused else
	weather  map[string]*weather      // by room
	gone     bool                     // nobody answers anything
	worst    int                      // most gift calls in a sliding second
	exchange int                      // calls that arrived
}

type door struct {
	room   string
	action room.Action
}

// fact is what ZEGO knows of a MsgId.
type fact struct {
	gift     room.Gift
	class    room.ResultClass
	at       time.Duration // recorded
	recorded bool
	effects  int
	murky    bool // an answer was not clear about it, so it may be unresolved
	poison   bool
}

// weather is how a room's calls fare.
type weather struct {
	away, refused       bool    // no answer at all; connections are refused
	lost, unheard, slow float64 // the request, the answer
	code                float64 // Code != 0
	odd                 float64 // a gift's own result is none of the good ones
	rows                float64 // rows are missing, doubled, foreign, shuffled or contradict each other
}

func newZego(w *World) *zego {
	return &zego{
		w: w, facts: make(map[room.MsgID]*fact), doors: make(map[door][]time.Duration),
		names: make(map[string]room.MsgID), running: make(map[string]bool), weather: make(map[string]*weather),
	}
}

// take gets a call on its way. reply may be called once, when the answer is on its way
// back.
func (z *zego) take(p *process, call room.Call, reply func(after time.Duration, a room.Answer)) {
	l, wx := z.w.loop, z.weather[callRoom(call)]
	l.note("%s starts %v %d for %s: %d entries", p.incarnation, call.Action, call.ID, callRoom(call), entries(call))
	if wx.refused {
		reply(time.Millisecond, room.Answer{Outcome: room.NotTaken, Class: room.ClassRetry, Message: "connection refused"})
		return
	}
	travel := l.between(time.Millisecond, 20*time.Millisecond)
	if l.luck.chance(wx.slow) {
		travel = l.between(100*time.Millisecond, callTimeout-100*time.Millisecond)
	}
	if z.gone || wx.away || l.luck.chance(wx.lost) {
		return
	}
	l.in(travel, nil, func() {
		z.arrives(call)
		answer := z.handle(call, wx)
		if !l.luck.chance(wx.unheard) {
			reply(l.between(time.Millisecond, 20*time.Millisecond), answer)
		}
	})
}

func callRoom(c room.Call) string {
	switch c.Action {
	case room.ActionGifts:
		return c.Gifts.Room
	case room.ActionComments:
		return c.Comments.Room
	case room.ActionLikes:
		return c.Likes.Room
	default:
		return c.Query.Room
	}
}

func entries(c room.Call) int {
	if c.Action == room.ActionComments {
		return len(c.Comments.Comments)
	}
	return len(roomtest.IDs(c))
}

// arrives counts what comes to the door (P6).
func (z *zego) arrives(call room.Call) {
	z.exchange++
	at, now := door{callRoom(call), call.Action}, z.w.loop.now()
	last := slices.DeleteFunc(z.doors[at], func(t time.Duration) bool { return t <= now-time.Second })
	last = append(last, now)
	z.doors[at] = last
	if call.Action == room.ActionGifts {
		z.worst = max(z.worst, len(last))
	}
	if len(last) > doors[call.Action] {
		z.w.fault("P6: %d calls of %v within a second in room %s", len(last), call.Action, at.room)
	}
}

// handle is what ZEGO does with a call that has arrived.
func (z *zego) handle(call room.Call, wx *weather) room.Answer {
	l := z.w.loop
	if l.luck.chance(wx.code) {
		return z.refusal(call)
	}
	switch call.Action {
	case room.ActionGifts:
		return z.handleGifts(call, wx)
	case room.ActionQuery:
		var rows []room.Row
		for _, id := range call.Query.MsgIDs {
			if f := z.facts[id]; f != nil && f.recorded {
				row := roomtest.Row(id, f.class)
				row.At = f.gift.At
				rows = append(rows, row)
			}
		}
		return room.Answer{Outcome: room.Consumed, Rows: z.shuffle(rows, wx)}
	default:
		return room.Answer{Outcome: room.Consumed}
	}
}

func (z *zego) refusal(call room.Call) room.Answer {
	type code struct {
		class room.Class
		code  int
	}
	codes := []code{
		{room.ClassRetry, 7210000},
		{room.ClassRetry, 206},
		{room.ClassNotStarted, 7206001},
		{room.ClassNoGame, 7202001},
		{room.ClassConfig, 100000004},
	}
	if call.Action == room.ActionGifts {
		codes = append(codes, code{room.ClassBadRequest, 7200004})
	}
	c := pick(z.w.loop, codes)
	return roomtest.Refuse(c.class, c.code)
}

func (z *zego) handleGifts(call room.Call, wx *weather) room.Answer {
	poisoned := false
	for _, g := range call.Gifts.Gifts {
		poisoned = z.meets(g).poison || poisoned
	}
	switch {
	case poisoned:
		return roomtest.Refuse(room.ClassBadRequest, 7200004)
	case !z.running[call.Gifts.Room]:
		return roomtest.Refuse(room.ClassNotStarted, 7206001)
	}
	var rows []room.Row
	for _, g := range call.Gifts.Gifts {
		if row := z.give(g, wx); row != nil {
			rows = append(rows, *row)
		}
	}
	return room.Answer{Outcome: room.Consumed, Rows: z.shuffle(rows, wx)}
}

// meets looks at a gift that has arrived: its id, its content and its age are the
// hub's to keep.
func (z *zego) meets(g *room.Gift) *fact {
	f := z.facts[g.MsgID]
	if f == nil {
		f = &fact{gift: *g, poison: g.GiftID == poison}
		z.facts[g.MsgID] = f
		z.known = append(z.known, g.MsgID)
	}
	if f.gift != *g {
		z.w.fault("P3: the content of %s has changed", g.MsgID)
	}
	name := fmt.Sprintf("%s/%s/%s", g.Room, g.User.ID, g.ClientID)
	if first, seen := z.names[name]; seen && first != g.MsgID {
		z.w.fault("P2: %s has two ids, %s and %s", name, first, g.MsgID)
	}
	z.names[name] = g.MsgID
	z.w.judge.sent(g)
	return f
}

// give gives a gift, unless it is known. nil: no row.
func (z *zego) give(g *room.Gift, wx *weather) *room.Row {
	f, l := z.facts[g.MsgID], z.w.loop
	if f.recorded && l.now()-f.at < forgets {
		row := roomtest.Row(g.MsgID, f.class)
		return &row
	}
	class, answer := room.ResultDelivered, room.ResultDelivered
	effect := true
	if l.luck.chance(wx.odd) {
		switch l.luck.upTo(5) {
		case 0:
			class, answer, effect = room.ResultNotJoined, room.ResultNotJoined, false
		case 1:
			class, answer, effect = room.ResultNoSuchGift, room.ResultNoSuchGift, false
		case 2:
			class, answer, effect = room.ResultException, room.ResultException, l.luck.upTo(2) == 0
			f.murky = true
		case 3: // being processed, and done by the next time
			answer = room.ResultPending
		default: // being processed, and forgotten
			row := roomtest.Row(g.MsgID, room.ResultPending)
			return &row
		}
	}
	f.recorded, f.at, f.class = true, l.now(), class
	if effect {
		if f.effects++; f.effects > 1 {
			z.w.fault("P2: gift %s is given a second time", g.ClientID)
		}
	}
	row := roomtest.Row(g.MsgID, answer)
	return &row
}

// shuffle does to rows what nobody has promised not to do. It never says of a gift
// alone what is not so: no hub could know better.
func (z *zego) shuffle(rows []room.Row, wx *weather) []room.Row {
	l := z.w.loop
	if !l.luck.chance(wx.rows) || len(rows) == 0 {
		return rows
	}
	for range 1 + l.luck.upTo(2) {
		i := l.luck.upTo(len(rows))
		switch l.luck.upTo(6) {
		case 0:
			rows = slices.Delete(rows, i, i+1)
		case 1:
			rows = append(rows, rows[i])
		case 2:
			z.facts[z.known[0]].murky = true // it may be a gift of this very call
			return append(rows, roomtest.Row(z.known[0], room.ResultPending), roomtest.Row(room.MsgID{1}, room.ResultDelivered))
		case 3:
			slices.Reverse(rows)
		case 4: // contradict it
			z.facts[rows[i].MsgID].murky = true
			return append(rows, roomtest.Row(rows[i].MsgID, room.ResultClass(l.luck.upTo(int(room.ResultPending)+1))))
		default:
			z.facts[rows[i].MsgID].murky = true
			rows[i] = roomtest.Row(rows[i].MsgID, room.ResultOther)
		}
		if len(rows) == 0 {
			break
		}
	}
	return rows
}
