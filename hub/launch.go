package hub

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/giftwire/giftwire/room"
)

// Two codes of ZEGO that a platform can act on (ZEGO.md 2.4).
const (
	zegoRoomOccupied = 7206004 // the room is held by another anchor
	zegoTooOften     = 7206005 // asked for too often
)

// launchPost is the body of POST launch-code: how the game shows the anchor.
type launchPost struct {
	Nickname *string `json:"nickname"`
	Avatar   *string `json:"avatar"`
	Sex      int     `json:"sex"`
}

type launchBody struct {
	Room       string `json:"room"`
	MiniGameID string `json:"mini_game_id"`
	AnchorID   string `json:"anchor_id"`
	LaunchCode string `json:"launch_code"`
}

// postLaunchCode fetches a game start code. Not while a game runs: asking may end it
// (ZEGO.md 2.4).
func (p *platform) postLaunchCode(w http.ResponseWriter, r *http.Request) error {
	cfg, err := p.liveRoom(r)
	if err != nil {
		return err
	}
	var body launchPost
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	if cfg.anchor == "" {
		return newProblem(http.StatusConflict, codeNoAnchor, "room %s has no anchor_id: PUT the room with one first", cfg.id)
	}
	who := userPost{UserID: cfg.anchor, Nickname: body.Nickname, Avatar: body.Avatar, Sex: body.Sex}
	anchor := who.user(p.face.avatar)
	if err := anchor.Check(); err != nil {
		return newProblem(http.StatusBadRequest, codeBadRequest, "%v", err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), p.limits.Room.CallTimeout)
	defer cancel()
	if err := p.mayLaunch(ctx, cfg.id); err != nil {
		return err
	}
	code, answer := p.game.LaunchCode(ctx, room.Launch{Room: cfg.id, GameID: cfg.game, Anchor: anchor})
	if err := p.launched(code, answer); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, launchBody{
		Room: cfg.id, MiniGameID: cfg.game, AnchorID: cfg.anchor, LaunchCode: code,
	})
}

// mayLaunch is the guard before the call.
func (p *platform) mayLaunch(ctx context.Context, roomID string) error {
	if p.game == nil {
		return newProblem(http.StatusServiceUnavailable, codeUnavailable, "this hub has no game platform").after(time.Minute)
	}
	// What another node has heard a moment ago counts, too: a code may end a game.
	state, err := p.ledgers.StateNow(ctx, roomID)
	if err != nil {
		return asked(err)
	}
	if state.Game.State == room.GameRunning {
		return newProblem(http.StatusConflict, codeGameRunning,
			"a game is running in room %s, and asking for a code may end it", roomID)
	}
	if wait := p.launch.take(roomID, time.Now()); wait > 0 {
		return tooOften(p.launch.every).after(wait)
	}
	return nil
}

// launched turns ZEGO's answer into a problem, if it is one.
func (p *platform) launched(code string, a room.Answer) error {
	switch {
	case a.Outcome == room.Consumed && code != "":
		return nil
	case a.Code == zegoRoomOccupied:
		return newProblem(http.StatusConflict, codeRoomOccupied, "at ZEGO the room belongs to another anchor")
	case a.Code == zegoTooOften:
		return tooOften(p.launch.every).after(p.launch.every)
	case a.Code != 0 || a.Class == room.ClassBadRequest:
		return newProblem(http.StatusBadGateway, codeGameRefused, "ZEGO refused with code %d: %s", a.Code, a.Message)
	default:
		return newProblem(http.StatusGatewayTimeout, codeGameSilent, "no understandable answer from ZEGO")
	}
}

func tooOften(every time.Duration) *problem {
	return newProblem(http.StatusTooManyRequests, codeRateLimited, "launch codes of a room must be %v apart", every)
}

// launchGuard keeps launch codes of a room apart. It remembers a room only as long as
// it matters: at most as many as asked within the time, each after a PUT with an API
// key.
type launchGuard struct {
	every time.Duration

	mu   sync.Mutex
	last map[string]time.Time
}

func newLaunchGuard(every time.Duration) *launchGuard {
	return &launchGuard{every: every, last: make(map[string]time.Time)}
}

// take uses the room's turn, or says how long to wait for it.
func (g *launchGuard) take(roomID string, now time.Time) (wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, at := range g.last {
		if now.Sub(at) >= g.every {
			delete(g.last, id)
		}
	}
	if at, ok := g.last[roomID]; ok {
		return at.Add(g.every).Sub(now)
	}
	g.last[roomID] = now
	return 0
}
