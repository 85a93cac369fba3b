package main

import (
	"encoding/binary"
	"net"
	"net/http"
	"sync"
)

// tcpPeer is the floor: it speaks just enough WebSocket for the readers, and then
// writes each message's bytes to each connection.
type tcpPeer struct {
	mu    sync.Mutex
	rooms map[string][]net.Conn
}

func newTCP() *tcpPeer { return &tcpPeer{rooms: make(map[string][]net.Conn)} }

// ServeHTTP implements http.Handler.
func (p *tcpPeer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if _, err := conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\n\r\n")); err != nil {
		return // it has gone
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	room := r.URL.Query().Get("room")
	p.rooms[room] = append(p.rooms[room], conn)
}

func (p *tcpPeer) tell(room string, message []byte) {
	frame := binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(message)))
	frame = append(frame, message...)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.rooms[room] {
		_, _ = conn.Write(frame) // it has gone; a reader that stalls holds up everyone here
	}
}
