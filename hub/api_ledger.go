package hub

import (
	"errors"
	"net/http"

	"github.com/giftwire/giftwire/room"
)

// giftBody is a gift as the ledger and the timeline show it. Code and Reason are set
// when it is decided.
type giftBody struct {
	MsgID      room.MsgID  `json:"msg_id"`
	ID         string      `json:"id"`
	Room       string      `json:"room"`
	UserID     string      `json:"user_id"`
	GiftID     string      `json:"gift_id"`
	Count      int         `json:"count"`
	Value      int         `json:"value"`
	Num        int         `json:"num"`
	ReceiverID string      `json:"receiver_id"`
	At         int64       `json:"at"` // Unix ms
	Status     string      `json:"status"`
	Code       *int        `json:"code,omitzero"`
	Reason     room.Reason `json:"reason,omitzero"`
}

// outcomeBody is one row of the ledger.
type outcomeBody struct {
	Cursor string   `json:"cursor"`
	Gift   giftBody `json:",embed"`
}

type outcomesBody struct {
	Outcomes []outcomeBody `json:"outcomes"`
	Next     string        `json:"next"`
}

// listOutcomes pages through a room's ledger, of a deleted room too.
func (p *platform) listOutcomes(w http.ResponseWriter, r *http.Request) error {
	cfg, err := p.anyRoom(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	limit, err := pageLimit(q)
	if err != nil {
		return err
	}
	after, err := parseCursor(cfg.id, p.face.epoch, q.Get("after"))
	if errors.Is(err, errBadCursor) {
		return newProblem(http.StatusBadRequest, codeBadCursor, "after must be the next or a cursor of this room's ledger")
	}
	if err != nil {
		return asked(err)
	}
	ctx, cancel := p.patience(r)
	defer cancel()
	page, err := p.ledgers.Ledger(ctx, cfg.id, after, limit)
	if err != nil {
		return asked(err)
	}
	answer := outcomesBody{
		Outcomes: make([]outcomeBody, len(page.Rows)),
		Next:     formatCursor(cfg.id, p.face.epoch, page.Next),
	}
	for i := range page.Rows {
		row := &page.Rows[i]
		answer.Outcomes[i] = outcomeBody{
			Cursor: formatCursor(cfg.id, p.face.epoch, row.Cursor),
			Gift:   describeGift(row.Decision.Gift, &row.Decision),
		}
	}
	return writeJSON(w, http.StatusOK, answer)
}

// describeGift shows a gift; d is nil while it is not decided.
func describeGift(g *room.Gift, d *room.Decision) giftBody {
	b := giftBody{
		MsgID: g.MsgID, ID: g.ClientID, Room: g.Room, UserID: g.User.ID, GiftID: g.GiftID,
		Count: g.Count, Value: g.Value, Num: g.Num, ReceiverID: g.Receiver, At: g.At,
		Status: room.Pending.String(),
	}
	if d != nil {
		b.Status, b.Code, b.Reason = d.Status.String(), &d.Code, d.Reason
	}
	return b
}
