package cluster

import (
	"slices"
	"time"
)

// The lease's arithmetic. A node renews every renewEvery. It starts nothing that only
// an owner may do later than validFor after it asked for its last good renewal, and
// others declare it dead deadAfter after they saw that renewal, which was stored after
// it was asked for. So between its last act and the first one of whoever follows it
// lie at least deadAfter - validFor = 200 ms, less what two clocks may differ in rate
// over 2 s; no two clocks are compared. A renewal may be lost three times in a row.
const (
	renewEvery = 500 * time.Millisecond
	validFor   = 1800 * time.Millisecond
	deadAfter  = 2 * time.Second
	// gapMax is the longest pause between own renewals after which silence of others
	// still counts against them: a NATS that is away, or a process that was stopped,
	// makes everybody look dead.
	gapMax = 1200 * time.Millisecond
)

// seat is what is known of one node.
type seat struct {
	incarnation string
	leaving     bool // it gives its partitions up: none should go there
	revision    uint64
	since       time.Time // when this revision was first seen here
}

// census is what one node believes of all: a state machine over what it hears and
// when, on its own monotonic clock. It is not safe for concurrent use.
type census struct {
	self  string
	seats map[string]seat
	good  time.Time // when the newest good renewal was asked for; zero: none yet
	heard time.Time // when the watch last told of the own lease, or could not have
	// absent is when an incarnation was first found to have left no trace in the bucket.
	absent map[string]time.Time
}

// absentMax bounds census.absent: beyond it all are waited for anew.
const absentMax = 1000

func newCensus(self string) *census {
	return &census{self: self, seats: make(map[string]seat), absent: make(map[string]time.Time)}
}

// renewed notes a good renewal of the own lease, asked for at asked.
func (c *census) renewed(asked, now time.Time) {
	if asked.Sub(c.good) > gapMax {
		c.heard = now
		for node, s := range c.seats {
			s.since = now
			c.seats[node] = s
		}
	}
	c.good = asked
}

// lost forgets the own renewals: the lease is gone.
func (c *census) lost() { c.good = time.Time{} }

// valid reports whether this node's lease surely holds.
func (c *census) valid(now time.Time) bool { return now.Sub(c.good) < validFor }

// saw notes a node's lease at a revision, and reports whether that changes who is there.
func (c *census) saw(node string, s seat, now time.Time) bool {
	if node == c.self {
		c.heard = now
	}
	before, known := c.seats[node]
	if known && s.revision <= before.revision {
		return false
	}
	s.since = now
	c.seats[node] = s
	return !known || before.incarnation != s.incarnation || before.leaving != s.leaving
}

// own notes the own lease as it was just written: whatever was known of it is older.
func (c *census) own(s seat, now time.Time) bool {
	before, known := c.seats[c.self]
	s.since = now
	c.seats[c.self] = s
	return !known || before.incarnation != s.incarnation || before.leaving != s.leaving
}

// missing notes that an incarnation that has had a lease has neither a lease nor the mark
// of one that was taken away: the bucket was forgotten and made anew. What it forgot may
// hold for a while; it is over deadAfter after it was first missed, since nothing can be
// renewed that is not there.
func (c *census) missing(incarnation string, now time.Time) (over bool) {
	first, known := c.absent[incarnation]
	if !known {
		if len(c.absent) >= absentMax {
			clear(c.absent)
		}
		c.absent[incarnation], first = now, now
	}
	return now.Sub(first) >= deadAfter
}

// gone notes that a lease was given back or taken away, and reports whether that
// changes who is there.
func (c *census) gone(node string, revision uint64) bool {
	if s, known := c.seats[node]; !known || revision < s.revision {
		return false
	}
	delete(c.seats, node)
	return true
}

// deaf reports whether the watch says nothing: it should tell of every own renewal.
func (c *census) deaf(now time.Time) bool { return c.valid(now) && now.Sub(c.heard) >= deadAfter }

// silent lists the nodes whose lease has not moved for too long, while the own one
// holds: without that, it may be this node that hears nothing.
func (c *census) silent(now time.Time) []string {
	if !c.valid(now) {
		return nil
	}
	var out []string
	for node, s := range c.seats {
		if node != c.self && now.Sub(s.since) >= deadAfter {
			out = append(out, node)
		}
	}
	slices.Sort(out)
	return out
}

// staying lists the nodes that partitions may go to, sorted.
func (c *census) staying() []string {
	var out []string
	for node, s := range c.seats {
		if !s.leaving {
			out = append(out, node)
		}
	}
	slices.Sort(out)
	return out
}
