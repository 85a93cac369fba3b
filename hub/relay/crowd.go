package relay

import (
	"slices"
	"sync"
	"time"
)

// Crowd is how many viewers each room has, on this node and on all that live. Reading is
// a look-up. It is safe for concurrent use.
type Crowd struct {
	relay *Relay

	mu     sync.Mutex // guards the following
	own    table
	dirty  map[string]struct{} // rooms of this node whose count changed since it was told
	next   int                 // the part that is told whole next
	hurry  int                 // so many slices are to be told soon
	others map[string]int      // viewers on all other nodes
	nodes  map[string]*peer
	loads  map[string]int // open gifts of rooms that fill up
}

// peer is what another node has told. Its memory is the node's rooms with viewers: 100
// bytes each.
type peer struct {
	instance string
	number   uint64 // of its newest message
	heardAt  time.Time
	counts   table
	full     []Load
}

// table is counts by room, in slices.
type table [parts]map[string]int

// parts is into how many parts a node's counts are cut, so that each beat tells a few
// of them whole: 390 rooms at 100,000.
const parts = 256

const (
	// wholeBeats is in how many beats all counts are told, hurryBeats when a node has
	// come.
	wholeBeats = 10
	hurryBeats = 3
	// countsPart is how many counts one message has, or a slice more: of 64 bytes of name
	// and 20 of number and JSON, 368 KB. A slice of 8,000 rooms, of 2,000,000 on one node,
	// would still fit.
	countsPart = 4000
	// countsBeat is how many changed counts a beat tells.
	countsBeat = 40_000
	// silence is how long a node is believed that says nothing: far longer than the lease
	// after which Forget is called. It is for what arrives of a node after that.
	silence = 30 * time.Second
	// fullMax is how many rooms of a node may be filling up, see Config.Full.
	fullMax = 100
)

func newCrowd(r *Relay) *Crowd {
	return &Crowd{
		relay: r, dirty: make(map[string]struct{}), others: make(map[string]int),
		nodes: make(map[string]*peer), loads: make(map[string]int),
	}
}

// sliceOf says in which slice a room's count stands: FNV-1a's low byte. Nodes have to
// agree on it.
func sliceOf(roomID string) int {
	h := uint32(2166136261)
	for i := range len(roomID) {
		h = (h ^ uint32(roomID[i])) * 16777619
	}
	return int(h % parts)
}

// set stores a count and returns the one before.
func (t *table) set(roomID string, n int) (before int) {
	s := &t[sliceOf(roomID)]
	before = (*s)[roomID]
	switch {
	case n == 0:
		delete(*s, roomID)
	case *s == nil:
		*s = map[string]int{roomID: n}
	default:
		(*s)[roomID] = n
	}
	return before
}

// Set says how many viewers a room has on this node.
func (c *Crowd) Set(roomID string, viewers int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own.set(roomID, max(0, viewers)) != viewers && c.relay.cfg.Bus != nil {
		c.dirty[roomID] = struct{}{}
	}
}

// Viewers returns how many viewers the room has on all nodes.
func (c *Crowd) Viewers(roomID string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.own[sliceOf(roomID)][roomID] + c.others[roomID]
}

// Others returns how many viewers the room has on the other nodes.
func (c *Crowd) Others(roomID string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.others[roomID]
}

// Forget subtracts the viewers of a node that is gone. It looks at all rooms that the
// node had viewers of.
func (c *Crowd) Forget(node string) {
	c.mu.Lock()
	changed := c.forget(node)
	c.mu.Unlock()
	c.tell(changed)
}

// forget is Forget under mu; it returns the rooms whose sum has changed.
func (c *Crowd) forget(node string) (changed []string) {
	p := c.nodes[node]
	if p == nil {
		return nil
	}
	for i := range p.counts {
		for roomID, n := range p.counts[i] {
			c.add(roomID, -n)
			changed = append(changed, roomID)
		}
	}
	c.setFull(p, nil)
	delete(c.nodes, node)
	return changed
}

// add changes a room's sum, under mu.
func (c *Crowd) add(roomID string, n int) {
	if sum := c.others[roomID] + n; sum == 0 {
		delete(c.others, roomID)
	} else {
		c.others[roomID] = sum
	}
}

// tell tells the audience of sums that have changed, of rooms that it is in.
func (c *Crowd) tell(changed []string) {
	for _, roomID := range changed {
		if c.relay.Follower.find(roomID) != nil {
			c.relay.cfg.Audience.Crowd(roomID, c.Others(roomID))
		}
	}
}

// hears notes a message of another node: missed reports that messages before it did not
// come, late that one after it has come already.
func (c *Crowd) hears(h *header, now time.Time) (missed, late bool) {
	c.mu.Lock()
	p := c.nodes[string(h.node)]
	var changed []string
	if p != nil && p.instance != string(h.instance) { // it has started anew
		changed, p = c.forget(string(h.node)), nil
	}
	if p == nil {
		p = &peer{instance: string(h.instance)}
		c.nodes[string(h.node)] = p
		c.hurry = parts // it knows nothing of this node
	}
	missed, late = h.number > p.number+1, h.number <= p.number
	p.number, p.heardAt = max(p.number, h.number), now
	c.mu.Unlock()
	c.tell(changed)
	return missed, late
}

// counted takes in what another node has counted.
func (c *Crowd) counted(node []byte, b *countsBody) {
	c.mu.Lock()
	p := c.nodes[string(node)]
	if p == nil || b.From < 0 || b.To > parts {
		c.mu.Unlock()
		return
	}
	var changed []string
	set := func(roomID string, n int) {
		if before := p.counts.set(roomID, n); before != n {
			c.add(roomID, n-before)
			changed = append(changed, roomID)
		}
	}
	for i := b.From; i < b.To; i++ {
		for roomID := range p.counts[i] {
			if _, there := b.Counts[roomID]; !there {
				set(roomID, 0)
			}
		}
	}
	for roomID, n := range b.Counts {
		set(roomID, max(0, n))
	}
	c.mu.Unlock()
	c.tell(changed)
}

// full takes in which rooms of another node fill up.
func (c *Crowd) full(node []byte, full []Load) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.nodes[string(node)]; p != nil {
		c.setFull(p, full[:min(len(full), fullMax)])
	}
}

// setFull changes the loads, under mu.
func (c *Crowd) setFull(p *peer, full []Load) {
	for _, l := range p.full {
		delete(c.loads, l.Room)
	}
	for _, l := range full {
		c.loads[l.Room] = l.Open
	}
	p.full = slices.Clone(full)
}

// Open returns how many gifts are open in a room of another node that fills up, 0 for
// one that does not.
func (c *Crowd) Open(roomID string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loads[roomID]
}

// beat returns what is to be told of this node's viewers now, and forgets nodes that
// have fallen silent.
func (c *Crowd) beat(others bool, now time.Time) []countsBody {
	c.mu.Lock()
	var changed []string
	for node, p := range c.nodes {
		if now.Sub(p.heardAt) > silence {
			changed = append(changed, c.forget(node)...)
		}
	}
	defer c.tell(changed)
	defer c.mu.Unlock()
	if !others {
		clear(c.dirty) // who comes is told all
		return nil
	}
	return c.changes(c.wholes())
}

// wholes returns the slices that are told whole in this beat, under mu.
func (c *Crowd) wholes() (bodies []countsBody) {
	n := (parts + wholeBeats - 1) / wholeBeats
	if c.hurry > 0 {
		n = (parts + hurryBeats - 1) / hurryBeats
		c.hurry = max(0, c.hurry-n)
	}
	b := countsBody{From: c.next, To: c.next, Counts: make(map[string]int)}
	for range n {
		for roomID, viewers := range c.own[c.next] {
			b.Counts[roomID] = viewers
		}
		c.next++
		b.To = c.next
		if len(b.Counts) >= countsPart || c.next == parts {
			bodies = append(bodies, b)
			c.next %= parts
			b = countsBody{From: c.next, To: c.next, Counts: make(map[string]int)}
		}
	}
	if b.To > b.From {
		bodies = append(bodies, b)
	}
	return bodies
}

// changes adds what has changed to the bodies, under mu.
func (c *Crowd) changes(bodies []countsBody) []countsBody {
	var b countsBody
	told := 0
	for roomID := range c.dirty {
		if told++; told > countsBeat {
			break // the rest in the next beat
		}
		if b.Counts == nil {
			b.Counts = make(map[string]int)
		}
		b.Counts[roomID] = c.own[sliceOf(roomID)][roomID]
		delete(c.dirty, roomID)
		if len(b.Counts) >= countsPart {
			bodies, b = append(bodies, b), countsBody{}
		}
	}
	if len(b.Counts) > 0 {
		bodies = append(bodies, b)
	}
	return bodies
}

// nodesHeard counts the other nodes that are believed.
func (c *Crowd) nodesHeard() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.nodes)
}
