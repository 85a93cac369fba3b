package hub

import (
	"context"

	"github.com/giftwire/giftwire/room"
)

// answering is a Sender that gives one answer to everything.
type answering room.Answer

func (a answering) SendGifts(context.Context, room.GiftCall) room.Answer { return room.Answer(a) }

func (a answering) SendComments(context.Context, room.CommentCall) room.Answer {
	return room.Answer(a)
}

func (a answering) SendLikes(context.Context, room.LikeCall) room.Answer { return room.Answer(a) }

func (a answering) QueryGifts(context.Context, room.QueryCall) room.Answer { return room.Answer(a) }
