package hub

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// callbackAnswer is what ZEGO wants to hear (ZEGO.md 3). Its names are ZEGO's.
type callbackAnswer struct {
	Code    int    `json:"Code"`
	Message string `json:"Message"`
}

// callback takes ZEGO's report of a game's start or settlement. It is answered only
// when the journal has stored it; a repeat is stored again and ignored by the owner,
// who knows the ids of reports. Anything but 200 makes ZEGO repeat it.
func (p *platform) callback(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	report, err := p.report(body)
	if err != nil {
		return err
	}
	if _, known := p.rooms.Find(r.Context(), report.Room); !known || room.CheckRoomID(report.Room) != nil {
		return newProblem(http.StatusNotFound, codeRoomNotFound, "the report's room is not configured")
	}
	taken := callbackAnswer{Code: http.StatusOK, Message: "succeed"}
	if report.Game.State == room.GameUnknown { // a type that ZEGO has added: repeating it would not help
		return writeJSON(w, http.StatusOK, taken)
	}
	ctx, cancel := p.patience(r)
	defer cancel()
	entry := journal.Entry{Callback: &journal.Callback{
		Room: report.Room, GameID: report.GameID, ReportID: report.ID, Game: report.Game, At: report.At,
	}}
	if err := store(ctx, p.journal, entry); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, taken)
}

// report verifies and reads a callback's body.
func (p *platform) report(body []byte) (room.Report, error) {
	forged := newProblem(http.StatusUnauthorized, codeBadSignature,
		"the callback is not signed with this hub's callback secret").with("WWW-Authenticate", `Signature realm="giftwire"`)
	if p.game == nil {
		return room.Report{}, forged
	}
	report, err := p.game.Report(body, time.Now())
	switch {
	case errors.Is(err, room.ErrForgedReport):
		return room.Report{}, forged
	case errors.Is(err, room.ErrBadReport):
		return room.Report{}, newProblem(http.StatusBadRequest, codeBadRequest, "the callback's body is not understood")
	}
	return report, err
}

// store waits until an entry is durable. Its errors are problems.
func store(ctx context.Context, j submitter, entry journal.Entry) error {
	done := make(chan error, 1)
	err := j.Submit(entry, func(_ journal.Receipt, err error) { done <- err })
	if err == nil {
		select {
		case err = <-done:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, journal.ErrTooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, codeTooLarge, "this does not fit a record of the journal")
	default: // not stored, or nobody knows: a repeat is harmless either way
		return newProblem(http.StatusServiceUnavailable, codeUnavailable,
			"the journal cannot confirm this now: repeat it").after(retrySoon)
	}
}
