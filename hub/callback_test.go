package hub

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

func startReport() room.Report {
	return room.Report{ID: "rep1", Room: "r1", GameID: "TinyLoveWar", Anchor: "anchor1", Game: room.Game{State: room.GameRunning, Round: "77"}, At: 5}
}

func TestCallbackIsAnsweredWhenStored(t *testing.T) {
	tp := newTestPlatform(t)
	tp.game.report = startReport()
	for _, contentType := range []string{"application/json", "application/x-www-form-urlencoded", ""} {
		status, text, _ := tp.call(t, http.MethodPost, "/v1/zego/callback", `{"x":1}`,
			header("Content-Type", contentType), header("Authorization", ""))
		if status != http.StatusOK || text != `{"Code":200,"Message":"succeed"}` {
			t.Errorf("%q: %d %s", contentType, status, text)
		}
	}
	want := journal.Entry{Callback: &journal.Callback{
		Room: "r1", GameID: "TinyLoveWar", ReportID: "rep1", Game: room.Game{State: room.GameRunning, Round: "77"}, At: 5,
	}}
	if len(tp.journal.entries) != 3 { // the owner, not the hub, knows which are repeats
		t.Fatalf("%d entries stored, want 3", len(tp.journal.entries))
	}
	if diff := cmp.Diff(want, tp.journal.entries[0]); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

func TestCallbackOfAnUnknownTypeIsTakenAndNotStored(t *testing.T) {
	tp := newTestPlatform(t)
	tp.game.report = startReport()
	tp.game.report.Game = room.Game{}
	if status, text, _ := tp.call(t, http.MethodPost, "/v1/zego/callback", `{}`); status != http.StatusOK || len(tp.journal.entries) != 0 {
		t.Errorf("%d %s, %d entries stored", status, text, len(tp.journal.entries))
	}
}

func TestCallbackRefused(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(*testPlatform)
		body    string
		status  int
		code    string
	}{
		{"no secret configured", func(tp *testPlatform) { tp.platform.game = nil }, `{}`, 401, codeBadSignature},
		{"forged", func(tp *testPlatform) { tp.game.err = fmt.Errorf("x: %w", room.ErrForgedReport) }, `{}`, 401, codeBadSignature},
		{"malformed", func(tp *testPlatform) { tp.game.err = fmt.Errorf("x: %w", room.ErrBadReport) }, `{}`, 400, codeBadRequest},
		{"unknown room", func(tp *testPlatform) { tp.game.report.Room = "nobody" }, `{}`, 404, codeRoomNotFound},
		{"room that cannot be", func(tp *testPlatform) { tp.game.report.Room = "a b" }, `{}`, 404, codeRoomNotFound},
		{"large", func(*testPlatform) {}, strings.Repeat("x", 64<<10+1), 413, codeTooLarge},
		{"journal refuses", func(tp *testPlatform) { tp.journal.refuse = journal.ErrUnavailable }, `{}`, 503, codeUnavailable},
		{"journal fails", func(tp *testPlatform) { tp.journal.fail = journal.ErrUnknown }, `{}`, 503, codeUnavailable},
		{"journal silent", func(tp *testPlatform) { tp.journal.noAnswers = true }, `{}`, 503, codeUnavailable},
		{"verifier broken", func(tp *testPlatform) { tp.game.err = errors.New("boom") }, `{}`, 500, codeInternal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tp := newTestPlatform(t)
			tp.game.report = startReport()
			tt.prepare(tp)
			status, text, _ := tp.call(t, http.MethodPost, "/v1/zego/callback", tt.body)
			wantProblem(t, status, text, tt.status, tt.code)
			if len(tp.journal.entries) != 0 {
				t.Error("a refused callback was stored")
			}
		})
	}
}
