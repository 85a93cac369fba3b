package hub

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/room"
)

func TestReadyTellsEveryCheck(t *testing.T) {
	checks := []healthCheck{failing("journal", nil), {Name: "zego", Status: checkWarn, Detail: "config"}}
	h := router{routes: adminRoutes(serveReady("n1", func() []healthCheck { return checks }), http.NotFoundHandler())}.handler()
	w := get(t, h, http.MethodGet, "/readyz")
	const want = `{"status":"ready","node":"n1","checks":[{"name":"journal","status":"ok"},{"name":"zego","status":"warn","detail":"config"}]}`
	if w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("%d %s, want 200 %s", w.Code, w.Body, want)
	}
	checks = append(checks, failing("rooms", errors.New("not loaded")))
	w = get(t, h, http.MethodGet, "/readyz")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"not loaded"`) ||
		!strings.Contains(w.Body.String(), `"status":"unready"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w = get(t, h, http.MethodGet, "/healthz"); w.Code != http.StatusOK || w.Body.String() != `{"status":"alive"}` {
		t.Errorf("healthz: %d %s", w.Code, w.Body)
	}
}

func TestAdminServesProfiles(t *testing.T) {
	h := router{routes: adminRoutes(serveAlive, http.NotFoundHandler())}.handler()
	for path, want := range map[string]string{
		"/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "goroutine profile",
	} {
		if w := get(t, h, http.MethodGet, path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	// The process's name, not its flags: secrets may be among them.
	if w := get(t, h, http.MethodGet, "/debug/pprof/cmdline"); w.Code != http.StatusOK || w.Body.String() != filepath.Base(os.Args[0]) {
		t.Errorf("cmdline: %d %q", w.Code, w.Body)
	}
	if w := get(t, h, http.MethodGet, "/v1/rooms"); w.Code != http.StatusNotFound {
		t.Errorf("the admin handler serves the platform API: %d", w.Code)
	}
}

func TestAlarmsAreAReadinessDetailForAMinute(t *testing.T) {
	var l alarmLog
	now := time.Unix(1000, 0)
	if c := l.check(now); c.Status != checkOK {
		t.Errorf("without alarms: %+v", c)
	}
	l.raise("r1", room.Alarm{Class: room.ClassNoGame, Message: "older"}, now)
	l.raise("r2", room.Alarm{Class: room.ClassConfig, Message: "signature wrong"}, now.Add(time.Second))
	c := l.check(now.Add(30 * time.Second))
	if c.Status != checkWarn || c.Detail != "room r2: config: signature wrong" {
		t.Errorf("after an alarm: %+v", c)
	}
	if c := l.check(now.Add(time.Minute + time.Second)); c.Status != checkOK {
		t.Errorf("a minute later: %+v", c)
	}
}
