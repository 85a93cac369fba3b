package sim

import (
	"time"

	"github.com/giftwire/giftwire/room"
)

// order watches P8 from outside of a core: first attempts of one viewer's gifts are made
// in the order in which the core was given them, and not before the comment by which the
// viewer joins, unless that takes too long.
type order struct {
	w     *World
	room  string
	first map[string]int // by user: the latest place that was attempted
	tried map[room.MsgID]bool
	joins map[string]joining
	given int // the latest place that the core has heard of
}

// joining is a viewer's newest join that has not been taken.
type joining struct {
	at    time.Duration // Mono
	place int           // gifts given before it
}

func newOrder(w *World, roomID string) order {
	return order{
		w: w, room: roomID, first: make(map[string]int),
		tried: make(map[room.MsgID]bool), joins: make(map[string]joining),
	}
}

// saw notes what the core is told.
func (o *order) saw(now time.Duration, ev room.Event) {
	switch e := ev.(type) {
	case room.GiftAccepted:
		o.given = max(o.given, o.w.judge.place(e.Gift.MsgID))
	case room.Commented:
		if _, waits := o.joins[e.Comment.User.ID]; e.Comment.Join && !waits {
			o.joins[e.Comment.User.ID] = joining{now, o.given}
		}
	default:
	}
}

func (o *order) joined(comments []room.Comment) {
	for _, c := range comments {
		delete(o.joins, c.User.ID)
	}
}

// starts judges a call.
func (o *order) starts(a *performer, call room.Call) {
	if call.Action != room.ActionGifts {
		return
	}
	now := time.Since(a.cfg.Origin)
	for _, g := range call.Gifts.Gifts {
		if o.tried[g.MsgID] {
			continue
		}
		o.tried[g.MsgID] = true
		place, user := o.w.judge.place(g.MsgID), g.User.ID
		if place < o.first[user] {
			o.w.fault("P8: %s of %s is sent first after a later one", g.ClientID, user)
		}
		o.first[user] = max(o.first[user], place)
		if j, ok := o.joins[user]; ok && place > j.place && now < j.at+joinWait {
			o.w.fault("P8: %s of %s is sent %v after the join, which is under way", g.ClientID, user, now-j.at)
		}
	}
}
