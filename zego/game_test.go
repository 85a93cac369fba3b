package zego_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

func TestGameReport(t *testing.T) {
	g := zego.Game{Verifier: newVerifier(t, zego.SchemeMD5)}
	want := room.Report{
		ID: "rep1", Room: "room123", GameID: "TinyLoveWar", Anchor: "anchor1", At: 1234567890123,
		Game: room.Game{State: room.GameEnded, Round: "77", WinnerTeam: 2, ResultType: 1},
	}
	got, err := g.Report([]byte(settlementBody()), callbackNow)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	want.Game = room.Game{}
	got, err = g.Report([]byte(settlementBody(`"ReportType":2`, `"ReportType":9`)), callbackNow)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for _, tt := range []struct {
		name string
		game zego.Game
		body string
		now  time.Time
		is   error
	}{
		{"no secret", zego.Game{}, settlementBody(), callbackNow, room.ErrForgedReport},
		{"no secret, no JSON", zego.Game{}, "x", callbackNow, room.ErrForgedReport},
		{"forged", g, settlementBody(callbackMD5, strings.Repeat("0", 32)), callbackNow, room.ErrForgedReport},
		{"another app", g, settlementBody(`"AppId":1234567890`, `"AppId":1`), callbackNow, room.ErrForgedReport},
		{"too old", g, settlementBody(), callbackNow.Add(time.Hour), room.ErrForgedReport},
		{"no JSON", g, "x", callbackNow, room.ErrBadReport},
		{"no room", g, settlementBody(`"room123"`, `""`), callbackNow, room.ErrBadReport},
	} {
		got, err := tt.game.Report([]byte(tt.body), tt.now)
		if !errors.Is(err, tt.is) || got != (room.Report{}) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.is)
		}
	}
}

func TestGameLaunchCode(t *testing.T) {
	d := newDoor(t, says(`{"Code":0,"Message":"ok","RequestId":"1","Data":{"GameLaunchCode":"123456789"}}`))
	launch := room.Launch{Room: "r1", GameID: "g", Anchor: roomUser()}
	code, ans := zego.Game{Client: newClient(t, d.URL)}.LaunchCode(t.Context(), launch)
	if code != "123456789" || ans.Outcome != room.Consumed || ans.RequestID != "1" {
		t.Errorf("%q %+v", code, ans)
	}
	const body = `{"RoomId":"r1","MiniGameId":"g","AnchorId":"user1","Nickname":"test1","Avatar":"http://img.example/1.png","Sex":2}`
	if got := d.seen()[0]; got.body != body {
		t.Errorf("%s, want %s", got.body, body)
	}
	d.answer = says(`{"Code":7206004,"Message":"held"}`)
	code, ans = zego.Game{Client: newClient(t, d.URL)}.LaunchCode(t.Context(), launch)
	if code != "" || ans.Outcome != room.NotTaken || ans.Code != zego.CodeRoomOccupied {
		t.Errorf("%q %+v", code, ans)
	}
}
