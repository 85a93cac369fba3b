package wire

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/giftwire/giftwire/room"
)

// Event is one thing that a viewer hears.
type Event interface {
	// Append appends the event's JSON object. Strings that are not UTF-8 come out with
	// U+FFFD in place of what is wrong.
	Append(dst []byte) []byte
	// Type is the event's name on the wire.
	Type() string
}

// Welcome is the first event on every connection. If Resumed, Seq is what the
// client gave as since, and what it missed follows; else Seq is the room's newest.
type Welcome struct {
	Room    string `json:"room"`
	UserID  string `json:"user_id"`
	Node    string `json:"node"`
	Epoch   string `json:"epoch"`
	Seq     uint64 `json:"seq"`
	Resumed bool   `json:"resumed"`
	Viewers int    `json:"viewers"`
	Game    Game   `json:"game"`
	Menu    Menu   `json:",embed"`
}

// Menu is what the room's game offers: its gifts and the words that join it. Both
// are empty lists where the game is not in the catalogue.
type Menu struct {
	Gifts []MenuGift `json:"gifts"`
	Join  []JoinWord `json:"join"`
}

// MenuGift is one gift of the catalogue.
type MenuGift struct {
	GiftID string     `json:"gift_id"`
	Name   string     `json:"name"`
	Icon   string     `json:"icon"`
	Tiers  []MenuTier `json:"tiers"`
}

// MenuTier is one effect of a gift.
type MenuTier struct {
	Value  int    `json:"value"`
	Effect string `json:"effect"`
}

// JoinWord is a comment that joins the game.
type JoinWord struct {
	Text string `json:"text"`
	Team string `json:"team"`
}

// Game is the state of the room's game: an event of its own, and a part of
// Welcome (there without the end of the last round).
type Game struct {
	MiniGameID string `json:"mini_game_id"`
	State      string `json:"state"` // unknown, running, ended
	RoundID    string `json:"round_id"`
	WinnerTeam *int   `json:"winner_team,omitzero"` // when ended
	ResultType *int   `json:"result_type,omitzero"` // when ended
}

// Accepted says that the gift is durable and will get exactly one Result.
type Accepted struct {
	ID    string     `json:"id"`
	MsgID room.MsgID `json:"msg_id"`
}

// Rejected says that nothing was taken or charged, and nothing will be sent.
type Rejected struct {
	ID           string `json:"id"`
	Code         Code   `json:"code"`
	Message      string `json:"message"`
	RetryAfterMS int64  `json:"retry_after_ms,omitzero"`
}

// Result is the fate of a gift, told to every connection of its sender in the room.
type Result struct {
	ID      string      `json:"id"`
	MsgID   room.MsgID  `json:"msg_id"`
	Status  string      `json:"status"` // delivered, failed, unresolved
	Code    int         `json:"code"`   // ZEGO's Result or Code, 0 for delivered
	Reason  room.Reason `json:"reason"`
	Message string      `json:"message"`
}

// Gifts are the delivered gifts of one flush, told to every viewer of the room.
type Gifts struct {
	Seq   uint64 `json:"seq"`
	Gifts []Gift `json:"gifts"`
}

// Gift is one delivered gift.
type Gift struct {
	MsgID      room.MsgID `json:"msg_id"`
	UserID     string     `json:"user_id"`
	Nickname   string     `json:"nickname"`
	Avatar     string     `json:"avatar"`
	GiftID     string     `json:"gift_id"`
	Value      int        `json:"value"`
	Num        int        `json:"num"`
	Count      int        `json:"count"`
	ReceiverID string     `json:"receiver_id"`
	At         int64      `json:"at"` // Unix ms
}

// Comments are merged comments, best effort, without a place in the order of gifts.
type Comments struct {
	Comments []Comment `json:"comments"`
}

// Comment is what a viewer said.
type Comment struct {
	UserID   string `json:"user_id"`
	Nickname string `json:"nickname"`
	Avatar   string `json:"avatar"`
	Text     string `json:"text"`
	At       int64  `json:"at"` // Unix ms
}

// Likes are merged likes, best effort: Count since the last event, Total of the
// room.
type Likes struct {
	Count int64 `json:"count"`
	Total int64 `json:"total"`
}

// Presence is how many connections the room has.
type Presence struct {
	Viewers int `json:"viewers"`
}

// Lagged names the gifts events that this viewer will not get, both ends included.
type Lagged struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// Error answers a frame that was not understood, or one without an id that was not
// taken.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	ID      string `json:"id,omitzero"`
}

// Pong answers a ping.
type Pong struct {
	T   jsontext.Value `json:"t,omitzero"` // the ping's, as it was written; may be absent
	Now int64          `json:"now"`        // Unix ms
}

// Bye is the last event of a connection that the server ends.
type Bye struct {
	Code ByeCode `json:"code"`
	// ReconnectInMS is when to come back; 0 is absent: do not.
	ReconnectInMS int64 `json:"reconnect_in_ms,omitzero"`
}
