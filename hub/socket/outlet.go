package socket

import "sync"

// outlet decides who writes. While nothing waits, anyone may try to write at once, under
// its lock, which is never held for longer than that. Else whoever is in the lane writes
// what is owed, and until then everyone else's is owed, too, or declined.
type outlet struct {
	mu      sync.Mutex // guards all below
	try     attempt
	owner   bool          // somebody is in the lane and writes, or will be
	lane    bool          // somebody is in the lane: who writes and may wait for the peer
	left    chan struct{} // closed when the lane is free; nil: nobody waits for it
	closing bool          // the close frame was written, or is owed: nothing may follow it
	closed  bool
	owed    *owed // nil: nothing is
}

// owed is what waits to be written, in this order.
type owed struct {
	rest  []byte // of a frame that is written in part
	ping  []byte
	pong  []byte
	close []byte
}

// prepare makes attempts possible.
func (o *outlet) prepare(r raw) { o.try.prepare(r) }

// enter waits for the lane. (It is no mutex, because a peer may hold it up for long.)
func (o *outlet) enter() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.lane {
		if o.left == nil {
			o.left = make(chan struct{})
		}
		left := o.left
		o.mu.Unlock()
		<-left
		o.mu.Lock()
	}
	o.lane = true
}

func (o *outlet) leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lane = false
	if o.left != nil {
		close(o.left)
		o.left = nil
	}
}

// data writes a frame of data at once, or declines it. If the system takes only a part
// of it, the rest is owed, and the caller has to see to it.
func (o *outlet) data(frame []byte) (taken, see bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.owner || o.closing || o.closed {
		return false, false
	}
	n := o.try.write(frame)
	if n == 0 {
		return false, false
	}
	return true, o.owe(frame[n:])
}

// owe keeps what could not be written of a frame that was begun, under mu. It reports
// whether the caller has to see to it.
func (o *outlet) owe(rest []byte) bool {
	if len(rest) == 0 {
		return false
	}
	o.owed = &owed{rest: append([]byte(nil), rest...)}
	o.owner = true
	return true
}

// control writes a control frame at once, or owes it. It reports whether the caller has
// to see to what is owed.
func (o *outlet) control(frame []byte) (see bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing || o.closed {
		return false
	}
	o.closing = frame[0] == opClose
	if o.owner {
		o.keep(frame)
		return false
	}
	if n := o.try.write(frame); n > 0 {
		return o.owe(frame[n:])
	}
	o.keep(frame)
	o.owner = true
	return true
}

// keep makes a control frame owed, under mu. The newest of a kind is enough.
func (o *outlet) keep(frame []byte) {
	if o.owed == nil {
		o.owed = new(owed)
	}
	place := &o.owed.ping
	switch frame[0] {
	case opPong:
		place = &o.owed.pong
	case opClose:
		place = &o.owed.close
	}
	*place = append((*place)[:0], frame...)
}

// take makes the caller, who is in the lane, the owner, and gives it the next that is
// owed; nil: nothing is. It reports whether a frame of data may follow.
func (o *outlet) take() (next []byte, open bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.owner = true
	return o.next(), !o.closing && !o.closed
}

// release gives the caller, who is in the lane, the next that is owed; nil: nothing is, and it is not
// the owner any more.
func (o *outlet) release() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	next := o.next()
	o.owner = next != nil
	return next
}

// next takes what is owed first, under mu.
func (o *outlet) next() []byte {
	w := o.owed
	if w == nil {
		return nil
	}
	for _, place := range []*[]byte{&w.rest, &w.ping, &w.pong, &w.close} {
		if next := *place; len(next) > 0 {
			*place = nil
			return next
		}
	}
	o.owed = nil
	return nil
}

// close lets nothing more in. It reports whether something is owed, and whether it was
// the first call.
func (o *outlet) close() (owes, first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false, false
	}
	o.closed = true
	return o.owner, true
}
