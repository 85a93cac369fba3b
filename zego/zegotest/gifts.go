package zegotest

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"time"

	"github.com/giftwire/giftwire/zego"
)

// Messages of a row. ZEGO documents the first; the others are ours, a hub must not
// read them.
const (
	msgSuccess   = "success"
	msgNotJoined = "the user has not joined the game"
	msgEnded     = "the room does not exist or has ended"
	msgNoGift    = "no such gift configured"
	msgPending   = "being processed"
	msgScripted  = "as scripted"
)

// plan is what is to become of one entry of a GiftList.
type plan int

const (
	planGive   plan = iota // it is this call that consumes the MsgId
	planRepeat             // the MsgId has an outcome, or an entry of this list makes one
	planWait               // another call is at it: 10006
)

// handleGifts consumes a list. A repeat meets the first outcome; while a list is
// being processed, repeats of its MsgIds are told to come back.
func (s *Server) handleGifts(ctx context.Context, c *call, list []giftEntry) response {
	plans, refusal := s.beginGifts(c, list)
	if refusal != nil {
		return refused(refusal)
	}
	if c.script.Hold {
		select {
		case <-c.released:
		case <-ctx.Done():
		}
	}
	pause(context.WithoutCancel(ctx), s.cfg.Memory.Work+c.script.Work)
	ans := s.endGifts(c, list, plans)
	for _, id := range c.conflicts {
		s.cfg.Logger.LogAttrs(ctx, slog.LevelError, "a MsgId came again with another payload",
			slog.String("room", c.target.RoomID), slog.String("msg_id", id))
	}
	return ans
}

// endGifts gives the gifts of the list that the call consumes, and answers the others.
func (s *Server) endGifts(c *call, list []giftEntry, plans []plan) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.get(c.target.RoomID)
	now := s.cfg.Now()
	ans := response{processed: true, message: "succeed", rows: make([]row, len(list))}
	for i := range list {
		g := &list[i]
		switch plans[i] {
		case planGive:
			s.memory.release(g.MsgID)
			ans.rows[i] = s.give(r, c, g, now)
		case planRepeat:
			ans.rows[i] = s.repeat(r, c, g, now)
		case planWait:
			s.count(r, func(t *Tally) { t.Pending++ })
			ans.rows[i] = row{Result: zego.ResultPending, Msg: msgPending, MsgID: g.MsgID}
		}
	}
	s.update(c, func(a *Arrival) {
		a.Working = false
		s.noteRows(a, ans.rows)
	})
	return ans
}

// beginGifts refuses the whole list, or claims the MsgIds that it consumes.
func (s *Server) beginGifts(c *call, list []giftEntry) ([]plan, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.get(c.target.RoomID)
	if r.state == NotStarted {
		return nil, refuse(zego.CodeNotStarted, "the game has not started")
	}
	table := s.games[c.target.MiniGameID]
	if s.cfg.Body.WrongValueFailsAll {
		for i := range list {
			if !table.allows(list[i].Info.GiftID, list[i].value()) {
				return nil, refuse(zego.CodeBusinessError, msgNoGift)
			}
		}
	}
	now := s.cfg.Now()
	plans := make([]plan, len(list))
	ours := make(map[string]bool, len(list))
	for i := range list {
		id := list[i].MsgID
		_, known := s.memory.recall(id, now)
		switch {
		case known, ours[id]:
			plans[i] = planRepeat
		case s.memory.claim(id):
			ours[id] = true
		default:
			plans[i] = planWait
		}
	}
	c.released = s.released // from now on a Release counts
	s.update(c, func(a *Arrival) { a.Working = true })
	return plans, nil
}

// give consumes a MsgId. mu is held.
func (s *Server) give(r *playroom, c *call, g *giftEntry, now time.Time) row {
	scripted := c.script.Result
	outcome := s.judge(r, c, g, now)
	happens := outcome.Result == zego.ResultOK
	hidden := false
	shown := outcome
	if scripted.hits(g) {
		shown = row{Result: scripted.Result, Msg: msgScripted, MsgID: g.MsgID}
		switch {
		case scripted.Result != zego.ResultPending:
			outcome = shown
			happens = scripted.Happened || scripted.Result == zego.ResultOK
			hidden = scripted.Result == zego.ResultException
		case !scripted.Happened:
			s.count(r, func(t *Tally) { t.Pending++ })
			return shown
		}
	}
	first := memo{row: outcome, payload: s.hash(c, g), at: now}
	s.memory.store(g.MsgID, first)
	kept := outcome
	kept.Timestamp = g.Timestamp
	s.ledger.note(g.MsgID, record{row: kept, room: r.id, game: c.target.MiniGameID, at: now, hidden: hidden})
	var effect *Effect
	if happens {
		effect = &Effect{
			At: now, Room: r.id, Game: c.target.MiniGameID, MsgID: g.MsgID,
			User: g.User.UserID, Nickname: g.User.Nickname, Gift: g.Info.GiftID,
			Value: g.value(), Num: *g.Info.Num, Receiver: g.ReceiverID,
		}
	}
	s.settle(r, effect)
	s.enter(note{Gift: &giftNote{
		At: now, Room: r.id, Game: c.target.MiniGameID, First: outcome, Payload: first.payload,
		Sent: g.Timestamp, Hidden: hidden, Effect: effect,
	}})
	return shown
}

// judge is what becomes of a gift by the rules.
func (s *Server) judge(r *playroom, c *call, g *giftEntry, now time.Time) row {
	ans := row{MsgID: g.MsgID, Msg: msgSuccess}
	switch {
	case r.state != Running:
		ans.Result, ans.Msg = zego.ResultNotJoined, msgEnded
	case !s.games[c.target.MiniGameID].allows(g.Info.GiftID, g.value()):
		ans.Result, ans.Msg = zego.ResultNoSuchGift, msgNoGift
	case !s.plays(r, member{c.target.MiniGameID, g.User.UserID}, now):
		ans.Result, ans.Msg = zego.ResultNotJoined, msgNotJoined
	}
	return ans
}

// settle counts a consumed gift and gives its effect, if it has one.
func (s *Server) settle(r *playroom, effect *Effect) {
	if effect == nil {
		s.count(r, func(t *Tally) { t.Consumed++; t.Failed++ })
		return
	}
	times := s.ledger.apply(*effect)
	s.count(r, func(t *Tally) {
		t.Consumed++
		t.Delivered++
		t.DeliveredCount += uint64(effect.Value) * uint64(effect.Num)
		if times > 1 {
			t.Doubled++
		}
	})
}

// repeat answers a MsgId that has an outcome: the first one, whatever the entry says
// now. It may have been forgotten, or taken back as pending, since the list began.
func (s *Server) repeat(r *playroom, c *call, g *giftEntry, now time.Time) row {
	first, ok := s.memory.recall(g.MsgID, now)
	if !ok {
		s.count(r, func(t *Tally) { t.Pending++ })
		return row{Result: zego.ResultPending, Msg: msgPending, MsgID: g.MsgID}
	}
	conflict := first.payload != s.hash(c, g)
	s.count(r, func(t *Tally) {
		t.Repeats++
		if conflict {
			t.Conflicts++
		}
	})
	if conflict {
		c.conflicts = append(c.conflicts, g.MsgID)
	}
	return first.row
}

// hash tells one payload of a MsgId from another. It is the same in every process, for
// the diary.
func (s *Server) hash(c *call, g *giftEntry) uint64 {
	sex := 0
	if g.User.Sex != nil {
		sex = *g.User.Sex
	}
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%q %q %q %q %q %d %q %d %d %q %d", // a hash never fails
		c.target.RoomID, c.target.MiniGameID, g.User.UserID, g.User.Nickname, g.User.Avatar, sex,
		g.Info.GiftID, g.value(), *g.Info.Num, g.ReceiverID, g.Timestamp)
	return h.Sum64()
}

// noteRows shows results in the log of arrivals.
func (s *Server) noteRows(a *Arrival, rows []row) {
	for i := range min(len(a.Entries), len(rows)) {
		e := &a.Entries[i]
		e.Result = rows[i].Result
		if account := s.ledger.accounts[e.MsgID]; account != nil {
			e.Effects = account.effects
		}
	}
}
