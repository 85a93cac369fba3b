package journal

import (
	"context"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Pace overrides times that nobody can set; zero leaves the default.
type Pace struct {
	Window, Grace, Repeat, Poll, Mark, Check, Wedged time.Duration
}

// OpenPaced is Open with other times.
func OpenPaced(ctx context.Context, cfg Config, p Pace) (*Journal, error) {
	t := defaultTuning()
	set := func(d *time.Duration, v time.Duration) {
		if v != 0 {
			*d = v
		}
	}
	set(&t.window, p.Window)
	set(&t.grace, p.Grace)
	set(&t.repeat, p.Repeat)
	set(&t.poll, p.Poll)
	set(&t.mark, p.Mark)
	set(&t.check, p.Check)
	set(&t.wedged, p.Wedged)
	return open(ctx, cfg, t)
}

// LookNow looks at the store once, as Run does every second.
func (j *Journal) LookNow(ctx context.Context) { j.note(j.look(ctx)) }

// PublishOne stores one entry as a record of its own and waits for the answer: what
// group commit is compared with.
func (j *Journal) PublishOne(ctx context.Context, e Entry, n uint64) error {
	data, err := encodeEntry(e)
	if err != nil {
		return err
	}
	body := appendGiftRecord(nil, j.cfg.Node, j.incarnation, n, []pending{{data: data}})
	_, err = j.js.Publish(ctx, giftSubject(j.Partition(entryRoom(e))), body,
		jetstream.WithMsgID(strconv.FormatUint(n, 10)))
	return err
}
