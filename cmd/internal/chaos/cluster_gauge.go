//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
	"github.com/giftwire/giftwire/zego"
)

// calling is who sends which room's gifts: rooms by the address of the newest call.
type calling map[string]string

// recent is how old a room's newest call may be to say who owns it now.
const recent = 2 * time.Second

// callers finds who sends at a moment.
func callers(arrivals []verdict.Arrival, at time.Time) calling {
	out := make(calling)
	for _, a := range arrivals {
		if a.Action == string(zego.ActionGifts) && !a.At.After(at) && at.Sub(a.At) < recent {
			out[a.Room] = a.From
		}
	}
	return out
}

// of lists the rooms that an address sends for, sorted.
func (c calling) of(address string) []string {
	var out []string
	for room, from := range c {
		if from == address {
			out = append(out, room)
		}
	}
	slices.Sort(out)
	return out
}

// successions are, for each of the rooms, how long after a moment another address than
// the old owner's sent gifts, and from when the old one had been silent. A room for which
// nobody has is missing.
func successions(arrivals []verdict.Arrival, rooms []string, old string, since time.Time) map[string]succession {
	out := make(map[string]succession)
	last := make(map[string]time.Time)
	for _, a := range arrivals {
		if a.Action != string(zego.ActionGifts) || !slices.Contains(rooms, a.Room) {
			continue
		}
		if _, found := out[a.Room]; found {
			continue
		}
		switch {
		case a.From == old:
			last[a.Room] = a.At
		case !a.At.Before(since):
			out[a.Room] = succession{after: a.At.Sub(since), silent: a.At.Sub(last[a.Room]), to: a.From}
		}
	}
	return out
}

// succession is one room's change of owner.
type succession struct {
	after  time.Duration // from the moment asked for to the first call of the next owner
	silent time.Duration // from the last call of the old owner to that
	to     string
}

// lateCalls are calls of an address between two moments.
func lateCalls(arrivals []verdict.Arrival, from string, since, until time.Time) []verdict.Arrival {
	var out []verdict.Arrival
	for _, a := range arrivals {
		if a.From == from && a.At.After(since) && a.At.Before(until) {
			out = append(out, a)
		}
	}
	return out
}

// span is p50, p99 and worst in words.
func span(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	d = slices.Sorted(slices.Values(d))
	at := func(q float64) time.Duration { return d[min(len(d)-1, int(q*float64(len(d))))].Round(time.Millisecond) }
	return fmt.Sprintf("p50 %v, p99 %v, worst %v of %d", at(0.5), at(0.99), d[len(d)-1].Round(time.Millisecond), len(d))
}

// describe shows the first of some calls.
func describe(calls []verdict.Arrival, since time.Time) string {
	var out []string
	for _, a := range calls[:min(len(calls), 5)] {
		out = append(out, fmt.Sprintf("%s of %s after %v", a.Action, a.Room, a.At.Sub(since).Round(time.Millisecond)))
	}
	return fmt.Sprintf("%d: %s", len(calls), strings.Join(out, ", "))
}

// staleCalls are calls of an address for rooms that another one sends for at that time:
// behind them the other goes on.
func staleCalls(arrivals []verdict.Arrival, rooms []string, from string) []verdict.Arrival {
	var out []verdict.Arrival
	waiting := make(map[string][]verdict.Arrival)
	for _, a := range arrivals {
		if a.Action != string(zego.ActionGifts) || !slices.Contains(rooms, a.Room) {
			continue
		}
		if a.From == from {
			waiting[a.Room] = append(waiting[a.Room], a)
			continue
		}
		out = append(out, waiting[a.Room]...)
		delete(waiting, a.Room)
	}
	return out
}
