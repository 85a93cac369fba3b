package hub

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// pipes is a listener whose connections are pipes, for bubbles.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// DialContext connects to whoever accepts.
func (p *pipes) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- addressed{far, p.Addr()}:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// addressed is a pipe's end with an address that looks like one.
type addressed struct {
	net.Conn
	addr net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.addr }

// servePipes runs the lobby behind a listener of pipes until stop is called.
func (st *stage) servePipes() (p *pipes, stop func()) {
	p = newPipes()
	srv := &http.Server{Handler: st.handler(), ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(p) }() // joined by stop
	end := st.begin()
	st.url = "http://127.0.0.1:1"
	return p, func() {
		end()
		if err := srv.Close(); err != nil {
			st.t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			st.t.Error(err)
		}
	}
}
