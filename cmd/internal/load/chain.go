package load

import (
	"fmt"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
)

// chain follows what one viewer is told of a room's sequence, over all its connections.
// It knows no socket and no clock. Its methods return "" or what is wrong, and go on
// from what was told: one mistake of the hub is one mismatch, not thousands.
type chain struct {
	place   client.Place
	started bool
	lagged  uint64 // sequences that were announced as lost
}

// welcome begins a connection. It must be told before anything else of it.
func (c *chain) welcome(w wire.Welcome) (Kind, string) {
	before := c.place
	c.place = client.Place{Epoch: w.Epoch, Seq: w.Seq}
	switch first := !c.started; {
	case first && w.Resumed:
		c.started = true
		return KindBadResume, "resumed, on a first connection"
	case first:
		c.started = true
	case w.Resumed && c.place != before:
		return KindBadResume, fmt.Sprintf("resumed at %d of epoch %s, after %d of epoch %s", w.Seq, w.Epoch, before.Seq, before.Epoch)
	case !w.Resumed && w.Epoch == before.Epoch:
		return KindBadResume, fmt.Sprintf("started over at %d within the epoch, after %d", w.Seq, before.Seq)
	}
	return "", ""
}

// gifts is one gifts event.
func (c *chain) gifts(seq uint64) (Kind, string) {
	before := c.place.Seq
	c.place.Seq = max(before, seq)
	switch {
	case !c.started:
		return KindBadFrame, fmt.Sprintf("gifts %d before welcome", seq)
	case seq <= before:
		return KindRepeatedSeq, fmt.Sprintf("heard %d after %d", seq, before)
	case seq > before+1:
		return KindSilentGap, fmt.Sprintf("heard %d after %d", seq, before)
	}
	return "", ""
}

// lag is one lagged event.
func (c *chain) lag(from, to uint64) (Kind, string) {
	before := c.place.Seq
	if to < from || from != before+1 || !c.started {
		c.place.Seq = max(before, to)
		return KindBadLagged, fmt.Sprintf("lagged from %d to %d after %d", from, to, before)
	}
	c.lagged += to - from + 1
	c.place.Seq = to
	return "", ""
}
