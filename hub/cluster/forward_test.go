package cluster_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// forwarder is a network between a node and NATS that can be cut.
type forwarder struct {
	url, to string
	listen  net.Listener
	group   sync.WaitGroup

	mu    sync.Mutex // guards the following
	down  bool
	conns map[net.Conn]bool
}

// forward listens on loopback until the test ends.
func forward(t *testing.T, url string) *forwarder {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &forwarder{url: "nats://" + l.Addr().String(), to: strings.TrimPrefix(url, "nats://"), listen: l, conns: make(map[net.Conn]bool)}
	f.group.Go(f.accept)
	t.Cleanup(func() {
		_ = l.Close()
		f.cut()
		f.group.Wait()
	})
	return f
}

func (f *forwarder) accept() {
	for {
		near, err := f.listen.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", f.to)
		if err != nil || !f.keep(near, far) {
			_ = near.Close()
			continue
		}
		f.group.Go(func() { f.copy(near, far) })
		f.group.Go(func() { f.copy(far, near) })
	}
}

// keep notes both ends, unless the network is cut.
func (f *forwarder) keep(near, far net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		_ = far.Close()
		return false
	}
	f.conns[near], f.conns[far] = true, true
	return true
}

func (f *forwarder) copy(to, from net.Conn) {
	_, _ = io.Copy(to, from) // ends with either end
	_ = to.Close()
	_ = from.Close()
}

func (f *forwarder) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = true
	for c := range f.conns {
		_ = c.Close()
	}
	clear(f.conns)
}

func (f *forwarder) mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = false
}
