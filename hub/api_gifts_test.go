package hub

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/room"
)

const giftsPath = "/v1/rooms/r1/gifts"

// giftJSON is one gift of user u1.
func giftJSON(id, giftID string) string {
	return fmt.Sprintf(`{"id":%q,"user":{"user_id":"u1"},"gift_id":%q,"count":20}`, id, giftID)
}

func TestGiftsResultsComeInOrder(t *testing.T) {
	tp := newTestPlatform(t)
	body := `{"gifts":[` + giftJSON("c1", "g1") + `,` + giftJSON("c2", "bad_count") + `,` + giftJSON("c3", "g1") + `]}`
	status, text, _ := tp.call(t, http.MethodPost, giftsPath, body)
	if status != http.StatusAccepted {
		t.Fatalf("%d %s", status, text)
	}
	id := func(c string) string { return room.NewMsgID(1, "r1", "u1", c).String() }
	want := []giftResult{
		{ID: "c1", Status: "accepted", MsgID: id("c1")},
		{ID: "c2", Status: "rejected", Code: "bad_count", Message: "no", RetryAfterMS: 1000},
		{ID: "c3", Status: "accepted", MsgID: id("c3")},
	}
	if diff := cmp.Diff(want, decoded[giftsResults](t, text).Results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

func TestGiftsAreHandedOverInOrderAndCharged(t *testing.T) {
	tp := newTestPlatform(t)
	const one = `{"id":"c1","user":{"user_id":"u1","nickname":"Ann","avatar":"https://x.example/a.png","sex":2},` +
		`"gift_id":"g1","count":20,"value":10,"receiver_id":"anchor2"}`
	long := strings.Repeat("u", 48)
	two := `{"id":"c2","user":{"user_id":"` + long + `","sex":7},"gift_id":"g2","count":1}`
	if status, text, _ := tp.call(t, http.MethodPost, giftsPath, `{"gifts":[`+one+`,`+two+`]}`); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, text)
	}
	value, receiver := 10, "anchor2"
	want := []intake.Gift{
		{
			Room: "r1", ID: "c1", GiftID: "g1", Count: 20, Value: &value, Receiver: &receiver, Charged: true,
			User: room.User{ID: "u1", Nickname: "Ann", Avatar: "https://x.example/a.png", Sex: room.Female},
		},
		{
			Room: "r1", ID: "c2", GiftID: "g2", Count: 1, Charged: true,
			User: room.User{ID: long, Nickname: long[:32], Avatar: DefaultAvatar}, // a sex of 7 is not told
		},
	}
	if diff := cmp.Diff(want, tp.intake.got); diff != "" {
		t.Errorf("gifts handed over (-want +got):\n%s", diff)
	}
}

func TestGiftsUnknownOutcome(t *testing.T) {
	tp := newTestPlatform(t)
	for _, bad := range []string{"unknown", "never"} { // told to be unknown; no answer in time
		status, text, h := tp.call(t, http.MethodPost, giftsPath, `{"gifts":[`+giftJSON("c1", "g1")+`,`+giftJSON("c2", bad)+`]}`)
		wantProblem(t, status, text, http.StatusServiceUnavailable, codeUnknownOutcome)
		if h.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
}

func TestGiftsBounds(t *testing.T) {
	tp := newTestPlatform(t)
	list := func(n int) string {
		gifts := make([]string, n)
		for i := range gifts {
			gifts[i] = giftJSON(fmt.Sprintf("c%d", i), "g1")
		}
		return `{"gifts":[` + strings.Join(gifts, ",") + `]}`
	}
	status, text, _ := tp.call(t, http.MethodPost, giftsPath, list(1001))
	wantProblem(t, status, text, http.StatusRequestEntityTooLarge, codeTooLarge)
	if len(tp.intake.got) != 0 {
		t.Errorf("%d gifts of a refused request were taken", len(tp.intake.got))
	}
	status, text, _ = tp.call(t, http.MethodPost, giftsPath, list(1000))
	if got := decoded[giftsResults](t, text).Results; status != http.StatusAccepted || len(got) != 1000 || got[999].ID != "c999" {
		t.Errorf("1000 gifts: %d, %d results", status, len(got))
	}
	status, text, _ = tp.call(t, http.MethodPost, giftsPath, `{"gifts":[`+giftJSON("c1", strings.Repeat("g", 4<<20))+`]}`)
	wantProblem(t, status, text, http.StatusRequestEntityTooLarge, codeTooLarge)
	if status, text, _ = tp.call(t, http.MethodPost, giftsPath, `{"gifts":[]}`); status != http.StatusAccepted || text != `{"results":[]}` {
		t.Errorf("no gifts: %d %s", status, text)
	}
}

func TestGiftsStrictBody(t *testing.T) {
	tp := newTestPlatform(t)
	for name, body := range map[string]string{
		"no list":         `{}`,
		"unknown member":  `{"gifts":[{"id":"c","user":{"user_id":"u1"},"gift_id":"g","count":1,"price":0}]}`,
		"unknown in user": `{"gifts":[{"id":"c","user":{"user_id":"u1","vip":true},"gift_id":"g","count":1}]}`,
		"wrong case":      `{"gifts":[{"ID":"c","user":{"user_id":"u1"},"gift_id":"g","count":1}]}`,
		"twice":           `{"gifts":[{"id":"c","id":"d","user":{"user_id":"u1"},"gift_id":"g","count":1}]}`,
		"null value":      `{"gifts":[{"id":"c","user":{"user_id":"u1"},"gift_id":"g","count":1,"value":null}]}`,
		"string count":    `{"gifts":[{"id":"c","user":{"user_id":"u1"},"gift_id":"g","count":"1"}]}`,
		"not an object":   `[]`,
		"trailing":        `{"gifts":[]} x`,
	} {
		t.Run(name, func(t *testing.T) {
			status, text, _ := tp.call(t, http.MethodPost, giftsPath, body)
			wantProblem(t, status, text, http.StatusBadRequest, codeBadRequest)
		})
	}
	status, text, _ := tp.call(t, http.MethodPost, giftsPath, `{"gifts":[]}`, header("Content-Encoding", "gzip"))
	wantProblem(t, status, text, http.StatusUnsupportedMediaType, codeUnsupportedMedia)
	if len(tp.intake.got) != 0 {
		t.Errorf("%d gifts of refused requests were taken", len(tp.intake.got))
	}
}

func TestGiftsOfADeletedRoomAreAskedForEach(t *testing.T) {
	tp := newTestPlatform(t) // the intake knows which of them are repeats
	status, text, _ := tp.call(t, http.MethodPost, "/v1/rooms/gone/gifts", `{"gifts":[`+giftJSON("c1", "room_closed")+`]}`)
	if status != http.StatusAccepted || !strings.Contains(text, `"room_closed"`) {
		t.Errorf("%d %s", status, text)
	}
	tp.ledgers.away = true
	status, text, _ = tp.call(t, http.MethodPost, giftsPath, `{"gifts":[`+giftJSON("c1", "g1")+`]}`)
	wantProblem(t, status, text, http.StatusServiceUnavailable, codeUnavailable)
}
