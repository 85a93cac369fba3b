package zegotest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// fuzzWorld is a simulator without a network.
type fuzzWorld struct {
	*zegotest.Server
	clock *clock
}

func newFuzzWorld(t *testing.T) *fuzzWorld {
	t.Helper()
	c := newClock()
	s, err := zegotest.New(zegotest.Config{AppID: appID, ServerSecret: zego.NewSecret(secret), Games: theGames(), Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return &fuzzWorld{s, c}
}

type bareAnswer struct {
	Code   *int
	length int // of the body, in bytes
}

// serve makes a signed call, with parameters changed.
func (w *fuzzWorld) serve(t *testing.T, action, body string, changed url.Values) bareAnswer {
	t.Helper()
	query := (&world{clock: w.clock}).sign(zego.Action(action))
	for name, values := range changed {
		query[name] = values
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/?"+query.Encode(), strings.NewReader(body)))
	var ans bareAnswer
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d", rec.Code)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &ans); err != nil {
		t.Fatalf("%v: %s", err, rec.Body)
	}
	ans.length = rec.Body.Len()
	return ans
}
