package main

import (
	"errors"
	"fmt"
	"time"
)

// The rooms of the scenario beside.
const (
	smallRooms = 100
	smallSize  = 10
	smallEvery = 2 * time.Millisecond // one of them is told: 5 messages/s each
	largeEvery = time.Second / 3
)

// runBeside tells small rooms one after the other, alone and while a large room is told.
// The large room's readers are another process, which has the core only when the small
// rooms' readers do not want it, so that what is measured is not their being busy.
func runBeside(b bench, peer string) (figures, error) {
	s, err := b.newStage(peer, 1+smallRooms)
	if err != nil {
		return nil, err
	}
	defer s.end()
	small, err := start(readerCore, nil, b.self, "read", s.peer, s.addr)
	if err != nil {
		return nil, err
	}
	defer small.end()
	if err := s.readers.giveWay(); err != nil {
		return nil, err
	}
	if _, err := small.ask("open %d 1 %d 0", smallRooms*smallSize, smallRooms); err != nil {
		return nil, err
	}
	if err := s.open(b.large, 1, 0); err != nil {
		return nil, err
	}
	alone, _, err := s.beside(small, false)
	if err != nil {
		return nil, err
	}
	with, large, err := s.beside(small, true)
	return figures{
		"p99 alone": alone.p99.Seconds() * 1000, "p99 beside": with.p99.Seconds() * 1000,
		"beside/alone": with.p99.Seconds() / alone.p99.Seconds(), "large room's p99": large.p99.Seconds() * 1000,
	}, err
}

// beside tells the small rooms for a while, and the large one if large is.
func (s *stage) beside(readers *process, large bool) (small, others marked, err error) {
	if _, err := mark(readers); err != nil {
		return small, others, err
	}
	times := int(s.bench.lasts / smallEvery)
	if err := s.server.say("beat 1 %d %d %d", smallRooms, times, smallEvery.Microseconds()); err != nil {
		return small, others, err
	}
	tick := time.NewTicker(largeEvery)
	defer tick.Stop()
	for end := time.Now().Add(s.bench.lasts); time.Now().Before(end); <-tick.C {
		if !large {
			continue
		}
		if err := s.server.say("one 0 1"); err != nil {
			return small, others, err
		}
	}
	if _, err := s.server.hear(); err != nil {
		return small, others, err
	}
	time.Sleep(s.bench.lasts / 5) // what is late arrives
	small, err1 := mark(readers)
	others, err2 := mark(s.readers)
	if want := times * smallSize; small.deliveries != want {
		err1 = errors.Join(err1, fmt.Errorf("small rooms heard %d messages of %d", small.deliveries, want))
	}
	return small, others, errors.Join(err1, err2)
}
