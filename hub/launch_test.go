package hub

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

const launchPath = "/v1/rooms/r1/launch-code"

func TestLaunchCode(t *testing.T) {
	tp := newTestPlatform(t)
	tp.game.code, tp.game.answer = "101010512", room.Answer{Outcome: room.Consumed}
	status, text, _ := tp.call(t, http.MethodPost, launchPath, `{"nickname":"Bea","avatar":"https://x.example/b.png","sex":1}`)
	const want = `{"room":"r1","mini_game_id":"TinyLoveWar","anchor_id":"anchor1","launch_code":"101010512"}`
	if status != http.StatusOK || text != want {
		t.Errorf("%d %s, want 200 %s", status, text, want)
	}
	wantAsked := []room.Launch{{Room: "r1", GameID: "TinyLoveWar", Anchor: room.User{
		ID: "anchor1", Nickname: "Bea", Avatar: "https://x.example/b.png", Sex: room.Male,
	}}}
	if diff := cmp.Diff(wantAsked, tp.game.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	status, text, h := tp.call(t, http.MethodPost, launchPath, `{}`)
	wantProblem(t, status, text, http.StatusTooManyRequests, codeRateLimited)
	if h.Get("Retry-After") == "" || len(tp.game.asked) != 1 {
		t.Errorf("second ask within 10 s: Retry-After %q, ZEGO asked %d times", h.Get("Retry-After"), len(tp.game.asked))
	}
}

func TestLaunchCodeRefused(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(*testPlatform)
		body    string
		status  int
		code    string
		asks    int // calls to ZEGO
	}{
		{"running", func(tp *testPlatform) {
			tp.ledgers.state = owner.RoomState{Game: room.Game{State: room.GameRunning}}
		}, `{}`, 409, codeGameRunning, 0},
		{"no anchor", func(tp *testPlatform) { tp.rooms.all["r1"] = roomConfig{id: "r1", game: "g"} }, `{}`, 409, codeNoAnchor, 0},
		{"owner away", func(tp *testPlatform) { tp.ledgers.away = true }, `{}`, 503, codeUnavailable, 0},
		{"no game platform", func(tp *testPlatform) { tp.platform.game = nil }, `{}`, 503, codeUnavailable, 0},
		{"bad nickname", func(*testPlatform) {}, `{"nickname":""}`, 400, codeBadRequest, 0},
		{"bad avatar", func(*testPlatform) {}, `{"avatar":"ftp://x"}`, 400, codeBadRequest, 0},
		{"unknown member", func(*testPlatform) {}, `{"anchor_id":"a"}`, 400, codeBadRequest, 0},
		{"no body", func(*testPlatform) {}, ``, 400, codeBadRequest, 0},
		{"other anchor", func(tp *testPlatform) { tp.game.answer = room.Answer{Outcome: room.NotTaken, Code: 7206004} }, `{}`, 409, codeRoomOccupied, 1},
		{"too often", func(tp *testPlatform) { tp.game.answer = room.Answer{Outcome: room.NotTaken, Code: 7206005} }, `{}`, 429, codeRateLimited, 1},
		{"other code", func(tp *testPlatform) { tp.game.answer = room.Answer{Outcome: room.NotTaken, Code: 7202001} }, `{}`, 502, codeGameRefused, 1},
		{"our own mistake", func(tp *testPlatform) {
			tp.game.answer = room.Answer{Outcome: room.NotTaken, Class: room.ClassBadRequest}
		}, `{}`, 502, codeGameRefused, 1},
		{"silence", func(*testPlatform) {}, `{}`, 504, codeGameSilent, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tp := newTestPlatform(t)
			tt.prepare(tp)
			status, text, _ := tp.call(t, http.MethodPost, launchPath, tt.body)
			wantProblem(t, status, text, tt.status, tt.code)
			if len(tp.game.asked) != tt.asks {
				t.Errorf("ZEGO was asked %d times, want %d", len(tp.game.asked), tt.asks)
			}
		})
	}
}

func TestLaunchCodeBody(t *testing.T) {
	tp := newTestPlatform(t)
	status, text, _ := tp.call(t, http.MethodPost, launchPath, `{"nickname":"`+strings.Repeat("n", 64<<10)+`"}`)
	wantProblem(t, status, text, http.StatusRequestEntityTooLarge, codeTooLarge)
	status, text, _ = tp.call(t, http.MethodPost, launchPath, `{}`, header("Content-Encoding", "gzip"))
	wantProblem(t, status, text, http.StatusUnsupportedMediaType, codeUnsupportedMedia)
}

func TestLaunchGuardForgets(t *testing.T) {
	g := newLaunchGuard(10 * time.Second)
	now := time.Unix(1000, 0)
	if wait := g.take("r1", now); wait != 0 {
		t.Errorf("first: wait %v", wait)
	}
	if wait := g.take("r1", now.Add(4*time.Second)); wait != 6*time.Second {
		t.Errorf("after 4 s: wait %v, want 6s", wait)
	}
	if wait := g.take("r2", now.Add(4*time.Second)); wait != 0 {
		t.Errorf("another room waits %v", wait)
	}
	if wait := g.take("r1", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("after 10 s: wait %v", wait)
	}
	g.take("r3", now.Add(time.Hour))
	if len(g.last) != 1 {
		t.Errorf("%d rooms remembered an hour later, want 1", len(g.last))
	}
}
