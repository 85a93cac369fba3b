package main

import (
	"context"
	"net/http"

	"github.com/centrifugal/centrifuge"
)

// centrifugePeer subscribes every client to its room's channel when it connects.
type centrifugePeer struct {
	http.Handler
	node *centrifuge.Node
}

// roomKey is the room in a request's context.
type roomKey struct{}

func newCentrifuge() (*centrifugePeer, error) {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return nil, err
	}
	node.OnConnecting(func(ctx context.Context, _ centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		room, _ := ctx.Value(roomKey{}).(string)
		return centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{UserID: "viewer"},
			Subscriptions: map[string]centrifuge.SubscribeOptions{room: {}},
		}, nil
	})
	if err := node.Run(); err != nil {
		return nil, err
	}
	// The readers answer no pings: a run is over before that matters.
	ws := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin: func(*http.Request) bool { return true }, ReadBufferSize: 512, UseWriteBufferPool: true,
		PingPongConfig: centrifuge.PingPongConfig{PongTimeout: -1},
	})
	return &centrifugePeer{node: node, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), roomKey{}, r.URL.Query().Get("room"))))
	})}, nil
}

func (c *centrifugePeer) tell(room string, message []byte) {
	if _, err := c.node.Publish(room, message); err != nil {
		panic(err) // the memory engine has no errors
	}
}
