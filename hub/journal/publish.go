package journal

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// How long to wait before an attempt is repeated that was answered, but not with
// an end: no stream leader, an id that is still in process.
const (
	retryFirst = 5 * time.Millisecond
	retryMost  = 250 * time.Millisecond
)

// store publishes the batch as one record and returns its sequence. Once an
// attempt may have reached the store it repeats the same bytes under the same
// Nats-Msg-Id until it knows, or until hard ends: then ErrUnknown. Any other error
// says that the record is surely not stored.
func (p *publisher) store(hard context.Context) (uint64, error) {
	p.number++
	p.body = appendGiftRecord(p.body[:0], p.j.cfg.Node, p.j.incarnation, p.number, p.batch)
	name := p.msgID()
	msg := &nats.Msg{Subject: p.subject, Data: p.body, Header: nats.Header{jetstream.MsgIDHeader: {name}}}
	begun := time.Now()
	defer p.resume()
	var unanswered bool // an attempt may have landed
	var stuck stuckID
	wait := retryFirst
	for attempt := 1; ; attempt++ {
		if unanswered && time.Since(begun) > p.j.tuning.repeat {
			// JetStream may have forgotten the id: a repeat could be stored twice.
			if seq, err := p.find(hard, name); err != nil || seq != 0 {
				if err == nil {
					return p.took(begun, seq), nil
				}
				if pause(hard, retryMost) != nil {
					return 0, ErrUnknown
				}
				continue
			}
		}
		if attempt > 1 {
			p.j.stats.resent()
			p.j.cfg.Hooks.resent()
		}
		seq, got, err := p.attempt(hard, msg)
		switch {
		case got == stored:
			return p.took(begun, seq), nil
		case got == lost:
			unanswered = true
		case got == refused && !unanswered:
			return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if time.Since(begun) >= p.j.cfg.Unanswered {
			if !unanswered {
				return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
			}
			p.stall(err)
		}
		if stuck.heard(err) >= p.j.tuning.inProcess {
			if seq, err := p.settleID(hard, name); err == nil && seq != 0 {
				return p.took(begun, seq), nil
			} else if err == nil {
				msg.Header.Set(jetstream.MsgIDHeader, stuck.next(name))
			}
		}
		if ended := pause(hard, wait); ended != nil {
			if unanswered {
				return 0, ErrUnknown
			}
			return 0, ErrClosed
		}
		wait = min(2*wait, retryMost)
	}
}

// attempt publishes once and waits for the answer.
func (p *publisher) attempt(hard context.Context, msg *nats.Msg) (uint64, answer, error) {
	ctx, cancel := context.WithTimeout(hard, p.j.cfg.Unanswered)
	defer cancel()
	ack, err := p.j.js.PublishMsg(ctx, msg, jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, judge(err), err
	}
	return ack.Sequence, stored, nil
}

// took counts a stored record.
func (p *publisher) took(begun time.Time, seq uint64) uint64 {
	p.j.stats.stored(len(p.batch), len(p.body))
	p.j.cfg.Hooks.stored(len(p.batch), len(p.body), time.Since(begun))
	return seq
}

// msgID is unique over restarts and partitions: message ids are per stream.
func (p *publisher) msgID() string {
	return p.j.incarnation + "." + strconv.Itoa(p.partition) + "." + strconv.FormatUint(p.number, 10)
}
