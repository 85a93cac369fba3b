package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// process is one life of a node: a real intake, a publisher, and perhaps the partition.
type process struct {
	w           *World
	name        string
	incarnation string
	dead        bool
	frozen      bool // SIGSTOP: what falls due is late
	cut         bool // no way to the server
	skew        int64
	late        []*event
	tasks       []*task

	intake    *intake.Intake
	publisher *publisher
	owning    *ownership
	lease     lease
}

// lease is the leave to start calls: 1.8 s from when the last good renewal was asked
// for, while others may take over after 2 s (DESIGN.md, "Who is alive"). An embedded
// node has nobody to share with and needs none.
type lease struct {
	ends    time.Duration // -1: renewed all the time
	evicted bool
}

// Times of leases.
const (
	leaseFor   = 1800 * time.Millisecond
	renewEvery = 500 * time.Millisecond
	evictAfter = 2 * time.Second
)

// start begins a life of the node.
func (w *World) start(name string) {
	w.tally.Starts++
	p := &process{w: w, name: name, incarnation: fmt.Sprintf("%s.%d", name, w.tally.Starts), lease: lease{ends: -1}}
	p.publisher = &publisher{line: line{w, p}}
	in, err := intake.New(intake.Config{
		Journal: p.publisher, Owner: router{p}, Chat: silence{}, Rooms: w, AppID: appID,
		Prices: intake.Prices{Catalogue: w.catalogue},
	})
	if err != nil {
		w.fault("intake: %v", err)
	}
	p.intake = in
	w.processes = append(w.processes, p)
	w.loop.note("%s starts", p.incarnation)
	w.loop.spawn(p, p.publisher.run)
}

// restart begins another life of a node that has none.
func (w *World) restart(name string) {
	if !w.dark && !slices.ContainsFunc(w.processes, func(p *process) bool { return p.name == name }) {
		w.start(name)
	}
}

// crash ends a life at once: nothing of it runs any more, what it has under way at the
// server or at ZEGO goes on without it.
func (w *World) crash(p *process) {
	if p.dead {
		return
	}
	w.tally.Crashes++
	w.loop.note("%s dies", p.incarnation)
	p.dead = true
	for _, t := range slices.Clone(p.tasks) {
		t.kill()
	}
	w.processes = slices.DeleteFunc(w.processes, func(o *process) bool { return o == p })
	away := w.loop.between(50*time.Millisecond, 3*time.Second)
	w.loop.in(away, nil, func() { w.restart(p.name) })
	if w.owner != nil && w.owner.p == p {
		w.vacate(w.owner)
	}
	if w.embedded && !w.server.down {
		w.server.crash()
		w.loop.in(away-time.Millisecond, nil, w.server.restart)
	}
}

// offline is the moment from which a process does not renew its lease.
func (p *process) offline() {
	if !p.w.embedded && p.lease.ends < 0 {
		p.lease.ends = p.w.loop.now() + leaseFor - p.w.loop.between(0, renewEvery)
	}
}

// online lets it renew, unless it has been evicted: then it begins anew.
func (p *process) online() {
	p.w.loop.in(p.w.loop.between(time.Millisecond, 50*time.Millisecond), p, func() {
		switch {
		case p.frozen || p.cut || p.w.server.down:
		case p.lease.evicted:
			p.w.crash(p)
		default:
			p.lease.ends = -1
		}
	})
}

// gate is asked right before each call.
func (p *process) gate() (wait time.Duration, ok bool) {
	if p.lease.ends < 0 || p.w.loop.now() < p.lease.ends || p.w.bugs.noLease {
		return 0, true
	}
	return 100 * time.Millisecond, false
}

func (p *process) freeze(d time.Duration) {
	if p.frozen {
		return
	}
	p.w.loop.note("%s freezes for %v", p.incarnation, d)
	p.offline()
	p.frozen = true
	p.w.loop.in(d, nil, p.thaw)
	p.w.evictLater(p)
}

func (p *process) thaw() {
	if p.dead || !p.frozen {
		return
	}
	p.w.loop.note("%s goes on", p.incarnation)
	p.frozen = false
	late := p.late
	p.late = nil
	for _, e := range late {
		p.w.loop.in(0, p, e.do)
	}
	p.online()
}

func (p *process) disconnect(d time.Duration) {
	if p.cut {
		return
	}
	p.w.loop.note("%s is cut off for %v", p.incarnation, d)
	p.offline()
	p.cut = true
	p.w.loop.in(d, nil, p.reconnect)
	p.w.evictLater(p)
}

func (p *process) reconnect() {
	if p.dead || !p.cut {
		return
	}
	p.cut = false
	p.online()
}

// router answers an intake's questions as the hub does: by the own partition, or by
// asking the owner.
type router struct{ p *process }

// Lookup implements [intake.Owner].
func (r router) Lookup(ctx context.Context, _ string, id room.MsgID) (owner.Known, error) {
	o, l := r.p.w.owner, r.p.w.loop
	switch {
	case o == nil || o.s == nil || l.luck.chance(r.p.w.rates.lookupFails):
		return owner.Known{}, owner.ErrNotReady
	case o.p == r.p:
		return o.s.Lookup(ctx, id)
	}
	known, err := owner.Known{}, owner.ErrNotReady
	t, over := l.running, false
	end := func() {
		if !over {
			over = true
			l.resume(t)
		}
	}
	if !r.p.cut && !o.p.cut {
		l.spawn(o.p, func() {
			k, e := o.s.Lookup(context.WithoutCancel(ctx), id)
			l.in(l.between(100*time.Microsecond, 2*time.Millisecond), r.p, func() {
				if !over {
					known, err = k, e
				}
				end()
			})
		})
	}
	l.in(900*time.Millisecond, r.p, end)
	l.park()
	return known, err
}

// Room implements [intake.Owner]. Nodes that are not the owner know what its beat tells.
func (r router) Room(roomID string) owner.RoomState {
	if o := r.p.w.owner; o != nil && o.s != nil {
		return o.s.Room(roomID)
	}
	return owner.RoomState{}
}

// OpenGifts implements [intake.Owner].
func (r router) OpenGifts() int {
	if o := r.p.w.owner; o != nil && o.s != nil {
		return o.s.OpenGifts()
	}
	return 0
}

// silence is an [intake.Chat] that nobody listens to.
type silence struct{}

// Comment implements [intake.Chat].
func (silence) Comment(string, string, room.Comment) error { return nil }

// Like implements [intake.Chat].
func (silence) Like(string, string, room.Like) error { return nil }
