package hub

import (
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// listener hears the news of the partitions that this node owns: it counts them, has
// the games' states noted for all nodes, and passes everything on to whoever tells the
// viewers. Its methods are called from the owners' goroutines and do not block.
type listener struct {
	metrics *metrics
	games   *gameNotes // nil: there are no other nodes
	next    owner.Listener
}

var _ owner.Listener = (*listener)(nil)

// Decided implements owner.Listener.
func (l *listener) Decided(news owner.News) {
	for i := range news.Decisions {
		l.metrics.decided(&news.Decisions[i])
	}
	l.next.Decided(news)
}

// Repeated implements owner.Listener. It is no new result, so nothing is counted.
func (l *listener) Repeated(seq uint64, d room.Decision) { l.next.Repeated(seq, d) }

// GameChanged implements owner.Listener.
func (l *listener) GameChanged(roomID, gameID string, game room.Game) {
	if l.games != nil {
		l.games.note(roomID)
	}
	l.next.GameChanged(roomID, gameID, game)
}
