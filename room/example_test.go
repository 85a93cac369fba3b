package room_test

import (
	"context"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

// One room's life: gifts are posted, sent in one merged call, and decided.
func ExampleActor() {
	ctx, stop := context.WithCancel(context.Background())
	actor := room.NewActor(room.ActorConfig{
		Core:   room.NewCore(room.CoreConfig{Room: "room123"}),
		Sender: &roomtest.Sender{}, // zego.Client, in earnest
		Origin: time.Now(),
		Decide: func(decisions []room.Decision) {
			for _, d := range decisions {
				fmt.Println(d.Gift.User.ID, d.Gift.Value, "x", d.Gift.Num, d.Status, d.Reason)
			}
			stop()
		},
	})
	for _, user := range []string{"ann", "bob"} {
		gift := roomtest.Gift("room123", "TinyLoveWar", user, "c-17")
		actor.Post(room.GiftAccepted{Gift: gift, StoredAt: time.Now().UnixMilli()})
	}
	actor.Run(ctx)
	// Output:
	// ann 10 x 1 delivered ok
	// bob 10 x 1 delivered ok
}
