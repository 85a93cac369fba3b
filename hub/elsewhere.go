package hub

import (
	"context"

	"github.com/giftwire/giftwire/hub/ask"
	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/relay"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// The parts of a hub that know of rooms ask each other: the relay asks the owners, who
// may be elsewhere, and what is known of rooms elsewhere is what the relay has heard.
// Here are the small ends that fit one to the other. They read the hub's fields when
// they are called, which is after New has set them.

// source answers the relay for rooms wherever their owner is.
type source struct{ hub *Hub }

var _ relay.Source = source{}

// State implements relay.Source.
func (s source) State(ctx context.Context, roomID string) (owner.RoomState, error) {
	return s.hub.asker.State(ctx, roomID)
}

// OutcomeAt implements relay.Source.
func (s source) OutcomeAt(ctx context.Context, roomID string, record uint64) (journal.OutcomeRecord, error) {
	j := s.hub.cfg.Journal
	return j.Log(j.Partition(roomID)).OutcomeAt(ctx, record)
}

// elsewhere is what is known here of rooms that other nodes own.
type elsewhere struct{ hub *Hub }

var _ ask.Elsewhere = elsewhere{}

// Room implements ask.Elsewhere. Of a room without viewers here it is what the registry
// and the beats of its owner tell: whether its game runs, and whether it is full.
func (e elsewhere) Room(roomID string) owner.RoomState {
	if state, ok := e.hub.relay.Follower.Room(roomID); ok {
		return state
	}
	game, id := e.hub.rooms.playing(roomID)
	return owner.RoomState{Game: game, GameID: id, Open: e.hub.relay.Crowd.Open(roomID)}
}

// viewers are this node's, as the relay tells them.
type viewers struct {
	house *audience.House
	rooms *directory
}

var _ relay.Audience = (*viewers)(nil)

// Decided implements owner.Listener.
func (v *viewers) Decided(news owner.News) { v.house.Decided(news) }

// Repeated implements owner.Listener.
func (v *viewers) Repeated(seq uint64, d room.Decision) { v.house.Repeated(seq, d) }

// GameChanged implements owner.Listener.
func (v *viewers) GameChanged(roomID, gameID string, game room.Game) {
	// A room that is gone has no viewers, and another game than the room's is not shown.
	if cfg, ok := v.rooms.Get(roomID); ok && cfg.game == gameID {
		v.house.GameChanged(roomID, gameID, game)
	}
}

// Comment implements relay.Audience.
func (v *viewers) Comment(roomID string, c wire.Comment) { v.house.Comment(roomID, c) }

// Like implements relay.Audience.
func (v *viewers) Like(roomID string, count int) { v.house.Like(roomID, count) }

// Crowd implements relay.Audience.
func (v *viewers) Crowd(roomID string, _ int) { v.house.CrowdChanged(roomID) }

// everyone is the viewers on all nodes, as the house asks for them.
type everyone struct{ hub *Hub }

var _ audience.Crowd = everyone{}

// Set implements audience.Crowd.
func (c everyone) Set(roomID string, viewers int) { c.hub.relay.Crowd.Set(roomID, viewers) }

// Others implements audience.Crowd.
func (c everyone) Others(roomID string) int { return c.hub.relay.Crowd.Others(roomID) }

// watched is rooms that have viewers here.
type watched struct{ hub *Hub }

var _ following = watched{}

// Follow implements following.
func (w watched) Follow(ctx context.Context, roomID string) (owner.RoomState, error) {
	return w.hub.relay.Follower.Follow(ctx, roomID)
}

// Unfollow implements following.
func (w watched) Unfollow(roomID string) { w.hub.relay.Follower.Unfollow(roomID) }

// Ask implements following.
func (w watched) Ask(ctx context.Context, roomID string) (owner.RoomState, error) {
	return w.hub.asker.State(ctx, roomID)
}

// Room implements following.
func (w watched) Room(roomID string) owner.RoomState { return w.hub.asker.Room(roomID) }

// chatter shows what a viewer said to the viewers here, and to those elsewhere.
type chatter struct{ hub *Hub }

var _ saying = chatter{}

// Comment implements saying.
func (c chatter) Comment(roomID string, comment wire.Comment) {
	c.hub.house.Comment(roomID, comment)
	c.hub.relay.Chat.Comment(roomID, comment)
}

// Like implements saying.
func (c chatter) Like(roomID string, count int) {
	c.hub.house.Like(roomID, count)
	c.hub.relay.Chat.Like(roomID, count)
}
