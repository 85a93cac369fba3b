package hub

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// bubble runs f with a lobby behind pipes, in a bubble: time is exact, and nothing is
// buffered between hub and viewer.
func bubble(t *testing.T, f func(*stage, *pipes), change ...func(*lobbyConfig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		st := newQuietStage(t, change...)
		p, stop := st.servePipes()
		f(st, p)
		stop()
	})
}

// enter connects a viewer over a pipe.
func (st *stage) enter(p *pipes, user string, change ...func(*auth.Identity)) *guest {
	st.t.Helper()
	conn, err := client.Dial(st.t.Context(), client.Config{
		URL: st.url, Room: "r1", Token: st.token(user, change...),
		HTTP: &http.Client{Transport: &http.Transport{DialContext: p.DialContext, DisableKeepAlives: true}},
	})
	if err != nil {
		st.t.Fatal(err)
	}
	return &guest{conn, st, user}
}

// last reads until the connection ends: the last event, when it ended, and how.
func (g *guest) last() (event wire.Event, at time.Time, code wire.CloseCode) {
	for {
		e, err := g.Next(g.st.t.Context())
		if err != nil {
			return event, time.Now(), client.CloseCode(err)
		}
		event = e
	}
}

// TestPing: a viewer that says nothing is asked every 25 s or so, and stays as long as
// it answers.
func TestPing(t *testing.T) {
	t.Parallel()
	bubble(t, func(st *stage, p *pipes) {
		t := st.t
		ann := st.enter(p, "ann")
		ended := make(chan time.Time, 1)
		go func() { // joined by receiving
			_, at, _ := ann.last()
			ended <- at
		}()
		<-time.After(50 * time.Minute) // the token ends at an hour
		select {
		case at := <-ended:
			t.Fatalf("a viewer that answers was ended at %v", at)
		default:
		}
		if err := ann.Cut(); err != nil {
			t.Error(err)
		}
		<-ended
		synctest.Wait()
		if got := st.house.Viewers("r1"); got != 0 {
			t.Errorf("%d viewers are left", got)
		}
	})
}

// TestSilence: who does not answer pings is ended after 60 s.
func TestSilence(t *testing.T) {
	t.Parallel()
	bubble(t, func(st *stage, p *pipes) {
		t := st.t
		start := time.Now()
		conn, err := p.DialContext(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		g := &rawGuest{t, conn}
		g.write([]byte("GET /v1/rooms/r1/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer " + st.token("ann") + "\r\n\r\n"))
		g.head()
		var pings []time.Duration
		for {
			first, _, err := g.readFor(2 * time.Minute)
			if err != nil {
				break
			}
			if first == finPing {
				pings = append(pings, time.Since(start))
			}
		}
		if took := time.Since(start); took < silenceMax || took > silenceMax+sweepEvery {
			t.Errorf("ended after %v of silence", took)
		}
		if len(pings) != 2 || pings[0] < pingEvery || pings[0] > pingEvery+sweepEvery ||
			pings[1]-pings[0] < pingEvery-pingSpread || pings[1]-pings[0] > pingEvery+pingSpread+sweepEvery {
			t.Errorf("pings after %v", pings)
		}
	})
}

// TestTokenExpires: a connection ends with the token that opened it.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	bubble(t, func(st *stage, p *pipes) {
		t := st.t
		expires := time.Now().Add(90 * time.Second)
		ann := st.enter(p, "ann", func(id *auth.Identity) { id.Expires = expires })
		event, at, code := ann.last()
		bye, ok := event.(wire.Bye)
		if !ok || bye.Code != wire.ByeExpiredToken || bye.ReconnectInMS != 0 || code != wire.CloseNormal {
			t.Errorf("last %+v, closed with %d", event, code)
		}
		if late := at.Sub(expires); late < 0 || late > sweepEvery {
			t.Errorf("ended %v after the token", late)
		}
	})
}

// small makes outboxes of ten events.
func small(t *testing.T) func(*lobbyConfig) {
	t.Helper()
	house, err := audience.New(audience.Limits{OutboxEvents: 10})
	if err != nil {
		t.Fatal(err)
	}
	return func(cfg *lobbyConfig) { cfg.house = house }
}

// flushes tells the room of n flushes of one gift each, numbered on.
func (st *stage) flushes(n int) {
	for range n {
		st.mu.Lock()
		st.state.Seq++
		seq := st.state.Seq
		st.mu.Unlock()
		gift := &room.Gift{ClientID: fmt.Sprint(seq), Room: "r1", User: room.User{ID: "giver"}}
		st.house.Decided(owner.News{Room: "r1", Seq: seq, Decisions: []room.Decision{{Gift: gift, Status: room.Delivered}}})
	}
}

// TestSlowViewer: one that does not read is ended 10 s after its outbox was full; if
// it reads on then, it learns why. Others notice nothing.
func TestSlowViewer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := newQuietStage(t, small(t))
		p, stop := st.servePipes()
		ann, bo := st.enter(p, "ann"), st.enter(p, "bo")
		next[wire.Welcome](ann) // and reads nothing from here on
		next[wire.Welcome](bo)
		heard := make(chan int, 1)
		go func() { // joined by receiving
			n := 0
			for {
				e, err := bo.Next(t.Context())
				if err != nil {
					heard <- n
					return
				}
				if g, ok := e.(wire.Gifts); ok {
					if n++; int(g.Seq) != n {
						t.Errorf("bo hears %d as number %d", g.Seq, n)
					}
				}
			}
		}()
		full := time.Now()
		for range 20 {
			st.flushes(1)
			synctest.Wait()
		}
		<-time.After(slowAfter - time.Millisecond)
		if st.house.Stats().Slow != 0 {
			t.Errorf("ended as slow after %v", time.Since(full))
		}
		<-time.After(sweepEvery + time.Millisecond)
		if st.house.Stats().Slow != 1 {
			t.Errorf("not ended as slow after %v", time.Since(full))
		}
		event, _, code := ann.last()
		bye, ok := event.(wire.Bye)
		if !ok || bye.Code != wire.ByeSlow || bye.ReconnectInMS < 1000 || code != wire.ClosePolicy {
			t.Errorf("last %+v, closed with %d", event, code)
		}
		_ = bo.Cut() // the test is over for it
		if n := <-heard; n != 20 {
			t.Errorf("bo heard %d of 20", n)
		}
		stop()
	})
}

// TestDeadViewer: one that never reads again is cut off, whatever waits for it.
func TestDeadViewer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		flushes int
		ends    time.Duration
	}{
		"little waits": {1, stallMax},
		"much waits":   {50, slowAfter + byeGrace},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				st := newQuietStage(t, small(t))
				p, stop := st.servePipes()
				ann := st.enter(p, "ann")
				next[wire.Welcome](ann)
				start := time.Now()
				for range tt.flushes {
					st.flushes(1)
					synctest.Wait()
				}
				for st.house.Viewers("r1") > 0 {
					<-time.After(100 * time.Millisecond)
					if time.Since(start) > 2*time.Minute {
						t.Fatal("the viewer is still there")
					}
				}
				if took := time.Since(start); took < tt.ends || took > tt.ends+2*sweepEvery+200*time.Millisecond {
					t.Errorf("cut off after %v, want %v", took, tt.ends)
				}
				_ = ann.Cut() // it is cut off already
				stop()
			})
		})
	}
}

// TestByeUnheard: a viewer that is told to go and does not, is cut off.
func TestByeUnheard(t *testing.T) {
	t.Parallel()
	bubble(t, func(st *stage, p *pipes) {
		t := st.t
		ann := st.enter(p, "ann")
		next[wire.Welcome](ann)
		st.flushes(1) // a writer hangs on it
		synctest.Wait()
		start := time.Now()
		if err := st.drain(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < byeGrace || took > byeGrace+2*sweepEvery {
			t.Errorf("the drain took %v", took)
		}
		_ = ann.Cut() // it is cut off already
	})
}

// TestRunEndsAll: when run has returned, nothing of a viewer is left, whatever it does.
func TestRunEndsAll(t *testing.T) {
	t.Parallel()
	bubble(t, func(st *stage, p *pipes) {
		st.enter(p, "ann")
		bo := st.enter(p, "bo")
		next[wire.Welcome](bo)
		st.flushes(1) // ann and bo do not read: writers hang
		synctest.Wait()
	}) // the bubble fails if a goroutine is left
}
