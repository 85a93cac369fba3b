package zego

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/room"
)

// Game is what a hub asks of ZEGO beside sending: read a callback, fetch a launch
// code, in the words of package room.
type Game struct {
	// Client fetches launch codes.
	Client *Client
	// Verifier reads callbacks. Nil: there is no CallbackSecret, so none is genuine.
	Verifier *Verifier
}

// Report verifies and reads a callback that arrived at now. Its errors wrap
// [room.ErrForgedReport] or [room.ErrBadReport], and the error of [Verifier.Verify].
// A report that says nothing of the game's state has [room.GameUnknown].
func (g Game) Report(body []byte, now time.Time) (room.Report, error) {
	if g.Verifier == nil {
		return room.Report{}, fmt.Errorf("%w: there is no CallbackSecret", room.ErrForgedReport)
	}
	c, err := g.Verifier.Verify(body, now)
	switch {
	case errors.Is(err, ErrCallbackMalformed):
		return room.Report{}, fmt.Errorf("%w: %w", room.ErrBadReport, err)
	case err != nil:
		return room.Report{}, fmt.Errorf("%w: %w", room.ErrForgedReport, err)
	}
	state, _ := c.Game()
	return room.Report{
		ID: c.ReportID, Room: c.RoomID, GameID: c.MiniGameID, Anchor: c.AnchorID, Game: state, At: c.At,
	}, nil
}

// LaunchCode fetches a code by [Client.DescribeGameLaunchCode]. The code is empty
// unless the answer is [room.Consumed]. It blocks until an answer is there or ctx
// ends.
func (g Game) LaunchCode(ctx context.Context, launch room.Launch) (string, room.Answer) {
	resp, err := g.Client.DescribeGameLaunchCode(ctx, LaunchCodeRequest{
		RoomID: launch.Room, MiniGameID: launch.GameID, AnchorID: launch.Anchor.ID,
		Nickname: launch.Anchor.Nickname, Avatar: launch.Anchor.Avatar, Sex: launch.Anchor.Sex,
	})
	if err != nil {
		return "", answerOf(err)
	}
	return resp.LaunchCode, consumed(resp.Response, nil)
}
