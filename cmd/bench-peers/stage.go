package main

import (
	"fmt"
	"strconv"
	"time"
)

// stage is one server with its viewers.
type stage struct {
	bench   bench
	server  *process
	readers *process
	addr    string
	peer    string
}

// cores of the server and of the readers.
const (
	serverCore = 0
	readerCore = 1
)

// newStage starts a server with so many rooms, and no viewers yet.
func (b bench) newStage(peer string, rooms int) (*stage, error) {
	name, args, env := b.self, []string{"serve", peer, strconv.Itoa(rooms)}, []string(nil)
	if peer == "giftwire" {
		name, args, env = b.hub, nil, []string{"GIFTWIRE_PEER_ROOMS=" + strconv.Itoa(rooms)}
	}
	server, err := start(serverCore, env, name, args...)
	if err != nil {
		return nil, err
	}
	addr, err := server.hear()
	if err != nil {
		server.end()
		return nil, err
	}
	readers, err := start(readerCore, nil, b.self, "read", peer, addr)
	if err != nil {
		server.end()
		return nil, err
	}
	return &stage{bench: b, server: server, readers: readers, addr: addr, peer: peer}, nil
}

func (s *stage) end() {
	s.readers.end()
	s.server.end()
}

// settle is how long a stage is left alone after viewers have come: what is told of
// their number is told within a second.
const settle = 2500 * time.Millisecond

// open lets viewers in.
func (s *stage) open(viewers, rooms, stalled int) error {
	if _, err := s.readers.ask("open %d 0 %d %d", viewers, rooms, stalled); err != nil {
		return err
	}
	time.Sleep(settle)
	_, err := mark(s.readers)
	return err
}

// resting are a server's memory in KiB and goroutines when nothing happens.
func (s *stage) resting() (rss, goroutines int, err error) {
	line, err := s.server.ask("rest")
	if err != nil {
		return 0, 0, err
	}
	if goroutines, err = strconv.Atoi(line); err != nil {
		return 0, 0, err
	}
	rss, err = s.server.rss()
	return rss, goroutines, err
}

// marked is what the readers have seen since the last mark.
type marked struct {
	deliveries, frames int
	p50, p99           time.Duration
	ended              int
}

func mark(readers *process) (marked, error) {
	line, err := readers.ask("mark")
	if err != nil {
		return marked{}, err
	}
	var m marked
	var p50, p99 int64
	_, err = fmt.Sscan(line, &m.deliveries, &m.frames, &p50, &p99, &m.ended)
	m.p50, m.p99 = time.Duration(p50)*time.Microsecond, time.Duration(p99)*time.Microsecond
	if err == nil && m.ended > 0 {
		err = fmt.Errorf("%d connections have ended", m.ended)
	}
	return m, err
}

// work is messages at a rate.
type work struct {
	perSecond int // times that every room is told
	burst     int // messages each time
}

// spent is what a work has cost.
type spent struct {
	marked
	perCPU float64 // deliveries per second of the server's processor time
	lost   int     // messages that did not arrive
}

// run does a work for a while, and waits until everything has arrived. reading is how
// many viewers read.
func (s *stage) run(w work, reading int) (spent, error) {
	before, err := s.server.cpu()
	if err != nil {
		return spent{}, err
	}
	tick := time.NewTicker(time.Second / time.Duration(w.perSecond))
	defer tick.Stop()
	times := int(s.bench.lasts.Seconds() * float64(w.perSecond))
	for range times {
		<-tick.C
		if err := s.server.say("tell %d", w.burst); err != nil {
			return spent{}, err
		}
	}
	time.Sleep(s.bench.lasts / 5) // what is late arrives
	after, err := s.server.cpu()
	if err != nil {
		return spent{}, err
	}
	m, err := mark(s.readers)
	want := times * w.burst * reading
	return spent{marked: m, perCPU: float64(m.deliveries) / (after - before).Seconds(), lost: want - m.deliveries}, err
}
