package room

import "context"

// Sender is the game platform as a room sees it. zego.Client is the one for
// ZEGO; a platform may bring its own. Every method blocks until an answer is
// there or ctx ends, must be safe for concurrent use by many rooms, and reports
// what became of the call as a value: an error that nobody reads is how gifts
// get lost. A Sender does not retry: the room does, because it alone knows which
// gifts are unknown.
type Sender interface {
	// SendGifts hands over one merged list.
	SendGifts(ctx context.Context, call GiftCall) Answer
	// SendComments hands over comments. There is no result per comment.
	SendComments(ctx context.Context, call CommentCall) Answer
	// SendLikes hands over likes. There is no result per like.
	SendLikes(ctx context.Context, call LikeCall) Answer
	// QueryGifts asks what became of gifts sent earlier. A gift that was never
	// consumed has no row.
	QueryGifts(ctx context.Context, call QueryCall) Answer
}

// GiftCall is one merged call of a room: at most [BatchMax] gifts of one game.
type GiftCall struct {
	Room  string
	Game  string
	Gifts []*Gift
}

// CommentCall is a merged call of comments, at most [BatchMax].
type CommentCall struct {
	Room     string
	Game     string
	Comments []Comment
}

// LikeCall is a merged call of likes, at most [BatchMax] viewers.
type LikeCall struct {
	Room  string
	Game  string
	Likes []Like
}

// QueryCall asks for the results of at most [BatchMax] gifts of one game.
type QueryCall struct {
	Room   string
	Game   string // the game id as when the gifts were sent (ZEGO.md 2.1)
	MsgIDs []MsgID
}

// Outcome is what is known of a call: the only thing that the fate of its gifts
// depends on (DESIGN.md, "Fate of a gift").
type Outcome int

// The zero value is the careful one: what nobody decided is unknown.
const (
	// Unknown: no understandable answer. ZEGO may have taken the gifts or not.
	Unknown Outcome = iota
	// NotTaken: surely not recorded. Never sent, connection refused, or an answer
	// with Code != 0 (ZEGO.md 1.3).
	NotTaken
	// Consumed: Code 0. Every gift is recorded and its row tells its result.
	Consumed
)

// String is a bounded label for logs, metrics and timelines.
func (o Outcome) String() string {
	switch o {
	case NotTaken:
		return "not_taken"
	case Consumed:
		return "consumed"
	default:
		return "unknown"
	}
}

// Class is what an answer's Code asks of the room. The sender classifies: codes
// are its business, their handling is the room's.
type Class int

// The classes of a call that was not consumed.
const (
	// ClassNone: no code, or Code 0.
	ClassNone Class = iota
	// ClassRetry: transient, or a code that nobody knows. Same MsgIds again, with
	// backoff.
	ClassRetry
	// ClassNotStarted: the game has not started (7206001). Hold and retry until the
	// gift's time to live is over.
	ClassNotStarted
	// ClassNoGame: game not found (7202001, 7202002). As ClassNotStarted, with an alarm.
	ClassNoGame
	// ClassBadRequest: a parameter is wrong (7200004). One gift may poison the
	// list: bisect it.
	ClassBadRequest
	// ClassConfig: signature, app id, permission. Pause and alarm; gifts are kept.
	ClassConfig
)

// String is a bounded label.
func (c Class) String() string {
	switch c {
	case ClassRetry:
		return "retry"
	case ClassNotStarted:
		return "not_started"
	case ClassNoGame:
		return "no_game"
	case ClassBadRequest:
		return "bad_request"
	case ClassConfig:
		return "config"
	default:
		return "none"
	}
}

// ResultClass is what a gift's own result means.
type ResultClass int

// The classes of a row.
const (
	// ResultOther: a result that nobody knows. Looked up, then unresolved.
	ResultOther ResultClass = iota
	// ResultDelivered: 0.
	ResultDelivered
	// ResultNotJoined: 10003, the viewer has not joined or the room is gone. Terminal.
	ResultNotJoined
	// ResultNoSuchGift: 10004. Terminal.
	ResultNoSuchGift
	// ResultException: 10005. Whether the effect happened is not known. Looked up,
	// then unresolved.
	ResultException
	// ResultPending: 10006, being processed. Not a failure: same MsgId again or query.
	ResultPending
)

// String is a bounded label.
func (c ResultClass) String() string {
	switch c {
	case ResultDelivered:
		return "delivered"
	case ResultNotJoined:
		return "not_joined"
	case ResultNoSuchGift:
		return "no_such_gift"
	case ResultException:
		return "exception"
	case ResultPending:
		return "pending"
	default:
		return "other"
	}
}

// Answer is what became of one call.
type Answer struct {
	Outcome   Outcome
	Class     Class
	Code      int    // ZEGO's Code; 0 when Consumed or when no answer was understood
	Message   string // ZEGO's Message or what went wrong, at most 256 bytes, no secrets
	RequestID string // ZEGO's RequestId, may be empty
	Rows      []Row  // of SendGifts and QueryGifts, in any order, possibly incomplete or doubled
}

// Row is one gift's result.
type Row struct {
	MsgID   MsgID
	Class   ResultClass
	Result  int
	Message string // at most 256 bytes
	At      int64  // query only: the gift's Timestamp as sent, Unix ms; 0 if not given
}
