package main

import (
	"net/http"
	"sync"

	"github.com/olahol/melody"
)

// melodyPeer keeps the sessions of each room: melody's own filter looks at all.
type melodyPeer struct {
	*melody.Melody

	mu    sync.Mutex
	rooms map[string][]*melody.Session
}

func newMelody() *melodyPeer {
	p := &melodyPeer{Melody: melody.New(), rooms: make(map[string][]*melody.Session)}
	p.HandleConnect(func(s *melody.Session) {
		p.mu.Lock()
		defer p.mu.Unlock()
		room := s.Request.URL.Query().Get("room")
		p.rooms[room] = append(p.rooms[room], s)
	})
	return p
}

// ServeHTTP implements http.Handler.
func (p *melodyPeer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = p.HandleRequest(w, r) // it has answered, or the connection has ended
}

func (p *melodyPeer) tell(room string, message []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.rooms[room] {
		_ = s.Write(message) // it has gone
	}
}
