package zegotest

import (
	"time"

	"github.com/giftwire/giftwire/zego"
)

// StartGame starts a round of the game in the room, reports it if reports are on, and
// returns its RoundId. The room is made if need be; empty if there are too many.
func (s *Server) StartGame(roomID, gameID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.get(roomID)
	if r == nil {
		return ""
	}
	r.rounds++
	r.state, r.game = Running, gameID
	s.enterRoom(r, false)
	s.reports.enqueue(s.report(r, zego.ReportStart))
	s.change()
	return r.round()
}

// SettleGame ends the round of the room, and reports it if reports are on. False if
// the room is not known.
func (s *Server) SettleGame(roomID string, result zego.Settlement) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.byID[roomID]
	if r == nil {
		return false
	}
	s.settleRoom(r, result)
	s.change()
	return true
}

func (s *Server) settleRoom(r *playroom, result zego.Settlement) {
	r.end(s.cfg.Play.KeepJoins)
	s.enterRoom(r, !s.cfg.Play.KeepJoins)
	report := s.report(r, zego.ReportSettlement)
	report.Result = result
	s.reports.enqueue(report)
}

// report is what a callback says of the room now.
func (s *Server) report(r *playroom, kind zego.ReportType) zego.Callback {
	return zego.Callback{
		Type: kind, MiniGameID: r.game, RoomID: r.id, AnchorID: r.anchor, RoundID: r.round(),
		At: s.cfg.Now().UnixMilli(),
	}
}

// SetState changes the state of the room's game, silently. The room is made if need
// be; false if there are too many.
func (s *Server) SetState(roomID string, state State) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.get(roomID)
	if r == nil {
		return false
	}
	r.state = state
	s.enterRoom(r, false)
	s.change()
	return true
}

// Join lets the viewer play in the room at once, as if by a comment. False if there
// are too many rooms.
func (s *Server) Join(roomID, gameID, userID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.get(roomID)
	if r == nil {
		return false
	}
	m := member{gameID, userID}
	r.joined[m] = join{from: s.cfg.Now()}
	s.enterJoin(r, m)
	s.change()
	return true
}

// Team returns the team for which the viewer plays now; false for one who does not.
func (s *Server) Team(roomID, gameID, userID string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.byID[roomID]
	m := member{gameID, userID}
	if r == nil || !r.hasJoined(m, s.cfg.Now()) {
		return "", false
	}
	return r.joined[m].team, true
}

// Room tells what is known of a room; false for one that nobody has called for.
func (s *Server) Room(roomID string) (RoomState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.byID[roomID]
	if r == nil {
		return RoomState{}, false
	}
	return r.snapshot(), true
}

// handleLaunch hands out a code, seldom, and to one anchor a room.
func (s *Server) handleLaunch(c *call, b *launchBody) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.get(c.target.RoomID)
	now := s.cfg.Now()
	switch {
	case r.anchor != "" && r.anchor != b.AnchorID:
		return response{code: zego.CodeRoomOccupied, message: "the room is held by another anchor"}
	case !r.launch.IsZero() && now.Sub(r.launch) < s.cfg.Play.LaunchEvery:
		return response{code: zego.CodeLaunchTooOften, message: "launch code asked for too often"}
	}
	r.anchor, r.launch = b.AnchorID, now
	s.enterRoom(r, false)
	if s.cfg.Play.LaunchEndsGame && r.state == Running {
		s.settleRoom(r, zego.Settlement{ResultType: 4})
	}
	s.change()
	return response{processed: true, message: "succeed", launch: launchCode(r.id, now)}
}

// launchCode has 9 digits, as in ZEGO's example.
func launchCode(roomID string, now time.Time) int {
	sum := uint64(now.UnixNano())
	for _, c := range []byte(roomID) {
		sum = sum*31 + uint64(c)
	}
	return int(100_000_000 + sum%900_000_000)
}
