package ask_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/ask"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// platform delivers all gifts.
type platform struct{}

func (platform) SendGifts(_ context.Context, call room.GiftCall) room.Answer {
	out := room.Answer{Outcome: room.Consumed}
	for _, g := range call.Gifts {
		out.Rows = append(out.Rows, room.Row{MsgID: g.MsgID, Class: room.ResultDelivered})
	}
	return out
}

func (platform) SendComments(context.Context, room.CommentCall) room.Answer {
	return room.Answer{Outcome: room.Consumed}
}

func (platform) SendLikes(context.Context, room.LikeCall) room.Answer {
	return room.Answer{Outcome: room.Consumed}
}

func (platform) QueryGifts(context.Context, room.QueryCall) room.Answer {
	return room.Answer{Outcome: room.Consumed}
}

// deaf hears the news and tells nobody.
type deaf struct{}

func (deaf) Decided(owner.News)                    {}
func (deaf) Repeated(uint64, room.Decision)        {}
func (deaf) GameChanged(string, string, room.Game) {}

// own owns the node's partition for real, and answers for it, until release or the end
// of the test.
func (n *node) own(tb testing.TB) (release func()) {
	tb.Helper()
	p, err := owner.New(owner.Config{
		Store: n.journal.Log(0), Sender: platform{}, Listener: deaf{},
		Node: n.name, Incarnation: fmt.Sprint(n.name, time.Now().UnixNano()),
	})
	if err != nil {
		tb.Fatal(err)
	}
	stop := n.serve(tb, p)
	end := n.background(tb, p.Run)
	return func() { end(); stop() }
}

// publish stores what the node submits, until the test ends.
func (n *node) publish(tb testing.TB) {
	tb.Helper()
	n.background(tb, n.journal.Run)
}

// background runs something until end, at the latest when the test ends.
func (n *node) background(tb testing.TB, run func(context.Context) error) (end func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }() // joined by end
	end = sync.OnceFunc(func() {
		cancel()
		if err := receive(tb, ended, "an end"); err != nil {
			tb.Errorf("node %s: %v", n.name, err)
		}
	})
	tb.Cleanup(end)
	return end
}

func giftOf(id string) *room.Gift {
	return &room.Gift{
		MsgID: room.NewMsgID(1, "r", "ann", id), ClientID: id, Room: "r", Game: "g",
		User:   room.User{ID: "ann", Nickname: "ann", Avatar: "https://example.com/a.png"},
		GiftID: "rocket", Count: 10, Value: 10, Num: 1, At: time.Now().UnixMilli(),
	}
}

// accept stores a gift and notes how far the log goes.
func (n *node) accept(tb testing.TB, g *room.Gift) {
	tb.Helper()
	stored := make(chan error, 1)
	err := n.journal.Submit(journal.Entry{Gift: g}, func(r journal.Receipt, err error) {
		if err == nil {
			n.stored.Store(r.Position.Seq)
		}
		stored <- err
	})
	if err == nil {
		err = receive(tb, stored, "a gift's storing")
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// A real partition, asked from both sides, before and after it moves.
func TestRealOwner(t *testing.T) {
	a, b := pair(t)
	a.publish(t)
	b.publish(t)
	release := a.own(t)
	g := giftOf("1")
	b.accept(t, g)
	ctx := bounded(t, patience)
	if s, err := b.State(ctx, "r"); err != nil || s.Accepted != 1 {
		t.Errorf("the accepting node asks for the state: %+v, %v", s, err)
	}
	if _, err := a.Timeline(ctx, "r", g.MsgID); err != nil {
		t.Errorf("the other node asks for the gift: %v", err)
	}
	for i := range 20 {
		g := giftOf(fmt.Sprint("more", i))
		a.accept(t, g)
		if _, err := b.Timeline(ctx, "r", g.MsgID); err != nil { // b was told nothing of it
			t.Errorf("gift %d: %v", i, err)
		}
	}
	for i := range 20 {
		a.accept(t, giftOf(fmt.Sprint("now", i)))
		if s, err := b.StateNow(ctx, "r"); err != nil || s.Accepted != uint64(22+i) {
			t.Errorf("after %d gifts the other node sees %d, %v", 22+i, s.Accepted, err)
		}
	}
	poll(t, "all is delivered", func() bool {
		s, err := b.State(ctx, "r")
		return err == nil && s.Totals.Delivered == 41
	})

	release()
	b.own(t)
	var ids []room.MsgID
	for after, n := (owner.Cursor{}), 1; n > 0; {
		page, err := a.Ledger(ctx, "r", after, 4)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Rows {
			ids = append(ids, row.Decision.Gift.MsgID)
		}
		after, n = page.Next, len(page.Rows)
	}
	if len(ids) != 41 || !slices.Contains(ids, g.MsgID) {
		t.Errorf("the ledger has %v", ids)
	}
	known, err := a.Lookup(ctx, "r", g.MsgID)
	if err != nil || known.Knowledge != owner.Decided || *known.Gift != *g || known.Decision.Status != room.Delivered {
		t.Errorf("known is %+v, %v", known, err)
	}
	if known, err := a.Lookup(ctx, "r", giftOf("never").MsgID); err != nil || known.Knowledge != owner.Unseen {
		t.Errorf("of a gift that nobody sent: %+v, %v", known, err)
	}
	if _, err := a.Timeline(ctx, "r", giftOf("never").MsgID); !errors.Is(err, owner.ErrUnknownGift) {
		t.Errorf("of a gift that nobody sent: %v", err)
	}
	if _, err := a.Ledger(ctx, "r", owner.Cursor{Seq: 1 << 40}, 4); err != nil {
		t.Errorf("beyond the ledger: %v", err)
	}
	if s := a.Stats(); s.Asked == 0 || s.Foreign != 0 {
		t.Errorf("%+v", s)
	}
}

var _ ask.Partition = (*fake)(nil)
