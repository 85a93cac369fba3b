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
		p.purge(ctx, "gifts", gifts, c.gifts, p.cfg.Store.FirstGift, p.cfg.Store.PurgeGifts),
		p.purge(ctx, "outcomes", outcomes, c.outcomes, p.cfg.Store.FirstOutcome, p.cfg.Store.PurgeOutcomes),
	)
}

// purge removes a share of what the partition has in a stream, of what is below upTo.
func (p *Partition) purge(
	ctx context.Context, stream string, s journal.StreamSpace, upTo uint64,
	first func(context.Context) (uint64, error), purge func(context.Context, uint64) error,
) error {
	if s.Full() < purgeAt {
		return nil
	}
	// The partition's own, not the stream's: another partition may have to keep what is
	// older.
	from, err := first(ctx)
	if err != nil {
		return err
	}
	below := purgeBelow(s.Full(), from, upTo)
	if below <= from {
		return nil
	}
	if err := purge(ctx, below); err != nil {
		return err
	}
	p.purged(stream, s, below)
	return nil
}

func (p *Partition) purged(stream string, s journal.StreamSpace, below uint64) {
	p.stats.purges.Add(1)
	p.cfg.Logger.Warn("decided history purged: the stream is nearly full",
		slog.String("stream", stream), slog.String("full", fmt.Sprintf("%.0f%%", 100*s.Full())), slog.Uint64("below", below))
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
