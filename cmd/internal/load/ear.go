package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
)

// ear hears one connection of a viewer. It is for one goroutine.
type ear struct {
	viewer   *viewer
	conn     *conn
	number   uint32
	begun    time.Duration // the dial
	welcomed time.Duration // zero: not yet
	welcome  func()        // called once, by welcome; may be nil
}

// hear takes one frame: an array of events. An error ends the connection.
func (e *ear) hear(frame []byte, now time.Duration) error {
	if len(frame) < 2 || frame[0] != '[' {
		return e.bad(fmt.Errorf("%w: no array of events: %.40q", wire.ErrBadFrame, frame))
	}
	var heard counts
	heard[Frames], heard[Bytes] = 1, int64(len(frame))
	rest, more := frame[1:], true
	for more {
		known, size := e.viewer.board.quick(rest)
		if known != nil {
			e.gifts(known.seq, known.first, known.due, now)
		} else {
			if size = objectEnd(rest); size == 0 {
				return e.bad(fmt.Errorf("%w: an event that is no object", wire.ErrBadFrame))
			}
			if err := e.event(rest[:size], now); err != nil {
				return err
			}
		}
		var err error
		if rest, more, err = separator(rest[size:]); err != nil {
			return e.bad(err)
		}
	}
	e.viewer.tally.add(&heard)
	return nil
}

// bad is a frame that the protocol does not know.
func (e *ear) bad(err error) error {
	e.viewer.worker.blame.add(e.mismatch(KindBadFrame), "%v", err)
	return err
}

func (e *ear) mismatch(kind Kind) Mismatch {
	return Mismatch{Kind: kind, Room: e.viewer.board.room, User: e.viewer.user}
}

// judge notes what the chain found wrong, if anything.
func (e *ear) judge(kind Kind, detail string) {
	if kind != "" {
		e.viewer.worker.blame.add(e.mismatch(kind), "%s", detail)
	}
	e.viewer.seq.Store(e.viewer.chain.place.Seq)
}

// gifts is one gifts event.
func (e *ear) gifts(seq uint64, first, due, now time.Duration) {
	v := e.viewer
	e.judge(v.chain.gifts(seq))
	v.tally.deliver(delivery{
		caughtUp: first < e.welcomed, measured: !v.slow, fanOut: now - first, first: first == now, due: due, now: now,
	})
}

// event is any other event, or a gifts event that is not on the board.
func (e *ear) event(text []byte, now time.Duration) error {
	switch kindOf(text) {
	case "presence", "comments", "likes", "pong": // best effort: nothing to check
		return nil
	}
	event, err := parseOne(text)
	if err != nil {
		return e.bad(err)
	}
	v := e.viewer
	switch event := event.(type) {
	case wire.Gifts:
		known, same := v.board.heard(text, event, now)
		if !same {
			v.worker.blame.add(e.mismatch(KindOtherContent), "gifts %d is not what another viewer heard", event.Seq)
		}
		e.gifts(event.Seq, known.first, known.due, now)
	case wire.Welcome:
		e.welcomedAt(event, now)
	case wire.Lagged:
		before := v.chain.lagged
		e.judge(v.chain.lag(event.From, event.To))
		v.tally.add(&counts{Lags: 1, Lagged: int64(v.chain.lagged - before)}) //nolint:gosec // a room's sequence is far below
		if v.giver != nil {
			v.giver.askAgain(0) // results may be gone with what was lost
		}
	case wire.Bye:
		return &byeError{event}
	case wire.Error:
		v.worker.why.count("error: " + string(event.Code))
	default:
		e.answer(event, now)
	}
	return nil
}

// welcomedAt begins to hear.
func (e *ear) welcomedAt(w wire.Welcome, now time.Duration) {
	v := e.viewer
	if e.welcomed != 0 {
		_ = e.bad(errors.New("a second welcome"))
		return
	}
	if w.Room != v.board.room || w.UserID != v.user {
		_ = e.bad(fmt.Errorf("welcome for user %s in room %s", w.UserID, w.Room))
	}
	e.welcomed = max(now, 1)
	resumed := v.chain.started && w.Resumed
	e.judge(v.chain.welcome(w))
	v.tries = 0
	dropped := time.Duration(0)
	v.change(func(l *line) {
		dropped, l.dropped = l.dropped, 0
		l.welcomed, l.ready = e.welcomed, true
	})
	if v.slow {
		dropped = 0 // it did not notice while it did not read
	}
	v.tally.welcome(now-e.begun, resumed, dropped, now)
	if e.welcome != nil {
		e.welcome()
	}
}

// answer is one of the events that only givers hear.
func (e *ear) answer(event wire.Event, now time.Duration) {
	v := e.viewer
	book, giver := v.worker.book, who{v.board.room, v.user}
	switch event := event.(type) {
	case wire.Accepted:
		if got, ok := book.accept(giver, event); ok && got.news {
			v.tally.answer(Accepted, Accept, now-got.due)
		}
	case wire.Rejected:
		got, ok := book.reject(giver, event)
		switch {
		case ok && got.final && got.news:
			v.tally.count(Rejected)
			v.worker.why.count("rejected: " + string(event.Code))
			v.giver.over(got.serial)
		case ok && !got.final && v.giver != nil:
			v.giver.askAgain(max(time.Second, time.Duration(event.RetryAfterMS)*time.Millisecond))
		}
	case wire.Result:
		got, ok := book.result(giver, event, e.number)
		if ok && got.news {
			v.tally.answer(fateCount(event.Status), Result, now-got.due)
			if got.implied {
				v.tally.count(Accepted)
			}
			v.worker.why.count("result: " + string(event.Reason))
			v.giver.over(got.serial)
		}
	}
}

func fateCount(status string) Count {
	switch status {
	case "delivered":
		return Delivered
	case "failed":
		return Failed
	default:
		return Unresolved
	}
}
