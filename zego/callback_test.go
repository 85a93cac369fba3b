package zego_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// The stamp and signatures are the vectors V4 and V6.
const (
	callbackSecret = "callbacksecret0123456789abcdef00"
	callbackUnix   = 1234567890
	callbackMD5    = "da9867b3b613b59a2f1562c0a48f5f35"
	callbackSHA1   = "722f6668cdc40d614d0f728edfb771de566b3c2d"
)

var callbackNow = time.Unix(callbackUnix, 0)

func newVerifier(t *testing.T, scheme zego.Scheme) *zego.Verifier {
	t.Helper()
	v, err := zego.NewVerifier(zego.VerifierConfig{AppID: 1234567890, Secret: zego.NewSecret(callbackSecret), Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// settlementBody is a callback as the table of ZEGO's page has it, with one
// replacement in pairs old, new.
func settlementBody(pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(`{"AppId":1234567890,"SignatureNonce":"15215528852396","Timestamp":1234567890,
		"Signature":"` + callbackMD5 + `","GameSource":"zego","ReportId":"rep1","ReportType":2,"MiniGameId":"TinyLoveWar",
		"RoomId":"room123","AnchorId":"anchor1","RoundId":"77","ReportTime":1234567890123,
		"DanmakuResult":{"WinTeam":2,"ResultType":1,"UserSize":40,"ExtraData":"{\"k\":1}"}}`)
}

func TestVerifySettlement(t *testing.T) {
	want := zego.Callback{
		ReportID: "rep1", Type: zego.ReportSettlement, MiniGameID: "TinyLoveWar", RoomID: "room123",
		AnchorID: "anchor1", RoundID: "77", At: 1234567890123,
		Result: zego.Settlement{WinTeam: 2, ResultType: 1, UserSize: 40, ExtraData: `{"k":1}`},
	}
	for name, tt := range map[string]struct {
		scheme zego.Scheme
		body   string
	}{
		"md5":  {zego.SchemeMD5, settlementBody()},
		"sha1": {zego.SchemeSHA1, settlementBody(callbackMD5, callbackSHA1)},
		"snake case": {zego.SchemeMD5, `{"app_id":1234567890,"signature_nonce":"15215528852396","timestamp":1234567890,
			"signature":"` + callbackMD5 + `","game_source":"zego","report_id":"rep1","report_type":2,"mini_game_id":"TinyLoveWar",
			"room_id":"room123","anchor_id":"anchor1","round_id":"77","report_time":1234567890123,
			"danmaku_result":{"win_team":2,"result_type":1,"user_size":40,"extra_data":"{\"k\":1}"}}`},
		"url-encoded": {zego.SchemeMD5, url.QueryEscape(settlementBody())},
		"numbers as text": {zego.SchemeMD5, settlementBody(
			`:1234567890,`, `:"1234567890",`, `:2,`, `:"2",`, `"UserSize":40`, `"UserSize":"40"`, `:1234567890123`, `:"1234567890123"`)},
		"text as numbers":     {zego.SchemeMD5, settlementBody(`"15215528852396"`, `15215528852396`, `"77"`, `77`)},
		"time in seconds":     {zego.SchemeMD5, settlementBody(`"ReportTime":1234567890123`, `"ReportTime":1234567890`)},
		"time in a bubble":    {zego.SchemeMD5, settlementBody(`"ReportTime":1234567890123`, `"ReportTime":946684800000`)},
		"no time":             {zego.SchemeMD5, settlementBody(`"ReportTime":1234567890123,`, ``)},
		"ExtraData as object": {zego.SchemeMD5, settlementBody(`"{\"k\":1}"`, `{"k":1}`)},
		"unknown fields":      {zego.SchemeMD5, settlementBody(`"GameSource":"zego"`, `"GameSource":5,"New":{"AppId":1}`)},
	} {
		got, err := newVerifier(t, tt.scheme).Verify([]byte(tt.body), callbackNow)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := want
		switch name {
		case "time in seconds", "no time":
			want.At = 1234567890000
		case "time in a bubble": // 2000-01-01 in ms, where testing/synctest begins
			want.At = 946684800000
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestCallbackGame(t *testing.T) {
	settled, err := newVerifier(t, zego.SchemeMD5).Verify([]byte(settlementBody()), callbackNow)
	if err != nil {
		t.Fatal(err)
	}
	// A start has no result; ZEGO's example of one is null or absent.
	started, err := newVerifier(t, zego.SchemeMD5).Verify([]byte(settlementBody(`"ReportType":2`, `"ReportType":"1"`)), callbackNow)
	if err != nil || started.Result != (zego.Settlement{}) {
		t.Fatalf("%+v, %v", started, err)
	}
	bare, err := newVerifier(t, zego.SchemeMD5).Verify([]byte(settlementBody(
		`{"WinTeam":2,"ResultType":1,"UserSize":40,"ExtraData":"{\"k\":1}"}`, `null`)), callbackNow)
	if err != nil || bare.Result != (zego.Settlement{}) {
		t.Fatalf("%+v, %v", bare, err)
	}
	other, err := newVerifier(t, zego.SchemeMD5).Verify([]byte(settlementBody(`"ReportType":2`, `"ReportType":3`)), callbackNow)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		callback zego.Callback
		game     room.Game
		ok       bool
	}{
		{settled, room.Game{State: room.GameEnded, Round: "77", WinnerTeam: 2, ResultType: 1}, true},
		{bare, room.Game{State: room.GameEnded, Round: "77"}, true},
		{started, room.Game{State: room.GameRunning, Round: "77"}, true},
		{other, room.Game{}, false},
	} {
		if game, ok := tt.callback.Game(); game != tt.game || ok != tt.ok {
			t.Errorf("type %d: %+v %v, want %+v %v", tt.callback.Type, game, ok, tt.game, tt.ok)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	long := strings.Repeat("x", 129)
	for _, tt := range []struct {
		name string
		body string
		now  time.Time
		want error
	}{
		{"empty", "", callbackNow, zego.ErrCallbackMalformed},
		{"no JSON", "hello", callbackNow, zego.ErrCallbackMalformed},
		{"half escaped", "%7B%zz", callbackNow, zego.ErrCallbackMalformed},
		{"escaped no JSON", "%7Bx", callbackNow, zego.ErrCallbackMalformed},
		{"a list", "[]", callbackNow, zego.ErrCallbackMalformed},
		{"trailing", settlementBody() + "{}", callbackNow, zego.ErrCallbackMalformed},
		{"a name twice", settlementBody(`"RoundId":"77"`, `"RoundId":"77","round_id":"78"`), callbackNow, zego.ErrCallbackMalformed},
		{"too large", settlementBody(`"77"`, `"`+strings.Repeat("7", 64<<10)+`"`), callbackNow, zego.ErrCallbackMalformed},
		{"null", "null", callbackNow, zego.ErrCallbackAppID},
		{"another app", settlementBody(`"AppId":1234567890`, `"AppId":1234567891`), callbackNow, zego.ErrCallbackAppID},
		{"another app, 32 bits equal", settlementBody(`"AppId":1234567890`, `"AppId":5529535186`), callbackNow, zego.ErrCallbackAppID},
		{"no app", settlementBody(`"AppId":1234567890,`, ``), callbackNow, zego.ErrCallbackAppID},
		{"no signature", settlementBody(callbackMD5, ""), callbackNow, zego.ErrCallbackSignature},
		{"other scheme", settlementBody(callbackMD5, callbackSHA1), callbackNow, zego.ErrCallbackSignature},
		{"upper case", settlementBody(callbackMD5, strings.ToUpper(callbackMD5)), callbackNow, zego.ErrCallbackSignature},
		{"example of ZEGO's page", settlementBody(callbackMD5, "Pc5WB8gokVn0xfeu%2FZV%2BiNM1dgI%3D"), callbackNow, zego.ErrCallbackSignature},
		{"other nonce", settlementBody("15215528852396", "15215528852397"), callbackNow, zego.ErrCallbackSignature},
		{"other time", settlementBody(`"Timestamp":1234567890`, `"Timestamp":1234567891`), callbackNow, zego.ErrCallbackSignature},
		{"11 minutes old", settlementBody(), callbackNow.Add(11 * time.Minute), zego.ErrCallbackExpired},
		{"601 s old", settlementBody(), callbackNow.Add(601 * time.Second), zego.ErrCallbackExpired},
		{"11 minutes early", settlementBody(), callbackNow.Add(-11 * time.Minute), zego.ErrCallbackExpired},
		{"no report id", settlementBody(`"rep1"`, `""`), callbackNow, zego.ErrCallbackMalformed},
		{"null report id", settlementBody(`"rep1"`, `null`), callbackNow, zego.ErrCallbackMalformed},
		{"long round", settlementBody(`"77"`, `"`+long+`"`), callbackNow, zego.ErrCallbackMalformed},
		{"control in room", settlementBody(`"room123"`, `"a\u0000"`), callbackNow, zego.ErrCallbackMalformed},
		{"no game", settlementBody(`"TinyLoveWar"`, `""`), callbackNow, zego.ErrCallbackMalformed},
		{"long anchor", settlementBody(`"anchor1"`, `"`+long+`"`), callbackNow, zego.ErrCallbackMalformed},
		{"no type", settlementBody(`"ReportType":2,`, ``), callbackNow, zego.ErrCallbackMalformed},
		{"type is a word", settlementBody(`"ReportType":2`, `"ReportType":"start"`), callbackNow, zego.ErrCallbackMalformed},
		{"time before 1970", settlementBody(`:1234567890123`, `:-1`), callbackNow, zego.ErrCallbackMalformed},
		{"time in ns", settlementBody(`:1234567890123`, `:1234567890123000000`), callbackNow, zego.ErrCallbackMalformed},
		{"team is a word", settlementBody(`"WinTeam":2`, `"WinTeam":"red"`), callbackNow, zego.ErrCallbackMalformed},
		{"team out of range", settlementBody(`"WinTeam":2`, `"WinTeam":3000000000`), callbackNow, zego.ErrCallbackMalformed},
		{"result is a list", settlementBody(`"DanmakuResult":{`, `"DanmakuResult":[{`, `"}}`, `"}]}`), callbackNow, zego.ErrCallbackMalformed},
	} {
		got, err := newVerifier(t, zego.SchemeMD5).Verify([]byte(tt.body), tt.now)
		if !errors.Is(err, tt.want) || got != (zego.Callback{}) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if err != nil && (strings.Contains(err.Error(), callbackSecret) || strings.Contains(err.Error(), callbackMD5)) {
			t.Errorf("%s: %q shows a signature or secret", tt.name, err)
		}
	}
	for _, within := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		if _, err := newVerifier(t, zego.SchemeMD5).Verify([]byte(settlementBody()), callbackNow.Add(within)); err != nil {
			t.Errorf("%v off: %v", within, err)
		}
	}
}

func TestNewVerifierNamesAllFaults(t *testing.T) {
	_, err := zego.NewVerifier(zego.VerifierConfig{Scheme: 5})
	if !errors.Is(err, zego.ErrBadConfig) {
		t.Fatal(err)
	}
	for _, part := range []string{"AppID", "CallbackSecret", "scheme"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
	if got := fmt.Sprint(zego.SchemeMD5, zego.SchemeSHA1); got != "md5 sha1" {
		t.Error(got)
	}
}
