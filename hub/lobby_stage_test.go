package hub

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/spec/spectest"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// stage is a lobby with all that it needs in memory: the journal stores what it is
// told to, and the test plays the owner.
type stage struct {
	*lobby
	t        *testing.T
	signer   *auth.HS256
	docs     *spectest.Docs
	url      string
	serves   atomic.Bool             // the owner
	followed atomic.Int64            // Follow less Unfollow
	ahead    atomic.Uint64           // gifts events that the owner is ahead of what is known here
	shut     atomic.Pointer[problem] // why nobody is let in
	stored   func(journal.Entry) error

	mu    sync.Mutex // guards what follows
	rooms map[string]intake.Room
	known map[room.MsgID]owner.Known
	state owner.RoomState
	seen  []journal.Entry
	chat  []string
}

// newStage runs a lobby behind a server; change may change its configuration.
func newStage(t *testing.T, change ...func(*lobbyConfig)) *stage {
	t.Helper()
	st := newQuietStage(t, change...)
	srv := httptest.NewServer(&spectest.Watch{Docs: st.docs, Next: st.handler(), Fault: t.Error, Coverage: answered})
	st.url = srv.URL
	stop := st.begin()
	t.Cleanup(func() {
		stop()
		srv.Close()
	})
	return st
}

func docsOf(t *testing.T) *spectest.Docs {
	t.Helper()
	docs, err := spectest.Load()
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// newQuietStage is a lobby that does not run yet.
func newQuietStage(t *testing.T, change ...func(*lobbyConfig)) *stage {
	t.Helper()
	st := &stage{
		t: t, stored: func(journal.Entry) error { return nil },
		rooms: map[string]intake.Room{"r1": {Game: "TinyLoveWar", Anchor: "anchor1"}, "r2": {Game: "TinyLoveWar"}},
		known: make(map[room.MsgID]owner.Known),
	}
	st.serves.Store(true)
	var err error
	st.docs = docsOf(t)
	if st.signer, err = auth.NewHS256(auth.HS256Config{Secret: []byte("0123456789abcdef0123456789abcdef")}); err != nil {
		t.Fatal(err)
	}
	cfg := lobbyConfig{
		face: face{node: "n1", epoch: "e1"}, auth: st.signer, origins: []string{"https://live.example.com"},
		rooms: roomsOf{st}, owners: st, catalogue: testCatalogue(t), closed: st.shut.Load, log: slog.New(slog.DiscardHandler),
	}
	var faults faults
	limits := Limits{}
	limits.fill(&faults)
	cfg.limits = limits.Viewer
	for _, c := range change {
		c(&cfg)
	}
	if cfg.house == nil {
		if cfg.house, err = audience.New(audience.Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	if cfg.memoir == nil {
		cfg.memoir = newMemoir(cfg.house, func(context.Context, string, uint64, uint64) ([]owner.News, error) { return nil, nil })
	}
	if cfg.chat == nil {
		cfg.chat = cfg.house
	}
	cfg.intake, err = intake.New(intake.Config{
		Journal: st, Owner: st, Chat: st, Rooms: cfg.rooms, AppID: 1, Prices: intake.Prices{Catalogue: cfg.catalogue},
	})
	if err != nil {
		t.Fatal(err)
	}
	st.lobby = newLobby(cfg)
	return st
}

func (st *stage) handler() http.Handler {
	return router{routes: st.routes(), log: st.log}.handler()
}

// begin runs the lobby until stop is called.
func (st *stage) begin() (stop func()) {
	p := begin(context.WithoutCancel(st.t.Context()), "viewers", st.run, func(err error) { st.t.Error(err) })
	return func() {
		if err := p.end(); err != nil {
			st.t.Error(err)
		}
		if n := st.followed.Load(); n != 0 {
			st.t.Errorf("rooms are followed %d times more than there are viewers", n)
		}
	}
}

// roomsOf is the stage's rooms: its own Room is the owner's.
type roomsOf struct{ *stage }

func (r roomsOf) Room(id string) (intake.Room, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	config, ok := r.rooms[id]
	return config, ok
}

// once knows a room the first time that it is asked.
type once struct {
	intake.Rooms
	asked atomic.Bool
}

// Room implements intake.Rooms.
func (o *once) Room(id string) (intake.Room, bool) {
	config, ok := o.Rooms.Room(id)
	return config, ok && !o.asked.Swap(true)
}

// changing tells of a running game from the second time on that it is asked.
type changing struct{ *stage }

// Room implements following.
func (c *changing) Room(id string) owner.RoomState {
	state := c.stage.Room(id)
	state.GameID, state.Game.State = "TinyLoveWar", room.GameRunning
	return state
}

// Follow implements following.
func (st *stage) Follow(_ context.Context, roomID string) (owner.RoomState, error) {
	if !st.serves.Load() {
		return owner.RoomState{}, owner.ErrNotReady
	}
	st.followed.Add(1)
	return st.Room(roomID), nil
}

// Ask implements following.
func (st *stage) Ask(ctx context.Context, roomID string) (owner.RoomState, error) {
	state := st.Room(roomID)
	state.Seq += st.ahead.Load()
	return state, ctx.Err()
}

// Unfollow implements following.
func (st *stage) Unfollow(string) { st.followed.Add(-1) }

// Room implements following and intake.Owner.
func (st *stage) Room(string) owner.RoomState {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.state
}

// Lookup implements intake.Owner.
func (st *stage) Lookup(_ context.Context, _ string, id room.MsgID) (owner.Known, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.known[id], nil
}

// OpenGifts implements intake.Owner.
func (st *stage) OpenGifts() int { return 0 }

// Comment implements intake.Chat.
func (st *stage) Comment(roomID, _ string, c room.Comment) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.chat = append(st.chat, roomID+" "+c.User.ID+" "+c.Text)
	return nil
}

// Like implements intake.Chat.
func (st *stage) Like(roomID, _ string, l room.Like) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.chat = append(st.chat, roomID+" "+l.User.ID+" like")
	return nil
}

// Submit implements intake.Journal: it stores what st.stored lets it, at once.
func (st *stage) Submit(e journal.Entry, done func(journal.Receipt, error)) error {
	err := st.stored(e)
	if err == nil {
		st.mu.Lock()
		st.seen = append(st.seen, e)
		st.mu.Unlock()
	}
	done(journal.Receipt{}, err)
	return nil
}

// journaled is what was stored.
func (st *stage) journaled() []journal.Entry {
	st.mu.Lock()
	defer st.mu.Unlock()
	return append([]journal.Entry(nil), st.seen...)
}

// decide tells of the gift stored at the place given, as its room's next.
func (st *stage) decide(place int, status room.Status) {
	gift := st.journaled()[place].Gift
	d := room.Decision{Gift: gift, Status: status, Reason: room.ReasonOK, Message: "told"}
	st.mu.Lock()
	if status == room.Delivered {
		st.state.Seq++
	} else {
		d.Code, d.Reason = 10003, room.ReasonNotJoined
	}
	st.known[gift.MsgID] = owner.Known{Knowledge: owner.Decided, Gift: gift, Decision: d, Seq: st.state.Seq}
	seq := st.state.Seq
	st.mu.Unlock()
	st.house.Decided(owner.News{Room: gift.Room, Seq: seq, Decisions: []room.Decision{d}})
}

// token signs a token for the user; change may change it.
func (st *stage) token(user string, change ...func(*auth.Identity)) string {
	st.t.Helper()
	who := auth.Identity{User: room.User{ID: user}, Can: auth.CanAll, Expires: time.Now().Add(time.Hour)}
	for _, c := range change {
		c(&who)
	}
	token, err := st.signer.Token(who)
	if err != nil {
		st.t.Fatal(err)
	}
	return token
}

// guest is a viewer's connection whose frames are held against the document.
type guest struct {
	*client.Conn
	st   *stage
	user string
}

// guest connects a user to the room r1.
func (st *stage) guest(user string, change ...func(*client.Config)) *guest {
	st.t.Helper()
	cfg := client.Config{URL: st.url, Room: "r1", Token: st.token(user)}
	for _, c := range change {
		c(&cfg)
	}
	conn, err := client.Dial(st.t.Context(), cfg)
	if err != nil {
		st.t.Fatal(err)
	}
	st.t.Cleanup(func() { _ = conn.Cut() }) // it may be closed already
	return &guest{conn, st, user}
}

func (g *guest) send(frame wire.Frame) {
	g.st.t.Helper()
	if err := g.Send(g.st.t.Context(), frame); err != nil {
		g.st.t.Fatal(err)
	}
}

// next waits for an event of type E, and skips presence unless it is asked for.
func next[E wire.Event](g *guest) E {
	g.st.t.Helper()
	ctx, cancel := context.WithTimeout(g.st.t.Context(), 20*time.Second)
	defer cancel()
	for {
		event, err := g.Next(ctx)
		if err != nil {
			var e E
			g.st.t.Fatalf("%s waits for %s: %v", g.user, e.Type(), err)
		}
		if err := g.st.docs.Event(wire.Encode(event)); err != nil {
			g.st.t.Errorf("%s: %v", wire.Encode(event), err)
		}
		if e, ok := event.(E); ok {
			return e
		}
		if _, ok := event.(wire.Presence); !ok {
			var e E
			g.st.t.Fatalf("%s waits for %s and hears %s", g.user, e.Type(), wire.Encode(event))
		}
	}
}

// await waits for an event of type E, and skips all others.
func await[E wire.Event](g *guest) E {
	g.st.t.Helper()
	ctx, cancel := context.WithTimeout(g.st.t.Context(), 20*time.Second)
	defer cancel()
	for {
		event, err := g.Next(ctx)
		if err != nil {
			var e E
			g.st.t.Fatalf("%s waits for %s: %v", g.user, e.Type(), err)
		}
		if e, ok := event.(E); ok {
			return e
		}
	}
}

// end waits for the end of the connection, and returns how it was closed.
func (g *guest) end() wire.CloseCode {
	g.st.t.Helper()
	ctx, cancel := context.WithTimeout(g.st.t.Context(), 30*time.Second)
	defer cancel()
	for {
		if _, err := g.Next(ctx); err != nil {
			if ctx.Err() != nil {
				g.st.t.Fatalf("%s: not closed", g.user)
			}
			return client.CloseCode(err)
		}
	}
}
