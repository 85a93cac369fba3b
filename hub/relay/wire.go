package relay

import (
	"fmt"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// The bodies of the messages. Names are those of the platform API; enumerations stand
// under their String names, as in the journal. The room is in the subject.
type (
	newsBody struct {
		Prev   uint64 `json:"prev"`
		Record uint64 `json:"record"`
		Seq    uint64 `json:"seq"`
		// Cut: the decisions do not fit a message and are in the log.
		Cut       bool       `json:"cut,omitzero"`
		Decisions []decision `json:"decisions,omitempty"`
	}

	repeatedBody struct {
		Seq      uint64   `json:"seq"`
		Decision decision `json:"decision"`
	}

	gameBody struct {
		GameID     string `json:"mini_game_id"`
		State      string `json:"state"`
		Round      string `json:"round_id,omitzero"`
		WinnerTeam int    `json:"winner_team,omitzero"`
		ResultType int    `json:"result_type,omitzero"`
	}

	chatBody struct {
		Comments []wire.Comment `json:"comments,omitempty"`
		Likes    int            `json:"likes,omitzero"`
	}

	beatBody struct {
		Full []Load `json:"full,omitempty"`
	}

	headsBody struct {
		Heads []head `json:"heads"`
	}

	// head is a room's newest record. Game is the number of its game's last change, 0:
	// it has not changed lately.
	head struct {
		Room   string `json:"room"`
		Record uint64 `json:"record"`
		Seq    uint64 `json:"seq"`
		Game   uint64 `json:"game,omitzero"`
	}

	// countsBody are numbers of viewers: of all rooms of the slices from From until
	// before To, and of others that changed. See sliceOf.
	countsBody struct {
		From   int            `json:"from,omitzero"`
		To     int            `json:"to,omitzero"`
		Counts map[string]int `json:"counts,omitempty"`
	}

	// decision is without attempts, which viewers do not hear of.
	decision struct {
		MsgID    room.MsgID  `json:"msg_id"`
		ID       string      `json:"id"`
		Game     string      `json:"mini_game_id"`
		User     user        `json:"user"`
		GiftID   string      `json:"gift_id"`
		Count    int         `json:"count"`
		Value    int         `json:"value"`
		Num      int         `json:"num"`
		Receiver string      `json:"receiver_id,omitzero"`
		Asked    asked       `json:"asked,omitzero"`
		Given    int64       `json:"given"` // when the gift was received
		Status   string      `json:"status"`
		Code     int         `json:"code,omitzero"`
		Reason   room.Reason `json:"reason"`
		Message  string      `json:"message,omitzero"`
		At       int64       `json:"at"`
	}

	user struct {
		ID       string `json:"user_id"`
		Nickname string `json:"nickname"`
		Avatar   string `json:"avatar,omitzero"`
		Sex      int    `json:"sex,omitzero"`
	}

	asked struct {
		Value    int    `json:"value,omitzero"`
		Receiver string `json:"receiver_id,omitzero"`
	}
)

func newsOf(n *owner.News) newsBody {
	b := newsBody{Prev: n.Prev, Record: n.Record, Seq: n.Seq, Decisions: make([]decision, len(n.Decisions))}
	for i := range n.Decisions {
		b.Decisions[i] = decisionOf(&n.Decisions[i])
	}
	return b
}

// news reads the body back.
func (b *newsBody) news(roomID string) (owner.News, error) {
	n := owner.News{Room: roomID, Record: b.Record, Prev: b.Prev, Seq: b.Seq}
	if b.Record == 0 || b.Prev >= b.Record {
		return n, fmt.Errorf("%w: record %d after %d", errMessage, b.Record, b.Prev)
	}
	n.Decisions = make([]room.Decision, len(b.Decisions))
	for i := range b.Decisions {
		d, err := b.Decisions[i].decision(roomID)
		if err != nil {
			return n, err
		}
		n.Decisions[i] = d
	}
	return n, nil
}

func decisionOf(d *room.Decision) decision {
	g := d.Gift
	return decision{
		MsgID: g.MsgID, ID: g.ClientID, Game: g.Game, User: user(g.User), GiftID: g.GiftID,
		Count: g.Count, Value: g.Value, Num: g.Num, Receiver: g.Receiver, Asked: asked(g.Asked), Given: g.At,
		Status: d.Status.String(), Code: d.Code, Reason: d.Reason, Message: d.Message, At: d.At,
	}
}

func (d *decision) decision(roomID string) (room.Decision, error) {
	got := room.Decision{
		Gift: &room.Gift{
			MsgID: d.MsgID, ClientID: d.ID, Room: roomID, Game: d.Game, User: room.User(d.User), GiftID: d.GiftID,
			Count: d.Count, Value: d.Value, Num: d.Num, Receiver: d.Receiver, Asked: room.Asked(d.Asked), At: d.Given,
		},
		Code: d.Code, Reason: d.Reason, Message: d.Message, At: d.At,
	}
	for _, s := range [...]room.Status{room.Delivered, room.Failed, room.Unresolved} {
		if d.Status == s.String() {
			got.Status = s
			return got, nil
		}
	}
	return got, fmt.Errorf("%w: status %.32q", errMessage, d.Status)
}

func gameOf(gameID string, g room.Game) gameBody {
	return gameBody{GameID: gameID, State: g.State.String(), Round: g.Round, WinnerTeam: g.WinnerTeam, ResultType: g.ResultType}
}

func (b *gameBody) game() (room.Game, error) {
	g := room.Game{Round: b.Round, WinnerTeam: b.WinnerTeam, ResultType: b.ResultType}
	for _, s := range [...]room.GameState{room.GameUnknown, room.GameRunning, room.GameEnded} {
		if b.State == s.String() {
			g.State = s
			return g, nil
		}
	}
	return g, fmt.Errorf("%w: game state %.32q", errMessage, b.State)
}
