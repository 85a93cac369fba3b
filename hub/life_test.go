package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// The life of gifts through a whole hub: viewers over WebSocket, the platform over
// HTTP, a real journal, and a ZEGO in memory.

// viewer is a user's connection to a running hub.
type viewer struct {
	*client.Conn
	t       *testing.T
	welcome wire.Welcome
	heard   []wire.Event // all so far
}

// config is how a user connects to room r1.
func (th *testHub) config(t *testing.T, user string) client.Config {
	t.Helper()
	signer, ok := th.cfg.Auth.(*auth.HS256)
	if !ok {
		t.Fatal("the hub's tokens are not signed here")
	}
	token, err := signer.Token(auth.Identity{User: room.User{ID: user}, Can: auth.CanAll, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return client.Config{URL: th.url, Room: "r1", Token: token}
}

// viewer connects a user to room r1 and waits for its welcome: a client knows of its
// upgrade before the room knows of the client. change may change the connection.
func (th *testHub) viewer(t *testing.T, user string, change ...func(*client.Config)) *viewer {
	t.Helper()
	return th.viewerIn(t, "r1", user, change...)
}

// viewerIn is viewer of another room.
func (th *testHub) viewerIn(t *testing.T, roomID, user string, change ...func(*client.Config)) *viewer {
	t.Helper()
	cfg := th.config(t, user)
	cfg.Room = roomID
	for _, c := range change {
		c(&cfg)
	}
	conn, err := client.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Cut() }) // it may be closed already
	v := &viewer{Conn: conn, t: t}
	v.welcome = hear[wire.Welcome](v)
	return v
}

func (v *viewer) say(frame wire.Frame) {
	v.t.Helper()
	if err := v.Send(v.t.Context(), frame); err != nil {
		v.t.Fatal(err)
	}
}

// hear waits for the next event of type E that fits; what comes before is kept in heard.
func hear[E wire.Event](v *viewer, fits ...func(E) bool) E {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 20*time.Second)
	defer cancel()
	for {
		event, err := v.Next(ctx)
		if err != nil {
			var e E
			v.t.Fatalf("waiting for %s: %v", e.Type(), err)
		}
		v.heard = append(v.heard, event)
		e, ok := event.(E)
		for _, f := range fits {
			ok = ok && f(e)
		}
		if ok {
			return e
		}
		if r, rejected := event.(wire.Rejected); rejected {
			v.t.Fatalf("waiting for %s: %+v", e.Type(), r)
		}
	}
}

// resultOfID is hear's condition for one gift.
func resultOfID(id string) func(wire.Result) bool {
	return func(r wire.Result) bool { return r.ID == id }
}

// closed waits for the end of the connection and returns how the hub closed it.
func (v *viewer) closed() wire.CloseCode {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 20*time.Second)
	defer cancel()
	for {
		event, err := v.Next(ctx)
		if err != nil {
			return client.CloseCode(err)
		}
		v.heard = append(v.heard, event)
	}
}

func rockets(id string, count int) wire.GiftFrame {
	return wire.GiftFrame{ID: id, GiftID: "g1", Count: count}
}

// withRoom starts a hub with room r1.
func withRoom(t *testing.T, change ...func(*Config)) *testHub {
	t.Helper()
	th := startHub(t, t.TempDir(), change...)
	th.must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
	return th
}

func TestLifeOfAViewersGift(t *testing.T) {
	th := withRoom(t)
	ann, also, bob := th.viewer(t, "ann"), th.viewer(t, "ann"), th.viewer(t, "bob")
	if w := ann.welcome; w.Room != "r1" || w.Node != "n1" || w.Seq != 0 || len(w.Menu.Gifts) != 1 || len(w.Menu.Join) != 2 {
		t.Errorf("welcome %+v", w)
	}
	if got := decoded[roomBody](t, th.must(t, http.StatusOK, http.MethodGet, "/v1/rooms/r1", "")).Viewers; got != 3 {
		t.Errorf("%d viewers, want 3 connections", got)
	}
	ann.say(wire.CommentFrame{ID: "j1", Text: "5"})
	if c := hear[wire.Comments](bob).Comments[0]; c.UserID != "ann" || c.Text != "5" {
		t.Errorf("comment %+v", c)
	}
	ann.say(rockets("c1", 20))
	accepted := hear[wire.Accepted](ann)
	if want := room.NewMsgID(1, "r1", "ann", "c1"); accepted.MsgID != want {
		t.Errorf("msg_id %v, want %v", accepted.MsgID, want)
	}
	for _, v := range []*viewer{ann, also} {
		if r := hear[wire.Result](v); r.ID != "c1" || r.Status != "delivered" || r.Reason != room.ReasonOK || r.MsgID != accepted.MsgID {
			t.Errorf("result %+v", r)
		}
	}
	gifts := hear[wire.Gifts](bob)
	if g := gifts.Gifts[0]; gifts.Seq != 1 || len(gifts.Gifts) != 1 || g.UserID != "ann" || g.Value != 10 || g.Num != 2 || g.ReceiverID != "anchor1" {
		t.Errorf("gifts %+v", gifts)
	}
	for _, e := range bob.heard {
		if _, mine := e.(wire.Result); mine {
			t.Error("bob hears ann's result")
		}
	}
	th.sender.mu.Lock()
	defer th.sender.mu.Unlock()
	if len(th.sender.comments) != 1 || th.sender.comments[0] != "ann:5" {
		t.Errorf("comments at ZEGO: %v", th.sender.comments)
	}
}

func TestLifeOfARepeatedGift(t *testing.T) {
	th := withRoom(t)
	ann := th.viewer(t, "ann")
	for range 2 {
		ann.say(rockets("c1", 66))
		first := hear[wire.Accepted](ann)
		if r := hear(ann, resultOfID("c1")); r.MsgID != first.MsgID || r.Status != "delivered" {
			t.Errorf("result %+v of %v", r, first.MsgID)
		}
	}
	ann.say(rockets("c1", 10))
	if r := hear[wire.Rejected](ann); r.Code != wire.CodeConflict {
		t.Errorf("other content: %+v", r)
	}
	for id, count := range map[string]int{"c2": 15, "c3": 0} {
		ann.say(rockets(id, count))
		want := map[string]wire.Code{"c2": wire.CodeBadCount, "c3": wire.CodeBadRequest}[id]
		if r := hear[wire.Rejected](ann); r.ID != id || r.Code != want {
			t.Errorf("%d rockets: %+v, want %s", count, r, want)
		}
	}
	if n := th.sender.given(); n != 1 {
		t.Errorf("%d effects, want 1", n)
	}
}

// The result of a gift that the platform hands over goes to the viewer, too.
func TestLifeOfAPlatformsGift(t *testing.T) {
	th := withRoom(t)
	u1 := th.viewer(t, "u1")
	th.must(t, http.StatusAccepted, http.MethodPost, giftsPath, `{"gifts":[`+giftJSON("p1", "g1")+`]}`)
	if r := hear(u1, resultOfID("p1")); r.Status != "delivered" || r.MsgID != room.NewMsgID(1, "r1", "u1", "p1") {
		t.Errorf("result %+v", r)
	}
}

// Who was away for a moment hears what was missed, and after a restart of the node seq
// goes on where it was.
func TestLifeAcrossReconnectAndRestart(t *testing.T) {
	dir := t.TempDir()
	var place client.Place
	from := func(c *client.Config) { c.From = place }
	give := func(th *testHub, v *viewer, id string) {
		v.say(rockets(id, 10))
		hear(v, resultOfID(id))
	}
	t.Run("first", func(t *testing.T) {
		th := startHub(t, dir)
		th.must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
		ann, bob := th.viewer(t, "ann"), th.viewer(t, "bob")
		give(th, ann, "c1")
		hear[wire.Gifts](bob)
		place = bob.Place()
		if err := bob.Cut(); err != nil {
			t.Fatal(err)
		}
		give(th, ann, "c2")
		give(th, ann, "c3")
		bob = th.viewer(t, "bob", from)
		if w := bob.welcome; !w.Resumed || w.Seq != 1 {
			t.Errorf("welcome after a reconnect: resumed %v, seq %d", w.Resumed, w.Seq)
		}
		for _, want := range []uint64{2, 3} {
			if g := hear[wire.Gifts](bob); g.Seq != want {
				t.Errorf("seq %d, want %d", g.Seq, want)
			}
		}
		place = bob.Place()
	})
	t.Run("second", func(t *testing.T) {
		th := startHub(t, dir)
		ann, bob := th.viewer(t, "ann"), th.viewer(t, "bob", from)
		if w := bob.welcome; w.Epoch != place.Epoch || w.Seq != 3 {
			t.Errorf("welcome after a restart: epoch %s (was %s), seq %d, want 3", w.Epoch, place.Epoch, w.Seq)
		}
		give(th, ann, "c4")
		if g := hear[wire.Gifts](bob); g.Seq != 4 || g.Gifts[0].MsgID != room.NewMsgID(1, "r1", "ann", "c4") {
			t.Errorf("gifts after a restart: %+v", g)
		}
		ann.say(rockets("c1", 10)) // decided before the restart
		hear(ann, func(a wire.Accepted) bool { return a.ID == "c1" })
		if r := hear(ann, resultOfID("c1")); r.Status != "delivered" {
			t.Errorf("a repeat after a restart: %+v", r)
		}
	})
}

func TestLifeOfARoomThatIsDeleted(t *testing.T) {
	th := withRoom(t)
	ann := th.viewer(t, "ann")
	th.must(t, http.StatusNoContent, http.MethodDelete, "/v1/rooms/r1", "")
	if bye := hear[wire.Bye](ann); bye.Code != wire.ByeRoomClosed || bye.ReconnectInMS != 0 {
		t.Errorf("bye %+v", bye)
	}
	if code := ann.closed(); code != wire.CloseNormal {
		t.Errorf("closed with %d, want 1000", code)
	}
	_, err := client.Dial(t.Context(), client.Config{URL: th.url, Room: "r1", Token: "x"})
	var refused *client.RefusedError
	if !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Errorf("dial: %v", err)
	}
}

// A drain flushes, tells the results, and only then says bye.
func TestLifeOfADrainingNode(t *testing.T) {
	th := withRoom(t, func(c *Config) { c.Limits.Room.FlushInterval = 200 * time.Millisecond })
	ann := th.viewer(t, "ann")
	ann.say(rockets("c1", 10))
	hear[wire.Accepted](ann)
	th.draining(t)
	bye := hear[wire.Bye](ann)
	if bye.Code != wire.ByeDraining || bye.ReconnectInMS <= 0 {
		t.Errorf("bye %+v", bye)
	}
	if !ann.heardResult("c1") {
		t.Errorf("bye came before the result: %v", ann.heard)
	}
	if code := ann.closed(); code != wire.CloseRestart {
		t.Errorf("closed with %d, want 1012", code)
	}
	th.stop(t)
}

// callbackGame takes a callback for a start, unless its body says ended.
type callbackGame struct{ fakeGame }

func (g *callbackGame) Report(body []byte, _ time.Time) (room.Report, error) {
	r := room.Report{ID: string(body), Room: "r1", GameID: "TinyLoveWar", Game: room.Game{State: room.GameRunning, Round: "77"}, At: 1}
	if bytes.Contains(body, []byte("ended")) {
		r.Game = room.Game{State: room.GameEnded, Round: "77", WinnerTeam: 2}
	}
	return r, nil
}

func TestLifeOfAGame(t *testing.T) {
	th := withRoom(t, func(c *Config) { c.Game = &callbackGame{} })
	th.must(t, http.StatusOK, http.MethodPut, "/v1/rooms/r1", `{"mini_game_id":"TinyLoveWar","anchor_id":"anchor1","require_running":true}`)
	ann := th.viewer(t, "ann")
	ann.say(rockets("c1", 10))
	if r := hear[wire.Rejected](ann); r.Code != wire.CodeGameNotRunning {
		t.Errorf("before the start: %+v", r)
	}
	for range 2 { // ZEGO repeats what it thinks was not heard
		th.must(t, http.StatusOK, http.MethodPost, "/v1/zego/callback", `{"state":"running"}`)
	}
	if g := hear(ann, func(g wire.Game) bool { return g.State == "running" }); g.RoundID != "77" || g.MiniGameID != "TinyLoveWar" {
		t.Errorf("game %+v", g)
	}
	if g := decoded[roomBody](t, th.must(t, http.StatusOK, http.MethodGet, "/v1/rooms/r1", "")).Game; g.State != "running" || g.RoundID != "77" {
		t.Errorf("the room's game is %+v", g)
	}
	status, text := th.call(t, http.MethodPost, launchPath, `{}`)
	wantProblem(t, status, text, http.StatusConflict, codeGameRunning)
	ann.say(rockets("c1", 10)) // nothing was taken under the id before
	hear(ann, resultOfID("c1"))
	th.must(t, http.StatusOK, http.MethodPost, "/v1/zego/callback", `{"state":"ended"}`)
	if g := hear(ann, func(g wire.Game) bool { return g.State == "ended" }); g.WinnerTeam == nil || *g.WinnerTeam != 2 {
		t.Errorf("game %+v", g)
	}
	ann.say(rockets("c2", 10))
	if r := hear[wire.Rejected](ann); r.Code != wire.CodeGameNotRunning {
		t.Errorf("after the end: %+v", r)
	}
}

// testWallet reserves until it is told otherwise.
type testWallet struct {
	mu       sync.Mutex
	answer   error
	reserved map[room.MsgID]int
}

func (w *testWallet) Reserve(_ context.Context, g room.Gift, _ string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.answer == nil {
		w.reserved[g.MsgID] = g.Count
	}
	return w.answer
}

func (w *testWallet) Release(_ context.Context, id room.MsgID, _ string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.reserved, id)
	return nil
}

func TestLifeWithAWallet(t *testing.T) {
	wallet := &testWallet{reserved: make(map[room.MsgID]int)}
	th := withRoom(t, func(c *Config) { c.Wallet = wallet })
	ann := th.viewer(t, "ann")
	for _, step := range []struct {
		id     string
		answer error
		code   wire.Code
	}{
		{"c1", fmt.Errorf("too poor: %w", ErrDeclined), wire.CodeDeclined},
		{"c2", errors.New("database away"), wire.CodeUnavailable},
	} {
		wallet.mu.Lock()
		wallet.answer = step.answer
		wallet.mu.Unlock()
		ann.say(rockets(step.id, 10))
		if r := hear[wire.Rejected](ann); r.ID != step.id || r.Code != step.code {
			t.Errorf("%v: %+v, want %s", step.answer, r, step.code)
		}
	}
	wallet.mu.Lock()
	wallet.answer = nil
	wallet.mu.Unlock()
	ann.say(rockets("c1", 10)) // declined was no acceptance: the id is free
	hear(ann, resultOfID("c1"))
	th.must(t, http.StatusAccepted, http.MethodPost, giftsPath, `{"gifts":[`+giftJSON("p1", "g1")+`]}`) // charged by the platform
	eventually(t, "both delivered", func() bool { return th.counters(t, "r1").Delivered == 2 })
	wallet.mu.Lock()
	defer wallet.mu.Unlock()
	if len(wallet.reserved) != 1 || wallet.reserved[room.NewMsgID(1, "r1", "ann", "c1")] != 10 {
		t.Errorf("reserved: %v, want ann's c1 alone", wallet.reserved)
	}
}
