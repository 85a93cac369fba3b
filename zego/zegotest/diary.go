package zegotest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"
)

// ZEGO does not forget when a hub, or the simulator, is started anew. A diary lets the
// simulator do the same: whatever a later start must know is written, one JSON object a
// line, before the call that caused it is answered.

// note is a line of the diary. Exactly one of its members is set.
type note struct {
	Gift *giftNote `json:"gift,omitzero"`
	Join *joinNote `json:"join,omitzero"`
	Room *roomNote `json:"room,omitzero"`
}

// giftNote is a consumed MsgId.
type giftNote struct {
	At      time.Time `json:"at"`
	Room    string    `json:"room"`
	Game    string    `json:"mini_game_id"`
	First   row       `json:"first"` // what a repeat is answered
	Payload uint64    `json:"payload"`
	Sent    int64     `json:"timestamp"` // the gift's own
	Hidden  bool      `json:"hidden,omitzero"`
	Effect  *Effect   `json:"effect,omitzero"`
}

// joinNote is a viewer who plays.
type joinNote struct {
	Room string    `json:"room"`
	Game string    `json:"mini_game_id"`
	User string    `json:"user_id"`
	From time.Time `json:"from"`
	Team string    `json:"team"`
}

// roomNote is what is played in a room from here on.
type roomNote struct {
	Room   string `json:"room"`
	State  string `json:"state"`
	Rounds int    `json:"rounds"`
	Game   string `json:"mini_game_id"`
	Anchor string `json:"anchor_id"`
	Left   bool   `json:"left,omitzero"` // all viewers have to join again
}

// diaryLine bounds a line: a gift note has at most 2 KiB.
const diaryLine = 64 << 10

// ErrBadDiary is wrapped by the errors of [Server.Recall] about what it read.
var ErrBadDiary = errors.New("zegotest: bad diary")

// Recall takes in what earlier servers wrote to their [Config.Diary]. Call it once,
// before the first call comes. Gifts that were consumed longer ago than
// [MemoryChoices.Remember] are left out. A last line that is cut off, because its
// writer was killed, is ignored.
func (s *Server) Recall(diary io.Reader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := bufio.NewScanner(diary)
	lines.Buffer(nil, diaryLine)
	var bad error
	for n := 1; lines.Scan(); n++ {
		if bad != nil {
			return bad // it was not the last line
		}
		var in note
		if err := json.Unmarshal(lines.Bytes(), &in); err != nil {
			bad = fmt.Errorf("%w: line %d: %w", ErrBadDiary, n, err)
			continue
		}
		s.recall(&in)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrBadDiary, err)
	}
	return nil
}

// recall takes one line in. mu is held.
func (s *Server) recall(in *note) {
	switch {
	case in.Gift != nil:
		s.recallGift(in.Gift)
	case in.Join != nil:
		if r := s.rooms.get(in.Join.Room); r != nil {
			r.joined[member{in.Join.Game, in.Join.User}] = join{from: in.Join.From, team: in.Join.Team}
		}
	case in.Room != nil:
		if r := s.rooms.get(in.Room.Room); r != nil {
			if state, ok := ParseState(in.Room.State); ok {
				r.state = state
			}
			r.rounds, r.game, r.anchor = in.Room.Rounds, in.Room.Game, in.Room.Anchor
			if in.Room.Left {
				clear(r.joined)
			}
		}
	}
}

func (s *Server) recallGift(g *giftNote) {
	r := s.rooms.get(g.Room)
	if r == nil || s.cfg.Now().Sub(g.At) >= s.cfg.Memory.Remember {
		return
	}
	s.memory.store(g.First.MsgID, memo{row: g.First, payload: g.Payload, at: g.At})
	kept := g.First
	kept.Timestamp = g.Sent
	s.ledger.note(g.First.MsgID, record{row: kept, room: g.Room, game: g.Game, at: g.At, hidden: g.Hidden})
	s.settle(r, g.Effect)
}

// enter adds a line to the diary, if one is kept. mu is held: lines are in the order of
// what happened.
func (s *Server) enter(n note) {
	if s.cfg.Diary == nil {
		return
	}
	line, err := json.Marshal(n)
	if err == nil {
		_, err = s.cfg.Diary.Write(append(line, '\n'))
	}
	if err != nil {
		s.cfg.Logger.Error("the diary cannot be written: a later start will not know this", slog.Any("error", err))
	}
}

// enterRoom notes what is played in the room now. mu is held.
func (s *Server) enterRoom(r *playroom, left bool) {
	s.enter(note{Room: &roomNote{
		Room: r.id, State: r.state.String(), Rounds: r.rounds, Game: r.game, Anchor: r.anchor, Left: left,
	}})
}

// enterJoin notes a viewer who plays. mu is held.
func (s *Server) enterJoin(r *playroom, m member) {
	j := r.joined[m]
	s.enter(note{Join: &joinNote{Room: r.id, Game: m.game, User: m.user, From: j.from, Team: j.team}})
}
