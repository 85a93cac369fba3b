package hub

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// draining ends the hub's context and waits until it drains; stop joins it.
func (th *testHub) draining(t *testing.T) {
	t.Helper()
	th.cancel()
	eventually(t, "draining", func() bool { return !th.phase.serving() })
}

// heardResult reports whether a result of the gift was heard so far.
func (v *viewer) heardResult(id string) bool {
	for _, e := range v.heard {
		if r, ok := e.(wire.Result); ok && r.ID == id {
			return true
		}
	}
	return false
}

// A drain gives what is open one more flush.
func TestDrainFlushesWhatIsOpen(t *testing.T) {
	th := withRoom(t, func(c *Config) { c.Limits.Room.FlushInterval = 200 * time.Millisecond })
	th.must(t, http.StatusAccepted, http.MethodPost, giftsPath, `{"gifts":[`+giftJSON("c1", "g1")+`]}`)
	if th.sender.given() != 0 {
		t.Fatal("the gift did not wait for the tick; the test proves nothing")
	}
	th.stop(t)
	if th.sender.given() != 1 {
		t.Error("the open gift was not flushed")
	}
}

// A ZEGO that does not answer cannot hold a drain up.
func TestDrainIsBounded(t *testing.T) {
	const bound = 2 * time.Second
	th := withRoom(t, func(c *Config) { c.Limits.Drain = bound })
	th.sender.silent.Store(true)
	th.must(t, http.StatusAccepted, http.MethodPost, giftsPath, `{"gifts":[`+giftJSON("c1", "g1")+`]}`)
	start := time.Now()
	th.stop(t)
	if took := time.Since(start); took > bound {
		t.Errorf("the drain took %v, at most %v are allowed", took, bound)
	}
}

// While a node drains it takes nothing new, and says so.
func TestDrainTakesNothingNew(t *testing.T) {
	th := withRoom(t)
	ann := th.viewer(t, "ann")
	th.sender.silent.Store(true) // so that the drain lasts
	th.must(t, http.StatusAccepted, http.MethodPost, giftsPath, `{"gifts":[`+giftJSON("c1", "g1")+`]}`)
	th.draining(t)
	status, text := th.call(t, http.MethodPost, giftsPath, `{"gifts":[]}`)
	wantProblem(t, status, text, http.StatusServiceUnavailable, codeDraining)
	_, err := client.Dial(t.Context(), th.config(t, "bob"))
	var refused *client.RefusedError
	if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable || refused.Code != codeDraining {
		t.Errorf("dial: %v, want 503 draining", err)
	}
	if w := get(t, th.AdminHandler(), http.MethodGet, "/readyz"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d", w.Code)
	}
	if w := get(t, th.AdminHandler(), http.MethodGet, "/healthz"); w.Code != http.StatusOK {
		t.Errorf("healthz: %d; a node that drains must not be killed for it", w.Code)
	}
	ann.say(rockets("c2", 10))
	if r := hear[wire.Rejected](ann); r.ID != "c2" || r.Code != wire.CodeUnavailable || r.RetryAfterMS <= 0 {
		t.Errorf("a gift while draining: %+v", r)
	}
	if bye := hear[wire.Bye](ann); bye.Code != wire.ByeDraining {
		t.Errorf("bye %+v", bye)
	}
	th.stop(t)
}

// slowWallet reserves when it is told to.
type slowWallet struct{ asked, goOn chan struct{} }

func (w slowWallet) Reserve(context.Context, room.Gift, string) error {
	close(w.asked)
	<-w.goOn
	return nil
}

func (slowWallet) Release(context.Context, room.MsgID, string) error { return nil }

// A gift that is on its way in when the drain begins is answered, sent, and its result
// is told before bye.
func TestDrainAnswersWhatIsOnItsWayIn(t *testing.T) {
	wallet := slowWallet{asked: make(chan struct{}), goOn: make(chan struct{})}
	th := withRoom(t, func(c *Config) { c.Wallet = wallet })
	ann := th.viewer(t, "ann")
	ann.say(rockets("c1", 10))
	<-wallet.asked
	th.draining(t)
	close(wallet.goOn)
	hear[wire.Bye](ann)
	if !ann.heardResult("c1") || th.sender.given() != 1 {
		t.Errorf("heard %v; %d effects", ann.heard, th.sender.given())
	}
	th.stop(t)
}

// A call that is in flight when the flush's time is over still decides, and its result
// is told before bye.
func TestDrainWaitsForTheCallInFlight(t *testing.T) {
	th := withRoom(t, func(c *Config) { c.Limits.Drain = 2 * time.Second }) // 100 ms of flush
	th.sender.delay.Store(int64(290 * time.Millisecond))                    // below the call's timeout of 300 ms
	ann := th.viewer(t, "ann")
	ann.say(rockets("c1", 10))
	hear[wire.Accepted](ann)
	th.draining(t)
	hear[wire.Bye](ann)
	if !ann.heardResult("c1") {
		t.Errorf("bye came before the result: %v", ann.heard)
	}
	if code := ann.closed(); code != wire.CloseRestart {
		t.Errorf("closed with %d, want 1012", code)
	}
	th.stop(t)
}
