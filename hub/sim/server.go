package sim

import (
	"time"
)

// server is JetStream as far as giftwire leans on it: four files, each with one writer
// at a time and an fsync before the answer. A crash loses what was not synced, or a
// part of it.
type server struct {
	w     *World
	down  bool
	life  int // counts crashes
	stall time.Duration

	gifts, outcomes, chunks, ids file
	purged                       struct{ gifts, outcomes uint64 } // all below is gone
	full                         float64                          // what the streams say of their space
	readers                      []*task                          // that wait for the next record of GIFTS
	news                         int                              // how often they were woken
}

// file is a stream. Sequences count from 1 without gaps.
type file struct {
	name    string
	records []record
	synced  int // how many are durable
	busy    time.Duration
}

type record struct {
	key  string // Nats-Msg-Id, or a chunk's name
	at   int64  // Unix ms
	data []byte
}

// backlogMax is how long a file's writes wait for their turn before they are dropped.
const backlogMax = 3 * time.Second

func newServer(w *World) *server {
	s := &server{w: w}
	s.gifts.name, s.outcomes.name, s.chunks.name, s.ids.name = "gifts", "outcomes", "chunks", "ids"
	return s
}

func (s *server) files() []*file { return []*file{&s.gifts, &s.outcomes, &s.chunks, &s.ids} }

// write has a record stored when the file's writer comes to it, unless prepare refuses.
// done is called when it is durable, or with 0 when it was refused; never if the server
// dies before.
func (s *server) write(f *file, prepare func() (record, bool), done func(seq uint64)) {
	l := s.w.loop
	start := max(l.now(), f.busy)
	if start > l.now()+backlogMax {
		return // repeats of what waits already
	}
	sync := l.between(100*time.Microsecond, 2*time.Millisecond) + s.stall
	f.busy = start + sync + time.Microsecond // the next comes when this one is durable
	life := s.life
	l.in(start-l.now(), nil, func() {
		if s.life != life {
			return
		}
		rec, ok := prepare()
		if !ok {
			done(0)
			return
		}
		rec.at = time.Now().UnixMilli()
		f.records = append(f.records, rec)
		seq := uint64(len(f.records))
		if s.w.bugs.ackBeforeSync {
			done(seq)
		}
		l.in(sync, nil, func() {
			if s.life != life {
				return
			}
			f.synced = int(seq)
			l.note("stored %s %d", f.name, seq)
			if f == &s.gifts {
				s.wakeReaders()
			}
			if !s.w.bugs.ackBeforeSync {
				done(seq)
			}
		})
	})
}

// last is the sequence of the newest record, durable or about to be.
func (f *file) last() uint64 { return uint64(len(f.records)) }

// crash stops the server. Of what was not synced a part, drawn, happens to be on disk.
func (s *server) crash() {
	s.down = true
	s.life++
	for _, f := range s.files() {
		if tail := len(f.records) - f.synced; tail > 0 {
			f.synced += s.w.loop.luck.upTo(tail + 1)
		}
		f.records = f.records[:f.synced]
		f.busy = 0
	}
	s.w.loop.note("server down")
}

func (s *server) restart() {
	s.down = false
	s.w.loop.note("server up")
	s.wakeReaders()
}

func (s *server) wakeReaders() {
	s.news++
	waiting := s.readers
	s.readers = nil
	for _, t := range waiting {
		s.w.loop.in(s.w.loop.between(100*time.Microsecond, 3*time.Millisecond), t.owner, func() { s.w.loop.resume(t) })
	}
}

// line is a process's connection to the server.
type line struct {
	w *World
	p *process
}

// unanswered is how long an answer is waited for.
const unanswered = time.Second

// ask sends a request from the running task. handle runs at the server and calls reply,
// at once or later. False: no answer came in time; the request may still arrive.
func (c line) ask(handle func(reply func())) bool {
	l, t := c.w.loop, c.w.loop.running
	rates := &c.w.rates
	over, answered := false, false
	end := func(ok bool) {
		if !over {
			over, answered = true, ok
			l.resume(t)
		}
	}
	reply := func() {
		if c.p.cut || l.luck.chance(rates.answerLost) {
			return
		}
		l.in(l.between(100*time.Microsecond, time.Millisecond), c.p, func() { end(true) })
	}
	travel := l.between(100*time.Microsecond, time.Millisecond)
	if l.luck.chance(rates.requestLate) {
		travel += unanswered + 200*time.Millisecond
	}
	if !c.p.cut && !l.luck.chance(rates.requestLost) {
		l.in(travel, nil, func() {
			if !c.w.server.down {
				handle(reply)
			}
		})
	}
	l.in(unanswered, c.p, func() { end(false) })
	c.crashPoint()
	l.park()
	c.crashPoint()
	return answered
}

// get asks until an answer comes. A request that arrives after that reads nothing.
func (c line) get(handle func()) {
	known := false
	ask := func(reply func()) {
		if !known {
			handle()
			reply()
		}
	}
	for !c.ask(ask) {
		c.w.loop.pause(50 * time.Millisecond)
	}
	known = true
}

// crashPoint may be where the process dies: between any two things that it does with
// the server.
func (c line) crashPoint() {
	if c.w.loop.luck.chance(c.w.rates.crash) {
		c.w.loop.in(0, nil, func() { c.w.crash(c.p) })
		c.w.loop.park()
	}
}
