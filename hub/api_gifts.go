package hub

import (
	"context"
	"net/http"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/room"
)

// giftsPostMax is how many gifts one POST may hold: 1000 of them fill 20 calls to
// ZEGO, a second of one room's budget.
const giftsPostMax = 1000

// giftsPost is the body of POST gifts.
type giftsPost struct {
	Gifts []giftPost `json:"gifts"`
}

// giftPost is one gift that the platform has charged already.
type giftPost struct {
	ID         string   `json:"id"`
	User       userPost `json:"user"`
	GiftID     string   `json:"gift_id"`
	Count      int      `json:"count"`
	Value      *int     `json:"value"`
	ReceiverID *string  `json:"receiver_id"`
}

// userPost is who gives.
type userPost struct {
	UserID   string  `json:"user_id"`
	Nickname *string `json:"nickname"`
	Avatar   *string `json:"avatar"`
	Sex      int     `json:"sex"`
}

// giftsResults is the answer, in the order given.
type giftsResults struct {
	Results []giftResult `json:"results"`
}

type giftResult struct {
	ID           string `json:"id"`
	Status       string `json:"status"` // accepted, rejected
	MsgID        string `json:"msg_id,omitzero"`
	Code         string `json:"code,omitzero"`
	Message      string `json:"message,omitzero"`
	RetryAfterMS int64  `json:"retry_after_ms,omitzero"`
}

// postGifts takes gifts over. Whatever a repeat of the request cannot mend is said per
// gift; a room that was never configured, and an unknown outcome, refuse the whole.
// A deleted room answers room_closed per gift, so that a repeat of what was accepted
// before is still told so.
func (p *platform) postGifts(w http.ResponseWriter, r *http.Request) error {
	cfg, err := p.anyRoom(r)
	if err != nil {
		return err
	}
	var body giftsPost
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	if body.Gifts == nil {
		return newProblem(http.StatusBadRequest, codeBadRequest, "gifts is missing")
	}
	if len(body.Gifts) > giftsPostMax {
		return newProblem(http.StatusRequestEntityTooLarge, codeTooLarge,
			"%d gifts, at most %d fit one request", len(body.Gifts), giftsPostMax)
	}
	ctx, cancel := p.patience(r)
	defer cancel()
	if _, err := p.state(ctx, cfg.id); err != nil {
		return err
	}
	verdicts, err := p.submitAll(ctx, cfg.id, body.Gifts)
	if err != nil {
		return err
	}
	answer := giftsResults{Results: make([]giftResult, len(verdicts))}
	for i, v := range verdicts {
		answer.Results[i] = resultOf(body.Gifts[i].ID, v)
	}
	return writeJSON(w, http.StatusAccepted, answer)
}

// submitAll hands the gifts over in order and waits for all of their verdicts. Where
// one stays unknown there is no answer that would be true of all, so it is a 503: the
// ids make a repeat of the whole harmless.
func (p *platform) submitAll(ctx context.Context, roomID string, gifts []giftPost) ([]intake.Verdict, error) {
	type told struct {
		index   int
		verdict intake.Verdict
	}
	tell := make(chan told, len(gifts)) // room for every answer: none of them blocks
	for i := range gifts {
		p.gifts.Submit(ctx, gifts[i].gift(roomID, p.face.avatar), func(v intake.Verdict) { tell <- told{i, v} })
	}
	unknown := newProblem(http.StatusServiceUnavailable, codeUnknownOutcome,
		"it is not known yet whether all of the gifts are stored: repeat the request with the same ids").after(retrySoon)
	verdicts := make([]intake.Verdict, len(gifts))
	for range gifts {
		select {
		case t := <-tell:
			if t.verdict.Outcome == intake.Unknown {
				return nil, unknown
			}
			verdicts[t.index] = t.verdict
		case <-ctx.Done():
			return nil, unknown
		}
	}
	return verdicts, nil
}

// gift is what the intake is asked to take.
func (g *giftPost) gift(roomID, avatar string) intake.Gift {
	return intake.Gift{
		Room: roomID, User: g.User.user(avatar), ID: g.ID, GiftID: g.GiftID,
		Count: g.Count, Value: g.Value, Receiver: g.ReceiverID, Charged: true,
	}
}

// user fills in what the platform left out, as tokens do.
func (u *userPost) user(avatar string) room.User {
	out := room.User{ID: u.UserID, Nickname: firstCharacters(u.UserID, room.NicknameMax), Avatar: avatar}
	if u.Nickname != nil {
		out.Nickname = *u.Nickname
	}
	if u.Avatar != nil {
		out.Avatar = *u.Avatar
	}
	if u.Sex == room.Male || u.Sex == room.Female {
		out.Sex = u.Sex
	}
	return out
}

func firstCharacters(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func resultOf(id string, v intake.Verdict) giftResult {
	if v.Outcome == intake.Accepted {
		return giftResult{ID: id, Status: "accepted", MsgID: v.MsgID.String()}
	}
	return giftResult{
		ID: id, Status: "rejected", Code: string(v.Code), Message: v.Message,
		RetryAfterMS: v.RetryAfter.Milliseconds(),
	}
}
