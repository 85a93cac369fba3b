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
// gone: whether the wallet has reserved must be known. false: the gift is settled, or will
// be when the attempt is given back; the caller is done with it.
func (in *Intake) reserve(ctx context.Context, gift *room.Gift) (attempt string, ok bool) {
	attempt = rand.Text() // 128 bits: no node nor restart draws one again
	timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), in.cfg.Limits.ReserveTimeout)
	defer cancel()
	err := in.cfg.Prices.Wallet.Reserve(timed, *gift, attempt)
	switch {
	case err == nil:
		return attempt, true
	case errors.Is(err, ErrDeclined):
		in.settle(gift, rejected(wire.CodeDeclined, "the wallet has declined the gift").of(gift.MsgID))
	default:
		in.cfg.Logger.Warn("wallet failed to reserve", slog.String("room", gift.Room),
			slog.String("msg_id", gift.MsgID.String()), slog.Any("error", err))
		// It may have reserved before it failed.
		in.settleReleased(ctx, gift, attempt,
			rejected(wire.CodeUnavailable, "the wallet cannot be asked now").of(gift.MsgID).later())
	}
	return "", false
}

// settleReleased gives an attempt back and then settles its gift: who hears rejected has
// the money back. It does not wait for the wallet: neither the journal's goroutine nor a
// viewer's reader may. The gift is in flight until it is settled, so Wait and End join it.
func (in *Intake) settleReleased(ctx context.Context, gift *room.Gift, attempt string, v Verdict) {
	in.releases.do(func() {
		in.release(ctx, gift, attempt)
		in.settle(gift, v)
	})
}
