package socket_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/socket"
	"github.com/giftwire/giftwire/hub/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestStorm: whatever viewers and server do while a room is told, every stream is a row
// of whole frames in order, and ends with one close frame where it was closed.
func TestStorm(t *testing.T) {
	t.Parallel()
	frames, torn := storm(t, false)
	if torn != nil {
		t.Errorf("torn: %v", torn)
	}
	t.Logf("%d frames", frames)
}

// TestStormTears: the alarm rings. Where the library's control frames go past the queue,
// streams are torn.
func TestStormTears(t *testing.T) {
	t.Parallel()
	for range 5 {
		if _, torn := storm(t, true); torn != nil {
			t.Log(torn)
			return
		}
	}
	t.Error("no stream was torn")
}

// hall tells viewers as package audience does: at once where nothing waits, else by a
// goroutine of the viewer's own.
type hall struct {
	t       *testing.T
	past    bool           // the library writes past the queue
	lane    sync.WaitGroup // everything that runs on the server's side
	viewers []*seat        // by their number; full when entered is done
	entered sync.WaitGroup
}

type seat struct {
	ws   *websocket.Conn
	conn *socket.Conn

	mu      sync.Mutex
	pending [][]byte
	writing bool
	failed  bool
}

func (s *seat) tell(frame []byte, spawn func(func())) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed || !s.writing && s.conn.TryFrame(frame) {
		return
	}
	s.pending = append(s.pending, frame)
	if !s.writing {
		s.writing = true
		spawn(s.write)
	}
}

func (s *seat) write() {
	for {
		s.mu.Lock()
		if len(s.pending) == 0 {
			s.writing = false
			s.mu.Unlock()
			return
		}
		frame := s.pending[0]
		s.pending = s.pending[1:]
		s.mu.Unlock()
		if s.conn.WriteFrame(frame) != nil {
			s.mu.Lock()
			s.failed, s.writing = true, false
			s.mu.Unlock()
			return
		}
	}
}

// finish closes the seat when all that it was told is written.
func (s *seat) finish() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		s.mu.Lock()
		idle := !s.writing
		s.mu.Unlock()
		if idle {
			s.close(websocket.StatusNormalClosure)
			return
		}
		<-tick.C
	}
}

// close closes the seat as the hub does it.
func (s *seat) close(code websocket.StatusCode) {
	s.conn.Part(5 * time.Second)
	_ = s.ws.Close(code, "") // the peer's side is what is looked at
}

// pastHijacker gives the library the naked connection.
type pastHijacker struct{ *socket.Hijacker }

func (h pastHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	_, rw, err := h.Hijacker.Hijack()
	if err != nil {
		return nil, nil, err
	}
	naked := h.Conn.Conn
	return naked, bufio.NewReadWriter(rw.Reader, bufio.NewWriterSize(naked, 1024)), nil
}

// ServeHTTP implements http.Handler: it takes a viewer in, and returns.
func (h *hall) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hj := &socket.Hijacker{ResponseWriter: w, Setup: socket.Setup{Spawn: func(f func()) bool { h.lane.Go(f); return true }}}
	var outer http.ResponseWriter = hj
	if h.past {
		outer = pastHijacker{hj}
	}
	n, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err != nil {
		h.t.Error(err)
		return
	}
	ws, err := websocket.Accept(outer, r, nil)
	if err != nil {
		h.t.Error(err)
		return
	}
	h.viewers[n] = &seat{ws: ws, conn: hj.Conn}
	h.lane.Go(func() { // reads, and so answers pings
		_, _, err := ws.Read(context.Background())
		if err == nil {
			h.t.Error("a viewer sent data")
		}
		_ = ws.CloseNow() // it may be closed already
	})
	h.entered.Done()
}

// message is a frame that shows whether it is whole: its number at both ends.
func message(n, size int) []byte {
	payload := fmt.Sprintf("%08d%s%08d", n, strings.Repeat("x", size), n)
	return append(wire.AppendTextHeader(nil, len(payload)), payload...)
}

const messages = 120

// storm tells a room of viewers of all habits, and returns how a stream was torn, if one
// was, and how many frames were read.
func storm(t *testing.T, past bool) (frames int64, torn error) {
	t.Helper()
	const viewers = 3 * int(habits)
	h := &hall{t: t, past: past, viewers: make([]*seat, viewers)}
	srv := httptest.NewServer(h)
	defer srv.Close()
	h.entered.Add(viewers)
	var clients sync.WaitGroup
	faults := make([]error, viewers)
	var seen atomic.Int64
	for i := range viewers {
		g := enter(t, srv.Listener.Addr().String(), i)
		g.seen = &seen
		clients.Go(func() { faults[i] = g.listen() })
	}
	h.entered.Wait()
	over, end := context.WithCancel(context.Background())
	defer end()
	for n := range messages {
		frame := message(n, [...]int{10, 300, 100, 20 << 10, 60, 300, 70 << 10, 1}[n%8])
		for i, s := range h.viewers {
			s.tell(frame, h.lane.Go)
			if habit(i)%habits == sentAway && n == messages/2+i {
				h.lane.Go(func() { s.close(websocket.StatusGoingAway) })
			}
			if n%8 == i%8 {
				h.lane.Go(func() { _ = s.ws.Ping(over) }) // nobody answers
			}
		}
		if n%4 == 0 {
			<-time.After(time.Duration(rand.IntN(4)) * time.Millisecond)
		}
	}
	for _, s := range h.viewers {
		h.lane.Go(s.finish)
	}
	clients.Wait()
	end()
	for _, s := range h.viewers {
		s.conn.Kill()
	}
	h.lane.Wait()
	return seen.Load(), errors.Join(faults...)
}
