package hub

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/spec/spectest"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

const testKey = "platform-key-of-tests"

// fakeRooms is a registry in memory. fail, if set, fails every write.
type fakeRooms struct {
	mu   sync.Mutex
	all  map[string]roomConfig
	fail error
}

func (f *fakeRooms) Get(id string) (roomConfig, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.all[id]
	return r, ok
}

func (f *fakeRooms) Find(_ context.Context, id string) (roomConfig, bool) { return f.Get(id) }

func (f *fakeRooms) Put(_ context.Context, r roomConfig) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return false, f.fail
	}
	old, ok := f.all[r.id]
	f.all[r.id] = r
	return !ok || old.deleted, nil
}

func (f *fakeRooms) Delete(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	r := f.all[id]
	r.deleted = true
	f.all[id] = r
	return nil
}

func (f *fakeRooms) List(after string, limit int) []roomConfig {
	f.mu.Lock()
	defer f.mu.Unlock()
	var page []roomConfig
	for _, r := range f.all {
		if r.id > after && !r.deleted {
			page = append(page, r)
		}
	}
	slices.SortFunc(page, func(a, b roomConfig) int { return strings.Compare(a.id, b.id) })
	return page[:min(limit, len(page))]
}

// fakeLedgers answers what a test puts in.
type fakeLedgers struct {
	away      bool
	state     owner.RoomState
	ledger    func(after owner.Cursor, limit int) (owner.Page, error)
	timelines map[room.MsgID]owner.Timeline
}

func (f *fakeLedgers) State(context.Context, string) (owner.RoomState, error) {
	if f.away {
		return owner.RoomState{}, owner.ErrNotReady
	}
	state := f.state
	state.Owner = "n1"
	return state, nil
}

func (f *fakeLedgers) StateNow(ctx context.Context, roomID string) (owner.RoomState, error) {
	return f.State(ctx, roomID)
}

func (f *fakeLedgers) Ledger(_ context.Context, _ string, after owner.Cursor, limit int) (owner.Page, error) {
	return f.ledger(after, limit)
}

func (f *fakeLedgers) Timeline(_ context.Context, _ string, id room.MsgID) (owner.Timeline, error) {
	t, ok := f.timelines[id]
	if !ok {
		return t, owner.ErrUnknownGift
	}
	return t, nil
}

// fakeIntake accepts, unless the gift's GiftID is the name of a reject code, or
// "unknown", or "never" (no answer comes).
type fakeIntake struct {
	mu  sync.Mutex
	got []intake.Gift
}

func (f *fakeIntake) Submit(_ context.Context, g intake.Gift, answer func(intake.Verdict)) {
	f.mu.Lock()
	f.got = append(f.got, g)
	f.mu.Unlock()
	switch {
	case g.GiftID == "unknown":
		answer(intake.Verdict{Outcome: intake.Unknown})
	case g.GiftID == "never":
	case slices.Contains(wire.Codes(), wire.Code(g.GiftID)):
		answer(intake.Verdict{Outcome: intake.Rejected, Code: wire.Code(g.GiftID), Message: "no", RetryAfter: time.Second})
	default: // from another goroutine, as the journal does
		go answer(intake.Verdict{Outcome: intake.Accepted, MsgID: room.NewMsgID(1, g.Room, g.User.ID, g.ID)})
	}
}

// fakeJournal stores, or fails as told: at once, or by its answer.
type fakeJournal struct {
	mu        sync.Mutex
	entries   []journal.Entry
	refuse    error
	fail      error
	noAnswers bool
}

func (f *fakeJournal) Submit(e journal.Entry, done func(journal.Receipt, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return f.refuse
	}
	if f.noAnswers {
		return nil
	}
	if f.fail == nil {
		f.entries = append(f.entries, e)
	}
	go done(journal.Receipt{}, f.fail)
	return nil
}

// fakeGame reads reports of the form it is told, and answers launches.
type fakeGame struct {
	report room.Report
	err    error
	code   string
	answer room.Answer
	asked  []room.Launch
}

func (f *fakeGame) Report([]byte, time.Time) (room.Report, error) { return f.report, f.err }

func (f *fakeGame) LaunchCode(_ context.Context, l room.Launch) (string, room.Answer) {
	f.asked = append(f.asked, l)
	return f.code, f.answer
}

// testPlatform is a platform API over fakes, served over HTTP with every exchange
// held against the document.
type testPlatform struct {
	*platform
	rooms   *fakeRooms
	ledgers *fakeLedgers
	intake  *fakeIntake
	journal *fakeJournal
	game    *fakeGame
	url     string
	watch   *spectest.Watch
}

// newTestPlatform has room r1 (game TinyLoveWar, anchor anchor1) and a deleted room
// gone.
func newTestPlatform(t *testing.T) *testPlatform {
	t.Helper()
	docs, err := spectest.Load()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := auth.NewKeys(testKey, "another-key-of-tests")
	if err != nil {
		t.Fatal(err)
	}
	var limits Limits
	limits.SubmitTimeout = 150 * time.Millisecond
	var f faults
	if limits.fill(&f); len(f) > 0 {
		t.Fatal(errors.Join(f...))
	}
	tp := &testPlatform{
		rooms: &fakeRooms{all: map[string]roomConfig{
			"r1":   {id: "r1", game: "TinyLoveWar", anchor: "anchor1"},
			"gone": {id: "gone", game: "TinyLoveWar", deleted: true},
		}},
		ledgers: &fakeLedgers{}, intake: &fakeIntake{}, journal: &fakeJournal{}, game: &fakeGame{},
	}
	tp.platform = &platform{
		rooms: tp.rooms, ledgers: tp.ledgers, gifts: tp.intake, journal: tp.journal, game: tp.game,
		launch: newLaunchGuard(limits.LaunchEvery), keys: keys, limits: limits,
		face:   face{node: "n1", epoch: "epoch", avatar: DefaultAvatar, viewers: func(string) int { return 3 }},
		closed: func() *problem { return nil },
	}
	h := router{routes: append(tp.platform.routes(), documentRoutes()...), log: slog.New(slog.DiscardHandler)}.handler()
	tp.watch = &spectest.Watch{Docs: docs, Next: h, Fault: t.Error, Coverage: answered}
	srv := httptest.NewServer(tp.watch)
	t.Cleanup(srv.Close)
	tp.url = srv.URL
	return tp
}

// call makes one request and returns the answer as text. Options change the request.
func (tp *testPlatform) call(t *testing.T, method, path, body string, options ...func(*http.Request)) (int, string, http.Header) {
	t.Helper()
	return exchange(t, method, tp.url+path, body, options...)
}
