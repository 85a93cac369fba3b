//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	brinkGifts    = 4_000
	backlogGifts  = 10_000
	backlogGivers = 20
	backlogRoom   = "r0"
	// backlogWithin is what 200 calls of 50 at 18 a second (11.1 s) may take beside other
	// work of a shared machine.
	backlogWithin = 16 * time.Second
)

// wide are the flags of a node whose viewers may give hundreds of gifts a second.
func wide() how {
	return how{more: []string{"--limit-gifts", "1000/1000", "--limit-frames", "2000/2000"}}
}

// pile has gifts wait in one room while ZEGO is away, kills the node, and lets ZEGO come
// back.
func (w *world) pile(ctx context.Context, gifts int) error {
	if err := w.serve(ctx, wide()); err != nil {
		return err
	}
	if err := w.put(ctx, backlogRoom); err != nil {
		return err
	}
	for i := range backlogGivers {
		user := fmt.Sprint("giver", i)
		w.sim.Join(backlogRoom, game, user)
		s := seat{room: backlogRoom, user: user, pace: time.Millisecond, perSecond: 500, quota: gifts / backlogGivers}
		if err := w.add(s); err != nil {
			return err
		}
	}
	w.door.close()
	w.run(ctx)
	w.give(true)
	waiting, cancel := context.WithTimeout(ctx, 50*time.Second) // gifts older than --gift-ttl, 60 s, are not sent
	defer cancel()
	begun := time.Now()
	err := until(waiting, "backlog", func() (bool, error) { return w.acceptedCount() == gifts, nil })
	if err != nil {
		return fmt.Errorf("%d gifts accepted: %w", w.acceptedCount(), err)
	}
	w.note("%d gifts accepted in %.1f s while ZEGO was away", gifts, time.Since(begun).Seconds())
	w.node.kill()
	w.faults += 2
	return w.door.open(ctx)
}

// backlog has 10,000 gifts wait in one room, and measures how a node that starts on them
// delivers them.
func backlog(ctx context.Context, w *world) error {
	if err := w.pile(ctx, backlogGifts); err != nil {
		return err
	}
	if err := w.serve(ctx, wide()); err != nil {
		return err
	}
	if err := w.settled(ctx, time.Minute); err != nil {
		return err
	}
	var first, last time.Time
	calls := 0
	for _, a := range w.door.seen() {
		if a.Action == "SendDanmakuGifts" && a.At.After(w.node.started) {
			if calls++; first.IsZero() {
				first = a.At
			}
			last = a.At
		}
	}
	took := last.Sub(first)
	if calls < 2 || took <= 0 {
		return errors.New("no calls after the restart")
	}
	w.note("backlog of %d gifts in one room: first call %d ms after the restart, %d calls in %.1f s: %.1f a second, %.1f gifts each",
		backlogGifts, first.Sub(w.node.started).Milliseconds(), calls, took.Seconds(), float64(calls-1)/took.Seconds(), float64(backlogGifts)/float64(calls))
	if took > backlogWithin {
		return fmt.Errorf("the backlog took %v", took)
	}
	return nil
}

// brink kills the node again and again while a room uses all of its budget: what arrives
// at ZEGO's door counts over restarts.
func brink(ctx context.Context, w *world) error {
	if err := w.pile(ctx, brinkGifts); err != nil {
		return err
	}
	draw := rand.New(rand.NewPCG(w.tools.seed, 5)) //nolint:gosec // a run is repeated by its seed
	for delivered := 0; delivered < brinkGifts*3/4; w.faults++ {
		if err := w.serve(ctx, wide()); err != nil {
			return err
		}
		if err := pause(ctx, 500*time.Millisecond+time.Duration(draw.Int64N(int64(2*time.Second)))); err != nil {
			return err
		}
		w.node.kill()
		delivered = w.count(func(g *given) bool { return len(g.Results) > 0 })
	}
	return w.serve(ctx, wide())
}
