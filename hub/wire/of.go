package wire

import "github.com/giftwire/giftwire/room"

// ResultOf is what the sender hears of a decision.
func ResultOf(d room.Decision) Result {
	message := d.Message
	if message == "" {
		message = reasonText(d.Reason)
	}
	return Result{
		ID:      d.Gift.ClientID,
		MsgID:   d.Gift.MsgID,
		Status:  d.Status.String(),
		Code:    d.Code,
		Reason:  d.Reason,
		Message: message,
	}
}

// reasonText tells people what a reason means.
func reasonText(r room.Reason) string {
	switch r {
	case room.ReasonOK:
		return "the gift was given"
	case room.ReasonNotJoined:
		return "the sender has not joined the game, or the game refused the gift"
	case room.ReasonNoSuchGift:
		return "the game has no such gift"
	case room.ReasonNotStarted:
		return "the game had not started in time"
	case room.ReasonGameNotFound:
		return "the game was not found in time"
	case room.ReasonRefused:
		return "the game refused the gift's fields"
	case room.ReasonExpired:
		return "the gift could not be given in time, and was not given"
	case room.ReasonUnknownOutcome:
		return "whether the gift was given is not known; a person has to look"
	default:
		return "the game failed on the gift"
	}
}

// GiftOf is what every viewer sees of a delivered gift.
func GiftOf(g *room.Gift) Gift {
	return Gift{
		MsgID:      g.MsgID,
		UserID:     g.User.ID,
		Nickname:   g.User.Nickname,
		Avatar:     g.User.Avatar,
		GiftID:     g.GiftID,
		Value:      g.Value,
		Num:        g.Num,
		Count:      g.Count,
		ReceiverID: g.Receiver,
		At:         g.At,
	}
}

// CommentOf is what every viewer sees of a comment.
func CommentOf(c room.Comment) Comment {
	return Comment{UserID: c.User.ID, Nickname: c.User.Nickname, Avatar: c.User.Avatar, Text: c.Text, At: c.At}
}

// GameOf is the event of a room's game.
func GameOf(miniGameID string, g room.Game) Game {
	e := Game{MiniGameID: miniGameID, State: g.State.String(), RoundID: g.Round}
	if g.State == room.GameEnded {
		e.WinnerTeam, e.ResultType = &g.WinnerTeam, &g.ResultType
	}
	return e
}

// MenuOf is what the catalogue says of a game; empty lists where it says nothing.
func MenuOf(c room.Catalogue, miniGameID string) Menu {
	spec, _ := c.Game(miniGameID)
	m := Menu{Gifts: make([]MenuGift, 0, len(spec.Gifts)), Join: make([]JoinWord, 0, len(spec.Join))}
	for _, g := range spec.Gifts {
		gift := MenuGift{GiftID: g.ID, Name: g.Name, Icon: g.Icon, Tiers: make([]MenuTier, 0, len(g.Tiers))}
		for _, t := range g.Tiers {
			gift.Tiers = append(gift.Tiers, MenuTier{Value: t.Value, Effect: t.Effect})
		}
		m.Gifts = append(m.Gifts, gift)
	}
	for _, w := range spec.Join {
		m.Join = append(m.Join, JoinWord{Text: w.Text, Team: w.Team})
	}
	return m
}
