package audience

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// Member is one connection of a viewer in a room. All its methods are safe for
// concurrent use, and none blocks.
type Member struct {
	// Set by Join, never written again.
	hall *hall
	user string
	conn Conn
	fast Prompt // conn, if it is one; else nil
	from start

	// Guarded by hall.mu.
	place   int     // in hall.members; -1: left
	sibling *Member // the next member of the same user

	mu       sync.Mutex // guards all below
	box      outbox
	promises promises
	writing  bool   // a writer runs
	ending   ending // the last event is in the outbox, or was written
	gone     bool   // left, or the connection failed: nothing is written any more
}

// start is where a member begins to hear.
type start struct {
	pos uint64 // the first of the hall's entries
	// seq is the last gifts event that it had heard when it came; the hall may be told of
	// that one only now.
	seq uint64
}

// ending is the last event of a member; the zero ending is none.
type ending struct {
	code wire.ByeCode
	at   time.Time
}

// Expect says that a gift was sent on this connection and will be answered: by
// Accepted or by Refused. If its result is faster, accepted is sent before it.
func (m *Member) Expect(id string, content room.Content) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.promises.expect(promise{id, content})
}

// Accepted answers one Expect with an accepted event, unless the gift's result has
// brought it.
func (m *Member) Accepted(id string, content room.Content, msgID room.MsgID) {
	m.mu.Lock()
	if told := m.promises.keep(promise{id, content}); told {
		m.mu.Unlock()
		return
	}
	m.push(wire.Encode(wire.Accepted{ID: id, MsgID: msgID}))
}

// Refused answers one Expect with the event, or with none: nil.
func (m *Member) Refused(id string, content room.Content, event wire.Event) {
	m.mu.Lock()
	m.promises.keep(promise{id, content})
	if event == nil {
		m.mu.Unlock()
		return
	}
	m.push(wire.Encode(event))
}

// Send sends an event to this member alone. It is never dropped while the member
// lives.
func (m *Member) Send(event wire.Event) {
	encoded := wire.Encode(event)
	m.mu.Lock()
	m.push(encoded)
}

// push adds a reply and unlocks.
func (m *Member) push(event []byte) {
	m.add(item{event: event, kind: kindReply})
	m.wakeUnlock()
}

// hear adds entries of the room that are for everyone.
func (m *Member) hear(entries []entry) {
	m.mu.Lock()
	m.queue(entries)
	m.wakeUnlock()
}

// queue adds entries to the outbox, under mu.
func (m *Member) queue(entries []entry) {
	for i := range entries {
		e := &entries[i]
		known := e.to <= m.from.seq && (e.kind == kindGifts || e.kind == kindLagged)
		switch {
		case e.pos < m.from.pos || known:
		case e.bye != nil:
			m.end(e.bye())
		default:
			m.add(e.item)
		}
	}
}

// hearAll takes what a room is told: past the outbox, while nothing waits in it and the
// connection takes it at once. It reports how many batches went that way.
func (m *Member) hearAll(batches []batch) (prompt int) {
	m.mu.Lock()
	for prompt < len(batches) && m.straight(&batches[prompt]) {
		prompt++
	}
	for i := prompt; i < len(batches); i++ {
		m.queue(batches[i].entries)
	}
	m.wakeUnlock()
	return prompt
}

// straight writes a batch past the outbox, under mu, if everything before it is written
// and all of it is for this member. It does not wait.
func (m *Member) straight(b *batch) bool {
	return m.fast != nil && !m.writing && !m.gone && m.ending.code == "" && m.box.len() == 0 &&
		b.frame != nil && b.pos >= m.from.pos && b.seq > m.from.seq && m.fast.TryFrame(b.frame)
}

// hearResult adds the result of one of the member's gifts.
func (m *Member) hearResult(e *entry) {
	if e.pos < m.from.pos {
		return
	}
	m.mu.Lock()
	if m.promises.overtaken(promise{e.gift.ClientID, e.gift.Content()}) {
		m.add(item{event: wire.Encode(wire.Accepted{ID: e.gift.ClientID, MsgID: e.gift.MsgID}), kind: kindReply})
	}
	m.add(e.item)
	m.wakeUnlock()
}

// add puts an item into the outbox, under mu. What cannot be dropped and has grown
// past all bounds ends the member.
func (m *Member) add(it item) {
	if m.gone || m.ending.code != "" {
		return
	}
	house := m.hall.house
	if !m.box.add(it, house.soft()) {
		return
	}
	shed := m.box.relieve(house.soft(), time.Now())
	house.counts.shed(&shed)
	if m.box.exceeds(house.hard()) {
		m.slow()
	}
}

// slow ends the member for not reading, under mu.
func (m *Member) slow() {
	m.hall.house.counts.slow.Add(1)
	after := slowReconnectMin + rand.N(slowReconnectSpread)
	m.box.reset()
	m.end(wire.Bye{Code: wire.ByeSlow, ReconnectInMS: after.Milliseconds()})
}

// end puts the last event into the outbox, under mu.
func (m *Member) end(bye wire.Bye) {
	if m.gone || m.ending.code != "" {
		return
	}
	m.box.add(item{event: wire.Encode(bye), kind: kindReply}, m.hall.house.hard())
	m.ending = ending{bye.Code, time.Now()}
}

// Bye sends the last event; the close frame follows it when everything before is
// written. Only the first Bye counts.
func (m *Member) Bye(bye wire.Bye) {
	m.mu.Lock()
	m.end(bye)
	m.wakeUnlock()
}

// Slow ends the member as slow.
func (m *Member) Slow() {
	m.mu.Lock()
	if !m.gone && m.ending.code == "" {
		m.slow()
	}
	m.wakeUnlock()
}

// Over returns since when the member has been over its outbox's bound without having
// caught up; zero: it is not.
func (m *Member) Over() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.box.over
}

// Ending returns when the member was told its last event; zero: it was not.
func (m *Member) Ending() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ending.at
}

// wakeUnlock unlocks mu, and starts a writer if something waits and none runs.
func (m *Member) wakeUnlock() {
	start := !m.writing && !m.gone && m.box.len() > 0
	m.writing = m.writing || start
	m.mu.Unlock()
	if start && !m.hall.house.Start(m.write) {
		m.fail() // the house is closed: nobody would wait for the writer
	}
}

// write writes what waits, as few frames as possible, until nothing does. It is the
// only goroutine of a member, and runs only while there is something to write.
func (m *Member) write() {
	desk := m.hall.house.desk()
	defer m.hall.house.put(desk)
	for {
		m.mu.Lock()
		if m.gone || m.box.len() == 0 {
			m.writing = false
			m.mu.Unlock()
			return
		}
		desk.items = m.box.take(desk.items[:0], wire.FrameMax)
		last := m.ending.code != "" && m.box.len() == 0
		code := m.ending.code.CloseCode()
		m.mu.Unlock()

		if err := m.conn.WriteFrame(desk.frame()); err != nil {
			m.fail()
			return
		}
		m.hall.house.counts.wrote(len(desk.items), len(desk.buf))
		if last {
			m.conn.Bye(code)
			m.fail()
			return
		}
	}
}

// fail ends the member without a word.
func (m *Member) fail() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = true
	m.writing = false
	m.promises = promises{}
	m.box.reset()
}

// Leave takes the member out of its room. What it was not told is dropped.
func (m *Member) Leave() {
	m.hall.leave(m)
	m.fail()
}
