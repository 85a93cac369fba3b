package hub

import (
	"context"
	"time"

	"github.com/giftwire/giftwire/room"
)

// outlet is the Sender between the rooms and ZEGO: it passes calls on, tells the
// breaker of every answer, and counts. It changes nothing. What is known of ZEGO's
// health is here.
type outlet struct {
	next    room.Sender
	breaker breaker
	alarms  alarmLog
	weather weather
	// called hears of every call: what, how many entries, its answer, how long it took.
	called func(action room.Action, entries int, answer room.Answer, took time.Duration)
}

var _ room.Sender = (*outlet)(nil)

// SendGifts implements room.Sender.
func (o *outlet) SendGifts(ctx context.Context, call room.GiftCall) room.Answer {
	start := time.Now()
	return o.done(room.ActionGifts, call.Room, len(call.Gifts), start, o.next.SendGifts(ctx, call))
}

// SendComments implements room.Sender.
func (o *outlet) SendComments(ctx context.Context, call room.CommentCall) room.Answer {
	start := time.Now()
	return o.done(room.ActionComments, call.Room, len(call.Comments), start, o.next.SendComments(ctx, call))
}

// SendLikes implements room.Sender.
func (o *outlet) SendLikes(ctx context.Context, call room.LikeCall) room.Answer {
	start := time.Now()
	return o.done(room.ActionLikes, call.Room, len(call.Likes), start, o.next.SendLikes(ctx, call))
}

// QueryGifts implements room.Sender.
func (o *outlet) QueryGifts(ctx context.Context, call room.QueryCall) room.Answer {
	start := time.Now()
	return o.done(room.ActionQuery, call.Room, len(call.MsgIDs), start, o.next.QueryGifts(ctx, call))
}

// gate is asked by the rooms right before each call.
func (o *outlet) gate(room.Action) (time.Duration, bool) { return o.breaker.allow(time.Now()) }

// check is ZEGO's line of /readyz: never a reason not to serve, because other nodes
// would meet the same.
func (o *outlet) check(now time.Time) healthCheck {
	c := o.alarms.check(now)
	if o.breaker.open(now) {
		c.Status, c.Detail = checkWarn, "nothing is heard from ZEGO; one call a second tries"
	}
	return c
}

func (o *outlet) done(a room.Action, roomID string, entries int, start time.Time, ans room.Answer) room.Answer {
	now := time.Now()
	// A request that the sender itself refused says nothing of ZEGO: neither good nor bad.
	if local := ans.Class == room.ClassBadRequest && ans.Code == 0; !local {
		understood := ans.Outcome == room.Consumed || ans.Code != 0
		o.breaker.answered(roomID, understood, now)
		if understood {
			o.weather.worked(now)
		} else {
			o.weather.failed(a, roomID, ans, now)
		}
	}
	o.called(a, entries, ans, now.Sub(start))
	return ans
}
