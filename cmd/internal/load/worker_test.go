package load

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
)

// What holds a worker up makes gifts late, and neither fewer nor due any later.
func TestKeepKeepsTheRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &Plan{Config: Config{Gifts: Gifts{Even: true}, Times: Times{Load: time.Second}, Processes: 1}, Origin: time.Now().UnixNano()}
		w := &worker{plan: p, clock: newClock(p.Origin)}
		var due, called []time.Duration
		w.keep(t.Context(), time.Second, 10, 0, func(at time.Duration, _ *rand.Rand) {
			due, called = append(due, at), append(called, w.clock.now())
			if len(due) == 2 {
				time.Sleep(250 * time.Millisecond)
			}
		})
		var wantDue, wantCalled []time.Duration
		for i := range 10 {
			at := time.Second + time.Duration(i)*100*time.Millisecond
			wantDue = append(wantDue, at)
			if i == 2 || i == 3 { // due while it was held up from 1.1 s to 1.35 s
				at = 1350 * time.Millisecond
			}
			wantCalled = append(wantCalled, at)
		}
		if diff := cmp.Diff([][]time.Duration{wantDue, wantCalled}, [][]time.Duration{due, called}); diff != "" {
			t.Errorf("due, called (-want +got):\n%s", diff)
		}
	})
}

// Neither the first receipt nor one after a reconnect nor a slow reader's is fan-out.
func TestDeliver(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		d            delivery
		fanOut, seen int64
	}{
		"the first viewer":     {delivery{measured: true, first: true, due: 1}, 0, 1},
		"another":              {delivery{measured: true, due: 1}, 1, 1},
		"of nobody's gift":     {delivery{measured: true, due: noDue}, 1, 0},
		"caught up":            {delivery{measured: true, caughtUp: true, due: 1}, 0, 0},
		"a slow reader":        {delivery{due: 1}, 0, 0},
		"slow, and catches up": {delivery{caughtUp: true, due: 1}, 0, 0},
	} {
		tt.d.now = time.Second
		var got tally
		got.deliver(tt.d)
		fanOut, _ := got.hists.summary(FanOut)
		seen, _ := got.hists.summary(Seen)
		if got.counts[Deliveries] != 1 || fanOut.Count != tt.fanOut || seen.Count != tt.seen {
			t.Errorf("%s: %d delivered, fan-out %d, seen %d", name, got.counts[Deliveries], fanOut.Count, seen.Count)
		}
	}
}

func TestBoard(t *testing.T) {
	t.Parallel()
	reads := 0
	b := newBoard("r", func([]wire.Gift) time.Duration { reads++; return 7 })
	for seq := uint64(1); seq <= 3*marksMax; seq++ {
		g := wire.Gifts{Seq: seq, Gifts: []wire.Gift{{UserID: "u", Count: int(seq)}}} //nolint:gosec // small
		raw := wire.Encode(g)
		if e, same := b.heard(raw, g, time.Duration(seq)); !same || e.due != 7 { //nolint:gosec // small
			t.Fatalf("event %d: %+v %v", seq, e, same)
		}
		if e, size := b.quick(append(raw, ",more"...)); e == nil || size != len(raw) || e.first != time.Duration(seq) { //nolint:gosec // small
			t.Fatalf("event %d is not on the board: %+v", seq, e)
		}
	}
	if reads != 3*marksMax || len(b.marks) > 2*marksMax+1 {
		t.Errorf("%d events read, %d kept", reads, len(b.marks))
	}
	last := wire.Gifts{Seq: 3 * marksMax, Gifts: []wire.Gift{{UserID: "u", Count: 1}}}
	if _, size := b.quick(wire.Encode(last)); size != 0 {
		t.Error("another event of the same sequence is taken for it")
	}
	if _, same := b.heard(wire.Encode(last), last, 0); same || reads != 3*marksMax {
		t.Error("another event of the same sequence is the same")
	}
	for _, text := range []string{"", "{", giftsPrefix, giftsPrefix + "x", giftsPrefix + "12", `{"type":"presence","viewers":1}`} {
		if e, _ := b.quick([]byte(text)); e != nil {
			t.Errorf("%q is taken for %+v", text, e)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		viewers, processes int
		may                uint64
		ok                 bool
		need               int
	}{
		{900, 1, 1024, true, 1},
		{1000, 1, 1024, false, 2},
		{1848, 2, 1024, true, 2},
		{1849, 2, 1024, false, 3},
		{100_000, 1, 0, true, 1},
		{100_000, 1, 1 << 62, true, 1},
	} {
		err := checkFiles(tt.viewers, tt.processes, tt.may)
		var fault *FaultError
		if (err == nil) != tt.ok || err != nil && (!errors.As(err, &fault) || fault.Flag != "processes") {
			t.Errorf("%+v: %v", tt, err)
		}
		if got := processesFor(tt.viewers, tt.may); got != tt.need {
			t.Errorf("%+v: %d processes", tt, got)
		}
	}
}

// A viewer is let in over TLS, from its own address, to where it was; and a refusal says
// when to come back.
func TestDial(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 2)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		if strings.Contains(r.URL.Path, "/full/") {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"code":"rate_limited","detail":"too many"}`))
			return
		}
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.Subprotocol}})
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = ws.CloseNow() }()
		_, text, err := ws.Read(context.Background())
		if err != nil || ws.Write(context.Background(), websocket.MessageText, text) != nil {
			t.Errorf("%s: %v", text, err)
		}
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	node, err := url.Parse(server.URL + "/live")
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{
		node: node, room: "r1", token: "secret", from: client.Place{Epoch: "e", Seq: 5},
		dialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 3)}}, tls: &tls.Config{RootCAs: roots, ServerName: "example.com"},
	}
	c, err := v.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.cut()
	long := strings.Repeat("x", 5000)
	if err := c.send([]byte(long)); err != nil {
		t.Fatal(err)
	}
	if got, err := c.next(); err != nil || string(got) != long {
		t.Errorf("%.20q %v", got, err)
	}
	asked := <-requests
	if asked.URL.Path != "/live/v1/rooms/r1/ws" || asked.URL.RawQuery != "epoch=e&since=5" || asked.Header.Get("Authorization") != "Bearer secret" ||
		!strings.HasPrefix(asked.RemoteAddr, "127.0.0.3:") {
		t.Errorf("asked for %v from %s", asked.URL, asked.RemoteAddr)
	}
	v.room = "full"
	var refused *client.RefusedError
	if _, err := v.dial(t.Context()); !errors.As(err, &refused) || refused.RetryAfter != 7*time.Second || refused.Code != "rate_limited" {
		t.Errorf("%v, want a refusal", err)
	}
}
