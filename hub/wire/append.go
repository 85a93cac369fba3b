package wire

import "strconv"

// Type is "welcome".
func (Welcome) Type() string { return "welcome" }

// Append implements [Event].
func (w Welcome) Append(dst []byte) []byte {
	return w.AppendWithMenu(dst, w.Menu.AppendMembers(nil))
}

// AppendWithMenu appends the event with the bytes of [Menu.AppendMembers] in place
// of w.Menu: a menu is encoded once for all viewers of its game.
func (w Welcome) AppendWithMenu(dst, menu []byte) []byte {
	o := open(dst, w.Type()).str("room", w.Room).str("user_id", w.UserID).str("node", w.Node).
		str("epoch", w.Epoch).unum("seq", w.Seq).flag("resumed", w.Resumed).num("viewers", int64(w.Viewers))
	o = w.Game.members(first(o.name("game"), "mini_game_id"))
	o = append(append(o, '}', ','), menu...)
	return o.close()
}

// AppendMembers appends the members gifts and join, without braces around them.
func (m Menu) AppendMembers(dst []byte) []byte {
	dst = append(dst, `"gifts":`...)
	dst = list(dst, m.Gifts, func(dst []byte, g MenuGift) []byte {
		o := object(quote(first(dst, "gift_id"), g.GiftID)).str("name", g.Name).str("icon", g.Icon).name("tiers")
		o = list(o, g.Tiers, func(dst []byte, t MenuTier) []byte {
			dst = strconv.AppendInt(first(dst, "value"), int64(t.Value), 10)
			return object(dst).str("effect", t.Effect).close()
		})
		return o.close()
	})
	dst = append(dst, `,"join":`...)
	return list(dst, m.Join, func(dst []byte, w JoinWord) []byte {
		return object(quote(first(dst, "text"), w.Text)).str("team", w.Team).close()
	})
}

// Type is "game".
func (Game) Type() string { return "game" }

// Append implements [Event].
func (g Game) Append(dst []byte) []byte {
	o := g.members(open(dst, g.Type()).name("mini_game_id"))
	if g.WinnerTeam != nil {
		o = o.num("winner_team", int64(*g.WinnerTeam))
	}
	if g.ResultType != nil {
		o = o.num("result_type", int64(*g.ResultType))
	}
	return o.close()
}

// members appends the value of mini_game_id and what follows.
func (g Game) members(dst []byte) object {
	return object(quote(dst, g.MiniGameID)).str("state", g.State).str("round_id", g.RoundID)
}

// Type is "accepted".
func (Accepted) Type() string { return "accepted" }

// Append implements [Event].
func (a Accepted) Append(dst []byte) []byte {
	return open(dst, a.Type()).str("id", a.ID).msgID(a.MsgID).close()
}

// Type is "rejected".
func (Rejected) Type() string { return "rejected" }

// Append implements [Event].
func (r Rejected) Append(dst []byte) []byte {
	o := open(dst, r.Type()).str("id", r.ID).str("code", string(r.Code)).str("message", r.Message)
	if r.RetryAfterMS != 0 {
		o = o.num("retry_after_ms", r.RetryAfterMS)
	}
	return o.close()
}

// Type is "result".
func (Result) Type() string { return "result" }

// Append implements [Event].
func (r Result) Append(dst []byte) []byte {
	return open(dst, r.Type()).str("id", r.ID).msgID(r.MsgID).str("status", r.Status).
		num("code", int64(r.Code)).str("reason", string(r.Reason)).str("message", r.Message).close()
}

// Type is "gifts".
func (Gifts) Type() string { return "gifts" }

// Append implements [Event].
func (g Gifts) Append(dst []byte) []byte {
	o := open(dst, g.Type()).unum("seq", g.Seq).name("gifts")
	o = list(o, g.Gifts, func(dst []byte, g Gift) []byte {
		return object(quote(first(dst, "msg_id"), g.MsgID.String())).str("user_id", g.UserID).
			str("nickname", g.Nickname).str("avatar", g.Avatar).str("gift_id", g.GiftID).
			num("value", int64(g.Value)).num("num", int64(g.Num)).num("count", int64(g.Count)).
			str("receiver_id", g.ReceiverID).num("at", g.At).close()
	})
	return o.close()
}

// Type is "comments".
func (Comments) Type() string { return "comments" }

// Append implements [Event].
func (c Comments) Append(dst []byte) []byte {
	o := open(dst, c.Type()).name("comments")
	o = list(o, c.Comments, func(dst []byte, c Comment) []byte {
		return object(quote(first(dst, "user_id"), c.UserID)).str("nickname", c.Nickname).
			str("avatar", c.Avatar).str("text", c.Text).num("at", c.At).close()
	})
	return o.close()
}

// Type is "likes".
func (Likes) Type() string { return "likes" }

// Append implements [Event].
func (l Likes) Append(dst []byte) []byte {
	return open(dst, l.Type()).num("count", l.Count).num("total", l.Total).close()
}

// Type is "presence".
func (Presence) Type() string { return "presence" }

// Append implements [Event].
func (p Presence) Append(dst []byte) []byte {
	return open(dst, p.Type()).num("viewers", int64(p.Viewers)).close()
}

// Type is "lagged".
func (Lagged) Type() string { return "lagged" }

// Append implements [Event].
func (l Lagged) Append(dst []byte) []byte {
	return open(dst, l.Type()).unum("from", l.From).unum("to", l.To).close()
}

// Type is "error".
func (Error) Type() string { return "error" }

// Append implements [Event].
func (e Error) Append(dst []byte) []byte {
	o := open(dst, e.Type()).str("code", string(e.Code)).str("message", e.Message)
	if e.ID != "" {
		o = o.str("id", e.ID)
	}
	return o.close()
}

// Type is "pong".
func (Pong) Type() string { return "pong" }

// Append implements [Event]. T must be valid JSON.
func (p Pong) Append(dst []byte) []byte {
	o := open(dst, p.Type())
	if len(p.T) > 0 {
		o = append(o.name("t"), p.T...)
	}
	return o.num("now", p.Now).close()
}

// Type is "bye".
func (Bye) Type() string { return "bye" }

// Append implements [Event].
func (b Bye) Append(dst []byte) []byte {
	o := open(dst, b.Type()).str("code", string(b.Code))
	if b.ReconnectInMS != 0 {
		o = o.num("reconnect_in_ms", b.ReconnectInMS)
	}
	return o.close()
}
