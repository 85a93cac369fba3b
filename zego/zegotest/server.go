package zegotest

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// Server is a simulated ZEGO. It is an [http.Handler] for calls, [Server.Admin] is
// one for people and pages; its methods are for tests. All are safe for concurrent
// use. Only [Server.Run] needs a goroutine, and only for callbacks.
type Server struct {
	// Set by New, never written again.
	cfg     Config
	games   map[string]*gameTable
	reports *reporter

	// mu guards the rest. It is never held while waiting, reading or writing.
	mu sync.Mutex
	state
	changed  chan struct{} // closed and replaced at each change
	released chan struct{} // closed and replaced by Release
}

// state is what the server knows.
type state struct {
	rooms    rooms
	memory   memory
	ledger   ledger
	arrivals ring[Arrival]
	faults   faultList
	nonces   nonces
	tally    Tally
	requests uint64 // answered so far, for RequestId
}

// New checks the config, all faults at once, in one error that wraps [ErrBadConfig].
// It starts nothing.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Server{
		cfg:     cfg,
		games:   newGameTables(cfg.Games),
		reports: newReporter(cfg),
		state: state{
			rooms:    rooms{byID: make(map[string]*playroom), limit: cfg.Memory.Rooms, fresh: cfg.Play.Fresh, session: cfg.Session},
			memory:   newMemory(cfg.Memory.Remember, cfg.Memory.IDs),
			ledger:   newLedger(cfg.Memory.IDs, cfg.Memory.Effects),
			arrivals: newRing[Arrival](cfg.Memory.Arrivals),
		},
		changed:  make(chan struct{}),
		released: make(chan struct{}),
	}, nil
}

// call is one call on its way through the server.
type call struct {
	seq     uint64
	at      time.Time
	action  zego.Action
	target  target
	body    body     // nil if it could not be read
	fault   *refusal // what is wrong with the body
	script  Fault    // what is to go wrong
	over    bool     // over the budget
	crowded bool     // no room left for its room
	// conflicts are MsgIds that came again with another payload.
	conflicts []string
	released  <-chan struct{} // closed by a Release after processing has begun
}

// ServeHTTP takes a call. It blocks while a fault says so, at most until the caller
// has gone and its processing is done.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/" && r.URL.Path != "":
		http.NotFound(w, r)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		// Too large, or the caller has gone: no call has arrived.
		http.Error(w, "the body could not be read", http.StatusRequestEntityTooLarge)
		return
	}
	c := s.arrive(zego.Action(r.URL.Query().Get("Action")), text)
	refused := s.authenticate(r.URL.Query(), c.at)
	ans := s.handle(r.Context(), c, refused)
	s.reply(w, r, c, ans)
}

// arrive takes a call in: from here on it counts.
func (s *Server) arrive(action zego.Action, text []byte) *call {
	c := &call{action: action}
	c.body, c.target, c.fault = parseBody(action, text, s.cfg.Body)

	s.mu.Lock()
	defer s.mu.Unlock()
	c.at = s.cfg.Now()
	c.script = s.faults.pick(action, c.target.RoomID, c.at)
	s.admit(c)
	c.seq = s.arrivals.add(func(seq uint64) Arrival {
		a := Arrival{Seq: seq, At: c.at, Action: action, Room: c.target.RoomID, Game: c.target.MiniGameID, Over: c.over}
		if c.body != nil {
			a.Entries = c.body.entries()
		}
		return a
	})
	s.change()
	return c
}

// admit counts the call against the budget of its room and action. mu is held.
func (s *Server) admit(c *call) {
	limit := s.cfg.Rate.PerSecond[c.action]
	if limit == 0 || !characters(c.target.RoomID, room.RoomIDMax) {
		return
	}
	r := s.rooms.get(c.target.RoomID)
	if r == nil {
		c.crowded = true
		return
	}
	if c.fault == nil && r.game == "" {
		r.game = c.target.MiniGameID
	}
	w := r.window(c.action)
	n, fixed := w.arrive(c.at)
	if s.cfg.Rate.FixedWindow {
		n = fixed
	}
	if c.over = n > limit; c.over {
		w.over++
	}
}

// update changes the log's view of a call, if the log still shows it. mu is held.
func (s *Server) update(c *call, change func(*Arrival)) {
	if a := s.arrivals.at(c.seq); a != nil {
		change(a)
	}
	s.change()
}

// requestID is 19 digits, as ZEGO's are.
func (s *Server) requestID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	return strconv.FormatUint(1_000_000_000_000_000_000+s.requests, 10)
}
