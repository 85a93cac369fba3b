package intake_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// submitted is one entry in the journal's hands.
type submitted struct {
	entry journal.Entry
	done  func(journal.Receipt, error)
}

// fakeJournal holds what it is given until the test answers it; refuse, if set, is
// the answer of Submit itself.
type fakeJournal struct {
	mu     sync.Mutex
	held   []submitted
	refuse error
	auto   bool // answer nil at once
}

func (j *fakeJournal) Submit(e journal.Entry, done func(journal.Receipt, error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.refuse != nil {
		return j.refuse
	}
	j.held = append(j.held, submitted{e, done})
	if j.auto {
		go done(journal.Receipt{}, nil)
	}
	return nil
}

func (j *fakeJournal) entries() []submitted {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]submitted(nil), j.held...)
}

// answer answers the oldest entry that is held.
func (j *fakeJournal) answer(t *testing.T, err error) *room.Gift {
	t.Helper()
	j.mu.Lock()
	if len(j.held) == 0 {
		j.mu.Unlock()
		t.Fatal("nothing was journaled")
	}
	first := j.held[0]
	j.held = j.held[1:]
	j.mu.Unlock()
	first.done(journal.Receipt{}, err)
	return first.entry.Gift
}

// fakeOwner knows what the test tells it.
type fakeOwner struct {
	mu     sync.Mutex
	known  map[room.MsgID]owner.Known
	err    error
	state  owner.RoomState
	open   int
	asked  int
	chat   []string
	noChat error
}

func (o *fakeOwner) Lookup(_ context.Context, _ string, id room.MsgID) (owner.Known, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked++
	return o.known[id], o.err
}

func (o *fakeOwner) Room(string) owner.RoomState {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.state
}

func (o *fakeOwner) OpenGifts() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open
}

func (o *fakeOwner) Comment(_, game string, c room.Comment) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.chat = append(o.chat, game+":"+c.Text)
	return o.noChat
}

func (o *fakeOwner) Like(_, game string, l room.Like) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.chat = append(o.chat, game+":like:"+l.User.ID)
	return o.noChat
}

type fakeRooms map[string]intake.Room

func (r fakeRooms) Room(id string) (intake.Room, bool) {
	config, ok := r[id]
	return config, ok
}

// fakeWallet remembers its calls; the hooks may fail them.
type fakeWallet struct {
	mu      sync.Mutex
	calls   []string
	reserve func(ctx context.Context) error
	release func(ctx context.Context) error
}

func (w *fakeWallet) Reserve(ctx context.Context, g room.Gift, _ string) error {
	return w.call(ctx, "reserve "+g.ClientID, w.reserve)
}

func (w *fakeWallet) Release(ctx context.Context, _ room.MsgID, _ string) error {
	return w.call(ctx, "release", w.release)
}

func (w *fakeWallet) call(ctx context.Context, what string, hook func(context.Context) error) error {
	w.mu.Lock()
	w.calls = append(w.calls, what)
	w.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(ctx)
}

func (w *fakeWallet) log() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.calls...)
}

type fakeMeter struct {
	mu   sync.Mutex
	seen []string
}

func (m *fakeMeter) Accepted(_ time.Duration, repeat bool) {
	if repeat {
		m.add("repeat")
		return
	}
	m.add("accepted")
}
func (m *fakeMeter) Rejected(code wire.Code) { m.add(string(code)) }
func (m *fakeMeter) Unknown()                { m.add("unknown") }

func (m *fakeMeter) add(s string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = append(m.seen, s)
}

// bench is an intake with its surroundings.
type bench struct {
	*intake.Intake
	journal *fakeJournal
	owner   *fakeOwner
	rooms   fakeRooms
	wallet  *fakeWallet
	meter   *fakeMeter
}

const appID = 1234567

// newBench makes an intake with the room r1; change may change its configuration.
func newBench(t *testing.T, change func(*intake.Config)) *bench {
	t.Helper()
	catalogue, err := room.NewCatalogue([]room.GameSpec{{
		ID:   "TinyLoveWar",
		Join: []room.JoinWord{{Text: "5", Team: "blue"}},
		Gifts: []room.GiftSpec{
			{ID: "g1", Name: "Rocket", Tiers: []room.Tier{{Value: 10}, {Value: 66}}},
			{ID: "rose"},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		journal: new(fakeJournal),
		owner:   &fakeOwner{known: make(map[room.MsgID]owner.Known)},
		rooms:   fakeRooms{"r1": {Game: "TinyLoveWar", Anchor: "anchor1"}, "wild": {Game: "NotListed"}},
		meter:   new(fakeMeter),
	}
	cfg := intake.Config{
		Journal: b.journal, Owner: b.owner, Chat: b.owner, Rooms: b.rooms, AppID: appID,
		Prices: intake.Prices{Catalogue: catalogue}, Meter: b.meter,
	}
	if change != nil {
		change(&cfg)
	}
	b.wallet, _ = cfg.Prices.Wallet.(*fakeWallet)
	if b.Intake, err = intake.New(cfg); err != nil {
		t.Fatal(err)
	}
	return b
}

func withWallet(w *fakeWallet) func(*intake.Config) {
	return func(cfg *intake.Config) { cfg.Prices.Wallet = w }
}

// answers collects the verdicts of one gift.
type answers chan intake.Verdict

// submit submits and returns where the verdict arrives.
func (b *bench) submit(t *testing.T, g intake.Gift) answers {
	t.Helper()
	got := make(answers, 10)
	b.Submit(t.Context(), g, func(v intake.Verdict) { got <- v })
	return got
}

// verdict waits for one verdict.
func (a answers) verdict(t *testing.T) intake.Verdict {
	t.Helper()
	select {
	case v := <-a:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("no verdict")
		return intake.Verdict{}
	}
}

// none checks that there is no verdict yet.
func (a answers) none(t *testing.T) {
	t.Helper()
	select {
	case v := <-a:
		t.Fatalf("verdict %+v, want none yet", v)
	default:
	}
}

var ann = room.User{ID: "ann", Nickname: "Ann", Avatar: "https://e.example/a.png"}

// rockets is a gift of n rockets.
func rockets(id string, n int) intake.Gift {
	return intake.Gift{Room: "r1", User: ann, ID: id, GiftID: "g1", Count: n}
}

func ptr[T any](v T) *T { return &v }
