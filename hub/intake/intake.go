package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// Config is what an intake needs. Fields without a default must be set.
type Config struct {
	Journal Journal
	Owner   Owner
	Chat    Chat
	Rooms   Rooms
	// Prices is the catalogue and the wallet: what a gift becomes and costs.
	Prices Prices
	// AppID is ZEGO's, a part of every MsgID.
	AppID  uint32
	Limits Limits
	// Meter may be nil.
	Meter Meter
	// Logger gets what an operator must know; nil is silence. Never a payload.
	Logger *slog.Logger
}

// Intake is the way in for all rooms of a process. It is safe for concurrent use.
type Intake struct {
	cfg      Config
	table    *table
	releases releases
	life     context.Context //nolint:containedctx // releases outlive their gifts' callers; cut ends it
	cut      context.CancelFunc

	lookupsFailed, releasesFailed, dropped atomic.Uint64
}

// ErrBadConfig is wrapped by every error of [New].
var ErrBadConfig = errors.New("intake: bad config")

// New checks the configuration, all faults at once. It starts nothing.
func New(cfg Config) (*Intake, error) {
	var faults []error
	missing := func(name string, is bool) {
		if is {
			faults = append(faults, fmt.Errorf("%w: %s is missing", ErrBadConfig, name))
		}
	}
	missing("Journal", cfg.Journal == nil)
	missing("Owner", cfg.Owner == nil)
	missing("Chat", cfg.Chat == nil)
	missing("Rooms", cfg.Rooms == nil)
	var err error
	cfg.Limits, err = cfg.Limits.WithDefaults()
	faults = append(faults, err)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if cfg.Meter == nil {
		cfg.Meter = noMeter{}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	in := &Intake{cfg: cfg, table: newTable()}
	in.life, in.cut = context.WithCancel(context.Background())
	return in, nil
}

// noMeter is the Meter where none is given.
type noMeter struct{}

// Accepted implements [Meter].
func (noMeter) Accepted(time.Duration, bool) {}

// Rejected implements [Meter].
func (noMeter) Rejected(wire.Code) {}

// Unknown implements [Meter].
func (noMeter) Unknown() {}

// Submit takes a gift. It blocks for what must be known before the gift is handed
// to the journal: at most LookupTimeout and ReserveTimeout. answer is called exactly
// once, from here or from another goroutine, and must not block; a gift that is rejected
// after the wallet was asked is answered when the wallet has taken its reservation back,
// or has not in three tries of ReserveTimeout.
func (in *Intake) Submit(ctx context.Context, g Gift, answer func(Verdict)) {
	start := time.Now()
	tell := func(v Verdict) {
		in.meter(v, time.Since(start))
		answer(v)
	}
	if fault := g.Fault(); fault != "" {
		tell(rejected(wire.CodeBadRequest, fault))
		return
	}
	gift := g.draft(in.cfg.AppID, start)
	switch in.table.begin(gift, tell) {
	case entryFirst:
		in.first(ctx, gift, !g.Charged)
	case entryJoined: // answered with the first
	case entryStored:
		known, _ := in.lookup(ctx, gift) // what is not known is not said
		tell(in.repeat(known, gift))
	case entryOther:
		tell(conflict(gift.MsgID))
	case entryClosed:
		tell(closing())
	}
}

func (in *Intake) meter(v Verdict, took time.Duration) {
	switch v.Outcome {
	case Accepted:
		in.cfg.Meter.Accepted(took, v.Repeat)
	case Rejected:
		in.cfg.Meter.Rejected(v.Code)
	case Unknown:
		in.cfg.Meter.Unknown()
	}
}

// first brings a gift in that nobody else is bringing in now.
func (in *Intake) first(ctx context.Context, gift *room.Gift, pay bool) {
	pay = pay && in.cfg.Prices.Wallet != nil
	known, err := in.lookup(ctx, gift)
	switch {
	case known.Gift != nil:
		in.settle(gift, in.repeat(known, gift))
		return
	case errors.Is(err, journal.ErrGone):
		// It was decided within a day. Its owner, which has kept how, tells its sender when
		// it reads the gift again; nobody pays twice, and no rule of today refuses it.
		in.submit(ctx, gift, fee{again: true})
		return
	}
	var cost fee
	v, ok := in.admit(gift)
	switch {
	case err != nil && (!ok || pay):
		// It may be a repeat of a gift that is journaled. Of that one nobody may say that
		// nothing was charged, nor give back what was reserved for it.
		v, ok = rejected(wire.CodeUnavailable, "whether the gift was accepted before cannot be told now").of(gift.MsgID).later(), false
	case ok && pay:
		if cost.attempt, ok = in.reserve(ctx, gift); !ok {
			return
		}
	}
	if !ok {
		in.settle(gift, v)
		return
	}
	in.submit(ctx, gift, cost)
}

// submit hands the gift to the journal.
func (in *Intake) submit(ctx context.Context, gift *room.Gift, cost fee) {
	stored := func(_ journal.Receipt, err error) { in.stored(ctx, gift, cost, err) }
	if err := in.cfg.Journal.Submit(journal.Entry{Gift: gift}, stored); err != nil {
		in.stored(ctx, gift, cost, err)
	}
}

// lookup asks the owner what is known of the gift's id. An error says that it cannot
// tell. Then a gift that is not paid here is journaled as if it were new: the owner, who
// reads the journal, knows all ids then, and gives the first outcome. journal.ErrGone:
// it was decided within a day, and the record of it was purged.
func (in *Intake) lookup(ctx context.Context, gift *room.Gift) (owner.Known, error) {
	ctx, cancel := context.WithTimeout(ctx, in.cfg.Limits.LookupTimeout)
	defer cancel()
	known, err := in.cfg.Owner.Lookup(ctx, gift.Room, gift.MsgID)
	if err != nil {
		if !errors.Is(err, owner.ErrNotReady) && !errors.Is(err, journal.ErrGone) {
			in.lookupsFailed.Add(1)
			in.cfg.Logger.Debug("look-up of an id failed", slog.String("room", gift.Room), slog.Any("error", err))
		}
		return owner.Known{}, err
	}
	return known, nil
}

// repeat answers a gift whose id is journaled already.
func (in *Intake) repeat(known owner.Known, gift *room.Gift) Verdict {
	if known.Gift != nil && known.Gift.Content() != gift.Content() {
		return conflict(gift.MsgID)
	}
	v := Verdict{Outcome: Accepted, MsgID: gift.MsgID, Repeat: true}
	if known.Knowledge == owner.Decided {
		v.Decision = &known.Decision
	}
	return v
}

// admit fills in what the gift becomes in its room, unless the room refuses it.
func (in *Intake) admit(gift *room.Gift) (Verdict, bool) {
	config, open := in.cfg.Rooms.Room(gift.Room)
	if !open {
		return rejected(wire.CodeRoomClosed, "the room is closed").of(gift.MsgID), false
	}
	state := in.cfg.Owner.Room(gift.Room)
	if config.RequireRunning && state.Playing(config.Game).State != room.GameRunning {
		return rejected(wire.CodeGameNotRunning, "the room's game is not running").of(gift.MsgID), false
	}
	gift.Game = config.Game
	if gift.Receiver == "" {
		gift.Receiver = config.Anchor
	}
	var err error
	gift.Value, gift.Num, err = in.cfg.Prices.Catalogue.Resolve(gift.Game, gift.GiftID, gift.Count, gift.Asked.Value)
	if err != nil {
		return rejected(resolveCode(err), resolveMessage(err)).of(gift.MsgID), false
	}
	roomFlights, allFlights := in.table.others(gift.Room)
	if state.Open+roomFlights >= in.cfg.Limits.RoomOpen || in.cfg.Owner.OpenGifts()+allFlights >= in.cfg.Limits.NodeOpen {
		return rejected(wire.CodeBusy, "too many gifts wait for the game").of(gift.MsgID).later(), false
	}
	return Verdict{}, true
}

func resolveCode(err error) wire.Code {
	var tier *room.TierError
	switch {
	case errors.Is(err, room.ErrUnknownGift):
		return wire.CodeUnknownGift
	case errors.As(err, &tier):
		return wire.CodeBadCount
	default: // ErrValueRequired
		return wire.CodeBadRequest
	}
}

func resolveMessage(err error) string {
	var tier *room.TierError
	switch {
	case errors.Is(err, room.ErrUnknownGift):
		return "the room's game has no such gift"
	case errors.As(err, &tier):
		return tier.Error()
	default:
		return "value is required: the room's game is not in the catalogue"
	}
}

// stored hears what the journal says of a gift.
func (in *Intake) stored(ctx context.Context, gift *room.Gift, cost fee, err error) {
	v := Verdict{Outcome: Accepted, MsgID: gift.MsgID, Repeat: cost.again}
	switch {
	case err == nil:
	case errors.Is(err, journal.ErrUnknown):
		v.Outcome = Unknown
	case errors.Is(err, journal.ErrTooLarge):
		v = rejected(wire.CodeBadRequest, "the gift is too large to be stored").of(gift.MsgID)
	default: // ErrUnavailable, ErrClosed
		v = rejected(wire.CodeUnavailable, "the gift cannot be made durable now").of(gift.MsgID).later()
	}
	if v.Outcome == Rejected && cost.attempt != "" {
		in.settleReleased(ctx, gift, cost.attempt, v)
		return
	}
	in.settle(gift, v)
}

// settle ends a gift's flight and tells everyone who waits for it.
func (in *Intake) settle(gift *room.Gift, v Verdict) {
	answers := in.table.settle(gift, v.Outcome == Accepted)
	for i, tell := range answers {
		// Who joined asked for nothing new.
		v.Repeat = v.Repeat || i > 0
		tell(v)
	}
	in.table.landed()
}

// Close refuses everything from now on as unavailable.
func (in *Intake) Close() { in.table.close() }

// Wait returns when every gift and comment that was taken is answered, or with
// ctx's cause. Call it after Close and before the journal ends; then [Intake.End].
func (in *Intake) Wait(ctx context.Context) error {
	select {
	case <-in.table.idle():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Stats counts what happened since New.
type Stats struct {
	InFlight       int    // gifts and joining comments that are not answered yet, now
	LookupsFailed  uint64 // the owner could not say; the gift went on as if new
	ReleasesFailed uint64 // reservations that the wallet did not take back
	ChatDropped    uint64 // comments and likes that the owner did not take
}

// Stats returns the counts.
func (in *Intake) Stats() Stats {
	return Stats{
		InFlight:       in.table.inFlight(),
		LookupsFailed:  in.lookupsFailed.Load(),
		ReleasesFailed: in.releasesFailed.Load(),
		ChatDropped:    in.dropped.Load(),
	}
}
