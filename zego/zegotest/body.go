package zegotest

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// bodyMax bounds a body (ours): 100 entries of 2 KiB are 200 KiB.
const bodyMax = 1 << 20

// The bodies as ZEGO documents them. A pointer is a number that may be absent.
type (
	userInfo struct {
		UserID   string `json:"UserId"`
		Nickname string
		Avatar   string
		Sex      *int
	}
	giftInfo struct {
		GiftID string `json:"GiftId"`
		Value  *int
		Num    *int
	}
	giftEntry struct {
		User       userInfo `json:"UserInfo"`
		Info       giftInfo `json:"GiftInfo"`
		ReceiverID string   `json:"ReceiverId"`
		Timestamp  int64
		MsgID      string `json:"MsgId"`
	}
	commentEntry struct {
		User    userInfo `json:"UserInfo"`
		Content string
	}
	likeEntry struct {
		User   userInfo `json:"UserInfo"`
		Amount *int
	}
	target struct {
		RoomID     string `json:"RoomId"`
		MiniGameID string `json:"MiniGameId"`
	}
	giftsBody struct {
		target   `json:",inline"`
		GiftList *[]giftEntry
	}
	commentsBody struct {
		target      `json:",inline"`
		CommentList *[]commentEntry
	}
	likesBody struct {
		target   `json:",inline"`
		LikeList *[]likeEntry
	}
	queryBody struct {
		target    `json:",inline"`
		MsgIDList *[]string `json:"MsgIdList"`
		Duration  *int
	}
	launchBody struct {
		target   `json:",inline"`
		AnchorID string `json:"AnchorId"`
		Nickname string
		Avatar   string
		Sex      *int
	}
)

// refusal is an answer with a Code other than 0.
type refusal struct {
	code    int
	message string
}

func refuse(code int, format string, args ...any) *refusal {
	return &refusal{code: code, message: fmt.Sprintf(format, args...)}
}

func (t target) where() target { return t }

// body is what every body has.
type body interface {
	where() target
	// check names the first fault.
	check(BodyChoices) error
	// entries lists what the log shows.
	entries() []Entry
}

// parseBody reads the body of the action strictly. Where it cannot, the room is
// still returned if it can be read: the call counts against its budget.
func parseBody(action zego.Action, text []byte, choices BodyChoices) (body, target, *refusal) {
	b := newBody(action)
	if b == nil {
		return nil, roughTarget(text), nil
	}
	var fault *refusal
	if err := json.Unmarshal(text, b, json.RejectUnknownMembers(!choices.Lenient)); err != nil {
		fault = malformed(err)
		return nil, roughTarget(text), fault
	}
	at := b.where()
	switch {
	case !characters(at.RoomID, room.RoomIDMax):
		fault = refuse(zego.CodeBadRequest, "RoomId must have 1 to %d characters", room.RoomIDMax)
	case at.MiniGameID == "":
		fault = refuse(zego.CodeBadRequest, "MiniGameId is missing")
	default:
		if err := b.check(choices); err != nil {
			fault = refuse(zego.CodeBadRequest, "%v", err)
		}
	}
	return b, at, fault
}

func newBody(action zego.Action) body {
	switch action {
	case zego.ActionGifts:
		return &giftsBody{}
	case zego.ActionComments:
		return &commentsBody{}
	case zego.ActionLikes:
		return &likesBody{}
	case zego.ActionQuery:
		return &queryBody{}
	case zego.ActionLaunch:
		return &launchBody{}
	default:
		return nil
	}
}

// malformed says where the body is wrong. A MiniGameId of another type has a Code of
// its own.
func malformed(err error) *refusal {
	var wrong *json.SemanticError
	if errors.As(err, &wrong) {
		if wrong.JSONPointer == "/MiniGameId" && !errors.Is(err, json.ErrUnknownName) {
			return refuse(zego.CodeGameIDFormat, "MiniGameId must be a string")
		}
		return refuse(zego.CodeBadRequest, "%s is wrong: %v", wrong.JSONPointer, err)
	}
	return refuse(zego.CodeBadRequest, "the body is not JSON: %v", err)
}

// roughTarget finds room and game in a body that is otherwise wrong.
func roughTarget(text []byte) target {
	var found struct {
		RoomID     jsontext.Value `json:"RoomId"`
		MiniGameID jsontext.Value `json:"MiniGameId"`
	}
	if json.Unmarshal(text, &found, jsontext.AllowDuplicateNames(true)) != nil {
		return target{}
	}
	plain := func(v jsontext.Value) string {
		if v.Kind() != '"' {
			return ""
		}
		s, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return ""
		}
		return string(s)
	}
	return target{RoomID: plain(found.RoomID), MiniGameID: plain(found.MiniGameID)}
}

func (b *giftsBody) entries() []Entry {
	list := make([]Entry, lengthOf(b.GiftList))
	for i := range list {
		g := &(*b.GiftList)[i]
		list[i] = Entry{
			User: g.User.UserID, Nickname: g.User.Nickname, MsgID: g.MsgID,
			Gift: g.Info.GiftID, Value: g.value(),
		}
		if g.Info.Num != nil {
			list[i].Num = *g.Info.Num
		}
	}
	return list
}

func (b *commentsBody) entries() []Entry {
	list := make([]Entry, lengthOf(b.CommentList))
	for i := range list {
		c := (*b.CommentList)[i]
		list[i] = Entry{User: c.User.UserID, Nickname: c.User.Nickname, Text: c.Content}
	}
	return list
}

func (b *likesBody) entries() []Entry {
	list := make([]Entry, lengthOf(b.LikeList))
	for i := range list {
		l := (*b.LikeList)[i]
		list[i] = Entry{User: l.User.UserID, Nickname: l.User.Nickname, Amount: l.amount()}
	}
	return list
}

func (b *queryBody) entries() []Entry {
	list := make([]Entry, lengthOf(b.MsgIDList))
	for i := range list {
		list[i] = Entry{MsgID: (*b.MsgIDList)[i]}
	}
	return list
}

func (b *launchBody) entries() []Entry {
	return []Entry{{User: b.AnchorID, Nickname: b.Nickname}}
}
