package relay

import (
	"sync"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// Teller is the owner's side: an [owner.Listener] that tells this node's audience at
// once, and then the other nodes. It is safe for concurrent use: each partition of this
// node calls it from a goroutine of its own.
type Teller struct {
	relay *Relay

	mu        sync.Mutex      // guards the following
	marks     map[string]mark // of rooms that changed since the last beat
	games     uint64          // changes of games so far
	announced []Head          // not told yet
}

var _ owner.Listener = (*Teller)(nil)

// mark is what has changed in a room.
type mark struct {
	record, seq uint64 // the newest, 0: none
	game        uint64 // number of its game's last change, 0: none
}

// Head is the newest record of a room, and its gifts event counter.
type Head struct {
	Room        string
	Record, Seq uint64
}

const (
	// headsPart is how many heads one message has, of at most 64 bytes of name, three
	// numbers of 20 and 40 of JSON: 656 KB. headsBeat is how many are told in a beat.
	headsPart = 4000
	headsBeat = 100_000
)

func newTeller(r *Relay) *Teller {
	return &Teller{relay: r, marks: make(map[string]mark)}
}

// Decided implements [owner.Listener].
func (t *Teller) Decided(news owner.News) {
	if t.relay.cfg.Bus == nil {
		t.relay.cfg.Audience.Decided(news)
		return
	}
	t.relay.Follower.local(news)
	t.mark(news.Room, func(m *mark) { m.record, m.seq = news.Record, news.Seq })
	if t.relay.cfg.Others() && t.relay.publish(roomSubject+news.Room, kindNews, 0, newsOf(&news)) != nil {
		// Too large, or not text: the others read it from the log.
		cut := newsBody{Prev: news.Prev, Record: news.Record, Seq: news.Seq, Cut: true}
		_ = t.relay.publish(roomSubject+news.Room, kindNews, 0, cut) // it is in the next beat
	}
}

// Repeated implements [owner.Listener].
func (t *Teller) Repeated(seq uint64, d room.Decision) {
	t.relay.cfg.Audience.Repeated(seq, d)
	if t.relay.cfg.Others() {
		// Best effort: who repeats a gift and hears nothing repeats it again.
		_ = t.relay.publish(roomSubject+d.Gift.Room, kindRepeated, 0, repeatedBody{Seq: seq, Decision: decisionOf(&d)})
	}
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
	if t.relay.cfg.Others() {
		_ = t.relay.publish(roomSubject+roomID, kindGame, number, gameOf(gameID, game)) // its number is in the next beat
	}
}

// Announce tells the heads of all rooms of a partition that was taken over just now,
// those without a record too: what the owner before did not come to tell is noticed by
// this. Call it when the partition is ready. It does not block; the other nodes hear it
// with the next beats, 100,000 heads a second.
func (t *Teller) Announce(heads []Head) {
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
