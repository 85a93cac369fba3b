package intake

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/giftwire/giftwire/room"
)

const (
	// releaseTries is how often a Release is tried. What stays reserved then is told to
	// the log; the platform finds it by comparing its reservations with the ledger.
	releaseTries = 3
	// releasePause is between two of them: a wallet that refuses connections would have had
	// all three within a millisecond.
	releasePause = 500 * time.Millisecond
	// releasesMax is how many run at a time. When the store fails, all that waits in the
	// journal's queue is given back: 90,000 gifts must not call the wallet at once.
	releasesMax = 64
)

// releases gives back, beside those who must not wait for a wallet: the journal's
// goroutine and viewers' readers. What waits are gifts in flight, which the limit of open
// gifts bounds. Its goroutines end when nothing waits; who waits for the gifts in flight
// has waited for them.
type releases struct {
	mu      sync.Mutex // guards the following
	waiting []func()
	running int
}

// do runs the task soon.
func (r *releases) do(task func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = append(r.waiting, task)
	if r.running < releasesMax {
		r.running++
		go r.run() // its tasks are gifts in flight, which Wait joins
	}
}

func (r *releases) run() {
	for {
		r.mu.Lock()
		if len(r.waiting) == 0 {
			r.waiting = nil
			r.running--
			r.mu.Unlock()
			return
		}
		task := r.waiting[0]
		r.waiting = r.waiting[1:]
		r.mu.Unlock()
		task()
	}
}

// release gives back what an attempt has reserved that has surely not stored its gift.
// Another attempt may have: on another node, or an earlier one whose answer was lost.
func (in *Intake) release(ctx context.Context, gift *room.Gift, attempt string) {
	var err error
	for try := range releaseTries {
		if try > 0 && !in.rest(releasePause) {
			break
		}
		if err = in.tryRelease(ctx, gift, attempt); err == nil {
			return
		}
	}
	in.releasesFailed.Add(1)
	in.cfg.Logger.Error("wallet failed to release a reservation", slog.String("room", gift.Room),
		slog.String("msg_id", gift.MsgID.String()), slog.String("attempt", attempt), slog.Any("error", err))
}

// rest pauses; false: the intake ends.
func (in *Intake) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-in.life.Done():
		return false
	}
}

func (in *Intake) tryRelease(ctx context.Context, gift *room.Gift, attempt string) error {
	timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), in.cfg.Limits.ReserveTimeout)
	defer cancel()
	defer context.AfterFunc(in.life, cancel)()
	return in.cfg.Prices.Wallet.Release(timed, gift.MsgID, attempt)
}

// End is Wait for after the journal has ended: what it then failed to store is given
// back by the wallet, and that can take three times ReserveTimeout and longer where there
// is much. When ctx ends first, End cuts the calls of the wallet off, counts and logs
// what was not given back, and returns ctx's cause when everything that the intake
// started has ended: at once with a wallet that heeds its context. Call it after Close.
func (in *Intake) End(ctx context.Context) error {
	err := in.Wait(ctx)
	in.cut()
	<-in.table.idle()
	return err
}
