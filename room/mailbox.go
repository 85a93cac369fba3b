package room

import "sync"

// mailbox is the queue into an actor. Putting never blocks. It has no bound of its own:
// gifts are bounded by whoever accepts them (the hub's 20,000 open gifts a room), and
// the rest by the viewers' rate limits times the moments that the loop is busy with a
// step.
type mailbox struct {
	bell chan struct{} // 1-buffered: something was put since the last take; never closed

	mu     sync.Mutex // guards what follows
	events []Event
	shut   bool
}

func newMailbox() *mailbox { return &mailbox{bell: make(chan struct{}, 1)} }

// put adds an event, unless the mailbox is shut.
func (m *mailbox) put(ev Event) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shut {
		return false
	}
	m.events = append(m.events, ev)
	select {
	case m.bell <- struct{}{}:
	default:
	}
	return true
}

// take removes all events, and lets spare, which the caller is done with, hold the next
// ones.
func (m *mailbox) take(spare []Event) []Event {
	clear(spare)
	m.mu.Lock()
	defer m.mu.Unlock()
	events := m.events
	m.events = spare[:0]
	return events
}

// shutIfEmpty refuses all further events, provided that every one that was put has been
// taken. Both happen in one moment, so no event is lost between looking and leaving.
func (m *mailbox) shutIfEmpty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shut = m.shut || len(m.events) == 0
	return m.shut
}
