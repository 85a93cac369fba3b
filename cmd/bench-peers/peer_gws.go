package main

import (
	"net/http"
	"sync"

	"github.com/lxzan/gws"
)

// gwsPeer keeps the connections of each room, and tells them with a Broadcaster.
type gwsPeer struct {
	upgrader *gws.Upgrader

	mu    sync.Mutex
	rooms map[string][]*gws.Conn
}

func newGWS() *gwsPeer {
	return &gwsPeer{
		upgrader: gws.NewUpgrader(gws.BuiltinEventHandler{}, &gws.ServerOption{ReadBufferSize: 512}),
		rooms:    make(map[string][]*gws.Conn),
	}
}

// ServeHTTP implements http.Handler.
func (p *gwsPeer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := p.upgrader.Upgrade(w, r)
	if err != nil {
		return // it has answered
	}
	p.mu.Lock()
	room := r.URL.Query().Get("room")
	p.rooms[room] = append(p.rooms[room], conn)
	p.mu.Unlock()
	go conn.ReadLoop() // ends with the connection; the handler returns, which frees its buffers
}

func (p *gwsPeer) tell(room string, message []byte) {
	b := gws.NewBroadcaster(gws.OpcodeText, message)
	p.mu.Lock()
	for _, conn := range p.rooms[room] {
		_ = b.Broadcast(conn) // it has gone
	}
	p.mu.Unlock()
	_ = b.Close() // it has no errors
}
