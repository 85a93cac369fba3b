package sim

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// ownership is one process's time as the partition's owner: the real partition, driven
// piece by piece where the hub has goroutines.
type ownership struct {
	p     *process
	s     *owner.Stepped // nil until it has taken over
	rooms []*performer
	over  bool

	appender *task
	waits    bool // the appender waits to be roused
	marks    bool // a mark is due
	keeps    bool // a snapshot is under way
	closing  bool
	parts    []*task
}

// own begins to take the partition over.
func (w *World) own(p *process) {
	o := &ownership{p: p}
	w.owner, p.owning = o, o
	s, err := owner.NewStepped(owner.Config{
		Store: log{line{w, p}, make(map[string]uint64)}, Sender: nobody{}, Listener: o, Node: p.name, Incarnation: p.incarnation,
		Limits: w.limits,
	}, o.perform)
	if err != nil {
		w.fault("owner: %v", err)
		return
	}
	w.loop.spawn(p, func() {
		if err := s.TakeOver(context.Background()); err != nil {
			w.loop.note("%s cannot take over: %v", p.incarnation, err)
			if !errors.Is(err, journal.ErrFenced) {
				w.fault("takeover: %v", err)
			}
			w.vacate(o)
			return
		}
		w.tally.Takeovers++
		w.taken = append(w.taken, w.loop.now())
		w.loop.note("%s owns", p.incarnation)
		o.serve(s)
	})
}

// serve runs what the hub runs side by side.
func (o *ownership) serve(s *owner.Stepped) {
	w := o.p.w
	o.s = s
	reader := w.loop.spawn(o.p, func() { o.fail(s.Read(context.Background())) })
	keeper := w.loop.spawn(o.p, func() {
		for {
			w.loop.pause(w.loop.between(200*time.Millisecond, 10*time.Second))
			if o.closing {
				return
			}
			o.keeps = true
			err := s.Keep(context.Background())
			o.keeps = false
			if err != nil {
				o.fail(err)
				return
			}
		}
	})
	o.parts = []*task{reader, keeper}
	o.appender = w.loop.spawn(o.p, o.append)
	o.parts = append(o.parts, o.appender)
	o.mark()
}

func (o *ownership) mark() {
	o.p.w.loop.in(time.Hour, o.p, func() {
		if !o.over {
			o.marks = true
			o.rouse()
			o.mark()
		}
	})
}

// append is the appender's loop.
func (o *ownership) append() {
	for {
		for !o.s.Woken() && !o.marks {
			o.waits = true
			o.p.w.loop.park()
		}
		if o.marks {
			o.marks = false
			if err := o.s.Mark(context.Background()); err != nil {
				o.fail(err)
				return
			}
		}
		if err := o.s.Flush(context.Background()); err != nil {
			o.fail(err)
			return
		}
	}
}

// rouse tells the appender that something may wait for it.
func (o *ownership) rouse() {
	if t := o.appender; o.waits && !o.over {
		o.waits = false
		o.p.w.loop.in(0, o.p, func() {
			if !o.over {
				o.p.w.loop.resume(t)
			}
		})
	}
}

// fail ends the ownership, as a fenced append does.
func (o *ownership) fail(err error) {
	o.p.w.loop.note("%s owns no more: %v", o.p.incarnation, err)
	if !errors.Is(err, journal.ErrFenced) {
		o.p.w.fault("owner: %v", err)
	}
	o.p.w.loop.in(0, o.p, func() { o.end() })
}

// end stops everything of the ownership.
func (o *ownership) end() {
	if o.over {
		return
	}
	o.over = true
	for _, t := range o.parts {
		t.kill()
	}
	for _, a := range slices.Clone(o.rooms) {
		a.stop()
	}
	o.p.owning = nil
	o.p.w.vacate(o)
}

// drain gives the partition up in good order.
func (o *ownership) drain() {
	if o.over || o.s == nil || o.closing {
		return
	}
	o.closing = true
	o.p.w.loop.note("%s drains", o.p.incarnation)
	o.p.w.tally.Drains++
	o.parts[0].kill() // a record that is half taken in is read again
	for _, a := range slices.Clone(o.rooms) {
		a.stop()
	}
	o.p.w.loop.spawn(o.p, func() {
		for len(o.rooms) > 0 || o.keeps {
			o.p.w.loop.pause(10 * time.Millisecond)
		}
		for !o.waits && !o.over { // the appender is at work
			o.p.w.loop.pause(10 * time.Millisecond)
		}
		if o.over {
			return
		}
		o.over = true
		o.parts[2].kill()
		o.s.EndActors()
		err := o.s.Flush(context.Background())
		if err == nil {
			err = o.s.Release(context.Background())
		}
		o.p.w.loop.note("%s has released: %v", o.p.incarnation, err)
		o.p.owning = nil
		o.p.w.vacate(o)
	})
}

func (o *ownership) forget(a *performer) {
	o.rooms = slices.DeleteFunc(o.rooms, func(b *performer) bool { return a == b })
}

func (o *ownership) order(roomID string) order { return newOrder(o.p.w, roomID) }

// Decided implements [owner.Listener].
func (o *ownership) Decided(n owner.News) {
	o.p.w.loop.note("%s tells %s: record %d, prev %d, seq %d, %d decisions", o.p.incarnation, n.Room, n.Record, n.Prev, n.Seq, len(n.Decisions))
	o.p.w.judge.news(n)
}

// Repeated implements [owner.Listener].
func (o *ownership) Repeated(_ uint64, d room.Decision) {
	o.p.w.tally.Repeats++
	o.p.w.judge.told(d)
}

// GameChanged implements [owner.Listener].
func (o *ownership) GameChanged(roomID, gameID string, g room.Game) {
	o.p.w.loop.note("%s: %s %v %s", roomID, gameID, g.State, g.Round)
}

// nobody is the sender of a partition whose calls the performers make.
type nobody struct{ room.Sender }
