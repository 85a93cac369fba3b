package relay

import (
	"context"
	"sync"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// Teller is the owner's side: an [owner.Listener] that tells this node's audience at
// once, and then the other nodes. It is safe for concurrent use: each partition of this
// node calls it from a goroutine of its own.
type Teller struct {
	relay *Relay
	out   chan outgoing // to run

	mu        sync.Mutex      // guards the following
	marks     map[string]mark // of rooms that changed since the last beat
	games     uint64          // changes of games so far
	announced []owner.Head    // not told yet
}

var _ owner.Listener = (*Teller)(nil)

// mark is what has changed in a room.
type mark struct {
	record, seq uint64 // the newest, 0: none
	game        uint64 // number of its game's last change, 0: none
}

// outgoing is a message to the other nodes that is not encoded yet. One of news,
// repeated and game is set.
type outgoing struct {
	room     string
	news     *owner.News
	repeated *repeated
	game     *changed
}

type repeated struct {
	seq      uint64
	decision room.Decision
}

type changed struct {
	number uint64
	gameID string
	game   room.Game
}

const (
	// outgoingMax is how many messages wait to be encoded: four records of OUTCOMES with
	// a room each for their 500 gifts, 0.1 s of work. What comes beyond is dropped, and
	// read from the log by the others when they hear the next beat.
	outgoingMax = 2048
	// headsPart is how many heads one message has, of at most 64 bytes of name, three
	// numbers of 20 and 40 of JSON: 656 KB. headsBeat is how many are told in a beat.
	headsPart = 4000
	headsBeat = 100_000
)

func newTeller(r *Relay) *Teller {
	return &Teller{relay: r, out: make(chan outgoing, outgoingMax), marks: make(map[string]mark)}
}

// Decided implements [owner.Listener].
func (t *Teller) Decided(news owner.News) {
	if t.relay.cfg.Bus == nil {
		t.relay.cfg.Audience.Decided(news)
		return
	}
	t.relay.Follower.local(news)
	t.mark(news.Room, func(m *mark) { m.record, m.seq = news.Record, news.Seq })
	t.post(outgoing{room: news.Room, news: &news})
}

// Repeated implements [owner.Listener].
func (t *Teller) Repeated(seq uint64, d room.Decision) {
	t.relay.cfg.Audience.Repeated(seq, d)
	// Best effort: who repeats a gift and hears nothing repeats it again.
	t.post(outgoing{room: d.Gift.Room, repeated: &repeated{seq, d}})
}

// GameChanged implements [owner.Listener].
func (t *Teller) GameChanged(roomID, gameID string, game room.Game) {
	if t.relay.cfg.Bus == nil {
		t.relay.cfg.Audience.GameChanged(roomID, gameID, game)
		return
	}
	number := t.mark(roomID, func(m *mark) {
		t.games++
		m.game = t.games
	})
	t.relay.Follower.localGame(number, roomID, gameID, game)
	t.post(outgoing{room: roomID, game: &changed{number, gameID, game}})
}

// Announce tells the heads of all rooms of a partition that was taken over just now,
// those without a record too: what the owner before did not come to tell is noticed by
// this. Call it when the partition is ready. It does not block; the other nodes hear it
// with the next beats, 100,000 heads a second.
func (t *Teller) Announce(heads []owner.Head) {
	if t.relay.cfg.Bus == nil {
		return
	}
	for i := range heads {
		h := head{Room: heads[i].Room, Record: heads[i].Record, Seq: heads[i].Seq}
		t.relay.Follower.head(t.relay.instance, &h)
	}
	if t.relay.cfg.Others() {
		t.mu.Lock()
		t.announced = append(t.announced, heads...)
		t.mu.Unlock()
	}
}

// post hands a message over to run.
func (t *Teller) post(m outgoing) {
	if !t.relay.cfg.Others() {
		return
	}
	select {
	case t.out <- m:
	default:
		t.relay.counts.newsDropped.Add(1)
	}
}

// run publishes what was posted until ctx ends, and what is left then. It keeps the
// encoding off the owners' goroutines: 50 gifts take 0.4 ms.
func (t *Teller) run(ctx context.Context) {
	for {
		select {
		case m := <-t.out:
			t.publish(&m)
		case <-ctx.Done():
			for range len(t.out) {
				m := <-t.out
				t.publish(&m)
			}
			return
		}
	}
}

// publish encodes a message. That it is lost is noticed by the next beat.
func (t *Teller) publish(m *outgoing) {
	subject := roomSubject + m.room
	switch {
	case m.repeated != nil:
		_ = t.relay.publish(subject, kindRepeated, 0, repeatedBody{Seq: m.repeated.seq, Decision: decisionOf(&m.repeated.decision)})
	case m.game != nil:
		_ = t.relay.publish(subject, kindGame, m.game.number, gameOf(m.game.gameID, m.game.game))
	case t.relay.publish(subject, kindNews, 0, newsOf(m.news)) != nil:
		// Too large, or not text: the others read it from the log.
		cut := newsBody{Prev: m.news.Prev, Record: m.news.Record, Seq: m.news.Seq, Cut: true}
		_ = t.relay.publish(subject, kindNews, 0, cut)
	}
}

// mark notes a change for the next beat.
func (t *Teller) mark(roomID string, change func(*mark)) (game uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.marks[roomID]
	change(&m)
	t.marks[roomID] = m
	return m.game
}

// beat returns the heads that are to be told now. While nobody else lives there are
// none, and who comes later sees by the beats' numbers that it has missed some.
func (t *Teller) beat(others bool) []head {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !others {
		t.announced = nil
		clear(t.marks)
		return nil
	}
	heads := make([]head, 0, min(len(t.marks)+len(t.announced), headsBeat))
	for roomID, m := range t.marks {
		if len(heads) == headsBeat {
			break // the rest in the next beat
		}
		heads = append(heads, head{Room: roomID, Record: m.record, Seq: m.seq, Game: m.game})
		delete(t.marks, roomID)
	}
	n := min(len(t.announced), headsBeat-len(heads))
	for _, h := range t.announced[:n] {
		heads = append(heads, head{Room: h.Room, Record: h.Record, Seq: h.Seq})
	}
	if t.announced = t.announced[n:]; len(t.announced) == 0 {
		t.announced = nil
	}
	return heads
}
