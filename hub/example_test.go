package hub_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/giftwire/giftwire/hub"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// game stands for zego.Client: it delivers everything.
type game struct{ room.Sender }

func (game) SendGifts(_ context.Context, call room.GiftCall) room.Answer {
	answer := room.Answer{Outcome: room.Consumed}
	for _, g := range call.Gifts {
		answer.Rows = append(answer.Rows, room.Row{MsgID: g.MsgID, Class: room.ResultDelivered})
	}
	return answer
}

// Embedding a hub below a path of one's own server.
func Example() {
	dir, _ := os.MkdirTemp("", "giftwire")
	defer func() { _ = os.RemoveAll(dir) }()

	ctx, stop := context.WithCancel(context.Background())
	j, err := journal.Open(ctx, journal.Config{Dir: dir})
	if err != nil {
		panic(err)
	}
	tokens, _ := auth.NewHS256(auth.HS256Config{Secret: []byte("32 bytes that nobody can guess..")})
	h, err := hub.New(hub.Config{Journal: j, Sender: game{}, Auth: tokens, AppID: 1, APIKeys: []string{"the-platform's-key"}})
	if err != nil {
		panic(err) // all faults of the configuration at once
	}
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }() // returns when all it started has ended
	mux := http.NewServeMux()
	mux.Handle("/live/", http.StripPrefix("/live", h.Handler()))

	_ = h.Ready(ctx)
	put := httptest.NewRequest(http.MethodPut, "/live/v1/rooms/r1", strings.NewReader(`{"mini_game_id":"TinyLoveWar"}`))
	put.Header.Set("Authorization", "Bearer the-platform's-key")
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, put)
	fmt.Println(answer.Code)

	stop() // drain
	fmt.Println(<-ended, j.Close())
	// Output:
	// 201
	// <nil> <nil>
}
