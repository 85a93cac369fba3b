package hub

import (
	"context"

	"github.com/giftwire/giftwire/hub/audience"
)

// lobby is the viewers' side of the hub: who may connect, and the connections. Their
// upgrade, sessions and sweeper join it here.
type lobby struct{ house *audience.House }

// newLobby makes the viewers' side of what the hub has.
func (h *Hub) newLobby() (*lobby, error) { return &lobby{house: h.house}, nil }

// routes is the viewers' part of the routing table.
func (l *lobby) routes() []route { return nil }

// run serves the viewers until ctx ends; every connection is closed then, and every
// goroutine of theirs has ended.
func (l *lobby) run(ctx context.Context) error { return l.house.Run(ctx) }

// drain tells every viewer to come back elsewhere, after what was told so far, and
// returns when they have heard it or ctx has ended.
func (l *lobby) drain(context.Context) error { return nil }
