package roomtest

import (
	"github.com/giftwire/giftwire/room"
)

// Deliver is the answer of a platform where all is well: every gift of a send is
// delivered, every gift that is asked for was.
func Deliver(call room.Call) room.Answer {
	a := room.Answer{Outcome: room.Consumed, Message: "succeed", RequestID: "r"}
	for _, id := range IDs(call) {
		a.Rows = append(a.Rows, Row(id, room.ResultDelivered))
	}
	return a
}

// Refuse is an answer with Code != 0.
func Refuse(class room.Class, code int) room.Answer {
	return room.Answer{Outcome: room.NotTaken, Class: class, Code: code, Message: class.String()}
}

// Lost is what is known when no answer came.
func Lost() room.Answer { return room.Answer{Message: "no answer"} }

// Row is a row of an answer, with ZEGO's number for its class (ZEGO.md 1.5).
func Row(id room.MsgID, class room.ResultClass) room.Row {
	return room.Row{MsgID: id, Class: class, Result: number(class), Message: class.String()}
}

func number(class room.ResultClass) int {
	switch class {
	case room.ResultDelivered:
		return 0
	case room.ResultNotJoined:
		return 10003
	case room.ResultNoSuchGift:
		return 10004
	case room.ResultException:
		return 10005
	case room.ResultPending:
		return 10006
	default:
		return 19999 // made up
	}
}

// Answered gives each id of the call the same class of row.
func Answered(call room.Call, class room.ResultClass) room.Answer {
	a := room.Answer{Outcome: room.Consumed}
	for _, id := range IDs(call) {
		a.Rows = append(a.Rows, Row(id, class))
	}
	return a
}

// IDs lists the gifts of a send or a query, nil for other calls.
func IDs(call room.Call) []room.MsgID {
	switch call.Action {
	case room.ActionGifts:
		var ids []room.MsgID
		for _, g := range call.Gifts.Gifts {
			ids = append(ids, g.MsgID)
		}
		return ids
	case room.ActionQuery:
		return call.Query.MsgIDs
	default:
		return nil
	}
}

// Gift makes a gift of the user's in the room, with the id that clientID derives.
func Gift(roomID, game, userID, clientID string) *room.Gift {
	return &room.Gift{
		MsgID: room.NewMsgID(1, roomID, userID, clientID), ClientID: clientID,
		Room: roomID, Game: game, User: User(userID),
		GiftID: "g1", Count: 10, Value: 10, Num: 1, At: 1,
	}
}

// User is a user with that id.
func User(id string) room.User {
	return room.User{ID: id, Nickname: id, Avatar: "http://a.example/" + id}
}
