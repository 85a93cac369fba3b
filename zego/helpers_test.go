package zego_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/giftwire/giftwire/zego"
)

const (
	testAppID  = 12345
	testSecret = "9193cc662a4c0ec135ec71fb57194b38"
)

var testNow = time.Unix(1_700_000_000, 0)

// door is a server that keeps what it was asked and answers what it is told.
type door struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	answer http.HandlerFunc
}

type call struct {
	method, path string
	query        map[string][]string
	header       http.Header
	body         string
}

func newDoor(t *testing.T, answer http.HandlerFunc) *door {
	t.Helper()
	d := &door{answer: answer}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading the call: %v", err)
		}
		d.mu.Lock()
		d.calls = append(d.calls, call{r.Method, r.URL.Path, r.URL.Query(), r.Header, string(body)})
		d.mu.Unlock()
		d.answer(w, r)
	}))
	t.Cleanup(d.Close)
	return d
}

// seen returns the calls that arrived.
func (d *door) seen() []call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]call(nil), d.calls...)
}

// says answers every call with status 200 and the text.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}
}

const okEmpty = `{"Code":0,"Message":"succeed","RequestId":"1","Data":{}}`

func newClient(t *testing.T, base string, change ...func(*zego.Config)) *zego.Client {
	t.Helper()
	cfg := zego.Config{
		BaseURL: base, AppID: testAppID, ServerSecret: zego.NewSecret(testSecret),
		Now: func() time.Time { return testNow },
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := zego.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func testUser() zego.User {
	return zego.User{UserID: "user1", Nickname: "test1", Avatar: "http://img.example/1.png", Sex: 1}
}

func testGift() zego.Gift {
	return zego.Gift{
		User: testUser(), Info: zego.GiftInfo{GiftID: "g1", Value: 5, Num: 2},
		ReceiverID: "anchor111", Timestamp: 12312312, MsgID: "445623452643416236",
	}
}

func testGifts() zego.GiftsRequest {
	return zego.GiftsRequest{RoomID: "room123", MiniGameID: "TinyLoveWar", Gifts: []zego.Gift{testGift()}}
}
