package zegotest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/zego"
)

const (
	// adminBodyMax bounds a request of the admin API.
	adminBodyMax = 64 << 10
	// pageMax and pageDefault bound a page of a list.
	pageMax     = 1000
	pageDefault = 100
)

// Admin is the server's own HTTP API, for people, pages and tests in another process.
// It has no authentication: serve it where only operators reach it. All of it is
// JSON; bodies are strict and need Content-Type application/json, which keeps web
// pages of other origins out. Errors are {"error":"..."} with status 400, 404, 413 or
// 415. GET / of it is a guide to all of it: [AdminGuide].
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, AdminGuide) // the client has gone: nothing is left to tell
	})
	mux.HandleFunc("GET /state", s.adminState)
	mux.HandleFunc("GET /budget", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"budget": s.Budget()})
	})
	mux.HandleFunc("GET /rooms/{room}", s.adminRoom)
	mux.HandleFunc("POST /rooms/{room}/start", s.adminStart)
	mux.HandleFunc("POST /rooms/{room}/settle", s.adminSettle)
	mux.HandleFunc("POST /rooms/{room}/state", s.adminSetState)
	mux.HandleFunc("GET /gifts/{msg_id}", s.adminGift)
	mux.HandleFunc("GET /ledger", s.adminLedger)
	mux.HandleFunc("GET /arrivals", s.adminArrivals)
	mux.HandleFunc("GET /arrivals/stream", s.adminStream)
	mux.HandleFunc("GET /faults", s.adminRules)
	mux.HandleFunc("POST /faults", s.adminFail)
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearAll()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /faults/{id}", s.adminClear)
	mux.HandleFunc("POST /release", func(w http.ResponseWriter, _ *http.Request) {
		s.Release()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /delivery", func(w http.ResponseWriter, r *http.Request) {
		var d Delivery
		if readJSON(w, r, &d) {
			s.SetDelivery(d)
			w.WriteHeader(http.StatusNoContent)
		}
	})
	return mux
}

// Stats is the server's view of itself.
type Stats struct {
	AppID   uint32       `json:"app_id"`
	Now     time.Time    `json:"now"`
	Calls   uint64       `json:"calls"`
	Rooms   int          `json:"rooms"`
	Rules   int          `json:"rules"`
	Tally   Tally        `json:"tally"`
	Reports ReportCounts `json:"reports"`
	Dropped Dropped      `json:"dropped"`
}

// Dropped counts details that were dropped because of [MemoryChoices]. Totals still
// have them; Remembered and Accounts weaken what the simulator can prove.
type Dropped struct {
	Arrivals   uint64 `json:"arrivals"`
	Effects    uint64 `json:"effects"`
	Remembered uint64 `json:"remembered"` // MsgIds that would be given again too early
	Accounts   uint64 `json:"accounts"`   // MsgIds whose effects are not counted any more
}

// Stats tells how much was done, and what is not known any more.
func (s *Server) Stats() Stats {
	rules, reports := len(s.Rules()), s.Reports()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		AppID: s.cfg.AppID, Now: s.cfg.Now(), Calls: s.arrivals.next - 1, Rooms: len(s.rooms.byID),
		Rules: rules, Tally: s.tally, Reports: reports,
		Dropped: Dropped{
			Arrivals: s.arrivals.dropped(), Effects: s.ledger.effects.dropped(),
			Remembered: s.memory.forgot, Accounts: s.ledger.forgot,
		},
	}
}

func (s *Server) adminState(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Stats()) }

func (s *Server) adminRoom(w http.ResponseWriter, r *http.Request) {
	state, ok := s.Room(r.PathValue("room"))
	if !ok {
		writeError(w, http.StatusNotFound, errors.New("no such room"))
		return
	}
	writeJSON(w, state)
}

func (s *Server) adminStart(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Game string `json:"mini_game_id"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	if body.Game == "" || !characters(r.PathValue("room"), 64) {
		writeError(w, http.StatusBadRequest, errors.New("mini_game_id is required, and a room of 1 to 64 characters"))
		return
	}
	round := s.StartGame(r.PathValue("room"), body.Game)
	if round == "" {
		writeError(w, http.StatusBadRequest, errors.New("too many rooms"))
		return
	}
	writeJSON(w, map[string]string{"round_id": round})
}

func (s *Server) adminSettle(w http.ResponseWriter, r *http.Request) {
	var body struct {
		WinTeam    int    `json:"win_team"`
		ResultType int    `json:"result_type"`
		UserSize   int    `json:"user_size"`
		ExtraData  string `json:"extra_data"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	if !s.SettleGame(r.PathValue("room"), zego.Settlement(body)) {
		writeError(w, http.StatusNotFound, errors.New("no such room"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) adminSetState(w http.ResponseWriter, r *http.Request) {
	var body struct {
		State string `json:"state"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	state, ok := ParseState(body.State)
	if !ok || !characters(r.PathValue("room"), 64) || !s.SetState(r.PathValue("room"), state) {
		writeError(w, http.StatusBadRequest, errors.New("state must be running, not_started or ended, and there must be place for the room"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) adminGift(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("msg_id")
	writeJSON(w, map[string]any{"effects": s.Effects(id), "results": s.Results(id)})
}

func (s *Server) adminLedger(w http.ResponseWriter, r *http.Request) {
	since, limit, ok := page(w, r)
	if !ok {
		return
	}
	effects := s.Ledger(since, limit)
	if n := len(effects); n > 0 {
		since = effects[n-1].Seq
	}
	writeJSON(w, map[string]any{"effects": effects, "next": since})
}

func (s *Server) adminArrivals(w http.ResponseWriter, r *http.Request) {
	since, limit, ok := page(w, r)
	if !ok {
		return
	}
	arrivals := s.Arrivals(since, limit)
	if n := len(arrivals); n > 0 {
		since = arrivals[n-1].Seq
	}
	writeJSON(w, map[string]any{"arrivals": arrivals, "next": since})
}

func (s *Server) adminClear(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || !s.Clear(id) {
		writeError(w, http.StatusNotFound, errors.New("no such rule"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// page reads since and limit.
func page(w http.ResponseWriter, r *http.Request) (since uint64, limit int, ok bool) {
	query := r.URL.Query()
	for name := range query {
		if name != "since" && name != "limit" {
			writeError(w, http.StatusBadRequest, fmt.Errorf("no parameter is named %.32q: since and limit are", name))
			return 0, 0, false
		}
	}
	limit = pageDefault
	var err error
	if text := query.Get("since"); text != "" {
		since, err = strconv.ParseUint(text, 10, 64)
	}
	if text := query.Get("limit"); text != "" && err == nil {
		limit, err = strconv.Atoi(text)
	}
	if err != nil || limit < 1 || limit > pageMax {
		writeError(w, http.StatusBadRequest, fmt.Errorf("since must be a number, and limit 1 to %d", pageMax))
		return 0, 0, false
	}
	return since, limit, true
}

// readJSON reads a strict body; false if it has answered an error.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		writeError(w, http.StatusUnsupportedMediaType, errors.New("Content-Type must be application/json"))
		return false
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, adminBodyMax))
	if err != nil {
		writeError(w, http.StatusRequestEntityTooLarge, fmt.Errorf("the body has more than %d bytes, or broke off", adminBodyMax))
		return false
	}
	if err := json.Unmarshal(text, into, json.RejectUnknownMembers(true)); err != nil {
		writeError(w, http.StatusBadRequest, err)
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		writeError(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // the reader has gone: there is nobody to tell
}

func writeError(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	text, _ := json.Marshal(map[string]string{"error": err.Error()}, json.Deterministic(true))
	_, _ = w.Write(text) // as above
}
