package zegotest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// TestManyAtOnce: callers that repeat until each gift has a result, through every
// fault at once, get each effect once. Run it with -race.
func TestManyAtOnce(t *testing.T) {
	const rooms, gifts, callers = 4, 40, 3
	w := newWorld(t, func(cfg *zegotest.Config) {
		cfg.Rate.PerSecond = map[zego.Action]int{zego.ActionGifts: 1_000_000}
		cfg.Memory.Work = time.Millisecond
		cfg.Now = nil
	})
	w.clock.now = time.Now()
	for _, fault := range []zegotest.Fault{
		zegotest.DropBefore(), zegotest.DropAfter(), zegotest.Refuse(7210000), zegotest.Gateway(502),
		zegotest.Answer(zegotest.ReplyTruncated), zegotest.Answer(zegotest.ReplyMalformed),
		{Rows: zegotest.RowFault{Omit: 1, Reversed: true}},
		{Work: 3 * time.Millisecond},
		{Before: 5 * time.Millisecond},
		{Result: zegotest.ResultFault{Result: 10006}},
	} {
		w.Fail(zegotest.Rule{Action: zego.ActionGifts, Skip: rand.IntN(5), Times: 10, Fault: fault})
	}
	var all sync.WaitGroup
	for r := range rooms {
		roomID := "r" + strconv.Itoa(r)
		w.Join(roomID, game, "u1")
		for range callers { // all send the same gifts
			client := w.newClient(t)
			all.Go(func() {
				for n := 0; n < gifts; n += 4 {
					open := map[string]zego.Gift{}
					for i := range 4 {
						id := fmt.Sprintf("%s-%d", roomID, n+i)
						open[id] = gift(id, "u1", 10, 1)
					}
					sendAll(t, client, roomID, open)
				}
			})
		}
	}
	callersDone := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() { // looks on all the while
		for {
			for _, a := range w.Arrivals(0, 1000) {
				for _, e := range a.Entries {
					if e.Effects > 1 {
						t.Errorf("%+v", e)
					}
				}
			}
			w.Ledger(0, 100)
			w.Budget()
			w.Stats()
			select {
			case <-callersDone:
				return
			default:
			}
		}
	})
	all.Wait()
	close(callersDone)
	reader.Wait()
	tally := w.Tally()
	if tally.Delivered != rooms*gifts || tally.Consumed != rooms*gifts || tally.Doubled != 0 || tally.DeliveredCount != 10*rooms*gifts {
		t.Errorf("%+v", tally)
	}
	for r := range rooms {
		for n := range gifts {
			if id := fmt.Sprintf("r%d-%d", r, n); w.Effects(id) != 1 {
				t.Errorf("%s: %d effects", id, w.Effects(id))
			}
		}
	}
}

// sendAll repeats until every gift has its result 0.
func sendAll(t *testing.T, client *zego.Client, roomID string, open map[string]zego.Gift) {
	t.Helper()
	for try := 0; len(open) > 0; try++ {
		if try > 1000 {
			t.Errorf("%s: %d gifts have no result", roomID, len(open))
			return
		}
		req := zego.GiftsRequest{RoomID: roomID, MiniGameID: game}
		for _, g := range open {
			req.Gifts = append(req.Gifts, g)
		}
		resp, err := client.SendDanmakuGifts(t.Context(), req)
		if err != nil {
			continue
		}
		for _, row := range resp.Results {
			switch row.Result {
			case 0:
				delete(open, row.MsgID)
			case 10006:
			default:
				t.Errorf("%+v", row)
			}
		}
	}
}

// BenchmarkSendGifts is one call of a room, client and simulator over loopback.
func BenchmarkSendGifts(b *testing.B) {
	for _, size := range []int{1, 10, 50} {
		b.Run(strconv.Itoa(size)+"gifts", func(b *testing.B) {
			sim, err := zegotest.New(zegotest.Config{
				AppID: appID, ServerSecret: zego.NewSecret(secret), Games: theGames(),
				Rate: zegotest.RateChoices{PerSecond: map[zego.Action]int{zego.ActionGifts: 1 << 30}},
			})
			if err != nil {
				b.Fatal(err)
			}
			api := httptest.NewServer(sim)
			defer api.Close()
			client, err := zego.New(zego.Config{BaseURL: api.URL, AppID: appID, ServerSecret: zego.NewSecret(secret)})
			if err != nil {
				b.Fatal(err)
			}
			defer client.CloseIdleConnections()
			sim.Join("r1", game, "u1")
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				call := room.GiftCall{Room: "r1", Game: game}
				for range size {
					n++
					call.Gifts = append(call.Gifts, &room.Gift{
						MsgID: room.NewMsgID(appID, "r1", "u1", strconv.Itoa(n)), Room: "r1", Game: game,
						User:   room.User{ID: "u1", Nickname: "Ann", Avatar: "https://img.example/ann.png"},
						GiftID: "g1", Count: 10, Value: 10, Num: 1, Receiver: "anchor1", At: 1795449600000,
					})
				}
				if ans := client.SendGifts(context.Background(), call); ans.Outcome != room.Consumed || len(ans.Rows) != size {
					b.Fatalf("%+v", ans)
				}
			}
			if t := sim.Tally(); t.Doubled != 0 || t.Delivered != uint64(n) {
				b.Errorf("%+v", t)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "gifts/s")
		})
	}
}
