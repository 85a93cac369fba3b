package zego

import (
	"context"
	"errors"

	"github.com/giftwire/giftwire/room"
)

// SendGifts is [Client.SendDanmakuGifts] for a room.
func (c *Client) SendGifts(ctx context.Context, call room.GiftCall) room.Answer {
	req := GiftsRequest{RoomID: call.Room, MiniGameID: call.Game, Gifts: make([]Gift, len(call.Gifts))}
	for i, g := range call.Gifts {
		req.Gifts[i] = giftOf(g)
	}
	resp, err := c.SendDanmakuGifts(ctx, req)
	if err != nil {
		return answerOf(err)
	}
	return consumed(resp.Response, resp.Results)
}

// SendComments is [Client.SendDanmakuComments] for a room.
func (c *Client) SendComments(ctx context.Context, call room.CommentCall) room.Answer {
	req := CommentsRequest{RoomID: call.Room, MiniGameID: call.Game, Comments: make([]Comment, len(call.Comments))}
	for i, said := range call.Comments {
		req.Comments[i] = commentOf(said)
	}
	resp, err := c.SendDanmakuComments(ctx, req)
	if err != nil {
		return answerOf(err)
	}
	return consumed(*resp, nil)
}

// SendLikes is [Client.SendDanmakuLikes] for a room.
func (c *Client) SendLikes(ctx context.Context, call room.LikeCall) room.Answer {
	req := LikesRequest{RoomID: call.Room, MiniGameID: call.Game, Likes: make([]Like, len(call.Likes))}
	for i, l := range call.Likes {
		req.Likes[i] = likeOf(l)
	}
	resp, err := c.SendDanmakuLikes(ctx, req)
	if err != nil {
		return answerOf(err)
	}
	return consumed(*resp, nil)
}

// QueryGifts is [Client.DescribeDanmakuMsgResults] for a room, over ZEGO's default
// of 30 days: a room asks for nothing older than a day.
func (c *Client) QueryGifts(ctx context.Context, call room.QueryCall) room.Answer {
	req := ResultsRequest{RoomID: call.Room, MiniGameID: call.Game, MsgIDs: make([]string, len(call.MsgIDs))}
	for i, id := range call.MsgIDs {
		req.MsgIDs[i] = id.String()
	}
	resp, err := c.DescribeDanmakuMsgResults(ctx, req)
	if err != nil {
		return answerOf(err)
	}
	return consumed(resp.Response, resp.Results)
}

// giftOf, commentOf and likeOf are one entry of a call. room.GiftSize, CommentSize
// and LikeSize bound what they become in bytes.
func giftOf(g *room.Gift) Gift {
	return Gift{
		User:       userOf(g.User),
		Info:       GiftInfo{GiftID: g.GiftID, Value: g.Value, Num: g.Num},
		ReceiverID: g.Receiver,
		Timestamp:  g.At,
		MsgID:      g.MsgID.String(),
	}
}

func commentOf(c room.Comment) Comment { return Comment{User: userOf(c.User), Content: c.Text} }

func likeOf(l room.Like) Like { return Like{User: userOf(l.User), Amount: l.Amount} }

func userOf(u room.User) User {
	return User{UserID: u.ID, Nickname: u.Nickname, Avatar: u.Avatar, Sex: u.Sex}
}

// answerOf is the answer to a call that failed.
func answerOf(err error) room.Answer {
	var e *Error
	if !errors.As(err, &e) {
		// The methods return nothing else; what is not understood is unknown.
		return room.Answer{Outcome: room.Unknown, Message: clean(err.Error(), messageMax)}
	}
	return room.Answer{Outcome: e.Outcome, Class: e.Class, Code: e.Code, Message: e.Message, RequestID: e.RequestID}
}

// consumed is the answer to a call that ZEGO took. Rows of ids that are not ours
// are left out.
func consumed(resp Response, results []Result) room.Answer {
	ans := room.Answer{Outcome: room.Consumed, Message: resp.Message, RequestID: resp.RequestID}
	for _, r := range results {
		id, err := room.ParseMsgID(r.MsgID)
		if err != nil {
			continue
		}
		info, _ := LookupResult(r.Result)
		ans.Rows = append(ans.Rows, room.Row{
			MsgID: id, Class: info.Class, Result: r.Result, Message: r.Message, At: r.Timestamp,
		})
	}
	return ans
}
