package hub

import (
	"fmt"
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// roomPut is the body of PUT.
type roomPut struct {
	MiniGameID     string `json:"mini_game_id"`
	AnchorID       string `json:"anchor_id"`
	RequireRunning bool   `json:"require_running"`
}

// roomBody is a room as the platform sees it.
type roomBody struct {
	Room           string       `json:"room"`
	MiniGameID     string       `json:"mini_game_id"`
	AnchorID       string       `json:"anchor_id"`
	RequireRunning bool         `json:"require_running"`
	Owner          string       `json:"owner"` // the node that flushes the room; empty: none
	Viewers        int          `json:"viewers"`
	Game           gameBody     `json:"game"`
	Counters       countersBody `json:"counters"`
}

// gameBody is the state of a room's game.
type gameBody struct {
	State      string `json:"state"`
	RoundID    string `json:"round_id"`
	WinnerTeam *int   `json:"winner_team,omitzero"` // when ended
	ResultType *int   `json:"result_type,omitzero"` // when ended
}

// countersBody adds up: accepted is the sum of the others.
type countersBody struct {
	Accepted   uint64 `json:"accepted"`
	Delivered  uint64 `json:"delivered"`
	Failed     uint64 `json:"failed"`
	Unresolved uint64 `json:"unresolved"`
	Pending    uint64 `json:"pending"`
}

type roomList struct {
	Rooms []roomBody `json:"rooms"`
	Next  string     `json:"next"` // empty: no more
}

func (p *platform) listRooms(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit, err := pageLimit(q)
	if err != nil {
		return err
	}
	after := q.Get("after")
	if after != "" && room.CheckRoomID(after) != nil {
		return newProblem(http.StatusBadRequest, codeBadRequest, "after must be the next of the page before")
	}
	rooms := p.rooms.List(after, limit+1) // one more tells whether there is a next page
	ctx, cancel := p.patience(r)
	defer cancel()
	page := roomList{Rooms: make([]roomBody, 0, min(len(rooms), limit))}
	for i, cfg := range rooms {
		if i == limit {
			page.Next = rooms[limit-1].id
			break
		}
		state, err := p.state(ctx, cfg.id)
		if err != nil {
			return err
		}
		page.Rooms = append(page.Rooms, p.describe(cfg, state))
	}
	return writeJSON(w, http.StatusOK, page)
}

func (p *platform) getRoom(w http.ResponseWriter, r *http.Request) error {
	cfg, err := p.liveRoom(r)
	if err != nil {
		return err
	}
	ctx, cancel := p.patience(r)
	defer cancel()
	state, err := p.state(ctx, cfg.id)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, p.describe(cfg, state))
}

func (p *platform) putRoom(w http.ResponseWriter, r *http.Request) error {
	id, err := roomName(r)
	if err != nil {
		return err
	}
	var body roomPut
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	if err := body.check(); err != nil {
		return err
	}
	// Before the write: an answer needs the counters, and a 503 after it would say that
	// nothing has happened.
	ctx, cancel := p.patience(r)
	defer cancel()
	state, err := p.state(ctx, id)
	if err != nil {
		return err
	}
	cfg := roomConfig{id: id, game: body.MiniGameID, anchor: body.AnchorID, requireRunning: body.RequireRunning}
	created, err := p.rooms.Put(ctx, cfg)
	if err != nil {
		return notWritten(err)
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return writeJSON(w, status, p.describe(cfg, state))
}

func (p *platform) deleteRoom(w http.ResponseWriter, r *http.Request) error {
	cfg, err := p.anyRoom(r)
	if err != nil {
		return err
	}
	if !cfg.deleted { // deleting again is a client that has not heard the answer
		ctx, cancel := p.patience(r)
		defer cancel()
		if err := p.rooms.Delete(ctx, cfg.id); err != nil {
			return notWritten(err)
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// notWritten: the registry's store has not said that it has written. PUT and DELETE
// may be repeated, so that is all that a client needs to know.
func notWritten(err error) error {
	return fmt.Errorf("%w: %w", newProblem(http.StatusServiceUnavailable, codeUnavailable,
		"the room could not be stored now: repeat it").after(retrySoon), err)
}

// check says what is wrong with a room's configuration.
func (b *roomPut) check() error {
	// ZEGO gives no bound for a MiniGameId; the catalogue's is 128 bytes.
	if n := len(b.MiniGameID); n < 1 || n > 128 || !isPrintable(b.MiniGameID) {
		return newProblem(http.StatusBadRequest, codeBadRequest, "mini_game_id must be 1 to 128 printable bytes")
	}
	if b.AnchorID != "" && room.CheckUserID(b.AnchorID) != nil {
		return newProblem(http.StatusBadRequest, codeBadRequest,
			"anchor_id must be 1 to %d letters and digits, which is what ZEGO takes", room.UserIDMax)
	}
	return nil
}

func isPrintable(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// describe puts together what the platform is told of a room that is served here.
func (p *platform) describe(cfg roomConfig, state owner.RoomState) roomBody {
	return roomBody{
		Room: cfg.id, MiniGameID: cfg.game, AnchorID: cfg.anchor, RequireRunning: cfg.requireRunning,
		Owner: state.Owner, Viewers: p.face.viewers(cfg.id),
		Game: describeGame(state.Playing(cfg.game)), Counters: countersOf(state),
	}
}

func describeGame(g room.Game) gameBody {
	b := gameBody{State: g.State.String(), RoundID: g.Round}
	if g.State == room.GameEnded {
		b.WinnerTeam, b.ResultType = &g.WinnerTeam, &g.ResultType
	}
	return b
}

func countersOf(s owner.RoomState) countersBody {
	return countersBody{
		Accepted:  s.Accepted,
		Delivered: s.Totals.Delivered, Failed: s.Totals.Failed, Unresolved: s.Totals.Unresolved,
		Pending: uint64(max(0, s.Open)),
	}
}
