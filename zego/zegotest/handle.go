package zegotest

import (
	"context"
	"slices"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// gameTable is what was agreed for one game.
type gameTable struct {
	gifts map[string][]int  // allowed Values; nil: only 1
	join  map[string]string // text to team; empty: any comment joins
}

func newGameTables(games []room.GameSpec) map[string]*gameTable {
	tables := make(map[string]*gameTable, len(games))
	for _, g := range games {
		t := &gameTable{gifts: make(map[string][]int), join: make(map[string]string)}
		for _, gift := range g.Gifts {
			values := []int{1}
			if len(gift.Tiers) > 0 {
				values = nil
			}
			for _, tier := range gift.Tiers {
				values = append(values, tier.Value)
			}
			t.gifts[gift.ID] = values
		}
		for _, w := range g.Join {
			t.join[w.Text] = w.Team
		}
		tables[g.ID] = t
	}
	return tables
}

// joins reports whether the comment joins, and for which team.
func (t *gameTable) joins(text string) (team string, ok bool) {
	if t == nil || len(t.join) == 0 {
		return text, true
	}
	team, ok = t.join[text]
	return team, ok
}

// allows reports whether the gift with that value was agreed.
func (t *gameTable) allows(gift string, value int) bool {
	return t == nil || slices.Contains(t.gifts[gift], value)
}

// response is an answer before it is written.
type response struct {
	code    int
	status  int // HTTP status; 0: 200
	message string
	rows    []row
	launch  int // code, 0: none
	// processed: the call reached the game.
	processed bool
	lost      bool // it did not, and nobody will hear why
}

func refused(r *refusal) response { return response{code: r.code, message: r.message} }

// handle decides a call, waiting as its script says.
func (s *Server) handle(ctx context.Context, c *call, unauthentic *refusal) response {
	// What is under way arrives, whether its caller still waits or not.
	pause(context.WithoutCancel(ctx), c.script.Before)
	switch {
	case c.script.Lost:
		return response{lost: true, code: c.script.Code}
	case c.script.Code != 0:
		return response{code: c.script.Code, message: "as scripted"}
	case unauthentic != nil:
		return refused(unauthentic)
	case c.over && s.cfg.Rate.Status != 0:
		return response{status: s.cfg.Rate.Status}
	case c.over:
		return response{code: s.cfg.Rate.Code, message: "too many calls for the room"}
	case c.fault != nil:
		return refused(c.fault)
	case c.crowded:
		return response{code: zego.CodeSystemError, message: "the simulator knows too many rooms"}
	case len(s.games) > 0 && s.games[c.target.MiniGameID] == nil:
		return response{code: zego.CodeGameNotFound, message: "game not found"}
	}
	switch b := c.body.(type) {
	case *giftsBody:
		return s.handleGifts(ctx, c, *b.GiftList)
	case *commentsBody:
		return s.handleComments(c, *b.CommentList)
	case *likesBody:
		return s.handleLikes(c, *b.LikeList)
	case *queryBody:
		return s.handleQuery(c, b)
	case *launchBody:
		return s.handleLaunch(c, b)
	default:
		return response{code: zego.CodeActionUnsupported, message: "Action is not supported"}
	}
}

// handleComments lets viewers join. ZEGO says nothing of a single comment.
func (s *Server) handleComments(c *call, list []commentEntry) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.get(c.target.RoomID)
	now := s.cfg.Now()
	for _, said := range list {
		s.count(r, func(t *Tally) { t.Comments++ })
		team, ok := s.games[c.target.MiniGameID].joins(said.Content)
		m := member{c.target.MiniGameID, said.User.UserID}
		if _, already := r.joined[m]; !ok || already || len(r.joined) >= s.cfg.Memory.Viewers {
			continue
		}
		r.joined[m] = join{from: now.Add(s.cfg.Play.JoinDelay), team: team}
		s.enterJoin(r, m)
		s.count(r, func(t *Tally) { t.Joins++ })
	}
	return response{processed: true, message: "succeed"}
}

// handleLikes counts the likes of viewers who play.
func (s *Server) handleLikes(c *call, list []likeEntry) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.get(c.target.RoomID)
	now := s.cfg.Now()
	for _, l := range list {
		plays := s.plays(r, member{c.target.MiniGameID, l.User.UserID}, now)
		s.count(r, func(t *Tally) {
			if plays {
				t.Likes += uint64(l.amount())
			} else {
				t.Discarded += uint64(l.amount())
			}
		})
	}
	return response{processed: true, message: "succeed"}
}

// plays reports whether the viewer's gifts and likes count.
func (s *Server) plays(r *playroom, m member, now time.Time) bool {
	return slices.Contains(s.cfg.Play.NoJoinNeeded, m.game) || r.hasJoined(m, now)
}

// handleQuery lists what became of gifts: one row for each time a MsgId was consumed
// within the days asked for.
func (s *Server) handleQuery(c *call, b *queryBody) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	oldest := now.AddDate(0, 0, -b.days())
	ans := response{processed: true, message: "succeed", rows: []row{}}
	for _, id := range *b.MsgIDList {
		a := s.ledger.accounts[id]
		if a == nil {
			continue
		}
		for _, r := range a.records {
			seen := !r.hidden && r.room == c.target.RoomID && r.game == c.target.MiniGameID
			if seen && r.at.After(oldest) && now.Sub(r.at) >= s.cfg.Memory.QueryDelay {
				ans.rows = append(ans.rows, r.row)
			}
		}
	}
	return ans
}

// count adds to the room's tally and to that of all.
func (s *Server) count(r *playroom, add func(*Tally)) {
	add(&r.tally)
	add(&s.tally)
}
