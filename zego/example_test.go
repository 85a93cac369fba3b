package zego_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// Send one gift, and decide by what is known of the call.
func ExampleClient_SendDanmakuGifts() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"Code":7206001,"Message":"the game has not started","RequestId":"1"}`)
	}))
	defer api.Close()

	client, err := zego.New(zego.Config{
		BaseURL: api.URL, // https://mini-game-api.zego.im
		AppID:   12345, ServerSecret: zego.NewSecret("9193cc662a4c0ec135ec71fb57194b38"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()

	_, err = client.SendDanmakuGifts(ctx, zego.GiftsRequest{
		RoomID: "room123", MiniGameID: "TinyLoveWar",
		Gifts: []zego.Gift{{
			User: zego.User{UserID: "user1", Nickname: "Ann", Avatar: "https://img.example/ann.png"},
			Info: zego.GiftInfo{GiftID: "g1", Value: 10, Num: 2}, // 20 rockets: two soldiers
			// The time of the gift and its id stay the same when it is sent again.
			Timestamp: 1795449600000, MsgID: "445623452643416236",
		}},
	})
	var failed *zego.Error
	switch {
	case err == nil:
		fmt.Println("consumed: look at the rows")
	case errors.As(err, &failed) && failed.Outcome == room.NotTaken:
		fmt.Println("surely not given:", failed.Class, failed.Code)
	default:
		fmt.Println("perhaps given: the same MsgId again, or a query")
	}
	// Output: surely not given: not_started 7206001
}

// Check a callback before anything of it is believed.
func ExampleVerifier_Verify() {
	verifier, err := zego.NewVerifier(zego.VerifierConfig{
		AppID: 1234567890, Secret: zego.NewSecret("callbacksecret0123456789abcdef00"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	body := `{"AppId":1234567890,"SignatureNonce":"15215528852396","Timestamp":1234567890,
		"Signature":"da9867b3b613b59a2f1562c0a48f5f35","GameSource":"zego","ReportId":"rep1","ReportType":1,
		"MiniGameId":"TinyLoveWar","RoomId":"room123","AnchorId":"anchor1","RoundId":"77","ReportTime":1234567890123}`
	callback, err := verifier.Verify([]byte(body), time.Unix(1234567890, 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	game, _ := callback.Game()
	fmt.Println(callback.RoomID, game.State, game.Round)

	_, err = verifier.Verify([]byte(body), time.Unix(1234567890+3600, 0))
	fmt.Println(errors.Is(err, zego.ErrCallbackExpired))
	// Output:
	// room123 running 77
	// true
}

// Read the file that says which gifts a game has.
func ExampleParseCatalogue() {
	catalogue, err := zego.ParseCatalogue(strings.NewReader(`
games:
  - mini_game_id: TinyLoveWar
    gifts:
      - gift_id: g1
        name: Rocket
        tiers:
          - { value: 10, effect: soldier }
          - { value: 66, effect: general }
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(catalogue.Resolve("TinyLoveWar", "g1", 20, 0))
	_, _, err = catalogue.Resolve("TinyLoveWar", "g1", 15, 0)
	fmt.Println(err)

	_, err = zego.ParseCatalogue(strings.NewReader("games:\n  - mini_game_id: TinyLoveWar\n    gift: []\n"))
	fmt.Println(err)
	// Output:
	// 10 2 <nil>
	// count 15 of gift g1 is not a multiple of any of its tiers: 10, 66
	// zego: bad catalogue file: line 3: unknown field gift
}
