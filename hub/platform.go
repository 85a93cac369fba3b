package hub

import (
	"context"
	"errors"
	"net/http"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
)

// platform answers the platform API (PROTOCOL.md section 2): what a streaming
// platform's backend and ZEGO ask over HTTP. It knows no socket and no store.
type platform struct {
	rooms   registry
	ledgers ledgers
	gifts   giftTaker
	journal submitter
	game    Game // nil: none
	launch  *launchGuard
	keys    auth.Keys
	face    face
	limits  Limits
	// closed says why nothing is taken now; nil: the hub serves.
	closed func() *problem
}

// face is what of the node shows in answers.
type face struct {
	node    string
	epoch   string
	avatar  string // of users who bring none
	viewers func(roomID string) int
}

// giftTaker is the way in of a gift: *intake.Intake.
type giftTaker interface {
	Submit(ctx context.Context, g intake.Gift, answer func(intake.Verdict))
}

// submitter makes entries durable: *journal.Journal.
type submitter interface {
	Submit(entry journal.Entry, done func(journal.Receipt, error)) error
}

// routes is the platform API's part of the routing table.
func (p *platform) routes() []route {
	const one, gifts = "/v1/rooms/:room", "/v1/rooms/:room/gifts"
	return []route{
		{http.MethodGet, "/v1/rooms", 0, p.keyed(p.listRooms)},
		{http.MethodGet, one, 0, p.keyed(p.getRoom)},
		{http.MethodPut, one, bodyMax, p.keyed(p.putRoom)},
		{http.MethodDelete, one, 0, p.keyed(p.deleteRoom)},
		{http.MethodPost, gifts, giftsBodyMax, p.keyed(p.postGifts)},
		{http.MethodGet, gifts + "/:msg_id", 0, p.keyed(p.getGift)},
		{http.MethodGet, one + "/outcomes", 0, p.keyed(p.listOutcomes)},
		{http.MethodPost, one + "/launch-code", bodyMax, p.keyed(p.postLaunchCode)},
		{http.MethodPost, "/v1/zego/callback", bodyMax, p.whileOpen(p.callback)},
	}
}

// keyed lets requests through that bring an API key, while the hub serves.
func (p *platform) keyed(next handler) handler {
	open := p.whileOpen(next)
	return func(w http.ResponseWriter, r *http.Request) error {
		key, ok := auth.Bearer(r.Header.Get("Authorization"))
		if !ok || !p.keys.Match(key) {
			return newProblem(http.StatusUnauthorized, codeUnauthorized,
				"send the platform's API key as Authorization: Bearer KEY").with("WWW-Authenticate", `Bearer realm="giftwire"`)
		}
		return open(w, r)
	}
}

// whileOpen refuses requests while the hub starts or drains.
func (p *platform) whileOpen(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if closed := p.closed(); closed != nil {
			return closed
		}
		return next(w, r)
	}
}

// state returns a room's state, or the problem that nobody answers for it.
func (p *platform) state(ctx context.Context, roomID string) (owner.RoomState, error) {
	s, err := p.ledgers.State(ctx, roomID)
	return s, asked(err)
}

// asked turns an owner's error into a problem.
func asked(err error) error {
	switch {
	case err == nil:
		return nil
	case anyOf(err, owner.ErrUnknownGift):
		return newProblem(http.StatusNotFound, codeGiftNotFound, "the room has no such gift, or it is older than the memory of ids")
	case anyOf(err, owner.ErrCursorGone, errOtherLedger):
		return newProblem(http.StatusGone, codeCursorGone, "the rows after this cursor are no longer retained: begin again without one")
	case anyOf(err, owner.ErrNotReady, journal.ErrUnavailable, journal.ErrClosed, context.DeadlineExceeded, context.Canceled):
		return newProblem(http.StatusServiceUnavailable, codeUnavailable, "nobody answers for this room at the moment").after(retrySoon)
	default:
		return err
	}
}

// patience bounds how long a request may wait for the store.
func (p *platform) patience(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), p.limits.SubmitTimeout)
}

// anyOf reports whether err wraps one of the targets.
func anyOf(err error, targets ...error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}
