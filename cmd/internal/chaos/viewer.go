//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
)

// viewer is a person with an app that follows the protocol: it comes back when the
// connection is lost, asks for what it has missed, and sends again what has no answer.
type viewer struct {
	room, user, token string
	url               func() string // where the node is now
	pace              time.Duration // between two gifts; 0: it only watches
	quota             int           // gifts at most; 0: no end
	sends             *bucket       // own patience with the hub's limit per user
	draw              *rand.Rand

	mu      sync.Mutex // guards the following
	giving  bool
	gifts   map[string]*given // all, by id
	order   []*given
	queue   []*given          // those that are not decided, and some that were since
	open    map[string]*given // not decided
	heard   []verdict.Heard
	next    time.Time // when to give
	from    client.Place
	refused map[wire.Code]int // rejected events
	dials   map[string]int    // refused upgrades, by status
	online  bool
}

// patience of a viewer whose upgrade was refused or whose connection was lost.
const redial = 50 * time.Millisecond

// watch comes back until ctx ends.
func (v *viewer) watch(ctx context.Context) {
	for ctx.Err() == nil {
		v.connect(ctx)
		_ = pause(ctx, redial) // ctx is looked at above
	}
}

// dialWithin bounds an upgrade: a stopped node answers none.
const dialWithin = 3 * time.Second

func (v *viewer) connect(ctx context.Context) {
	dialing, cancel := context.WithTimeout(ctx, dialWithin)
	conn, err := client.Dial(dialing, client.Config{URL: v.url(), Room: v.room, Token: v.token, From: v.from})
	cancel()
	if err != nil {
		var refused *client.RefusedError
		if errors.As(err, &refused) {
			v.mu.Lock()
			v.dials[fmt.Sprint(refused.Status, " ", refused.Code)]++
			v.mu.Unlock()
		}
		return
	}
	var reader sync.WaitGroup
	events, gone := make(chan wire.Event, 64), make(chan struct{})
	reading, stop := context.WithCancel(ctx)
	reader.Go(func() {
		defer close(gone)
		for {
			e, err := conn.Next(reading)
			if err != nil {
				return
			}
			select {
			case events <- e:
			case <-reading.Done():
				return
			}
		}
	})
	v.talk(ctx, conn, events, gone)
	stop()
	_ = conn.Cut() // it may have ended
	reader.Wait()
	for len(events) > 0 { // what came before the end
		v.hear(<-events)
	}
	v.lost()
}

// stepEvery is how often a viewer looks for what to send.
const stepEvery = 10 * time.Millisecond

// talk is one connection.
func (v *viewer) talk(ctx context.Context, conn *client.Conn, events <-chan wire.Event, gone <-chan struct{}) {
	tick := time.NewTicker(stepEvery)
	defer tick.Stop()
	for {
		select {
		case e := <-events:
			v.hear(e)
		case <-gone:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
			if !v.step(ctx, conn) {
				return
			}
		}
	}
}

// step sends what is due, at most what the limit per user allows.
func (v *viewer) step(ctx context.Context, conn *client.Conn) bool {
	for _, frame := range v.due(time.Now()) {
		sending, cancel := context.WithTimeout(ctx, dialWithin)
		err := conn.Send(sending, frame)
		cancel()
		if err != nil {
			return false
		}
	}
	return true
}

// framesAtOnce bounds what one step sends, so that answers are read between.
const framesAtOnce = 100

func (v *viewer) due(now time.Time) []wire.Frame {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.online {
		return nil
	}
	if v.giving && v.pace > 0 && !now.Before(v.next) && (v.quota == 0 || len(v.order) < v.quota) {
		v.next = now.Add(v.pace/2 + time.Duration(v.draw.Int64N(int64(v.pace))))
		v.give(now)
	}
	var frames []wire.Frame
	v.queue = slices.DeleteFunc(v.queue, func(g *given) bool { return v.open[g.ID] == nil })
	for _, g := range v.queue {
		if g.due.IsZero() || g.due.After(now) {
			continue
		}
		if len(frames) == framesAtOnce || !v.sends.take(now) {
			break
		}
		g.sent(now)
		frames = append(frames, g.frame())
	}
	return frames
}

// give thinks of a new gift.
func (v *viewer) give(now time.Time) {
	g := &given{count: 10 * (1 + v.draw.IntN(30)), due: now}
	g.Room, g.User, g.ID = v.room, v.user, fmt.Sprintf("c-%d", len(v.order))
	v.gifts[g.ID] = g
	v.order = append(v.order, g)
	v.reopen(g)
}

// reopen awaits answers to a gift, for the first time or again.
func (v *viewer) reopen(g *given) {
	if v.open[g.ID] == nil {
		v.open[g.ID] = g
		v.queue = append(v.queue, g)
	}
}

// lost notes that the connection has gone.
func (v *viewer) lost() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.online = false
	for _, g := range v.open {
		g.lost(time.Now())
	}
}

// hear takes in one event.
func (v *viewer) hear(e wire.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	switch e := e.(type) {
	case wire.Welcome:
		v.online = true
		v.at(client.Place{Epoch: e.Epoch, Seq: e.Seq}, verdict.Heard{Kind: verdict.Welcome, Epoch: e.Epoch, Resumed: e.Resumed, Seq: e.Seq})
	case wire.Gifts:
		h := verdict.Heard{Kind: verdict.Gifts, Seq: e.Seq}
		for _, g := range e.Gifts {
			h.MsgIDs = append(h.MsgIDs, g.MsgID.String())
		}
		v.at(client.Place{Epoch: v.from.Epoch, Seq: e.Seq}, h)
	case wire.Lagged:
		v.at(client.Place{Epoch: v.from.Epoch, Seq: e.To}, verdict.Heard{Kind: verdict.Lagged, Seq: e.From, To: e.To})
	case wire.Accepted:
		if g := v.gifts[e.ID]; g != nil {
			g.Accepted = append(g.Accepted, e.MsgID.String())
			if g.accepted.IsZero() {
				g.accepted = now
			}
			g.waiting, g.doubt, g.due = false, false, time.Time{}
			v.settle(g)
		}
	case wire.Result:
		if g := v.gifts[e.ID]; g != nil {
			if g.decidedAt.IsZero() {
				g.decidedAt = now
			}
			if len(g.Accepted) == 0 && g.doubt {
				// Its accepted went down with a node; on resume the result says it, too.
				g.Accepted = append(g.Accepted, e.MsgID.String())
				g.waiting = false
			}
			g.Results = append(g.Results, verdict.Result{MsgID: e.MsgID.String(), Status: e.Status, Reason: string(e.Reason), Code: e.Code})
			v.settle(g)
		}
	case wire.Rejected:
		v.refused[e.Code]++
		if g := v.gifts[e.ID]; g != nil {
			g.rejected(e, now, v.draw)
			v.settle(g)
		}
	}
}

func (v *viewer) at(place client.Place, h verdict.Heard) {
	v.from = place
	v.heard = append(v.heard, h)
}

func (v *viewer) settle(g *given) {
	if g.decided() {
		g.due = time.Time{}
		delete(v.open, g.ID)
	}
}

// bucket is a viewer's own pace: the hub's limit is 20 a second and user, 40 at once.
type bucket struct {
	perSecond, burst float64
	left             float64
	at               time.Time
}

func (b *bucket) take(now time.Time) bool {
	if b.at.IsZero() {
		b.left = b.burst
	} else {
		b.left = min(b.burst, b.left+now.Sub(b.at).Seconds()*b.perSecond)
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
