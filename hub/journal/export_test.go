package journal

import (
	"context"
	"time"
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
