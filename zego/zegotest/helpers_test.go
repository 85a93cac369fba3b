package zegotest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	appID  = 12345
	secret = "9193cc662a4c0ec135ec71fb57194b38"
	game   = "TinyLoveWar"
)

// theGames is giftwire's documented catalogue: a rocket of 10 or 66.
func theGames() []room.GameSpec {
	return []room.GameSpec{{
		ID:   game,
		Join: []room.JoinWord{{Text: "5", Team: "blue"}, {Text: "6", Team: "red"}},
		Gifts: []room.GiftSpec{
			{ID: "g1", Name: "Rocket", Tiers: []room.Tier{{Value: 10, Effect: "soldier"}, {Value: 66, Effect: "general"}}},
			{ID: "g2", Name: "Rose"},
		},
	}}
}

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_700_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a simulator behind a real HTTP server, and a client of it.
type world struct {
	*zegotest.Server
	clock  *clock
	api    *httptest.Server
	client *zego.Client
}

func newWorld(t *testing.T, change ...func(*zegotest.Config)) *world {
	t.Helper()
	w := &world{clock: newClock()}
	cfg := zegotest.Config{
		AppID: appID, ServerSecret: zego.NewSecret(secret), Games: theGames(), Now: w.clock.Now,
	}
	for _, f := range change {
		f(&cfg)
	}
	var err error
	if w.Server, err = zegotest.New(cfg); err != nil {
		t.Fatal(err)
	}
	w.api = httptest.NewServer(w.Server)
	t.Cleanup(w.api.Close)
	w.client = w.newClient(t)
	return w
}

func (w *world) newClient(t *testing.T) *zego.Client {
	t.Helper()
	c, err := zego.New(zego.Config{
		BaseURL: w.api.URL, AppID: appID, ServerSecret: zego.NewSecret(secret), Now: w.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// answer is an answer as it came.
type answer struct {
	status int
	text   string
	Code   int
	Data   struct {
		Results []struct {
			Result    int
			Msg       string
			MsgID     string `json:"MsgId"`
			Timestamp int64
		}
		GameLaunchCode any
	}
	Message   string
	RequestID string `json:"RequestId"`
}

// post makes a call with that body, signed, and with parameters changed in pairs of
// name and value.
func (w *world) post(t *testing.T, action zego.Action, body string, pairs ...string) answer {
	t.Helper()
	return w.send(t, http.MethodPost, action, body, pairs...)
}

func (w *world) send(t *testing.T, method string, action zego.Action, body string, pairs ...string) answer {
	t.Helper()
	query := w.sign(action)
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.api.URL+"/?"+query.Encode(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.api.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if closing := resp.Body.Close(); err != nil || closing != nil {
		t.Fatal(err, closing)
	}
	ans := answer{status: resp.StatusCode, text: string(text)}
	if resp.Header.Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(text, &ans); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	return ans
}

var nonces = struct {
	sync.Mutex
	n int
}{}

func (w *world) sign(action zego.Action) url.Values {
	nonces.Lock()
	nonces.n++
	stamp := zego.Stamp{AppID: appID, Nonce: "n" + strconv.Itoa(nonces.n), Unix: w.clock.Now().Unix()}
	nonces.Unlock()
	return url.Values{
		"Action": {string(action)}, "AppId": {strconv.Itoa(appID)}, "SignatureNonce": {stamp.Nonce},
		"Timestamp": {strconv.FormatInt(stamp.Unix, 10)}, "Signature": {stamp.SignRequest(zego.NewSecret(secret))},
		"SignatureVersion": {"2.0"},
	}
}

func user(id string) zego.User {
	return zego.User{UserID: id, Nickname: "nick " + id, Avatar: "http://img.example/" + id, Sex: 1}
}

// gift is one of room r1's, of a user.
func gift(id, userID string, value, num int) zego.Gift {
	return zego.Gift{
		User: user(userID), Info: zego.GiftInfo{GiftID: "g1", Value: value, Num: num},
		ReceiverID: "anchor1", Timestamp: 1700000000123, MsgID: id,
	}
}

// give sends gifts to a room and returns MsgId=Result pairs in the order of the rows.
func (w *world) give(t *testing.T, roomID string, gifts ...zego.Gift) ([]string, error) {
	t.Helper()
	resp, err := w.client.SendDanmakuGifts(t.Context(), zego.GiftsRequest{RoomID: roomID, MiniGameID: game, Gifts: gifts})
	if err != nil {
		return nil, err
	}
	return pairs(resp.Results), nil
}

// query asks what became of gifts.
func (w *world) query(t *testing.T, roomID string, ids ...string) []string {
	t.Helper()
	resp, err := w.client.DescribeDanmakuMsgResults(t.Context(), zego.ResultsRequest{RoomID: roomID, MiniGameID: game, MsgIDs: ids})
	if err != nil {
		t.Fatal(err)
	}
	return pairs(resp.Results)
}

func pairs(results []zego.Result) []string {
	list := []string{}
	for _, r := range results {
		list = append(list, r.MsgID+"="+strconv.Itoa(r.Result))
	}
	return list
}

// join lets users join a room by a comment.
func (w *world) join(t *testing.T, roomID string, users ...string) {
	t.Helper()
	req := zego.CommentsRequest{RoomID: roomID, MiniGameID: game}
	for _, id := range users {
		req.Comments = append(req.Comments, zego.Comment{User: user(id), Content: "5"})
	}
	if _, err := w.client.SendDanmakuComments(t.Context(), req); err != nil {
		t.Fatal(err)
	}
}

// await waits for a condition, at most 10 s.
func (w *world) await(t *testing.T, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.Await(ctx, condition); err != nil {
		t.Fatal(err)
	}
}
