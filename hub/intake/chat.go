package intake

import (
	"errors"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// Comment takes a comment: one that joins the game is made durable, the others are
// handed on best effort. It does not block. answer is called exactly once and must
// not block; Accepted means that the other viewers may see it.
func (in *Intake) Comment(c Comment, answer func(Verdict)) {
	if fault := c.Fault(); fault != "" {
		answer(rejected(wire.CodeBadRequest, fault))
		return
	}
	config, open := in.cfg.Rooms.Room(c.Room)
	if !open {
		answer(rejected(wire.CodeRoomClosed, "the room is closed"))
		return
	}
	comment := room.Comment{User: c.User, Text: c.Text, At: time.Now().UnixMilli()}
	if !in.cfg.Prices.Catalogue.Joins(config.Game, c.Text) {
		in.best(in.cfg.Chat.Comment(c.Room, config.Game, comment))
		answer(Verdict{Outcome: Accepted})
		return
	}
	if !in.table.enter() {
		answer(closing())
		return
	}
	comment.Join = true
	entry := journal.Entry{Comment: &journal.Comment{Room: c.Room, Game: config.Game, Comment: comment}}
	stored := func(_ journal.Receipt, err error) {
		answer(commentVerdict(err))
		in.table.landed()
	}
	if err := in.cfg.Journal.Submit(entry, stored); err != nil {
		stored(journal.Receipt{}, err)
	}
}

func commentVerdict(err error) Verdict {
	switch {
	case err == nil:
		return Verdict{Outcome: Accepted}
	case errors.Is(err, journal.ErrUnknown):
		return Verdict{Outcome: Unknown}
	default:
		return rejected(wire.CodeUnavailable, "the comment cannot be made durable now").later()
	}
}

// Like takes likes, best effort. It does not block.
func (in *Intake) Like(l Like) Verdict {
	if l.Count < 1 || l.Count > room.LikeMax {
		return rejected(wire.CodeBadRequest, "count must be between 1 and 1000")
	}
	config, open := in.cfg.Rooms.Room(l.Room)
	if !open {
		return rejected(wire.CodeRoomClosed, "the room is closed")
	}
	in.best(in.cfg.Chat.Like(l.Room, config.Game, room.Like{User: l.User, Amount: l.Count}))
	return Verdict{Outcome: Accepted}
}

// best counts what was best effort and failed.
func (in *Intake) best(err error) {
	if err != nil {
		in.dropped.Add(1)
	}
}
