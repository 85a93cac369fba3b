package room_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

// Bounds of a call, in numbers: a constant that changes has to be noticed.
const (
	entriesMost = 50
	bytesMost   = 64 << 10
)

// load is what a batcher is given and what it makes of it.
type load struct {
	w     *roomtest.World
	given []*room.Gift
	after map[room.MsgID]int // by gift: joins of its viewer before it
	joins map[string]int     // by user: comments that joined
	taken map[string]int     // by user: of these, how many ZEGO has taken
	next  map[string]int     // by user: serial number of the gift that has to come next
	seen  map[room.MsgID]bool
}

func newLoad(rt *rapid.T) *load {
	cfg := room.CoreConfig{Room: "r1", OwnedSince: -time.Hour, Seed: rapid.Uint64().Draw(rt, "seed")}
	l := &load{
		w: roomtest.NewWorld(cfg, wall0), after: make(map[room.MsgID]int), joins: make(map[string]int),
		taken: make(map[string]int), next: make(map[string]int), seen: make(map[room.MsgID]bool),
	}
	l.w.Twin = nil
	l.w.Advance(time.Millisecond) // at 0 an answer at once would be no answer
	took := time.Duration(rapid.IntRange(0, 400).Draw(rt, "took ms")) * time.Millisecond
	l.w.Platform = func(_ *roomtest.World, c room.Call) (room.Answer, time.Duration, bool) {
		return roomtest.Deliver(c), took, true
	}
	l.w.Each = func(_ room.Now, _ room.Event, do room.Effects) {
		for _, c := range do.Joined {
			l.taken[c.User.ID]++
		}
		for _, c := range do.Calls {
			if c.Action == room.ActionGifts {
				l.judge(rt, c.Gifts)
			}
		}
	}
	return l
}

// give gives some gifts of one viewer, small and large.
func (l *load) give(rt *rapid.T) {
	user := rapid.SampledFrom([]string{"ann", "bob", "cid"}).Draw(rt, "user")
	long := rapid.SampledFrom([]int{1, 1, 1, 500, 5000, 20_000}).Draw(rt, "length")
	for range rapid.SampledFrom([]int{1, 2, 10, 70}).Draw(rt, "gifts") {
		g := roomtest.Gift("r1", "G", user, fmt.Sprint(len(l.given)))
		g.GiftID, g.Num = strings.Repeat("g", long), len(l.given)
		l.given = append(l.given, g)
		l.after[g.MsgID] = l.joins[user]
		l.w.Give(g)
	}
}

func (l *load) join(rt *rapid.T) {
	user := rapid.SampledFrom([]string{"ann", "bob", "cid"}).Draw(rt, "user")
	l.joins[user]++
	l.w.Step(room.Commented{Game: "G", Comment: room.Comment{User: roomtest.User(user), Text: "5", Join: true, At: l.w.Now.Wall}})
}

// judge looks at one merged call.
func (l *load) judge(rt *rapid.T, c *room.GiftCall) {
	bytes := 0
	for _, g := range c.Gifts {
		bytes += room.GiftSize(g)
		user := g.User.ID
		switch {
		case l.seen[g.MsgID]:
			rt.Fatalf("gift %s is sent twice", g.ClientID)
		case g.Num < l.next[user]:
			rt.Fatalf("gift %s of %s is sent after a later one", g.ClientID, user)
		case l.taken[user] < l.after[g.MsgID]:
			rt.Fatalf("gift %s of %s is sent with %d of %d joins before it taken", g.ClientID, user, l.taken[user], l.after[g.MsgID])
		}
		l.seen[g.MsgID], l.next[user] = true, g.Num
	}
	if n := len(c.Gifts); n == 0 || n > entriesMost || (n > 1 && bytes > bytesMost) {
		rt.Fatalf("a call of %d gifts and up to %d bytes", n, bytes)
	}
}

// TestBatches: where all is well, each gift is in one call, calls are within bounds,
// viewers' gifts keep their order and come after the joins before them, and the budget
// is used: a backlog goes in full calls.
func TestBatches(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := newLoad(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"give": l.give, "join": l.join,
			"wait": func(rt *rapid.T) {
				l.w.Advance(time.Duration(rapid.SampledFrom([]int{0, 1, 50, 99, 100, 101, 1000}).Draw(rt, "ms")) * time.Millisecond)
			},
		})
		if !l.w.Settle(50 * time.Second) {
			rt.Fatalf("%d of %d gifts are open after 50 s", l.w.Core.Open(), len(l.given))
		}
		if len(l.seen) != len(l.given) {
			rt.Fatalf("%d gifts sent, %d given", len(l.seen), len(l.given))
		}
	})
}
