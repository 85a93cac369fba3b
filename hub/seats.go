package hub

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Seats bound how many connections viewers may have on a node.
type Seats struct {
	// Node is for all of them: default 50,000. An idle one costs about 10 KiB here and
	// 4 KiB in the kernel, together 700 MB; the process needs as many open files.
	Node int
	// Room is for one room: default 25,000. A core writes about 100,000 events a second,
	// so that 10 a second to so many viewers take two and a half.
	Room int
	// User is for one user in all rooms: default 20. Every result goes to each of the
	// user's connections in the room.
	User int
}

// SeatsMax is the most that Seats may ask for: a process may have no more open files on
// Linux by default (fs.nr_open).
const SeatsMax = 1 << 20

// fill sets the defaults and checks what is set.
func (s *Seats) fill(f *faults) {
	one := func(name string, n *int, def int) {
		if *n == 0 {
			*n = def
		}
		f.unless(*n >= 1 && *n <= SeatsMax, "Limits.Viewer.Seats.%s %d is not between 1 and %d", name, *n, SeatsMax)
	}
	one("Node", &s.Node, 50_000)
	one("Room", &s.Room, 25_000)
	one("User", &s.User, 20)
}

// seating counts the connections there are.
type seating struct {
	limits Seats

	mu    sync.Mutex // guards all below
	node  int
	rooms map[string]int
	users map[string]int
}

func newSeating(limits Seats) *seating {
	return &seating{limits: limits, rooms: make(map[string]int), users: make(map[string]int)}
}

// Those who find no seat come back at different times within these.
const (
	fullRetryMin    = 5 * time.Second
	fullRetrySpread = 10 * time.Second
)

// take takes a seat, which leave gives back, or says why there is none.
func (s *seating) take(room, user string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	retry := fullRetryMin + rand.N(fullRetrySpread)
	switch {
	case s.node >= s.limits.Node:
		return nil, newProblem(http.StatusServiceUnavailable, codeFull, "this node has no room for more viewers").after(retry)
	case s.rooms[room] >= s.limits.Room:
		return nil, newProblem(http.StatusServiceUnavailable, codeFull, "room %s is full on this node", room).after(retry)
	case s.users[user] >= s.limits.User:
		return nil, newProblem(http.StatusTooManyRequests, codeTooManyConnections,
			"this user has %d connections already", s.limits.User).after(retry)
	}
	s.node++
	s.rooms[room]++
	s.users[user]++
	return func() { s.leave(room, user) }, nil
}

func (s *seating) leave(room, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.node--
	if s.rooms[room]--; s.rooms[room] == 0 {
		delete(s.rooms, room)
	}
	if s.users[user]--; s.users[user] == 0 {
		delete(s.users, user)
	}
}
