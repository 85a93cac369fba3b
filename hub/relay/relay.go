package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Relay is one node's part in telling rooms' news to all nodes that have viewers. Its
// parts work while Run runs.
type Relay struct {
	// Teller is the listener of the partitions that this node owns.
	Teller *Teller
	// Follower is told which rooms have viewers here.
	Follower *Follower
	// Chat takes what viewers of this node say, for the others.
	Chat *Chat
	// Crowd counts viewers.
	Crowd *Crowd

	cfg      Config
	instance []byte
	origin   origin
	beats    uint64 // messages on gw.beat; owned by Run
	gate     gate
	counts   counts
}

// ErrClosed says that the relay has ended.
var ErrClosed = errors.New("relay: closed")

// beatEvery is how often heads and counts are told.
const beatEvery = time.Second

// New makes a relay. It starts nothing. The error wraps [ErrBadConfig].
func New(cfg Config) (*Relay, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("relay: name the instance: %w", err)
	}
	r := &Relay{cfg: cfg, instance: []byte(id.String()), origin: origin{cfg.Node, id.String()}}
	r.Teller, r.Follower, r.Chat, r.Crowd = newTeller(r), newFollower(r), newChat(r), newCrowd(r)
	return r, nil
}

// Run tells and hears until ctx ends; then all rooms are given up, and nothing is told
// to the audience any more but by this node's own owners. They should have ended before:
// what they told is published before Run returns. The error is that of the bus.
func (r *Relay) Run(ctx context.Context) error {
	defer r.gate.close()
	defer r.Follower.close()
	if r.cfg.Bus == nil {
		<-ctx.Done()
		return nil
	}
	stop, err := r.cfg.Bus.Subscribe(beatSubject, r.gate.keep(func(_ string, data []byte) { r.hearBeat(data) }))
	if err != nil {
		return fmt.Errorf("relay: listen to the other nodes: %w", err)
	}
	defer stop()
	var group sync.WaitGroup
	for range menders {
		group.Go(func() { r.Follower.mend(ctx) })
	}
	group.Go(func() { r.Teller.run(ctx) })
	group.Go(func() { r.Chat.run(ctx) })
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			r.beat(now)
			r.Follower.sweep(now)
		case <-ctx.Done():
			group.Wait()
			return nil
		}
	}
}

// beat tells the other nodes what has changed.
func (r *Relay) beat(now time.Time) {
	others := r.cfg.Others()
	heads, counted := r.Teller.beat(others), r.Crowd.beat(others, now)
	if !others {
		// Nothing is told to anyone now, so whoever hears the next beat has missed something.
		r.beats++
		return
	}
	r.publishBeat(kindBeat, beatBody{Full: r.cfg.Full()})
	for len(heads) > 0 {
		n := min(len(heads), headsPart)
		r.publishBeat(kindHeads, headsBody{heads[:n]})
		heads = heads[n:]
	}
	for i := range counted {
		r.publishBeat(kindCounts, counted[i])
	}
}

// publishBeat publishes on gw.beat. What cannot be published leaves a gap in the
// numbers, which the others notice.
func (r *Relay) publishBeat(kind string, body any) {
	r.beats++
	_ = r.publish(beatSubject, kind, r.beats, body)
}

// publish sends a message to the other nodes.
func (r *Relay) publish(subject, kind string, number uint64, body any) error {
	data, err := r.origin.encode(kind, number, body)
	if err == nil {
		err = r.cfg.Bus.Publish(subject, data)
	}
	if err != nil {
		r.counts.publishFailed.Add(1)
		r.cfg.Logger.Debug("message not published", slog.String("subject", subject), slog.Any("error", err))
		return err
	}
	r.counts.published.Add(1)
	return nil
}

// open reads a message's first line; false: it is not for this node.
func (r *Relay) open(data []byte) (header, []byte, bool) {
	h, body, err := parse(data)
	if err != nil {
		if errors.Is(err, errVersion) {
			r.counts.foreign.Add(1)
		} else {
			r.bad(err)
		}
		return h, nil, false
	}
	if string(h.instance) == r.origin.instance {
		return h, nil, false // the own one comes back
	}
	r.counts.heard.Add(1)
	return h, body, true
}

// bad counts a message that cannot be read.
func (r *Relay) bad(err error) {
	if err != nil {
		r.counts.unreadable.Add(1)
		r.cfg.Logger.Warn("message of another node ignored", slog.Any("error", err))
	}
}

// hearBeat takes in what another node tells every second.
func (r *Relay) hearBeat(data []byte) {
	h, body, ok := r.open(data)
	if !ok {
		return
	}
	missed, late := r.Crowd.hears(&h, time.Now())
	if missed {
		r.counts.beatsMissed.Add(1)
		r.Follower.checkAll()
	}
	var err error
	switch string(h.kind) {
	case kindBeat:
		var b beatBody
		if b, err = read[beatBody](body); err == nil && !late {
			r.Crowd.full(h.node, b.Full)
		}
	case kindHeads:
		var b headsBody
		if b, err = read[headsBody](body); err == nil {
			for i := range b.Heads {
				r.Follower.head(h.instance, &b.Heads[i])
			}
		}
	case kindCounts:
		var b countsBody
		if b, err = read[countsBody](body); err == nil && !late {
			r.Crowd.counted(h.node, &b)
		}
	default:
		r.counts.foreign.Add(1)
	}
	r.bad(err)
}

// gate lets messages in until it is closed.
type gate struct {
	mu     sync.RWMutex
	closed bool
}

// keep returns each behind the gate.
func (g *gate) keep(each func(string, []byte)) func(string, []byte) {
	return func(subject string, data []byte) {
		g.mu.RLock()
		defer g.mu.RUnlock()
		if !g.closed {
			each(subject, data)
		}
	}
}

// close returns when nobody is behind the gate, and nobody comes any more.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// counts are what happened since New.
type counts struct {
	published, publishFailed, heard, foreign, unreadable atomic.Uint64
	beatsMissed, repairs, repaired, skipped, mendsFailed atomic.Uint64
	newsDropped, chatDropped                             atomic.Uint64
}

// Stats is a relay in numbers, for metrics.
type Stats struct {
	Followed int // rooms, now
	Waiting  int // of these, for a repair or their owner's answer
	Nodes    int // others that are heard

	Published, PublishFailed uint64
	Heard                    uint64 // messages of other nodes
	Foreign                  uint64 // of these, of unknown versions or kinds
	Unreadable               uint64 // of these, not as they should be
	BeatsMissed              uint64 // gaps in other nodes' beats
	Repairs, Repaired        uint64 // reads of OUTCOMES, and records that they brought
	Skipped                  uint64 // repairs that did not reach back: viewers lag
	MendsFailed              uint64 // repairs and questions that are tried again
	NewsDropped              uint64 // told to this node alone; the others repair
	ChatDropped              uint64
}

// Stats returns the numbers now.
func (r *Relay) Stats() Stats {
	c := &r.counts
	r.Follower.mu.RLock()
	followed := len(r.Follower.rooms)
	r.Follower.mu.RUnlock()
	return Stats{
		Followed: followed, Waiting: r.Follower.queue.waiting(), Nodes: r.Crowd.nodesHeard(),
		Published: c.published.Load(), PublishFailed: c.publishFailed.Load(), Heard: c.heard.Load(),
		Foreign: c.foreign.Load(), Unreadable: c.unreadable.Load(), BeatsMissed: c.beatsMissed.Load(),
		Repairs: c.repairs.Load(), Repaired: c.repaired.Load(), Skipped: c.skipped.Load(),
		MendsFailed: c.mendsFailed.Load(), NewsDropped: c.newsDropped.Load(), ChatDropped: c.chatDropped.Load(),
	}
}
