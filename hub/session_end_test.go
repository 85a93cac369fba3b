package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
)

// TestAbuse: 20 malformed frames in 10 s are borne, one more is not. Frames whose
// fields are wrong are no abuse.
func TestAbuse(t *testing.T) {
	st := newStage(t)
	ann := st.welcomed("ann")
	for range 25 {
		ann.send(rocket("c-1", 0))
		next[wire.Rejected](ann)
		ann.send(rawJSON(`{"type":"like","count":"x"}`))
		next[wire.Error](ann)
	}
	for i := range 20 {
		ann.send(rawJSON([]string{`{"type":"unknown"}`, `}`}[i%2]))
		next[wire.Error](ann)
	}
	ann.send(wire.PingFrame{})
	next[wire.Pong](ann)
	ann.send(rawJSON(`null`))
	next[wire.Error](ann)
	if got := next[wire.Bye](ann); got.Code != wire.ByeAbuse || got.ReconnectInMS != 0 {
		t.Errorf("%+v", got)
	}
	if code := ann.end(); code != wire.ClosePolicy {
		t.Errorf("closed with %d", code)
	}
}

// TestFlood: frames past the connection's limit are refused one by one, and slowed.
func TestFlood(t *testing.T) {
	st := newStage(t, func(cfg *lobbyConfig) { cfg.limits.Frames = Rate{PerSecond: 1, Burst: 5} })
	ann := st.welcomed("ann")
	for range 5 {
		ann.send(wire.PingFrame{})
		next[wire.Pong](ann)
	}
	start := time.Now()
	ann.send(rocket("c-1", 10))
	if got := next[wire.Rejected](ann); got.Code != wire.CodeRateLimited || got.ID != "c-1" || got.RetryAfterMS < 1 {
		t.Errorf("%+v", got)
	}
	ann.send(wire.CommentFrame{ID: "c-2", Text: "5"})
	if got := next[wire.Rejected](ann); got.Code != wire.CodeRateLimited || got.ID != "c-2" {
		t.Errorf("%+v", got)
	}
	for _, frame := range []wire.Frame{wire.PingFrame{}, wire.LikeFrame{Count: 1}, rawJSON("}")} {
		ann.send(frame)
		if got := next[wire.Error](ann); got.Code != wire.CodeRateLimited {
			t.Errorf("%+v", got)
		}
	}
	if took := time.Since(start); took < 4*floodPause {
		t.Errorf("five refused frames in %v: not slowed", took)
	}
	if len(st.journaled()) != 0 {
		t.Error("a refused gift was journaled")
	}
}

// TestPingFlood: pings past the connection's limit are not answered, and slowed.
func TestPingFlood(t *testing.T) {
	st := newStage(t, func(cfg *lobbyConfig) { cfg.limits.Frames = Rate{PerSecond: 1, Burst: 5} })
	g := st.rawGuest()
	start := time.Now()
	for range 25 {
		g.write(rawFrame(finPing, "p"), rawFrame(finPong, "p"))
	}
	g.write(rawFrame(finText, ping))
	pongs := 0
	for {
		first, payload, err := g.read()
		if err != nil {
			t.Fatal(err)
		}
		if first == finPong {
			pongs++
		}
		if first == finText && strings.Contains(payload, string(wire.CodeRateLimited)) {
			break
		}
	}
	if took := time.Since(start); pongs != 3 || took < 45*floodPause {
		t.Errorf("%d pongs, want 3 of the 5 frames that are borne; 45 others took %v", pongs, took)
	}
}

// TestRoomCloses: who is in a room that is deleted hears bye, who comes finds nothing.
func TestRoomCloses(t *testing.T) {
	st := newStage(t)
	ann := st.welcomed("ann")
	ann.send(wire.PingFrame{})
	next[wire.Pong](ann) // else the look after the join might be the one that finds the room closed
	st.mu.Lock()
	delete(st.rooms, "r1")
	st.mu.Unlock()
	ann.send(rocket("c-1", 10))
	if got := next[wire.Rejected](ann); got.Code != wire.CodeRoomClosed {
		t.Errorf("gift: %+v", got)
	}
	ann.send(wire.CommentFrame{ID: "c-2", Text: "5"})
	if got := next[wire.Rejected](ann); got.Code != wire.CodeRoomClosed {
		t.Errorf("comment: %+v", got)
	}
	ann.send(wire.LikeFrame{Count: 1})
	if got := next[wire.Error](ann); got.Code != wire.CodeRoomClosed {
		t.Errorf("like: %+v", got)
	}
	st.house.CloseRoom("r1", wire.Bye{Code: wire.ByeRoomClosed})
	if got := next[wire.Bye](ann); got.Code != wire.ByeRoomClosed || got.ReconnectInMS != 0 {
		t.Errorf("%+v", got)
	}
	if code := ann.end(); code != wire.CloseNormal {
		t.Errorf("closed with %d", code)
	}
	_, err := client.Dial(t.Context(), client.Config{URL: st.url, Room: "r1", Token: st.token("bo")})
	var refused *client.RefusedError
	if !errors.As(err, &refused) || refused.Code != codeRoomNotFound {
		t.Errorf("%v", err)
	}
}

// TestRoomClosesMeanwhile: between the check and the join.
func TestRoomClosesMeanwhile(t *testing.T) {
	st := newStage(t)
	st.lobby.rooms = &once{Rooms: st.lobby.rooms}
	ann := st.guest("ann")
	next[wire.Welcome](ann)
	if got := next[wire.Bye](ann); got.Code != wire.ByeRoomClosed {
		t.Errorf("%+v", got)
	}
	if code := ann.end(); code != wire.CloseNormal {
		t.Errorf("closed with %d", code)
	}
}

// TestGameChangesMeanwhile: a change between the look and the join is told.
func TestGameChangesMeanwhile(t *testing.T) {
	st := newStage(t)
	st.owners = &changing{stage: st}
	ann := st.guest("ann")
	if got := next[wire.Welcome](ann).Game.State; got != "unknown" {
		t.Errorf("welcome tells %s", got)
	}
	if got := next[wire.Game](ann); got.State != "running" || got.MiniGameID != "TinyLoveWar" {
		t.Errorf("%+v", got)
	}
}

// errHasty ends a wait before it begins.
var errHasty = errors.New("the test does not wait")

// TestDrain: everybody hears when to come back, spread out, and is closed with 1012.
func TestDrain(t *testing.T) {
	st := newStage(t, func(cfg *lobbyConfig) { cfg.limits.Return = 4 })
	var guests []*guest
	for i := range 20 {
		guests = append(guests, st.welcomed(fmt.Sprintf("u%d", i)))
	}
	drained := make(chan error, 1)
	go func() { drained <- st.drain(t.Context()) }() // joined by receiving
	after := make(map[int64]bool)
	latest := int64(0)
	for _, g := range guests {
		bye := next[wire.Bye](g)
		low, high := returnMin.Milliseconds(), (returnMin + 21*time.Second/4).Milliseconds()
		if bye.Code != wire.ByeDraining || bye.ReconnectInMS < low || bye.ReconnectInMS > high {
			t.Errorf("%+v", bye)
		}
		after[bye.ReconnectInMS] = true
		latest = max(latest, bye.ReconnectInMS)
		if code := g.end(); code != wire.CloseRestart {
			t.Errorf("closed with %d", code)
		}
	}
	if latest < 2000 { // 20 at 4 a second; all below 2 s happens once in 10^9 times
		t.Errorf("all come back within %d ms", latest)
	}
	if len(after) < 10 {
		t.Errorf("20 viewers come back at %d different times", len(after))
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	// Who has passed the checks just before is turned away.
	conn, err := client.Dial(t.Context(), client.Config{URL: st.url, Room: "r1", Token: st.token("late")})
	if err == nil {
		_, err = conn.Next(t.Context())
	}
	if err == nil {
		t.Error("a viewer came in after the drain")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errHasty)
	if err := st.drain(ctx); err != nil && !errors.Is(err, errHasty) {
		t.Errorf("again: %v", err)
	}
}
