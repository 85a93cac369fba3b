package loadtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/wire"
)

// Hub is one node with a platform API and the tokens of `giftwire dev`: a user's token
// is the user's id.
type Hub struct {
	// URL is where it serves.
	URL    string
	faults []Fault

	mu      sync.Mutex // guards all below
	rooms   map[string]*room
	deleted int
}

// New serves a hub until the test ends. Each room that is made has the next of the faults;
// those that are not a room's are the first one alone.
func New(tb testing.TB, faults ...Fault) *Hub {
	tb.Helper()
	h := &Hub{faults: faults, rooms: make(map[string]*room)}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /v1/rooms/{room}", h.put)
	mux.HandleFunc("GET /v1/rooms/{room}", h.get)
	mux.HandleFunc("DELETE /v1/rooms/{room}", h.delete)
	mux.HandleFunc("GET /v1/rooms/{room}/outcomes", h.outcomes)
	mux.HandleFunc("POST /v1/dev/tokens", h.token)
	mux.HandleFunc("GET /v1/rooms/{room}/ws", h.watch)
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: mux}} //nolint:gosec // its only client is a test
	server.Start()
	tb.Cleanup(server.Close)
	h.URL = server.URL
	return h
}

// Rooms is how many rooms were made, and how many deleted.
func (h *Hub) Rooms() (made, deleted int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.rooms), h.deleted
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.MarshalWrite(w, v) // the client has gone: nobody is left to tell
}

func problem(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, map[string]any{"status": status, "code": code, "detail": "by the test's wish"}) // see answer
}

func (h *Hub) put(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.faults[0] == ForgetsRooms {
		problem(w, http.StatusUnauthorized, "unauthorized")
		return
	}
	h.rooms[r.PathValue("room")] = newRoom(r.PathValue("room"), h.faults[len(h.rooms)%len(h.faults)])
	answer(w, map[string]any{})
}

func (h *Hub) delete(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deleted++
	w.WriteHeader(http.StatusNoContent)
}

func (h *Hub) get(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rm := h.rooms[r.PathValue("room")]
	counters := rm.counters
	if rm.fault == Counters {
		counters.Delivered++
	}
	answer(w, map[string]any{"counters": counters})
}

// pageSize is how many rows one page has: few, so that there are several.
const pageSize = 30

func (h *Hub) outcomes(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.faults[0] == RefusesLedger {
		problem(w, http.StatusGone, "gone")
		return
	}
	rows, after := h.rooms[r.PathValue("room")].rows, 0
	_, _ = fmt.Sscan(r.URL.Query().Get("after"), &after) // empty is the beginning
	page := rows[after:min(len(rows), after+pageSize)]
	answer(w, map[string]any{"outcomes": page, "next": fmt.Sprint(after + len(page))})
}

func (h *Hub) token(w http.ResponseWriter, r *http.Request) {
	var wish struct {
		UserID string `json:"user_id"`
	}
	if err := json.UnmarshalRead(r.Body, &wish); err != nil {
		problem(w, http.StatusBadRequest, "bad_request")
		return
	}
	answer(w, map[string]string{"token": wish.UserID})
}

func (h *Hub) watch(w http.ResponseWriter, r *http.Request) {
	if h.faults[0] == Refuses {
		problem(w, http.StatusForbidden, "wrong_room")
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.Subprotocol}})
	if err != nil {
		return // it is answered
	}
	defer func() { _ = ws.CloseNow() }() // it may be closed
	v := &viewer{
		ws: ws, user: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "),
		queue: make(chan []byte, queueMax), over: make(chan struct{}),
	}
	var writer sync.WaitGroup
	writer.Go(v.write)
	defer writer.Wait()
	defer close(v.over)
	h.mu.Lock()
	rm := h.rooms[r.PathValue("room")]
	rm.enter(v, r.URL.Query().Get("since"))
	h.mu.Unlock()
	h.read(rm, v)
	h.mu.Lock()
	rm.leave(v)
	h.mu.Unlock()
}

// read takes the viewer's gifts until it goes.
func (h *Hub) read(rm *room, v *viewer) {
	for {
		_, frame, err := v.ws.Read(context.Background())
		if err != nil {
			return
		}
		f, err := wire.Decode(frame)
		if err != nil {
			return
		}
		if g, ok := f.(wire.GiftFrame); ok {
			h.mu.Lock()
			rm.give(v, g)
			h.mu.Unlock()
		}
	}
}

// viewer is one connection.
type viewer struct {
	ws    *websocket.Conn
	user  string
	queue chan []byte
	over  chan struct{}
}

// queueMax is more than any test's viewer hears.
const queueMax = 100_000

// frameMax is how many events one frame has at most: a few, so that there are both
// frames of one and frames of more.
const frameMax = 5

// write sends what is queued.
func (v *viewer) write() {
	for {
		var events [][]byte
		select {
		case e := <-v.queue:
			events = append(events, e)
		case <-v.over:
			return
		}
		for len(v.queue) > 0 && len(events) < frameMax {
			events = append(events, <-v.queue)
		}
		if v.ws.Write(context.Background(), websocket.MessageText, wire.AppendFrame(nil, events...)) != nil {
			return
		}
	}
}

func (v *viewer) tell(events ...wire.Event) {
	for _, e := range events {
		v.queue <- wire.Encode(e)
	}
}
