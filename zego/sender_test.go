package zego_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

func roomUser() room.User {
	return room.User{ID: "user1", Nickname: "test1", Avatar: "http://img.example/1.png", Sex: room.Female}
}

func roomGift(id string) *room.Gift {
	return &room.Gift{
		MsgID: room.NewMsgID(testAppID, "r1", "user1", id), ClientID: id, Room: "r1", Game: "TinyLoveWar",
		User: roomUser(), GiftID: "g1", Count: 20, Value: 10, Num: 2, Receiver: "anchor1", At: 1795449600000,
	}
}

func TestSenderSendsGifts(t *testing.T) {
	a, b, c := roomGift("a"), roomGift("b"), roomGift("c")
	d := newDoor(t, says(`{"Code":0,"Message":"succeed","RequestId":"77","Data":{"Results":[
		{"Result":10003,"Msg":"not joined","MsgId":"`+b.MsgID.String()+`"},
		{"Result":0,"Msg":"success","MsgId":"`+a.MsgID.String()+`"},
		{"Result":10006,"Msg":"","MsgId":"`+c.MsgID.String()+`"},
		{"Result":777,"Msg":"","MsgId":"`+c.MsgID.String()+`"},
		{"Result":0,"Msg":"success","MsgId":"`+strings.ToUpper(a.MsgID.String())+`"},
		{"Result":0,"Msg":"success","MsgId":"foreign"}]}}`))
	got := newClient(t, d.URL).SendGifts(t.Context(), room.GiftCall{
		Room: "r1", Game: "TinyLoveWar", Gifts: []*room.Gift{a, b, c},
	})
	want := room.Answer{Outcome: room.Consumed, Message: "succeed", RequestID: "77", Rows: []room.Row{
		{MsgID: b.MsgID, Class: room.ResultNotJoined, Result: 10003, Message: "not joined"},
		{MsgID: a.MsgID, Class: room.ResultDelivered, Message: "success"},
		{MsgID: c.MsgID, Class: room.ResultPending, Result: 10006},
		{MsgID: c.MsgID, Class: room.ResultOther, Result: 777},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	body := d.seen()[0].body
	entry := `{"UserInfo":{"UserId":"user1","Nickname":"test1","Avatar":"http://img.example/1.png","Sex":2},` +
		`"GiftInfo":{"GiftId":"g1","Value":10,"Num":2},"ReceiverId":"anchor1","Timestamp":1795449600000,"MsgId":"` + a.MsgID.String() + `"}`
	if !strings.HasPrefix(body, `{"RoomId":"r1","MiniGameId":"TinyLoveWar","GiftList":[`+entry+`,`) {
		t.Errorf("body %s", body)
	}
}

func TestSenderSendsTheRest(t *testing.T) {
	id := roomGift("a").MsgID
	d := newDoor(t, says(`{"Code":0,"Message":"ok","RequestId":"1","Data":{"Results":[
		{"Result":10004,"Msg":"m","MsgId":"`+id.String()+`","Timestamp":1795449600000}]}}`))
	c := newClient(t, d.URL)
	plain := room.Answer{Outcome: room.Consumed, Message: "ok", RequestID: "1"}
	withRow := plain
	withRow.Rows = []room.Row{{MsgID: id, Class: room.ResultNoSuchGift, Result: 10004, Message: "m", At: 1795449600000}}
	const user = `{"UserId":"user1","Nickname":"test1","Avatar":"http://img.example/1.png","Sex":2}`
	for _, tt := range []struct {
		action string
		got    room.Answer
		want   room.Answer
		body   string
	}{
		{
			"SendDanmakuComments",
			c.SendComments(t.Context(), room.CommentCall{
				Room: "r1", Game: "g", Comments: []room.Comment{{User: roomUser(), Text: "5", Join: true, At: 1}},
			}),
			plain, `{"RoomId":"r1","MiniGameId":"g","CommentList":[{"UserInfo":` + user + `,"Content":"5"}]}`,
		},
		{
			"SendDanmakuLikes",
			c.SendLikes(t.Context(), room.LikeCall{Room: "r1", Game: "g", Likes: []room.Like{{User: roomUser(), Amount: 12}}}),
			plain, `{"RoomId":"r1","MiniGameId":"g","LikeList":[{"UserInfo":` + user + `,"Amount":12}]}`,
		},
		{
			"DescribeDanmakuMsgResults",
			c.QueryGifts(t.Context(), room.QueryCall{Room: "r1", Game: "g", MsgIDs: []room.MsgID{id}}),
			withRow, `{"RoomId":"r1","MiniGameId":"g","MsgIdList":["` + id.String() + `"]}`,
		},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s: %s", tt.action, diff)
		}
		got := d.seen()[0]
		d.mu.Lock()
		d.calls = d.calls[1:]
		d.mu.Unlock()
		if got.query["Action"][0] != tt.action || got.body != tt.body {
			t.Errorf("%s %s, want %s %s", got.query["Action"][0], got.body, tt.action, tt.body)
		}
	}
}

// TestSenderSaysWhatIsKnown for each of the four calls.
func TestSenderSaysWhatIsKnown(t *testing.T) {
	calls := map[string]func(*zego.Client) room.Answer{
		"gifts": func(c *zego.Client) room.Answer {
			return c.SendGifts(t.Context(), room.GiftCall{Room: "r1", Game: "g", Gifts: []*room.Gift{roomGift("a")}})
		},
		"comments": func(c *zego.Client) room.Answer {
			return c.SendComments(t.Context(), room.CommentCall{
				Room: "r1", Game: "g", Comments: []room.Comment{{User: roomUser(), Text: "5"}},
			})
		},
		"likes": func(c *zego.Client) room.Answer {
			return c.SendLikes(t.Context(), room.LikeCall{Room: "r1", Game: "g", Likes: []room.Like{{User: roomUser(), Amount: 1}}})
		},
		"query": func(c *zego.Client) room.Answer {
			return c.QueryGifts(t.Context(), room.QueryCall{Room: "r1", Game: "g", MsgIDs: []room.MsgID{roomGift("a").MsgID}})
		},
	}
	broken := func(cfg *zego.Config) {
		cfg.Transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("broken") })
	}
	for name, do := range calls {
		d := newDoor(t, says(`{"Code":7206001,"Message":"wait","RequestId":"5"}`))
		want := room.Answer{Outcome: room.NotTaken, Class: room.ClassNotStarted, Code: 7206001, Message: "wait", RequestID: "5"}
		if diff := cmp.Diff(want, do(newClient(t, d.URL))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		d.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
		want = room.Answer{Message: "HTTP status 502 Bad Gateway"}
		if diff := cmp.Diff(want, do(newClient(t, d.URL))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		want = room.Answer{Message: "no answer: broken"}
		if diff := cmp.Diff(want, do(newClient(t, "http://x.example", broken))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestSenderRefusesWhatZEGOWould: without a call, and so that a room can bisect.
func TestSenderRefusesWhatZEGOWould(t *testing.T) {
	good, bad := roomGift("a"), roomGift("b")
	bad.User.Avatar = "x"
	got := noCalls(t).SendGifts(t.Context(), room.GiftCall{Room: "r1", Game: "g", Gifts: []*room.Gift{good, bad}})
	if got.Outcome != room.NotTaken || got.Class != room.ClassBadRequest || !strings.Contains(got.Message, "GiftList[1]") {
		t.Errorf("%+v", got)
	}
}
