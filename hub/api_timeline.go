package hub

import (
	"net/http"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// timelineBody is all that is known of one gift.
type timelineBody struct {
	Gift   giftBody    `json:",embed"`
	Events []eventBody `json:"events"`
}

// eventBody is one thing that happened to a gift. Which members are set depends on
// the event: hub/spec/openapi.json, TimelineEvent.
type eventBody struct {
	At        int64       `json:"at"` // Unix ms
	Event     string      `json:"event"`
	Node      string      `json:"node,omitzero"`
	N         int         `json:"n,omitzero"`
	Query     bool        `json:"query,omitzero"`
	Taken     string      `json:"taken,omitzero"`
	Status    string      `json:"status,omitzero"`
	Code      *int        `json:"code,omitzero"`
	Result    *int        `json:"result,omitzero"`
	Reason    room.Reason `json:"reason,omitzero"`
	RequestID string      `json:"request_id,omitzero"`
	Message   string      `json:"message,omitzero"`
}

// getGift shows one gift's timeline, also of a deleted room.
func (p *platform) getGift(w http.ResponseWriter, r *http.Request) error {
	cfg, err := p.anyRoom(r)
	if err != nil {
		return err
	}
	id, err := room.ParseMsgID(r.PathValue("msg_id"))
	if err != nil {
		return newProblem(http.StatusBadRequest, codeBadRequest, "msg_id must be a lower-case hyphenated UUID")
	}
	ctx, cancel := p.patience(r)
	defer cancel()
	t, err := p.ledgers.Timeline(ctx, cfg.id, id)
	if err != nil {
		return asked(err)
	}
	return writeJSON(w, http.StatusOK, timelineBody{Gift: describeGift(t.Gift, t.Decision), Events: eventsOf(&t)})
}

// eventsOf lists what happened, in order.
func eventsOf(t *owner.Timeline) []eventBody {
	events := []eventBody{
		{At: t.Gift.At, Event: "received", Node: t.Node},
		{At: t.StoredAt, Event: "durable"},
	}
	attempts := t.Attempts
	if t.Decision != nil {
		attempts = t.Decision.Attempts
	}
	for i := range attempts {
		events = append(events, attemptEvents(&attempts[i])...)
	}
	if d := t.Decision; d != nil {
		events = append(events, eventBody{
			At: d.At, Event: "outcome", Status: d.Status.String(), Code: &d.Code, Reason: d.Reason, Message: d.Message,
		})
	}
	return events
}

// attemptEvents are a call and, once it has ended, its answer.
func attemptEvents(a *room.Attempt) []eventBody {
	events := []eventBody{{At: a.StartedAt, Event: "attempt", N: a.N, Query: a.Query}}
	if a.EndedAt == 0 { // in flight
		return events
	}
	answer := eventBody{
		At: a.EndedAt, Event: "answer", N: a.N, Taken: a.Outcome.String(), Code: &a.Code,
		RequestID: a.RequestID, Message: a.Message,
	}
	switch {
	case a.HasRow:
		answer.Result = &a.Result
	case a.Outcome == room.Consumed && answer.Message == "":
		answer.Message = "the answer says nothing of this gift"
	}
	return append(events, answer)
}
