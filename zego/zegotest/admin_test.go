package zegotest_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// admin is the admin API of a world over HTTP.
type admin struct {
	*world
	api *httptest.Server
}

func newAdmin(t *testing.T, change ...func(*zegotest.Config)) *admin {
	t.Helper()
	w := newWorld(t, change...)
	a := &admin{world: w, api: httptest.NewServer(w.Admin())}
	t.Cleanup(a.api.Close)
	return a
}

// do makes a call and returns status and body.
func (a *admin) do(t *testing.T, method, path, body string, kind ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, a.api.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if len(kind) > 0 {
		req.Header.Set("Content-Type", kind[0])
	}
	resp, err := a.api.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if closing := resp.Body.Close(); err != nil || closing != nil {
		t.Fatal(err, closing)
	}
	return resp.StatusCode, string(text)
}

// want makes a call that succeeds with that body.
func (a *admin) want(t *testing.T, method, path, body, want string) {
	t.Helper()
	status, text := a.do(t, method, path, body)
	if status/100 != 2 || text != want {
		t.Errorf("%s %s: %d %s, want %s", method, path, status, text, want)
	}
}

func TestAdminLists(t *testing.T) {
	a := newAdmin(t)
	a.join(t, "r1", "u1")
	if _, err := a.give(t, "r1", gift("m1", "u1", 10, 2), gift("m2", "u2", 66, 1)); err != nil {
		t.Fatal(err)
	}
	a.await(t, func() bool { c := a.Arrivals(0, 9); return len(c) == 2 && c[0].Done && c[1].Done })
	const at = `"2023-11-14T22:13:20Z"`
	now := strings.Trim(at, `"`)
	if got := a.clock.Now().UTC().Format(time.RFC3339); got != now {
		t.Fatal(got)
	}
	fix := func(s string) string { // the clock's zone is the machine's
		return strings.ReplaceAll(s, a.clock.Now().Format(time.RFC3339), now)
	}
	get := func(path, want string) {
		t.Helper()
		if status, text := a.do(t, http.MethodGet, path, ""); status != 200 || fix(text) != want {
			t.Errorf("%s: %d\n%s\nwant\n%s", path, status, fix(text), want)
		}
	}
	get("/ledger", `{"effects":[{"seq":1,"at":`+at+`,"room":"r1","mini_game_id":"TinyLoveWar","msg_id":"m1","user_id":"u1",`+
		`"nickname":"nick u1","gift_id":"g1","value":10,"num":2,"receiver_id":"anchor1","times":1}],"next":1}`)
	get("/ledger?since=1", `{"effects":[],"next":1}`)
	get("/gifts/m1", `{"effects":1,"results":[{"result":0,"message":"success","timestamp":1700000000123,"at":`+at+
		`,"room":"r1","mini_game_id":"TinyLoveWar","hidden":false}]}`)
	get("/gifts/nobody", `{"effects":0,"results":[]}`)
	get("/arrivals?since=1&limit=1", `{"arrivals":[{"seq":2,"at":`+at+`,"action":"SendDanmakuGifts","room":"r1","mini_game_id":"TinyLoveWar",`+
		`"entries":[{"user_id":"u1","nickname":"nick u1","msg_id":"m1","gift_id":"g1","value":10,"num":2,"result":0,"effects":1},`+
		`{"user_id":"u2","nickname":"nick u2","msg_id":"m2","gift_id":"g1","value":66,"num":1,"result":10003,"effects":0}],`+
		`"over":false,"working":false,"done":true,"processed":true,"code":0,"status":200,"reply":"","took_ms":0}],"next":2}`)
	get("/budget", `{"budget":[{"room":"r1","action":"SendDanmakuGifts","calls":1,"over":0,"worst":1,"worst_at":`+at+
		`},{"room":"r1","action":"SendDanmakuComments","calls":1,"over":0,"worst":1,"worst_at":`+at+`}]}`)
	tally := `"tally":{"consumed":2,"delivered":1,"failed":1,"doubled":0,"delivered_count":20,"repeats":0,"pending":0,"conflicts":0,` +
		`"comments":1,"joins":1,"likes":0,"discarded":0}`
	get("/rooms/r1", `{"room":"r1","state":"running","mini_game_id":"TinyLoveWar","round_id":"","anchor_id":"","joined":1,`+tally+`}`)
	get("/state", `{"app_id":12345,"now":`+at+`,"calls":2,"rooms":1,"rules":0,`+tally+`,"reports":{"queued":0,"tries":0,"delivered":0,"lost":0},`+
		`"dropped":{"arrivals":0,"effects":0,"remembered":0,"accounts":0}}`)
}

func TestAdminPlaysTheGame(t *testing.T) {
	a := newAdmin(t)
	a.want(t, http.MethodPost, "/rooms/r1/start", `{"mini_game_id":"TinyLoveWar"}`, `{"round_id":"1"}`)
	a.want(t, http.MethodPost, "/rooms/r1/settle", `{"win_team":2}`, ``)
	if s, _ := a.Room("r1"); s.State != "ended" || s.Round != "1" {
		t.Errorf("%+v", s)
	}
	a.want(t, http.MethodPost, "/rooms/r1/state", `{"state":"not_started"}`, ``)
	if s, _ := a.Room("r1"); s.State != "not_started" {
		t.Errorf("%+v", s)
	}
	a.want(t, http.MethodPost, "/delivery", `{"never":true}`, ``)
}

func TestAdminFaults(t *testing.T) {
	a := newAdmin(t)
	const full = `{"action":"SendDanmakuGifts","room":"r1","skip":1,"times":3,"for_ms":60000,` +
		`"fault":{"before_ms":1,"lost":true,"code":5,"work_ms":2,"hold":true,` +
		`"result":{"result":10003,"user_id":"u","gift_id":"g","happened":true},` +
		`"rows":{"reversed":true,"omit":2,"doubled":true,"contradicted":true,"foreign":true},` +
		`"after_ms":3,"reply":"html","status":504}}`
	a.want(t, http.MethodPost, "/faults", full, `{"id":1}`)
	a.want(t, http.MethodPost, "/faults", `{"fault":{"reply":"drop"},"times":1}`, `{"id":2}`)
	want := zegotest.Rule{
		Action: zego.ActionGifts, Room: "r1", Skip: 1, Times: 3, For: time.Minute,
		Fault: zegotest.Fault{
			Before: time.Millisecond, Lost: true, Code: 5, Work: 2 * time.Millisecond, Hold: true,
			Result: zegotest.ResultFault{Result: 10003, User: "u", Gift: "g", Happened: true},
			Rows:   zegotest.RowFault{Reversed: true, Omit: 2, Doubled: true, Contradicted: true, Foreign: true},
			After:  3 * time.Millisecond, Reply: zegotest.ReplyHTML, Status: 504,
		},
	}
	if diff := cmp.Diff(want, a.Rules()[0].Rule); diff != "" {
		t.Error(diff)
	}
	status, text := a.do(t, http.MethodGet, "/faults", "")
	if status != 200 || !strings.HasPrefix(text, `{"rules":[{"id":1,`+full[1:]+`,{"id":2,`) {
		t.Errorf("%d %s", status, text)
	}
	a.want(t, http.MethodDelete, "/faults/1", "", "")
	if _, err := a.give(t, "r1", gift("m", "u1", 10, 1)); err == nil {
		t.Error("the second rule does not hold")
	}
	a.want(t, http.MethodGet, "/faults", "", `{"rules":[]}`)
	a.want(t, http.MethodPost, "/faults", `{}`, `{"id":3}`)
	a.want(t, http.MethodDelete, "/faults", "", "")
	a.want(t, http.MethodPost, "/release", "", "")
	a.want(t, http.MethodGet, "/faults", "", `{"rules":[]}`)
}

func TestAdminRefuses(t *testing.T) {
	a := newAdmin(t)
	for _, tt := range []struct {
		method, path, body string
		status             int
		part               string
	}{
		{"GET", "/nothing", "", 404, ""},
		{"POST", "/state", "{}", 405, ""},
		{"GET", "/rooms/r9", "", 404, "no such room"},
		{"POST", "/rooms/r9/settle", "{}", 404, "no such room"},
		{"POST", "/rooms/r1/start", "{}", 400, "mini_game_id"},
		{"POST", "/rooms/" + strings.Repeat("x", 65) + "/start", `{"mini_game_id":"g"}`, 400, "64"},
		{"POST", "/rooms/r1/state", `{"state":"paused"}`, 400, "running"},
		{"POST", "/rooms/r1/state", `{"state":"running","x":1}`, 400, "x"},
		{"POST", "/rooms/r1/state", `{"state":"running","state":"ended"}`, 400, "duplicate"},
		{"POST", "/rooms/r1/state", `{"State":"running"}`, 400, "State"},
		{"POST", "/rooms/r1/state", `{"state":5}`, 400, "state"},
		{"POST", "/rooms/r1/state", `{"state":"running"}x`, 400, "x"},
		{"POST", "/rooms/r1/state", ``, 400, "EOF"},
		{"POST", "/faults", `{"action":"Send"}`, 400, "action"},
		{"POST", "/faults", `{"skip":-1}`, 400, "negative"},
		{"POST", "/faults", `{"for_ms":-1}`, 400, "negative"},
		{"POST", "/faults", `{"fault":{"reply":"explode"}}`, 400, "reply"},
		{"POST", "/faults", `{"fault":{"after_ms":-5}}`, 400, "times"},
		{"POST", "/faults", `{"fault":{"after_ms":9223372036854775807}}`, 400, "times"},
		{"POST", "/faults", `{"fault":{"status":200}}`, 400, "status"},
		{"POST", "/faults", `{"fault":{"rows":{"shuffle":true}}}`, 400, "shuffle"},
		{"POST", "/faults", strings.Repeat(" ", 64<<10+1), 413, "65536"},
		{"DELETE", "/faults/7", "", 404, "no such rule"},
		{"DELETE", "/faults/x", "", 404, "no such rule"},
		{"GET", "/ledger?since=-1", "", 400, "since"},
		{"GET", "/ledger?limit=0", "", 400, "limit"},
		{"GET", "/ledger?after=3", "", 400, "since and limit"},
		{"GET", "/arrivals?limit=1001", "", 400, "limit"},
		{"GET", "/arrivals/stream?since=x", "", 400, "since"},
	} {
		status, text := a.do(t, tt.method, tt.path, tt.body)
		if status != tt.status || !strings.Contains(text, tt.part) {
			t.Errorf("%s %s %.60s: %d %s, want %d %s", tt.method, tt.path, tt.body, status, text, tt.status, tt.part)
		}
		if tt.part != "" {
			var problem struct {
				Error string `json:"error"`
			}
			if err := json.Unmarshal([]byte(text), &problem); err != nil || problem.Error == "" {
				t.Errorf("%s %s: %s is no error of ours", tt.method, tt.path, text)
			}
		}
	}
	if status, _ := a.do(t, http.MethodPost, "/faults", "{}", "text/plain"); status != 415 {
		t.Errorf("a web page's form: %d", status)
	}
	if len(a.Rules()) != 0 || a.Stats().Rooms != 0 {
		t.Error("something refused was done")
	}
}

// TestAdminStream: each call is told when it arrives and when it ends, also to a page
// that connects again.
func TestAdminStream(t *testing.T) {
	a := newAdmin(t)
	a.join(t, "r1", "u1")
	a.Fail(zegotest.Rule{Action: zego.ActionGifts, Times: 1, Fault: zegotest.Fault{Hold: true}})
	given := make(chan error, 1)
	go func() {
		_, err := a.give(t, "r1", gift("m", "u1", 10, 1))
		given <- err
	}()
	a.await(t, func() bool { c := a.Arrivals(1, 1); return len(c) == 1 && c[0].Working })

	first := a.stream(t, "?since=1", "")
	told := first.next(t)
	if told.Seq != 2 || told.Done || told.Action != zego.ActionGifts || first.id != "1" {
		t.Errorf("arrived: %+v, id %s", told, first.id)
	}
	again := a.stream(t, "", first.id)
	if told := again.next(t); told.Seq != 2 || told.Done {
		t.Errorf("connected again: %+v", told)
	}
	a.Release()
	if err := <-given; err != nil {
		t.Error(err)
	}
	for _, s := range []*stream{first, again} {
		if told := s.next(t); told.Seq != 2 || !told.Done || !told.Processed || told.Entries[0].Effects != 1 || s.id != "2" {
			t.Errorf("ended: %+v, id %s", told, s.id)
		}
	}
	all := a.stream(t, "", "")
	for want := uint64(1); want <= 2; want++ {
		if told := all.next(t); told.Seq != want || !told.Done {
			t.Errorf("from the beginning: %+v", told)
		}
	}
}

type stream struct {
	lines *bufio.Scanner
	id    string
}

func (a *admin) stream(t *testing.T, query, lastID string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.api.URL+"/arrivals/stream"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := a.api.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	return &stream{lines: bufio.NewScanner(resp.Body)}
}

// next reads an event.
func (s *stream) next(t *testing.T) zegotest.Arrival {
	t.Helper()
	var a zegotest.Arrival
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch name {
		case "id":
			s.id = value
		case "data":
			if err := json.Unmarshal([]byte(value), &a); err != nil {
				t.Fatal(err)
			}
		case "":
			return a
		}
	}
	t.Fatalf("the stream has ended: %v", s.lines.Err())
	return a
}

// The guide names paths that are there.
func TestAdminGuide(t *testing.T) {
	a := newAdmin(t)
	status, guide := a.do(t, "GET", "/", "")
	if status != 200 || guide != zegotest.AdminGuide {
		t.Fatalf("%d %s", status, guide)
	}
	paths := regexp.MustCompile(`(?m)^(GET|POST|DELETE) +(/\S+?),?(?: |\?|$)`).FindAllStringSubmatch(guide, -1)
	if len(paths) < 15 {
		t.Fatalf("%d paths in the guide", len(paths))
	}
	for _, p := range paths {
		if p[2] == "/arrivals/stream" {
			continue // it does not end
		}
		path := strings.NewReplacer("{room}", "r1", "{msg_id}", "m", "{id}", "1").Replace(p[2])
		if status, text := a.do(t, p[1], path, "{}"); strings.Contains(text, "page not found") || status == 405 {
			t.Errorf("%s %s: %d %s", p[1], path, status, text)
		}
	}
}
