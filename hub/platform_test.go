package hub

import (
	"net/http"
	"strings"
	"testing"

	"github.com/giftwire/giftwire/room"
)

// requests is one request for every platform call.
func requests() map[string][3]string {
	id := room.NewMsgID(1, "r1", "u1", "c1").String()
	return map[string][3]string{
		"listRooms":      {http.MethodGet, "/v1/rooms", ""},
		"getRoom":        {http.MethodGet, "/v1/rooms/r1", ""},
		"putRoom":        {http.MethodPut, "/v1/rooms/r1", `{"mini_game_id":"g"}`},
		"deleteRoom":     {http.MethodDelete, "/v1/rooms/r1", ""},
		"postGifts":      {http.MethodPost, "/v1/rooms/r1/gifts", `{"gifts":[]}`},
		"getGift":        {http.MethodGet, "/v1/rooms/r1/gifts/" + id, ""},
		"listOutcomes":   {http.MethodGet, "/v1/rooms/r1/outcomes", ""},
		"postLaunchCode": {http.MethodPost, "/v1/rooms/r1/launch-code", `{}`},
	}
}

func TestPlatformNeedsAKey(t *testing.T) {
	tp := newTestPlatform(t)
	for name, r := range requests() {
		for _, credential := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Basic " + testKey, "Bearer " + testKey + "x", testKey} {
			status, text, h := tp.call(t, r[0], r[1], r[2], header("Authorization", credential))
			wantProblem(t, status, text, http.StatusUnauthorized, codeUnauthorized)
			if h.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: 401 without WWW-Authenticate (RFC 9110, 11.6.1)", name)
			}
		}
	}
	if len(tp.intake.got) != 0 || tp.rooms.all["r1"].game != "TinyLoveWar" {
		t.Error("a refused call had an effect")
	}
	for _, credential := range []string{"bearer " + testKey, "Bearer another-key-of-tests"} {
		if status, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/r1", "", header("Authorization", credential)); status != http.StatusOK {
			t.Errorf("%q: %d %s", credential, status, text)
		}
	}
}

func TestPlatformWhileNotServing(t *testing.T) {
	tp := newTestPlatform(t)
	var ph phase
	tp.closed = ph.closed
	for _, step := range []struct {
		to   int32
		code string
	}{{phaseStarting, codeUnavailable}, {phaseDraining, codeDraining}, {phaseEnded, codeDraining}} {
		ph.to(step.to)
		for name, r := range requests() {
			status, text, h := tp.call(t, r[0], r[1], r[2])
			wantProblem(t, status, text, http.StatusServiceUnavailable, step.code)
			if h.Get("Retry-After") == "" {
				t.Errorf("%s: 503 without Retry-After", name)
			}
		}
		status, text, _ := tp.call(t, http.MethodPost, "/v1/zego/callback", `{}`)
		wantProblem(t, status, text, http.StatusServiceUnavailable, step.code)
	}
}

func TestPlatformUnknownRoom(t *testing.T) {
	tp := newTestPlatform(t)
	for name, r := range requests() {
		if name == "listRooms" || name == "putRoom" {
			continue
		}
		status, text, _ := tp.call(t, r[0], strings.Replace(r[1], "/r1", "/nobody", 1), r[2])
		wantProblem(t, status, text, http.StatusNotFound, codeRoomNotFound)
		status, text, _ = tp.call(t, r[0], strings.Replace(r[1], "/r1", "/no.body", 1), r[2])
		wantProblem(t, status, text, http.StatusBadRequest, codeBadRoom)
	}
}

func TestPlatformMethodsAndPaths(t *testing.T) {
	tp := newTestPlatform(t)
	for path, method := range map[string]string{
		"/v1/rooms": http.MethodPost, "/v1/rooms/r1": http.MethodPatch, "/v1/rooms/r1/gifts": http.MethodGet,
		"/v1/rooms/r1/outcomes": http.MethodDelete, "/v1/zego/callback": http.MethodGet, "/v1/openapi.json": http.MethodPost,
	} {
		status, text, h := tp.call(t, method, path, "")
		wantProblem(t, status, text, http.StatusMethodNotAllowed, codeMethodNotAllowed)
		if h.Get("Allow") == "" {
			t.Errorf("%s %s: 405 without Allow", method, path)
		}
	}
	for _, path := range []string{"/", "/v1", "/v2/rooms", "/v1/rooms/r1/x", "/metrics", "/healthz", "/readyz", "/debug/pprof/", "/v1/rooms/r1/gifts/a/b"} {
		status, text, _ := tp.call(t, http.MethodGet, path, "")
		wantProblem(t, status, text, http.StatusNotFound, codeNotFound)
	}
}

func TestDocumentsAreServed(t *testing.T) {
	tp := newTestPlatform(t)
	tp.closed = func() *problem { return newProblem(http.StatusServiceUnavailable, codeDraining, "") }
	for _, name := range []string{"openapi", "asyncapi"} {
		status, text, h := tp.call(t, http.MethodGet, "/v1/"+name+".json", "", header("Authorization", ""))
		if status != http.StatusOK || h.Get("Content-Type") != "application/json" || !strings.Contains(text, `"`+name+`"`) {
			t.Errorf("%s: %d %s", name, status, h.Get("Content-Type"))
		}
	}
}
