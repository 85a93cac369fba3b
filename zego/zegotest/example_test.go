package zegotest_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// A gift whose answer is lost is sent again under its MsgId, and given once.
func Example() {
	secret := zego.NewSecret("9193cc662a4c0ec135ec71fb57194b38")
	sim, err := zegotest.New(zegotest.Config{
		AppID: 12345, ServerSecret: secret,
		Games: []room.GameSpec{{
			ID: "TinyLoveWar", Gifts: []room.GiftSpec{{ID: "g1", Tiers: []room.Tier{{Value: 10, Effect: "soldier"}}}},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	api := httptest.NewServer(sim)
	defer api.Close()
	client, err := zego.New(zego.Config{BaseURL: api.URL, AppID: 12345, ServerSecret: secret})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()

	sim.Join("room1", "TinyLoveWar", "ann")
	sim.Fail(zegotest.Rule{Action: zego.ActionGifts, Times: 1, Fault: zegotest.DropAfter()})
	gift := &room.Gift{
		MsgID: room.NewMsgID(12345, "room1", "ann", "c-17"), Room: "room1", Game: "TinyLoveWar",
		User:   room.User{ID: "ann", Nickname: "Ann", Avatar: "https://img.example/ann.png"},
		GiftID: "g1", Count: 20, Value: 10, Num: 2, At: 1795449600000,
	}
	call := room.GiftCall{Room: "room1", Game: "TinyLoveWar", Gifts: []*room.Gift{gift}}
	for range 2 {
		answer := client.SendGifts(context.Background(), call)
		fmt.Println(answer.Outcome, len(answer.Rows), sim.Effects(gift.MsgID.String()))
	}
	fmt.Println("worst second:", sim.WorstSecond("room1", zego.ActionGifts), "calls")
	// Output:
	// unknown 0 1
	// consumed 1 1
	// worst second: 2 calls
}
