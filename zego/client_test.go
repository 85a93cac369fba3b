package zego_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// TestGiftsOnTheWire holds the body of ZEGO's example (zego.md 1.1.1; its Avatar,
// the bare "http://", is no URL that we would send), and the query parameters.
func TestGiftsOnTheWire(t *testing.T) {
	d := newDoor(t, says(`{"Code":0,"Message":"succeed","RequestId":"abcd123",
		"Data":{"Results":[{"Result":0,"Msg":"success","MsgId":"445623452643416236"}]}}`))
	c := newClient(t, d.URL)
	resp, err := c.SendDanmakuGifts(t.Context(), testGifts())
	if err != nil {
		t.Fatal(err)
	}
	want := &zego.GiftsResponse{
		Response: zego.Response{RequestID: "abcd123", Message: "succeed"},
		Results:  []zego.Result{{MsgID: "445623452643416236", Message: "success"}},
	}
	if diff := cmp.Diff(want, resp); diff != "" {
		t.Error(diff)
	}
	got := d.seen()[0]
	const body = `{"RoomId":"room123","MiniGameId":"TinyLoveWar","GiftList":[` +
		`{"UserInfo":{"UserId":"user1","Nickname":"test1","Avatar":"http://img.example/1.png","Sex":1},` +
		`"GiftInfo":{"GiftId":"g1","Value":5,"Num":2},` +
		`"ReceiverId":"anchor111","Timestamp":12312312,"MsgId":"445623452643416236"}]}`
	if got.body != body {
		t.Errorf("body\n%s, want\n%s", got.body, body)
	}
	if got.method != http.MethodPost || got.path != "/" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %s", got.method, got.path, got.header.Get("Content-Type"))
	}
	nonce := got.query["SignatureNonce"][0]
	if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(nonce) {
		t.Errorf("nonce %q", nonce)
	}
	stamp := zego.Stamp{AppID: testAppID, Nonce: nonce, Unix: testNow.Unix()}
	wantQuery := map[string][]string{
		"Action": {"SendDanmakuGifts"}, "AppId": {"12345"}, "SignatureNonce": {nonce}, "Timestamp": {"1700000000"},
		"Signature": {stamp.SignRequest(zego.NewSecret(testSecret))}, "SignatureVersion": {"2.0"},
	}
	if diff := cmp.Diff(wantQuery, got.query); diff != "" {
		t.Error(diff)
	}
}

func TestEveryCallHasItsOwnNonce(t *testing.T) {
	d := newDoor(t, says(okEmpty))
	c := newClient(t, d.URL)
	nonces := map[string]bool{}
	for range 50 {
		if _, err := c.SendDanmakuGifts(t.Context(), testGifts()); err != nil {
			t.Fatal(err)
		}
	}
	for _, got := range d.seen() {
		nonces[got.query["SignatureNonce"][0]] = true
	}
	if len(nonces) != 50 {
		t.Errorf("50 calls had %d nonces", len(nonces))
	}
}

func TestOtherCallsOnTheWire(t *testing.T) {
	user := testUser()
	user.Sex = 3 // not sent
	const userJSON = `{"UserId":"user1","Nickname":"test1","Avatar":"http://img.example/1.png"}`
	for _, tt := range []struct {
		action string
		call   func(*zego.Client) error
		body   string
	}{
		{"SendDanmakuComments", func(c *zego.Client) error {
			_, err := c.SendDanmakuComments(t.Context(), zego.CommentsRequest{
				RoomID: "r", MiniGameID: "g", Comments: []zego.Comment{{User: user, Content: "6"}},
			})
			return err
		}, `{"RoomId":"r","MiniGameId":"g","CommentList":[{"UserInfo":` + userJSON + `,"Content":"6"}]}`},
		{"SendDanmakuLikes", func(c *zego.Client) error {
			_, err := c.SendDanmakuLikes(t.Context(), zego.LikesRequest{
				RoomID: "r", MiniGameID: "g", Likes: []zego.Like{{User: user, Amount: 7}},
			})
			return err
		}, `{"RoomId":"r","MiniGameId":"g","LikeList":[{"UserInfo":` + userJSON + `,"Amount":7}]}`},
		{"DescribeDanmakuMsgResults", func(c *zego.Client) error {
			_, err := c.DescribeDanmakuMsgResults(t.Context(), zego.ResultsRequest{
				RoomID: "r", MiniGameID: "g", MsgIDs: []string{"a", "b"},
			})
			return err
		}, `{"RoomId":"r","MiniGameId":"g","MsgIdList":["a","b"]}`},
		{"DescribeDanmakuMsgResults", func(c *zego.Client) error {
			_, err := c.DescribeDanmakuMsgResults(t.Context(), zego.ResultsRequest{
				RoomID: "r", MiniGameID: "g", MsgIDs: []string{"a"}, Days: 90,
			})
			return err
		}, `{"RoomId":"r","MiniGameId":"g","MsgIdList":["a"],"Duration":90}`},
		{"DescribeGameLaunchCode", func(c *zego.Client) error {
			got, err := c.DescribeGameLaunchCode(t.Context(), zego.LaunchCodeRequest{
				RoomID: "r", MiniGameID: "g", AnchorID: "a1", Nickname: "Ann", Avatar: "https://x.example/a", Sex: 2,
			})
			if err == nil && got.LaunchCode != "101010512" {
				t.Errorf("launch code %q", got.LaunchCode)
			}
			return err
		}, `{"RoomId":"r","MiniGameId":"g","AnchorId":"a1","Nickname":"Ann","Avatar":"https://x.example/a","Sex":2}`},
	} {
		d := newDoor(t, says(`{"Code":0,"Message":"","RequestId":"1","Data":{"GameLaunchCode":"101010512"}}`))
		if err := tt.call(newClient(t, d.URL)); err != nil {
			t.Errorf("%s: %v", tt.action, err)
			continue
		}
		got := d.seen()[0]
		if got.query["Action"][0] != tt.action || got.body != tt.body {
			t.Errorf("%s\n%s, want %s\n%s", got.query["Action"][0], got.body, tt.action, tt.body)
		}
	}
}

func TestNewNamesAllFaults(t *testing.T) {
	_, err := zego.New(zego.Config{BaseURL: "ftp://user:password@host/path"})
	if !errors.Is(err, zego.ErrBadConfig) {
		t.Fatalf("%v is no ErrBadConfig", err)
	}
	for _, part := range []string{"BaseURL", "AppID", "ServerSecret"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
	if strings.Contains(err.Error(), "password") {
		t.Errorf("%q repeats the URL", err)
	}
}

func TestBaseURL(t *testing.T) {
	for base, ok := range map[string]bool{
		"https://mini-game-api.zego.im":   true,
		"https://mini-game-api.zego.im/":  true,
		"http://127.0.0.1:8090":           true,
		"http://[::1]:8090":               true,
		"":                                false,
		"mini-game-api.zego.im":           false,
		"https://":                        false,
		"https://:443":                    false,
		"https://host/v1":                 false,
		"https://host?x=1":                false,
		"https://host#x":                  false,
		"https://u:p@host":                false,
		"ftp://host":                      false,
		"https://host\x00":                false,
		"https://host:port":               false,
		"unix:///var/run/zego.sock":       false,
		"https://mini-game-api.zego.im//": true,
	} {
		_, err := zego.New(zego.Config{BaseURL: base, AppID: 1, ServerSecret: zego.NewSecret("s")})
		if (err == nil) != ok {
			t.Errorf("%q: %v", base, err)
		}
	}
}

// TestSecretsStayInside prints whatever holds a secret in every way that fmt has.
func TestSecretsStayInside(t *testing.T) {
	const secret = "topsecret0123456789"
	cfg := zego.Config{BaseURL: "https://x.example", AppID: 7, ServerSecret: zego.NewSecret(secret)}
	c, err := zego.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	vcfg := zego.VerifierConfig{AppID: 7, Secret: zego.NewSecret(secret)}
	v, err := zego.NewVerifier(vcfg)
	if err != nil {
		t.Fatal(err)
	}
	// fmt calls no methods on unexported fields: there the raw value is printed.
	hidden := struct {
		cfg    zego.Config
		secret zego.Secret
		client zego.Client
	}{cfg, cfg.ServerSecret, *c}
	for _, value := range []any{cfg, &cfg, c, *c, v, *v, vcfg, hidden, &hidden, cfg.ServerSecret, []any{c, cfg}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if out := fmt.Sprintf(verb, value); strings.Contains(out, secret) || strings.Contains(out, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s of %T shows the secret: %s", verb, value, out)
			}
		}
	}
	if text, err := cfg.ServerSecret.MarshalText(); err != nil || strings.Contains(string(text), secret) {
		t.Errorf("MarshalText: %s, %v", text, err)
	}
	if got := c.String(); got != "zego.Client(https://x.example/, AppId 7)" {
		t.Error(got)
	}
	if got := fmt.Sprint(zego.NewSecret(""), zego.Secret{}.IsZero(), zego.NewSecret("x")); got != "[no secret] true [redacted]" {
		t.Error(got)
	}
}

func TestActions(t *testing.T) {
	want := map[zego.Action]int{
		zego.ActionGifts: 20, zego.ActionComments: 50, zego.ActionLikes: 100, zego.ActionQuery: 20, zego.ActionLaunch: 20,
	}
	for _, a := range zego.Actions() {
		if a.PerSecond() != want[a] {
			t.Errorf("%s: %d a second, want %d", a, a.PerSecond(), want[a])
		}
		delete(want, a)
	}
	if len(want) > 0 || zego.Action("X").PerSecond() != 0 {
		t.Errorf("missing %v", want)
	}
	// What a room may use stays below what ZEGO allows.
	for action, most := range map[zego.Action]int{
		zego.ActionGifts: room.GiftCallsPerSecond, zego.ActionComments: room.CommentCallsPerSecond,
		zego.ActionLikes: room.LikeCallsPerSecond, zego.ActionQuery: room.QueryCallsPerSecond,
	} {
		if most+room.TakeoverCalls > action.PerSecond() {
			t.Errorf("%s: %d and %d are more than %d", action, most, room.TakeoverCalls, action.PerSecond())
		}
	}
}
