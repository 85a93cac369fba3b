package owner

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/giftwire/giftwire/hub/journal"
)

// History is purged above purgeAt of a stream's space, long before the journal refuses
// entries at 95 %.
const (
	purgeAt = 0.80
	// purgeShare of the stream's sequences go at once: a purge every few minutes keeps
	// most of the history, one after every snapshot would keep it at the brim.
	purgeShare = 0.25
	// purgeAll is where everything goes that may: then the space matters more.
	purgeAll = 0.92
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
	if below := purgeBelow(gifts, c.gifts); below > 0 {
		if err := p.cfg.Store.PurgeGifts(ctx, below); err != nil {
			return err
		}
		p.purged("gifts", gifts, below)
	}
	if below := purgeBelow(outcomes, c.outcomes); below > 0 {
		if err := p.cfg.Store.PurgeOutcomes(ctx, below); err != nil {
			return err
		}
		p.purged("outcomes", outcomes, below)
	}
	return nil
}

func (p *Partition) purged(stream string, s journal.StreamSpace, below uint64) {
	p.stats.purges.Add(1)
	p.cfg.Logger.Warn("decided history purged: the stream is nearly full",
		slog.String("stream", stream), slog.String("full", fmt.Sprintf("%.0f%%", 100*s.Full())), slog.Uint64("below", below))
}

// purgeBelow is the sequence below which records of a stream go, at most upTo; 0: none.
func purgeBelow(s journal.StreamSpace, upTo uint64) uint64 {
	full := s.Full()
	if full < purgeAt || s.First >= upTo {
		return 0
	}
	if full >= purgeAll {
		return upTo
	}
	return min(upTo, s.First+max(1, uint64(purgeShare*float64(s.Last-s.First))))
}
