package hub

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// TestResumeOverTheWire cuts a connection again and again at whatever point it is,
// while the room goes on: each number is heard once, in order, or announced as lagged.
func TestResumeOverTheWire(t *testing.T) {
	house, err := audience.New(audience.Limits{HistoryBytes: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	st := newStage(t, func(cfg *lobbyConfig) { cfg.house = house })
	const flushes = 2000
	var told sync.WaitGroup
	told.Go(func() {
		for range flushes / 20 {
			st.flushes(20)
			<-time.After(2 * time.Millisecond) // paces the giver, decides nothing
		}
	})
	var last uint64
	lags, cuts := 0, 0
	place := client.Place{}
	for last < flushes {
		conn, err := client.Dial(t.Context(), client.Config{URL: st.url, Room: "r1", Token: st.token("ann"), From: place})
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < 1+cuts%150 && last < flushes; n++ {
			event, err := conn.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			switch e := event.(type) {
			case wire.Welcome:
				if cuts > 0 && (!e.Resumed || e.Seq != last) {
					t.Fatalf("after %d: %+v", last, e)
				}
				last = e.Seq
			case wire.Gifts:
				if e.Seq != last+1 {
					t.Fatalf("%d after %d", e.Seq, last)
				}
				last = e.Seq
			case wire.Lagged:
				if e.From != last+1 {
					t.Fatalf("%+v after %d", e, last)
				}
				last = e.To
				lags++
			}
		}
		place = conn.Place()
		if place.Seq != last {
			t.Fatalf("place %+v, heard up to %d", place, last)
		}
		if err := conn.Cut(); err != nil {
			t.Fatal(err)
		}
		cuts += 7
	}
	told.Wait()
	t.Logf("%d connections, %d times lagged", cuts/7, lags)
}

// TestManyViewersOfAHub: many givers at once; every gift gets its answer and its one
// result, and everybody sees the same.
func TestManyViewersOfAHub(t *testing.T) {
	th := withRoom(t)
	const givers, gifts = 20, 20
	seen := make([]map[string]uint64, givers)
	viewers := make([]*viewer, givers)
	for i := range givers { // all of them before the first gift
		viewers[i], seen[i] = th.viewer(t, fmt.Sprintf("u%d", i)), make(map[string]uint64)
	}
	var group sync.WaitGroup
	for i, v := range viewers {
		group.Go(func() {
			for n := range gifts {
				v.say(rocket(fmt.Sprintf("c-%d", n), 10))
			}
			if err := v.watch(t.Context(), gifts, givers*gifts, seen[i]); err != nil {
				t.Errorf("viewer %d: %v", i, err)
			}
		})
	}
	group.Wait()
	for i := range seen {
		if len(seen[i]) != givers*gifts {
			t.Errorf("viewer %d saw %d gifts", i, len(seen[i]))
		}
		for id, seq := range seen[i] {
			if seen[0][id] != seq {
				t.Errorf("viewer %d saw %s in event %d, viewer 0 in %d", i, id, seq, seen[0][id])
			}
		}
	}
	if th.sender.given() != givers*gifts {
		t.Errorf("%d effects", th.sender.given())
	}
}

// watch reads until the viewer's own gifts have their results and it has seen all that
// were given.
func (v *viewer) watch(ctx context.Context, own, all int, seen map[string]uint64) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	accepted, results := make(map[string]bool), make(map[string]bool)
	var last uint64
	for len(results) < own || len(seen) < all {
		event, err := v.Next(ctx)
		if err != nil {
			return fmt.Errorf("with %d results, %d seen: %w", len(results), len(seen), err)
		}
		switch e := event.(type) {
		case wire.Accepted:
			accepted[e.ID] = true
		case wire.Rejected:
			return fmt.Errorf("rejected: %+v", e)
		case wire.Result:
			if !accepted[e.ID] || results[e.ID] || e.Status != "delivered" {
				return fmt.Errorf("result %+v, accepted %v, before %v", e, accepted[e.ID], results[e.ID])
			}
			results[e.ID] = true
		case wire.Gifts:
			if last != 0 && e.Seq != last+1 {
				return fmt.Errorf("event %d after %d", e.Seq, last)
			}
			last = e.Seq
			for _, gift := range e.Gifts {
				if seen[gift.MsgID.String()] != 0 {
					return fmt.Errorf("gift %v twice", gift.MsgID)
				}
				seen[gift.MsgID.String()] = e.Seq
			}
		case wire.Lagged:
			return fmt.Errorf("lagged: %+v", e)
		}
	}
	return nil
}

// TestResumeAheadOfTheNode: what another node has told a viewer is not told again, also
// where this node has not heard of it yet.
func TestResumeAheadOfTheNode(t *testing.T) {
	st := newStage(t)
	st.ahead.Store(9)
	resume := func(user string, since uint64) *guest {
		return st.guest(user, func(c *client.Config) { c.From = client.Place{Epoch: "e1", Seq: since} })
	}
	ann := resume("ann", 8)
	if got := next[wire.Welcome](ann); !got.Resumed || got.Seq != 8 {
		t.Errorf("%+v", got)
	}
	// The log of this stage has nothing to read.
	if got := next[wire.Lagged](ann); got.From != 9 || got.To != 9 {
		t.Errorf("%+v", got)
	}
	for seq := uint64(1); seq <= 12; seq++ {
		gift := &room.Gift{
			MsgID: room.NewMsgID(1, "r1", "bo", fmt.Sprint(seq)), ClientID: fmt.Sprint(seq), Room: "r1", GiftID: "g1",
			Count: 10, Value: 10, Num: 1, Receiver: "anchor1", User: room.User{ID: "bo", Nickname: "Bo", Avatar: DefaultAvatar},
		}
		st.house.Decided(owner.News{Room: "r1", Seq: seq, Decisions: []room.Decision{{Gift: gift, Status: room.Delivered, Reason: room.ReasonOK}}})
	}
	for want := uint64(10); want <= 12; want++ {
		if got := next[wire.Gifts](ann); got.Seq != want {
			t.Errorf("gifts %d, want %d", got.Seq, want)
		}
	}
	if got := next[wire.Welcome](resume("bo", 1000)); got.Resumed {
		t.Errorf("%+v, which no node ever told", got)
	}
}
