package owner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/giftwire/giftwire/hub/journal"
)

// History is purged above purgeAt of a stream's space, long before the journal refuses
// entries at 95 %.
const (
	purgeAt = 0.80
	// purgeShare of what the partition keeps goes at once: a purge every few minutes
	// keeps most of the history, one after every snapshot would keep it at the brim.
	purgeShare = 0.25
	// purgeMore of it goes above purgeSoon, where the space matters more; never all, since
	// a gift of a moment ago may still be asked for.
	purgeSoon = 0.92
	purgeMore = 0.50
)

// covered is how far the newest stored snapshot of this owner has come: what a later
// owner does not read any more.
type covered struct {
	gifts    uint64 // lowest GIFTS sequence that it needs: of an open gift, or the newest one read
	outcomes uint64 // OUTCOMES sequence that it continues
}

// covers is what a stored head makes superfluous.
func (h *headShape) covers(open []journal.Position) covered {
	c := covered{gifts: h.Read, outcomes: h.Last}
	for _, at := range open {
		c.gifts = min(c.gifts, at.Seq)
	}
	return c
}

// makeRoom purges old history when a stream is nearly full, and nothing that a
// snapshot does not cover: open gifts, what is not read yet and the log's last record
// stay, and so does the memory of ids, which is kept elsewhere.
func (p *Partition) makeRoom(ctx context.Context, c covered) error {
	gifts, outcomes := p.cfg.Store.Space()
	return errors.Join(
		p.purge(ctx, history{"gifts", gifts.Full(), c.gifts, p.cfg.Store.FirstGift, p.cfg.Store.PurgeGifts}),
		p.purge(ctx, history{"outcomes", outcomes.Full(), c.outcomes, p.cfg.Store.FirstOutcome, p.cfg.Store.PurgeOutcomes}),
	)
}

// history is what a partition has in one stream.
type history struct {
	stream string
	full   float64 // the part of the whole stream that is used
	upTo   uint64  // from here on it is needed
	// first is the partition's own oldest record: another partition may have to keep what
	// is older.
	first func(context.Context) (uint64, error)
	below func(context.Context, uint64) error // purges
}

// purge removes a share of what is not needed, if the stream is nearly full.
func (p *Partition) purge(ctx context.Context, h history) error {
	if h.full < purgeAt {
		return nil
	}
	first, err := h.first(ctx)
	if err != nil {
		return err
	}
	below := purgeBelow(h.full, first, h.upTo)
	if below <= first {
		return nil
	}
	if err := h.below(ctx, below); err != nil {
		return err
	}
	p.stats.purges.Add(1)
	p.cfg.Logger.Warn("decided history purged: the stream is nearly full",
		slog.String("stream", h.stream), slog.String("full", fmt.Sprintf("%.0f%%", 100*h.full)), slog.Uint64("below", below))
	return nil
}

// purgeBelow is the sequence below which a partition's records of a stream go, where the
// oldest has sequence first and those from upTo on are needed.
func purgeBelow(full float64, first, upTo uint64) uint64 {
	if upTo <= first {
		return first
	}
	share := purgeShare
	if full >= purgeSoon {
		share = purgeMore
	}
	return first + max(1, uint64(share*float64(upTo-first)))
}
