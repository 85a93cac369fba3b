package zego

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/room"
)

// Game is ZEGO beside the gifts, in the words of package room: callbacks and launch
// codes. It is what hub.Config.Game asks for.
type Game struct {
	// Client fetches launch codes. It must be set.
	Client *Client
	// Verifier checks callbacks; without one none is genuine.
	Verifier *Verifier
}

// Report is [Verifier.Verify]. A report of a type that we do not know has a game in
// the state room.GameUnknown. Errors wrap [room.ErrForgedReport] or
// [room.ErrBadReport], and those of Verify.
func (g Game) Report(body []byte, now time.Time) (room.Report, error) {
	if g.Verifier == nil {
		return room.Report{}, fmt.Errorf("%w: no CallbackSecret is known", room.ErrForgedReport)
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

// LaunchCode is [Client.DescribeGameLaunchCode].
func (g Game) LaunchCode(ctx context.Context, l room.Launch) (code string, answer room.Answer) {
	resp, err := g.Client.DescribeGameLaunchCode(ctx, LaunchCodeRequest{
		RoomID: l.Room, MiniGameID: l.GameID, AnchorID: l.Anchor.ID,
		Nickname: l.Anchor.Nickname, Avatar: l.Anchor.Avatar, Sex: l.Anchor.Sex,
	})
	if err != nil {
		return "", answerOf(err)
	}
	return resp.LaunchCode, consumed(resp.Response, nil)
}
