package hub

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

func TestRoomLifecycle(t *testing.T) {
	tp := newTestPlatform(t)
	const put = `{"mini_game_id":"Other","anchor_id":"a2","require_running":true}`
	status, text, _ := tp.call(t, http.MethodPut, "/v1/rooms/r2", put)
	if status != http.StatusCreated {
		t.Fatalf("create: %d %s", status, text)
	}
	want := `{"room":"r2","mini_game_id":"Other","anchor_id":"a2","require_running":true,"owner":"n1","viewers":3,` +
		`"game":{"state":"unknown","round_id":""},"counters":{"accepted":0,"delivered":0,"failed":0,"unresolved":0,"pending":0}}`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("created room (-want +got):\n%s", diff)
	}
	if status, _, _ = tp.call(t, http.MethodPut, "/v1/rooms/r2", `{"mini_game_id":"Other"}`); status != http.StatusOK {
		t.Errorf("change: %d, want 200", status)
	}
	if r, _ := tp.rooms.Get("r2"); r.anchor != "" || r.requireRunning {
		t.Errorf("PUT does not replace: %+v", r)
	}
	for range 2 { // a client that has not heard the answer deletes again
		if status, text, _ = tp.call(t, http.MethodDelete, "/v1/rooms/r2", ""); status != http.StatusNoContent || text != "" {
			t.Errorf("delete: %d %s", status, text)
		}
	}
	status, text, _ = tp.call(t, http.MethodGet, "/v1/rooms/r2", "")
	wantProblem(t, status, text, http.StatusNotFound, codeRoomNotFound)
	if status, _, _ = tp.call(t, http.MethodPut, "/v1/rooms/r2", put); status != http.StatusCreated {
		t.Errorf("revive: %d, want 201", status)
	}
}

func TestRoomShowsGameAndCounters(t *testing.T) {
	tp := newTestPlatform(t)
	tp.ledgers.state = owner.RoomState{
		Accepted: 9, Open: 1, Totals: journal.Totals{Delivered: 6, Failed: 1, Unresolved: 1},
		GameID: "TinyLoveWar", Game: room.Game{State: room.GameEnded, Round: "77", WinnerTeam: 2, ResultType: 1},
	}
	_, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/r1", "")
	got := decoded[roomBody](t, text)
	if want := (countersBody{9, 6, 1, 1, 1}); got.Counters != want {
		t.Errorf("counters %+v, want %+v", got.Counters, want)
	}
	if got.Game.State != "ended" || got.Game.RoundID != "77" || *got.Game.WinnerTeam != 2 || *got.Game.ResultType != 1 {
		t.Errorf("game %s", text)
	}
}

func TestRoomPutRefuses(t *testing.T) {
	tp := newTestPlatform(t)
	tests := []struct {
		name, path, body string
		status           int
		code             string
	}{
		{"no game", "/v1/rooms/r1", `{}`, 400, codeBadRequest},
		{"empty game", "/v1/rooms/r1", `{"mini_game_id":""}`, 400, codeBadRequest},
		{"long game", "/v1/rooms/r1", `{"mini_game_id":"` + strings.Repeat("g", 129) + `"}`, 400, codeBadRequest},
		{"control character", "/v1/rooms/r1", `{"mini_game_id":"a\u0007"}`, 400, codeBadRequest},
		{"anchor with a dash", "/v1/rooms/r1", `{"mini_game_id":"g","anchor_id":"a-1"}`, 400, codeBadRequest},
		{"unknown member", "/v1/rooms/r1", `{"mini_game_id":"g","owner":"me"}`, 400, codeBadRequest},
		{"wrong case", "/v1/rooms/r1", `{"Mini_game_id":"g"}`, 400, codeBadRequest},
		{"trailing", "/v1/rooms/r1", `{"mini_game_id":"g"}{}`, 400, codeBadRequest},
		{"no body", "/v1/rooms/r1", ``, 400, codeBadRequest},
		{"large body", "/v1/rooms/r1", `{"mini_game_id":"` + strings.Repeat("g", 64<<10) + `"}`, 413, codeTooLarge},
		{"bad room", "/v1/rooms/r.1", `{"mini_game_id":"g"}`, 400, codeBadRoom},
		{"escaped slash", "/v1/rooms/r%2F1", `{"mini_game_id":"g"}`, 400, codeBadRoom},
		{"long room", "/v1/rooms/" + strings.Repeat("r", 65), `{"mini_game_id":"g"}`, 400, codeBadRoom},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, text, _ := tp.call(t, http.MethodPut, tt.path, tt.body)
			wantProblem(t, status, text, tt.status, tt.code)
		})
	}
	if r, _ := tp.rooms.Get("r1"); r.game != "TinyLoveWar" {
		t.Errorf("a refused PUT has changed the room: %+v", r)
	}
	status, text, _ := tp.call(t, http.MethodPut, "/v1/rooms/r1", `{"mini_game_id":"g"}`, header("Content-Encoding", "br"))
	wantProblem(t, status, text, http.StatusUnsupportedMediaType, codeUnsupportedMedia)
}

func TestRoomStoreAway(t *testing.T) {
	tp := newTestPlatform(t)
	tp.rooms.fail = errors.New("nats: no responders")
	for _, c := range []struct{ method, body string }{{http.MethodPut, `{"mini_game_id":"g"}`}, {http.MethodDelete, ""}} {
		status, text, h := tp.call(t, c.method, "/v1/rooms/r1", c.body)
		wantProblem(t, status, text, http.StatusServiceUnavailable, codeUnavailable)
		if h.Get("Retry-After") != "1" || strings.Contains(text, "responders") {
			t.Errorf("%s: Retry-After %q, body %s", c.method, h.Get("Retry-After"), text)
		}
	}
}

func TestRoomOwnerAway(t *testing.T) {
	tp := newTestPlatform(t)
	tp.ledgers.away = true
	for _, path := range []string{"/v1/rooms", "/v1/rooms/r1"} {
		status, text, _ := tp.call(t, http.MethodGet, path, "")
		wantProblem(t, status, text, http.StatusServiceUnavailable, codeUnavailable)
	}
	status, text, _ := tp.call(t, http.MethodPut, "/v1/rooms/new", `{"mini_game_id":"g"}`)
	wantProblem(t, status, text, http.StatusServiceUnavailable, codeUnavailable)
	if _, made := tp.rooms.Get("new"); made {
		t.Error("a 503 has made the room")
	}
}

func TestRoomList(t *testing.T) {
	tp := newTestPlatform(t)
	for i := range 5 {
		id := fmt.Sprintf("s%d", i)
		tp.rooms.all[id] = roomConfig{id: id, game: "g"}
	}
	var seen []string
	for after, pages := "", 0; ; pages++ {
		_, text, _ := tp.call(t, http.MethodGet, "/v1/rooms?limit=2&after="+after, "")
		page := decoded[roomList](t, text)
		for _, r := range page.Rooms {
			seen = append(seen, r.Room)
		}
		if after = page.Next; after == "" {
			if pages != 2 { // 6 rooms: the third page is full and the last
				t.Errorf("%d pages before the last, want 2", pages)
			}
			break
		}
	}
	if diff := cmp.Diff([]string{"r1", "s0", "s1", "s2", "s3", "s4"}, seen); diff != "" {
		t.Errorf("rooms (-want +got):\n%s", diff)
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "limit=", "limit=1.5", "after=a.b"} {
		status, text, _ := tp.call(t, http.MethodGet, "/v1/rooms?"+query, "")
		wantProblem(t, status, text, http.StatusBadRequest, codeBadRequest)
	}
}
