package zego_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

func TestGameReports(t *testing.T) {
	secret := zego.NewSecret("callbacksecret0123456789abcdef00")
	verifier, err := zego.NewVerifier(zego.VerifierConfig{AppID: 1234567890, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	body := func(kind int) []byte {
		stamp := zego.Stamp{AppID: 1234567890, Nonce: "15215528852396", Unix: 1234567890}
		return fmt.Appendf(nil, `{"AppId":1234567890,"SignatureNonce":"15215528852396","Timestamp":1234567890,"Signature":%q,`+
			`"GameSource":"zego","ReportId":"rep1","ReportType":%d,"MiniGameId":"TinyLoveWar","RoomId":"r1","AnchorId":"a1",`+
			`"RoundId":"77","ReportTime":1234567890123,"DanmakuResult":{"WinTeam":"2","ResultType":1}}`,
			stamp.SignCallback(secret, zego.SchemeMD5), kind)
	}
	now := time.Unix(1234567890, 0)
	report := room.Report{ID: "rep1", Room: "r1", GameID: "TinyLoveWar", Anchor: "a1", At: 1234567890123}
	for kind, game := range map[int]room.Game{
		1: {State: room.GameRunning, Round: "77"},
		2: {State: room.GameEnded, Round: "77", WinnerTeam: 2, ResultType: 1},
		9: {}, // a type that ZEGO may add
	} {
		want := report
		want.Game = game
		got, err := zego.Game{Verifier: verifier}.Report(body(kind), now)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("type %d: %v (-want +got):\n%s", kind, err, diff)
		}
	}
	for name, tt := range map[string]struct {
		game zego.Game
		body []byte
		now  time.Time
		want error
	}{
		"no verifier": {zego.Game{}, body(1), now, room.ErrForgedReport},
		"too old":     {zego.Game{Verifier: verifier}, body(1), now.Add(time.Hour), room.ErrForgedReport},
		"not JSON":    {zego.Game{Verifier: verifier}, []byte("x"), now, room.ErrBadReport},
	} {
		if _, err := tt.game.Report(tt.body, tt.now); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestGameLaunchCode(t *testing.T) {
	launch := room.Launch{Room: "r1", GameID: "TinyLoveWar", Anchor: room.User{
		ID: "a1", Nickname: "Ann", Avatar: "https://x.example/a.png", Sex: room.Female,
	}}
	good := newDoor(t, says(`{"Code":0,"Message":"succeed","RequestId":"q","Data":{"GameLaunchCode":"101010512"}}`))
	code, answer := zego.Game{Client: newClient(t, good.URL)}.LaunchCode(t.Context(), launch)
	if code != "101010512" || answer.Outcome != room.Consumed || answer.RequestID != "q" {
		t.Errorf("code %q, answer %+v", code, answer)
	}
	bad := newDoor(t, says(`{"Code":7206004,"Message":"occupied"}`))
	code, answer = zego.Game{Client: newClient(t, bad.URL)}.LaunchCode(t.Context(), launch)
	if code != "" || answer.Outcome != room.NotTaken || answer.Code != zego.CodeRoomOccupied {
		t.Errorf("code %q, answer %+v", code, answer)
	}
}
