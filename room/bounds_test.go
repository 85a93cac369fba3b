package room_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

// away is a world whose platform answers nothing yet.
func away() *roomtest.World {
	w := roomtest.NewWorld(room.CoreConfig{Room: "r1", OwnedSince: -time.Hour}, wall0)
	w.Platform = func(*roomtest.World, room.Call) (room.Answer, time.Duration, bool) {
		return roomtest.Lost(), 5 * time.Second, true
	}
	return w
}

// well lets the platform answer, and everything that waits go.
func well(w *roomtest.World) (sent int) {
	w.Platform = func(_ *roomtest.World, c room.Call) (room.Answer, time.Duration, bool) {
		if c.Action == room.ActionComments {
			sent += len(c.Comments.Comments)
		}
		if c.Action == room.ActionLikes {
			sent += len(c.Likes.Likes)
		}
		return roomtest.Deliver(c), 5 * time.Millisecond, true
	}
	w.Advance(time.Minute)
	return sent
}

func TestWaitingLikesAreBounded(t *testing.T) {
	w, shed := away(), room.Shed{}
	w.Each = func(_ room.Now, _ room.Event, do room.Effects) { shed.Likes += do.Shed.Likes }
	w.Step(room.Liked{Game: "G", Like: room.Like{User: roomtest.User("first"), Amount: 1}})
	w.Advance(time.Second) // that one hangs in a call
	const viewers = 10_500
	for i := range viewers {
		w.Step(room.Liked{Game: "G", Like: room.Like{User: roomtest.User(fmt.Sprintf("u%d", i)), Amount: 2}})
	}
	if shed.Likes != 2*500 {
		t.Errorf("%d likes of the viewers past 10,000 were shed", shed.Likes)
	}
	if sent := well(w); sent != 10_000 || w.Err != nil || !w.Idle {
		t.Errorf("likes of %d viewers were sent, idle %v, %v", sent, w.Idle, w.Err)
	}
}

func TestWaitingCommentsAreBounded(t *testing.T) {
	w, shed := away(), room.Shed{}
	w.Twin = nil // it walks all joins for each
	w.Each = func(_ room.Now, _ room.Event, do room.Effects) { shed.Comments += do.Shed.Comments }
	say := func(join bool, n int) {
		for i := range n {
			w.Step(room.Commented{Game: "G", Comment: room.Comment{
				User: roomtest.User(fmt.Sprintf("u%d", i)), Text: "5", Join: join, At: int64(i),
			}})
		}
	}
	say(false, 1)
	w.Advance(time.Second) // that one hangs in a call
	say(false, 1100)
	say(true, 20_100)
	if shed.Comments != 100+100 {
		t.Errorf("%d comments were shed", shed.Comments)
	}
	// The very first joins were given up, so nothing holds their viewers' gifts.
	w.Give(roomtest.Gift("r1", "G", "u0", "1"))
	w.Advance(100 * time.Millisecond)
	if len(w.Flying) != 2 || w.Flying[1].Action != room.ActionGifts {
		t.Errorf("in flight: %v", w.Flying)
	}
	if sent := well(w); sent != 21_000 || w.Err != nil || !w.Idle {
		t.Errorf("%d comments were sent, idle %v, %v", sent, w.Idle, w.Err)
	}
}

// TestJoinDuringAnOutage: a viewer who joins and gives while ZEGO is away gets the gift
// when it is back, because the gift is not tried before the join is through.
func TestJoinDuringAnOutage(t *testing.T) {
	for seed := range uint64(200) {
		w := roomtest.NewWorld(room.CoreConfig{Room: "r1", Seed: seed, OwnedSince: -time.Hour}, wall0)
		var joinedAt time.Duration
		w.Platform = func(w *roomtest.World, c room.Call) (room.Answer, time.Duration, bool) {
			switch {
			case w.Now.Mono < 10*time.Second:
				return roomtest.Refuse(room.ClassRetry, 0), time.Millisecond, true
			case c.Action == room.ActionComments:
				joinedAt = w.Now.Mono + 20*time.Millisecond
				return roomtest.Deliver(c), 20 * time.Millisecond, true
			case joinedAt == 0 || w.Now.Mono < joinedAt:
				return roomtest.Answered(c, room.ResultNotJoined), 20 * time.Millisecond, true
			default:
				return roomtest.Deliver(c), 20 * time.Millisecond, true
			}
		}
		w.Step(room.Commented{Game: "G", Comment: room.Comment{User: roomtest.User("ann"), Text: "5", Join: true}})
		w.Give(roomtest.Gift("r1", "G", "ann", "1"))
		w.Advance(time.Minute)
		if w.Err != nil || len(w.Decisions) != 1 || w.Decisions[0].Status != room.Delivered {
			t.Fatalf("seed %d: %v, %+v", seed, w.Err, w.Decisions)
		}
	}
}

// TestManyGiftsExpireTogether: one step may decide everything that is open.
func TestManyGiftsExpireTogether(t *testing.T) {
	w := roomtest.NewWorld(room.CoreConfig{Room: "r1", Game: room.GameEnded}, wall0)
	w.Twin = nil
	for i := range 20_000 {
		w.Give(roomtest.Gift("r1", "G", fmt.Sprintf("u%d", i%100), fmt.Sprint(i)))
	}
	w.Advance(time.Minute)
	if w.Core.Open() != 0 || len(w.Decisions) != 20_000 || !w.Idle {
		t.Errorf("%d open, %d decisions, idle %v", w.Core.Open(), len(w.Decisions), w.Idle)
	}
}
