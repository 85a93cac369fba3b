package intake

import (
	"context"
	"errors"
	"log/slog"

	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// releaseTries is how often a Release is tried. What stays reserved then is told to
// the log; the platform finds it by comparing its reservations with the ledger.
const releaseTries = 3

// reserve sets the gift's price aside. It goes on when the viewer is gone: whether
// the wallet has reserved must be known.
func (in *Intake) reserve(ctx context.Context, gift *room.Gift) (Verdict, bool) {
	timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), in.cfg.Limits.ReserveTimeout)
	defer cancel()
	err := in.cfg.Prices.Wallet.Reserve(timed, *gift)
	if err == nil {
		return Verdict{}, true
	}
	if errors.Is(err, ErrDeclined) {
		return rejected(wire.CodeDeclined, "the wallet has declined the gift").of(gift.MsgID), false
	}
	in.cfg.Logger.Warn("wallet failed to reserve", slog.String("room", gift.Room),
		slog.String("msg_id", gift.MsgID.String()), slog.Any("error", err))
	// It may have reserved before it failed.
	in.release(ctx, gift)
	return rejected(wire.CodeUnavailable, "the wallet cannot be asked now").of(gift.MsgID).later(), false
}

// release gives back what was reserved for a gift that is surely not stored.
func (in *Intake) release(ctx context.Context, gift *room.Gift) {
	var err error
	for range releaseTries {
		timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), in.cfg.Limits.ReserveTimeout)
		err = in.cfg.Prices.Wallet.Release(timed, gift.MsgID)
		cancel()
		if err == nil {
			return
		}
	}
	in.releasesFailed.Add(1)
	in.cfg.Logger.Error("wallet failed to release a reservation", slog.String("room", gift.Room),
		slog.String("msg_id", gift.MsgID.String()), slog.Any("error", err))
}
