package hub

import (
	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// listener passes the owners' news on: to the viewers and to the counters. Its
// methods are called from the owners' goroutines and do not block.
type listener struct {
	house   *audience.House
	rooms   registry
	metrics *metrics
}

var _ owner.Listener = (*listener)(nil)

// Decided implements owner.Listener.
func (l *listener) Decided(news owner.News) {
	for i := range news.Decisions {
		l.metrics.decided(&news.Decisions[i])
	}
	l.house.Decided(news)
}

// Repeated implements owner.Listener. It is no new result, so nothing is counted.
func (l *listener) Repeated(seq uint64, d room.Decision) { l.house.Repeated(seq, d) }

// GameChanged implements owner.Listener.
func (l *listener) GameChanged(roomID, gameID string, game room.Game) {
	// A room that is gone has no viewers, and another game than the room's is not shown.
	if cfg, ok := l.rooms.Get(roomID); ok && cfg.game == gameID {
		l.house.GameChanged(roomID, gameID, game)
	}
}
