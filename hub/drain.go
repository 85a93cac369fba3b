package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// drainShare is the part of Limits.Drain that each of the four bounded phases may
// take: a twentieth, by default 1 s. What they leave is for ending the rooms (a snapshot,
// 1 s, a call in flight, at most a quarter, see Limits.fill, up to 3 s of storing what it
// decided, and 0.4 s of giving the lease back), for the watch of the rooms' registry, which
// is taken for ended after 1 s, for the journal's last publishes (up to 3 s), and for 2 s
// of plain requests behind the hub: 4 x 1 + 1 + 5 + 3 + 0.4 + 1 + 3 + 2 = 19.4 s, if ZEGO,
// the store and the wallet hang all.
const drainShare = 20

// drain ends the hub in phases, each of which needs the ones behind it: nothing new is
// taken; what is on its way in is answered; what is open gets a last chance, and the
// rest stays in the journal; the rooms are released; viewers are told to come back
// elsewhere; the journal ends, and what it did not store is given back by the wallet. It
// returns what any part failed with.
func (h *Hub) drain(ctx context.Context, run running) error {
	start := time.Now()
	h.phase.to(phaseDraining)
	h.intake.Close()
	h.finish(ctx, "answer gifts", h.intake.Wait)
	if !run.rooms.ended() && !run.journal.ended() { // else nothing can be decided any more
		h.finish(ctx, "give the rooms up", h.giveUp)
	}
	rooms := run.rooms.end()
	h.finish(ctx, "tell viewers", h.lobby.drain)
	viewers := run.viewers.end()
	relay := errors.Join(run.relay.end(), run.games.end())
	registry := run.registry.end()
	journal := run.journal.end()
	h.finish(ctx, "give money back", h.intake.End)
	h.phase.to(phaseEnded)
	h.cfg.Logger.Info("drained", slog.Duration("took", time.Since(start)))
	return errors.Join(rooms, viewers, relay, registry, journal)
}

// giveUp hands the rooms over to the other nodes, some at a time, so that each of them
// waits for a moment only; what is open goes with them. Where there is nobody, what is
// open is given a chance to be decided here.
func (h *Hub) giveUp(ctx context.Context) error {
	if !h.membership.succeeded() {
		return h.partitions.waitFlushed(ctx)
	}
	if err := h.membership.leave(ctx); err != nil {
		return fmt.Errorf("tell the others: %w", err)
	}
	return h.partitions.waitHandedOver(ctx)
}

// finish gives one phase its share of the time. What is not finished then is not lost:
// unanswered gifts are repeated by their senders, open ones are in the journal.
func (h *Hub) finish(ctx context.Context, what string, phase func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Limits.Drain/drainShare)
	defer cancel()
	if err := phase(ctx); err != nil {
		h.cfg.Logger.Warn("drain: not finished in time", slog.String("phase", what), slog.Any("error", err))
	}
}
