package intake

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"

	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// fee is what a gift in the journal's hands has cost.
type fee struct {
	attempt string // under which the wallet has reserved its price; empty: it has not
	again   bool   // it is no new gift
}

// reserve sets the gift's price aside under a new attempt. It goes on when the viewer is
// gone: whether the wallet has reserved must be known.
func (in *Intake) reserve(ctx context.Context, gift *room.Gift) (attempt string, v Verdict, ok bool) {
	attempt = rand.Text() // 128 bits: no node nor restart draws one again
	timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), in.cfg.Limits.ReserveTimeout)
	defer cancel()
	err := in.cfg.Prices.Wallet.Reserve(timed, *gift, attempt)
	if err == nil {
		return attempt, Verdict{}, true
	}
	if errors.Is(err, ErrDeclined) {
		return "", rejected(wire.CodeDeclined, "the wallet has declined the gift").of(gift.MsgID), false
	}
	in.cfg.Logger.Warn("wallet failed to reserve", slog.String("room", gift.Room),
		slog.String("msg_id", gift.MsgID.String()), slog.Any("error", err))
	// It may have reserved before it failed.
	in.release(ctx, gift, attempt)
	return "", rejected(wire.CodeUnavailable, "the wallet cannot be asked now").of(gift.MsgID).later(), false
}
