package hub

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// withZEGO starts a hub whose ZEGO is the simulated one: real client, real signatures.
// Callbacks of the simulator reach the hub.
func withZEGO(t *testing.T, change ...func(*Config)) (*testHub, *zegotest.Server) {
	t.Helper()
	server, callbacks := zego.NewSecret("serversecret0123456789abcdef0000"), zego.NewSecret("callbacksecret0123456789abcdef00")
	var th *testHub
	toHub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { th.Handler().ServeHTTP(w, r) }))
	t.Cleanup(toHub.Close)
	spec, _ := testCatalogue(t).Game("TinyLoveWar")
	sim, err := zegotest.New(zegotest.Config{
		AppID: 1, ServerSecret: server, Games: []room.GameSpec{spec},
		Reports: zegotest.ReportConfig{
			URL: toHub.URL + "/v1/zego/callback", Secret: callbacks, Retries: []time.Duration{50 * time.Millisecond},
			Transport: &http.Transport{DisableKeepAlives: true},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(sim)
	t.Cleanup(api.Close)
	sender, err := zego.New(zego.Config{BaseURL: api.URL, AppID: 1, ServerSecret: server})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sender.CloseIdleConnections)
	verifier, err := zego.NewVerifier(zego.VerifierConfig{AppID: 1, Secret: callbacks})
	if err != nil {
		t.Fatal(err)
	}
	th = startHub(t, t.TempDir(), append([]func(*Config){func(c *Config) {
		c.Sender, c.Game = sender, zego.Game{Client: sender, Verifier: verifier}
	}}, change...)...)
	reporting, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var reports sync.WaitGroup
	reports.Go(func() { _ = sim.Run(reporting) }) // ends with its context
	t.Cleanup(func() {
		stop()
		reports.Wait()
	})
	return th, sim
}

// ZEGO's own examples, and the two ways in which a gift fails for good.
func TestZEGOExamples(t *testing.T) {
	th, sim := withZEGO(t)
	th.must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
	ann, bob := th.viewer(t, "ann"), th.viewer(t, "bob")
	ann.say(wire.CommentFrame{ID: "j1", Text: "5"})
	ann.say(rockets("c1", 20)) // waits for the join
	ann.say(rockets("c2", 66))
	for _, id := range []string{"c1", "c2"} {
		if r := hear(ann, resultOfID(id)); r.Status != "delivered" {
			t.Errorf("%s: %+v", id, r)
		}
	}
	for id, want := range map[string][2]int{"c1": {10, 2}, "c2": {66, 1}} {
		msgID := room.NewMsgID(1, "r1", "ann", id).String()
		if n := sim.Effects(msgID); n != 1 {
			t.Errorf("%s: %d effects", id, n)
		}
		for _, e := range sim.Ledger(0, 100) {
			if e.MsgID == msgID && (e.Value != want[0] || e.Num != want[1]) {
				t.Errorf("%s: Value %d, Num %d, want %v", id, e.Value, e.Num, want)
			}
		}
	}
	bob.say(rockets("c1", 20)) // has not joined
	if r := hear(bob, resultOfID("c1")); r.Status != "failed" || r.Reason != room.ReasonNotJoined || r.Code != 10003 {
		t.Errorf("a viewer who has not joined: %+v", r)
	}
	value := 30
	ann.say(wire.GiftFrame{ID: "c3", GiftID: "g1", Count: 30, Value: &value})
	if r := hear[wire.Rejected](ann); r.Code != wire.CodeBadCount {
		t.Errorf("value 30: %+v", r)
	}
	if got, want := th.counters(t, "r1"), (countersBody{Accepted: 3, Delivered: 2, Failed: 1}); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}

// Callbacks of ZEGO, signed, doubled and out of order, move the room's game.
func TestZEGOCallbacksAndLaunchCode(t *testing.T) {
	th, sim := withZEGO(t)
	th.must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
	launch := decoded[launchBody](t, th.must(t, http.StatusOK, http.MethodPost, launchPath, `{"nickname":"Anchor"}`))
	if launch.LaunchCode == "" || launch.AnchorID != "anchor1" {
		t.Errorf("launch code %+v", launch)
	}
	ann := th.viewer(t, "ann")
	sim.SetDelivery(zegotest.Delivery{Duplicate: true})
	round := sim.StartGame("r1", "TinyLoveWar")
	if g := hear(ann, func(g wire.Game) bool { return g.State == "running" }); g.RoundID != round {
		t.Errorf("round %s, want %s", g.RoundID, round)
	}
	sim.SettleGame("r1", zego.Settlement{WinTeam: 2})
	if g := hear(ann, func(g wire.Game) bool { return g.State == "ended" }); *g.WinnerTeam != 2 {
		t.Errorf("winner %d", *g.WinnerTeam)
	}
	eventually(t, "all callbacks answered", func() bool { return sim.Reports().Delivered == 4 })
}

// watcher hears a room's gifts events until its context ends, coming back when it is
// cut off, and notes what must not be.
type watcher struct {
	faults []string
	last   uint64
	gifts  map[room.MsgID]int
}

func (w *watcher) watch(ctx context.Context, cfg client.Config) {
	for ctx.Err() == nil {
		cfg.From = client.Place{}
		conn, err := client.Dial(ctx, cfg)
		if err != nil {
			return
		}
		for {
			event, err := conn.Next(ctx)
			if err != nil {
				break
			}
			if g, ok := event.(wire.Gifts); ok {
				w.hear(g)
			}
		}
		_ = conn.Cut() // the context has ended
	}
}

func (w *watcher) hear(g wire.Gifts) {
	if g.Seq != w.last+1 {
		w.faults = append(w.faults, fmt.Sprintf("seq %d after %d", g.Seq, w.last))
	}
	w.last = g.Seq
	for _, gift := range g.Gifts {
		w.gifts[gift.MsgID]++
	}
}

// Many viewers at once, a ZEGO that fails in every way, repeats by the senders: every
// accepted gift gets one result, what is told delivered had one effect and what is not
// had none, everyone sees it once and in order, and ZEGO's budget holds.
func TestZEGOStorm(t *testing.T) {
	th, sim := withZEGO(t)
	th.must(t, http.StatusCreated, http.MethodPut, "/v1/rooms/r1", putRoom1)
	for _, f := range []zegotest.Fault{
		zegotest.DropAfter(), zegotest.Gateway(502), zegotest.Answer(zegotest.ReplyMalformed), zegotest.Refuse(7210000),
		zegotest.HangAfter(),
		{Rows: zegotest.RowFault{Omit: 2, Reversed: true, Foreign: true}},
		zegotest.DropBefore(),
		{Rows: zegotest.RowFault{Doubled: true}},
		zegotest.Answer(zegotest.ReplyTruncated), zegotest.Refuse(207),
	} {
		sim.Fail(zegotest.Rule{Action: zego.ActionGifts, Skip: 2, Times: 1, Fault: f})
	}
	const givers, each = 8, 25
	watching, stop := context.WithCancel(t.Context())
	defer stop()
	seen := watcher{gifts: make(map[room.MsgID]int)}
	bob := th.viewer(t, "bob")
	var watch, give sync.WaitGroup

	watch.Go(func() { seen.watch(watching, th.config(t, "eve")) })
	eventually(t, "eve is there", func() bool { return th.house.Viewers("r1") == 2 })
	var delivered, failed atomic.Int64
	for n := range givers {
		give.Go(func() {
			v := th.viewer(t, fmt.Sprintf("giver%d", n))
			if n > 0 { // the first has not joined
				v.say(wire.CommentFrame{ID: "j", Text: "5"})
			}
			for i := range each {
				v.say(rockets(fmt.Sprintf("c%d", i), 10))
				if i%5 == 0 { // an app that is not sure says it again
					v.say(rockets(fmt.Sprintf("c%d", i), 10))
				}
			}
			results := make(map[string]string)
			for len(results) < each {
				r := hear[wire.Result](v)
				if first, again := results[r.ID]; again && first != r.Status {
					t.Errorf("%s: %s, then %s", r.ID, first, r.Status)
				}
				results[r.ID] = r.Status
			}
			for id, status := range results {
				effects := sim.Effects(room.NewMsgID(1, "r1", fmt.Sprintf("giver%d", n), id).String())
				switch {
				case status == "delivered" && effects == 1:
					delivered.Add(1)
				case status == "failed" && effects == 0:
					failed.Add(1)
				default:
					t.Errorf("giver%d %s: %s with %d effects", n, id, status, effects)
				}
			}
		})
	}
	give.Wait()
	if want := int64((givers - 1) * each); delivered.Load() != want || failed.Load() != each {
		t.Errorf("%d delivered and %d failed, want %d and %d", delivered.Load(), failed.Load(), want, each)
	}
	want := countersBody{Accepted: givers * each, Delivered: (givers - 1) * each, Failed: each}
	if got := th.counters(t, "r1"); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
	hear(bob, func(g wire.Gifts) bool { return g.Seq == th.asker.Room("r1").Seq }) // so eve was told, too
	stop()
	watch.Wait()
	for _, f := range seen.faults {
		t.Error("watcher: " + f)
	}
	for id, n := range seen.gifts {
		if n != 1 {
			t.Errorf("gift %v was shown %d times", id, n)
		}
	}
	for _, rule := range sim.Rules() {
		if rule.Hits == 0 {
			t.Errorf("the fault %+v hit nothing; the test is too short", rule.Rule.Fault)
		}
	}
	if worst := sim.WorstSecond("r1", zego.ActionGifts); worst > 20 {
		t.Errorf("%d calls arrived within a second", worst)
	}
}
