//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// answer is one thing that ZEGO does, in a room of its own.
type answer struct {
	room  string
	fault zegotest.Fault
	times int    // calls that it hits; 0: until it is mended
	want  string // the status of some gift; empty: all are delivered in the end
}

// answers is ZEGO's fault script: ZEGO.md, sections 5 and 9, and what networks do.
func answers() []answer {
	out := []answer{
		{"hangbefore", zegotest.HangBefore(), 0, ""},
		{"hangafter", zegotest.HangAfter(), 0, ""},
		{"dropbefore", zegotest.DropBefore(), 0, ""},
		{"dropafter", zegotest.DropAfter(), 0, ""},
		{"html502", zegotest.Gateway(http.StatusBadGateway), 0, ""},
		{"html504", zegotest.Gateway(http.StatusGatewayTimeout), 0, ""},
		{"status429", zegotest.Gateway(http.StatusTooManyRequests), 0, ""},
		{"slow", zegotest.Slow(2 * time.Second), 0, ""},
		{"overtaken", zegotest.Fault{Before: time.Second}, 0, ""},
		{"working", zegotest.Fault{Work: 2 * time.Second}, 0, ""},
		{"pending10006", zegotest.GiveResult(10006), 0, ""},
		{"lost10005", zegotest.GiveResult(10005), 2, verdict.Unresolved},
		{"given10005", zegotest.Fault{Result: zegotest.ResultFault{Result: 10005, Happened: true}}, 2, verdict.Unresolved},
		{"failed10003", zegotest.GiveResult(10003), 3, verdict.Failed},
		{"failed10004", zegotest.GiveResult(10004), 3, verdict.Failed},
		{"reversed", zegotest.Fault{Rows: zegotest.RowFault{Reversed: true}}, 0, ""},
		{"omitted", zegotest.Fault{Rows: zegotest.RowFault{Omit: 1}}, 0, ""},
		{"rowless", zegotest.Fault{Rows: zegotest.RowFault{Omit: -1}}, 0, ""},
		{"doubled", zegotest.Fault{Rows: zegotest.RowFault{Doubled: true}}, 0, ""},
		{"foreign", zegotest.Fault{Rows: zegotest.RowFault{Foreign: true}}, 0, ""},
	}
	for _, reply := range []zegotest.Reply{
		zegotest.ReplyMalformed, zegotest.ReplyTruncated, zegotest.ReplyHuge, zegotest.ReplyDrip,
		zegotest.ReplyWrongType, zegotest.ReplyNoCode, zegotest.ReplyEmpty,
	} {
		out = append(out, answer{"reply_" + string(reply), zegotest.Answer(reply), 0, ""})
	}
	for _, code := range []int{
		206, 207, 7202000, 7202001, 7202002, 7202003, 7203001, 7206001, 7208000, 7210000, 7210001, 100000004, 100000005, 99,
	} {
		out = append(out, answer{fmt.Sprint("code", code), zegotest.Refuse(code), 0, ""})
	}
	return out
}

// Rooms of zegoFaults that have no rule.
const (
	healthyRoom = "healthy"
	poisonRoom  = "poison"
	aheadRoom   = "ahead"  // whose calls are stamped 11 minutes ahead
	behindRoom  = "behind" // and behind: ZEGO takes 10
	skewed      = 11 * time.Minute
	awayFor     = 6 * time.Second
	wrongFor    = 10 * time.Second
)

// zegoFaults plays ZEGO's fault script, all of it at the same time, each fault in its own
// room; then ZEGO is away altogether. A room without faults must not notice the others.
func zegoFaults(ctx context.Context, w *world) error {
	if err := w.serve(ctx, how{}); err != nil {
		return err
	}
	rooms := []string{healthyRoom, poisonRoom, aheadRoom, behindRoom}
	for _, a := range answers() {
		rooms = append(rooms, a.room)
	}
	for _, name := range rooms {
		if err := w.duo(ctx, name); err != nil {
			return err
		}
	}
	w.run(ctx)
	w.give(true)
	if err := w.grow(ctx, 2*len(rooms)); err != nil {
		return err
	}
	since := time.Now()
	for _, a := range answers() {
		w.sim.Fail(zegotest.Rule{Action: zego.ActionGifts, Room: a.room, Times: a.times, Fault: a.fault})
	}
	w.door.mistime(aheadRoom, skewed)
	w.door.mistime(behindRoom, -skewed)
	w.door.spoil(poisonRoom, "giver1")
	w.faults += len(rooms) - 1
	if err := pause(ctx, max(w.length, wrongFor)); err != nil {
		return err
	}
	worst := w.slowest(healthyRoom, since)
	w.note("%d faults at once, each in its room; slowest result in the room without: %v after accepted", w.faults, worst.Round(time.Millisecond))
	if worst > 3*time.Second {
		return fmt.Errorf("a room without faults waited %v for a result", worst)
	}
	w.sim.ClearAll()
	w.sim.Release()
	w.door.mistime(aheadRoom, 0)
	w.door.mistime(behindRoom, 0)
	// And nobody listens at all.
	w.door.close()
	w.faults++
	if err := errors.Join(pause(ctx, awayFor), w.door.open(ctx)); err != nil {
		return err
	}
	if err := w.grow(ctx, 2*len(rooms)); err != nil {
		return err
	}
	w.give(false)
	if err := w.settled(ctx, settleWithin); err != nil {
		return err
	}
	w.door.spoil(poisonRoom, "")
	return w.fates()
}

// duo fills a room with two viewers who give.
func (w *world) duo(ctx context.Context, name string) error {
	if err := w.put(ctx, name); err != nil {
		return err
	}
	for _, user := range []string{"giver0", "giver1"} {
		w.sim.Join(name, game, user)
		if err := w.add(seat{room: name, user: user, pace: time.Second}); err != nil {
			return err
		}
	}
	return nil
}

// slowest is the longest time from accepted to result in a room.
func (w *world) slowest(room string, since time.Time) time.Duration {
	var worst time.Duration
	w.each(func(_ *viewer, g *given) {
		if g.Room == room && isAccepted(g) && g.accepted.After(since) {
			end := g.decidedAt
			if end.IsZero() {
				end = time.Now()
			}
			worst = max(worst, end.Sub(g.accepted))
		}
	})
	return worst
}

// fates checks that each fault ended its gifts as it should: delivered, if they are not
// of those that it was to end otherwise.
func (w *world) fates() error {
	want := make(map[string]string)
	for _, a := range answers() {
		want[a.room] = a.want
	}
	got := make(map[string][]string) // statuses by room
	var faults []error
	w.each(func(_ *viewer, g *given) {
		if len(g.Results) == 0 {
			return
		}
		r := g.Results[0]
		got[g.Room] = append(got[g.Room], r.Status)
		allowed := r.Status == verdict.Delivered || r.Status == want[g.Room] ||
			g.Room == poisonRoom && g.User == "giver1" && r.Status == verdict.Failed && r.Reason == "refused"
		if !allowed {
			faults = append(faults, fmt.Errorf("%s/%s/%s ended %+v", g.Room, g.User, g.ID, r))
		}
	})
	for name, status := range want {
		if status != "" && !slices.Contains(got[name], status) {
			faults = append(faults, fmt.Errorf("no gift of room %s ended %s", name, status))
		}
	}
	if !slices.Contains(got[poisonRoom], verdict.Failed) {
		faults = append(faults, errors.New("no poisoned gift was refused"))
	}
	if len(faults) > 10 {
		faults = append(faults[:10], fmt.Errorf("and %d more", len(faults)-10))
	}
	return errors.Join(faults...)
}
