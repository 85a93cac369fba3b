package owner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/owner/ownertest"
	"github.com/giftwire/giftwire/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// platform is ZEGO as far as these tests go: it gives each MsgID one effect, answers a
// repeat with the first outcome, and forgets after 24 h. It outlives owners.
type platform struct {
	mu       sync.Mutex
	sent     []room.MsgID // in order, repeats included
	effects  map[room.MsgID]int
	given    map[room.MsgID]time.Time
	joined   []string // user/text
	startsAt []time.Time
	// answer, if set, may answer instead of ZEGO; nil: it does not.
	answer func(call room.GiftCall) *room.Answer
	// hang, if set, is waited for before a gift call is answered.
	hang chan struct{}
}

func newPlatform() *platform {
	return &platform{effects: make(map[room.MsgID]int), given: make(map[room.MsgID]time.Time)}
}

func (p *platform) SendGifts(ctx context.Context, call room.GiftCall) room.Answer {
	p.mu.Lock()
	p.startsAt = append(p.startsAt, time.Now())
	hang, answer := p.hang, p.answer
	for _, g := range call.Gifts {
		p.sent = append(p.sent, g.MsgID)
	}
	p.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return room.Answer{Message: "timeout"}
		}
	}
	if answer != nil {
		if a := answer(call); a != nil {
			return *a
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := room.Answer{Outcome: room.Consumed, RequestID: "r1"}
	for _, g := range call.Gifts {
		if at, known := p.given[g.MsgID]; !known || time.Since(at) >= 24*time.Hour {
			p.effects[g.MsgID]++
			p.given[g.MsgID] = time.Now()
		}
		out.Rows = append(out.Rows, room.Row{MsgID: g.MsgID, Class: room.ResultDelivered})
	}
	return out
}

func (p *platform) SendComments(_ context.Context, call room.CommentCall) room.Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range call.Comments {
		p.joined = append(p.joined, c.User.ID+"/"+c.Text)
	}
	return room.Answer{Outcome: room.Consumed}
}

func (p *platform) SendLikes(context.Context, room.LikeCall) room.Answer {
	return room.Answer{Outcome: room.Consumed}
}

func (p *platform) QueryGifts(_ context.Context, call room.QueryCall) room.Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := room.Answer{Outcome: room.Consumed}
	for _, id := range call.MsgIDs {
		if p.effects[id] > 0 {
			out.Rows = append(out.Rows, room.Row{MsgID: id, Class: room.ResultDelivered})
		}
	}
	return out
}

func (p *platform) sends() []room.MsgID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

// audience records what an owner told.
type audience struct {
	mu       sync.Mutex
	news     []owner.News
	repeated []room.MsgID
	again    []room.Decision // of repeated
	games    []room.Game
}

func (a *audience) Decided(n owner.News) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.news = append(a.news, n)
}

func (a *audience) Repeated(_ uint64, d room.Decision) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.repeated = append(a.repeated, d.Gift.MsgID)
	a.again = append(a.again, d)
}

func (a *audience) GameChanged(_, _ string, g room.Game) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.games = append(a.games, g)
}

// decided lists what was told, in order.
func (a *audience) decided() []room.Decision {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []room.Decision
	for _, n := range a.news {
		out = append(out, n.Decisions...)
	}
	return out
}

// owning is a running partition.
type owning struct {
	*owner.Partition
	heard *audience
	stop  context.CancelFunc
	ended chan error
}

// own starts an owner over the store. Call it in a bubble.
func own(t *testing.T, store owner.Store, zego *platform, change ...func(*owner.Config)) *owning {
	t.Helper()
	if s, ok := store.(*ownertest.Store); ok {
		store = s.Hand()
	}
	o := &owning{heard: &audience{}, ended: make(chan error, 1)}
	cfg := owner.Config{
		Store: store, Sender: zego, Listener: o.heard, Node: "n1", Incarnation: fmt.Sprint("i", time.Now().UnixNano()),
		SnapshotEvery: time.Minute,
	}
	for _, c := range change {
		c(&cfg)
	}
	p, err := owner.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o.Partition = p
	ctx, cancel := context.WithCancel(t.Context())
	o.stop = cancel
	go func() { o.ended <- p.Run(ctx) }()
	t.Cleanup(cancel)
	synctest.Wait()
	return o
}

// wait returns what Run ended with. A bubble with an owner in it never comes to rest by
// itself, so the wait has an end.
func (o *owning) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-o.ended:
		return err
	case <-time.After(time.Hour):
		o.stop()
		t.Fatal("the owner has not ended within an hour")
		return nil
	}
}

// release ends the owner in good order.
func (o *owning) release(t *testing.T) {
	t.Helper()
	o.stop()
	if err := o.wait(t); err != nil {
		t.Errorf("Run ended with %v, want a release", err)
	}
}

var errCrashed = errors.New("crashed")

// gift makes a gift of the user under a client id.
func gift(user, id string) *room.Gift {
	return &room.Gift{
		MsgID: room.NewMsgID(1, "r1", user, id), ClientID: id, Room: "r1", Game: "g",
		User:   room.User{ID: user, Nickname: user, Avatar: "https://example.com/a.png"},
		GiftID: "rocket", Count: 10, Value: 10, Num: 1, At: time.Now().UnixMilli(),
	}
}

func entryOf(g *room.Gift) journal.Entry { return journal.Entry{Gift: g} }

func joinOf(user, text string) journal.Entry {
	return journal.Entry{Comment: &journal.Comment{Room: "r1", Game: "g", Comment: room.Comment{
		User: room.User{ID: user, Nickname: user, Avatar: "https://example.com/a.png"}, Text: text, Join: true, At: time.Now().UnixMilli(),
	}}}
}

// stored lists the decisions in the log, in order.
func stored(s *ownertest.Store) []room.Decision {
	var out []room.Decision
	for _, rec := range s.Outcomes() {
		for _, d := range rec.Rooms {
			for _, one := range d.Decisions {
				out = append(out, one.Decision)
			}
		}
	}
	return out
}

func kinds(s *ownertest.Store) []journal.Kind {
	var out []journal.Kind
	for _, rec := range s.Outcomes() {
		out = append(out, rec.Kind)
	}
	return out
}

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }
