package zegotest_test

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

func TestValidBodiesPass(t *testing.T) {
	w := newWorld(t)
	for action, body := range validBodies() {
		if got := w.post(t, action, body); got.Code != 0 || got.Message != "succeed" || got.status != 200 {
			t.Errorf("%s: %s", action, got.text)
		}
	}
}

func TestSignatureLayer(t *testing.T) {
	w := newWorld(t)
	stamp := func(app uint32, nonce string, unix int64, key string) string {
		return zego.Stamp{AppID: app, Nonce: nonce, Unix: unix}.SignRequest(zego.NewSecret(key))
	}
	now := w.clock.Now().Unix()
	at := func(unix int64) []string {
		return []string{"SignatureNonce", "n", "Timestamp", strconv.FormatInt(unix, 10), "Signature", stamp(appID, "n", unix, secret)}
	}
	for _, tt := range []struct {
		name  string
		pairs []string
		want  int
	}{
		{"right", nil, 0},
		{"no action", []string{"Action", ""}, 100000006},
		{"unknown action", []string{"Action", "SendDanmakuGift"}, 100000007},
		{"action in lower case", []string{"Action", "senddanmakugifts"}, 100000007},
		{"no app", []string{"AppId", ""}, 100000001},
		{"app is a word", []string{"AppId", "x"}, 100000001},
		{"app of 33 bits", []string{"AppId", "4294967296"}, 100000001},
		{"another app", []string{"AppId", "7"}, 7202003},
		{"no time", []string{"Timestamp", ""}, 100000002},
		{"time is a word", []string{"Timestamp", "now"}, 100000003},
		{"no nonce", []string{"SignatureNonce", ""}, 100000008},
		{"long nonce", []string{"SignatureNonce", strings.Repeat("n", 65)}, 7200004},
		{"nonce with a blank", []string{"SignatureNonce", "a b"}, 7200004},
		{"no signature", []string{"Signature", ""}, 100000009},
		{"no version", []string{"SignatureVersion", ""}, 100000013},
		{"version 1.0", []string{"SignatureVersion", "1.0"}, 100000014},
		{"other nonce", []string{"SignatureNonce", "other"}, 100000005},
		{"other time", []string{"Timestamp", strconv.FormatInt(now+1, 10)}, 100000005},
		{"other secret", []string{"SignatureNonce", "n", "Signature", stamp(appID, "n", now, "x")}, 100000005},
		{"upper case", []string{"SignatureNonce", "n", "Signature", strings.ToUpper(stamp(appID, "n", now, secret))}, 100000005},
		{"10 minutes old", at(now - 600), 0},
		{"601 s old", at(now - 601), 100000004},
		{"10 minutes early", at(now + 600), 0},
		{"601 s early", at(now + 601), 100000004},
		{"milliseconds", at(now * 1000), 100000004},
	} {
		if got := w.post(t, zego.ActionGifts, validBodies()[zego.ActionGifts], tt.pairs...); got.Code != tt.want || got.status != 200 {
			t.Errorf("%s: %d %s, want %d", tt.name, got.status, got.text, tt.want)
		}
	}
	if got := w.Tally().Consumed; got != 1 {
		t.Errorf("%d gifts were consumed by refused calls and repeats, want 1", got)
	}
}

func TestNonceReplay(t *testing.T) {
	for _, strict := range []bool{false, true} {
		w := newWorld(t, func(cfg *zegotest.Config) { cfg.Body.RefuseNonceReplay = strict })
		query := w.sign(zego.ActionQuery)
		codes := []int{}
		for range 2 {
			pairs := []string{}
			for name := range query {
				pairs = append(pairs, name, query.Get(name))
			}
			codes = append(codes, w.post(t, zego.ActionQuery, validBodies()[zego.ActionQuery], pairs...).Code)
		}
		want := 0
		if strict {
			want = 100000005
		}
		if codes[0] != 0 || codes[1] != want {
			t.Errorf("strict %v: %v", strict, codes)
		}
	}
}

func TestParameterGivenTwice(t *testing.T) {
	w := newWorld(t)
	query := w.sign(zego.ActionQuery)
	query.Add("Signature", "x")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.api.URL+"/?"+query.Encode(), strings.NewReader(validBodies()[zego.ActionQuery]))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.api.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if a := w.Arrivals(0, 9); resp.StatusCode != http.StatusOK || len(a) != 1 || a[0].Code != 7200004 {
		t.Errorf("%+v", a)
	}
}

// TestBodies: each fault refuses the whole call with the Code, and nothing of it is
// consumed.
func TestBodies(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	type change []string // old, new
	for action, changes := range map[zego.Action]map[string]struct {
		change change
		want   int
	}{
		zego.ActionGifts: {
			"not JSON":              {change{`{"RoomId"`, `"RoomId"`}, 7200004},
			"trailing":              {change{`"m1"}]}`, `"m1"}]} x`}, 7200004},
			"no room":               {change{`"RoomId":"r1",`, ``}, 7200004},
			"room in lower case":    {change{`"RoomId"`, `"roomId"`}, 7200004},
			"room is a number":      {change{`"r1"`, `1`}, 7200004},
			"long room":             {change{`"r1"`, `"` + long(65) + `"`}, 7200004},
			"longest room":          {change{`"r1"`, `"` + strings.Repeat("é", 64) + `"`}, 0},
			"no game":               {change{`"MiniGameId":"TinyLoveWar",`, ``}, 7200004},
			"game is a number":      {change{`"TinyLoveWar"`, `5`}, 7202002},
			"other game":            {change{`TinyLoveWar`, `Other`}, 7202001},
			"no list":               {change{`"GiftList":[`, `"x":[`}, 7200004},
			"list is null":          {change{`"GiftList":[`, `"GiftList":null,"y":[`}, 7200004},
			"unknown field":         {change{`"RoomId"`, `"IsTest":true,"RoomId"`}, 7200004},
			"unknown field inside":  {change{`"GiftId"`, `"Price":1,"GiftId"`}, 7200004},
			"field twice":           {change{`"RoomId":"r1"`, `"RoomId":"r1","RoomId":"r2"`}, 7200004},
			"no user":               {change{`"UserId":"u1",`, ``}, 7200004},
			"user with a dash":      {change{`"u1"`, `"u-1"`}, 7200004},
			"long user":             {change{`"u1"`, `"` + long(49) + `"`}, 7200004},
			"longest user":          {change{`"u1"`, `"` + long(48) + `"`}, 0},
			"no nickname":           {change{`"Nickname":"n"`, `"Nickname":""`}, 7200004},
			"long nickname":         {change{`"Nickname":"n"`, `"Nickname":"` + strings.Repeat("é", 33) + `"`}, 7200004},
			"longest nickname":      {change{`"Nickname":"n"`, `"Nickname":"` + strings.Repeat("é", 32) + `"`}, 0},
			"no avatar":             {change{`"Avatar":"https://x.example/1",`, ``}, 7200004},
			"ftp avatar":            {change{`https://x`, `ftp://x`}, 7200004},
			"long avatar":           {change{`https://x.example/1`, `https://` + long(1017)}, 7200004},
			"longest avatar":        {change{`https://x.example/1`, `https://` + long(1016)}, 0},
			"sex 3":                 {change{`"Sex":2`, `"Sex":3`}, 7200004},
			"sex 0":                 {change{`"Sex":2`, `"Sex":0`}, 7200004},
			"sex is text":           {change{`"Sex":2`, `"Sex":"2"`}, 7200004},
			"no sex":                {change{`,"Sex":2`, ``}, 0},
			"no gift id":            {change{`"GiftId":"g1",`, ``}, 7200004},
			"value 0":               {change{`"Value":10`, `"Value":0`}, 7200004},
			"value is text":         {change{`"Value":10`, `"Value":"10"`}, 7200004},
			"value is a fraction":   {change{`"Value":10`, `"Value":10.5`}, 7200004},
			"no num":                {change{`,"Num":1`, ``}, 7200004},
			"num 0":                 {change{`"Num":1`, `"Num":0`}, 7200004},
			"no receiver":           {change{`"ReceiverId":"a1",`, ``}, 0},
			"no timestamp":          {change{`"Timestamp":1700000000123,`, ``}, 7200004},
			"timestamp is text":     {change{`1700000000123`, `"1700000000123"`}, 7200004},
			"timestamp -1":          {change{`1700000000123`, `-1`}, 7200004},
			"no id":                 {change{`,"MsgId":"m1"`, ``}, 7200004},
			"long id":               {change{`"m1"`, `"` + long(65) + `"`}, 7200004},
			"longest id":            {change{`"m1"`, `"` + long(64) + `"`}, 0},
			"id with a dot":         {change{`"m1"`, `"m.1"`}, 7200004},
			"second entry is wrong": {change{`"MsgId":"m1"}`, `"MsgId":"m1"},{}`}, 7200004},
		},
		zego.ActionComments: {
			"no list":       {change{`"CommentList":[`, `"x":[`}, 7200004},
			"empty list":    {change{validBodies()[zego.ActionComments], `{"RoomId":"r1","MiniGameId":"TinyLoveWar","CommentList":[]}`}, 7200004},
			"empty comment": {change{`"Content":"5"`, `"Content":""`}, 7200004},
			"of nobody":     {change{`"UserId":"u1",`, ``}, 7200004},
			"a MsgId":       {change{`"Content"`, `"MsgId":"x","Content"`}, 7200004},
		},
		zego.ActionLikes: {
			"amount 0":  {change{`"Amount":1`, `"Amount":0`}, 7200004},
			"of nobody": {change{`"UserId":"u1",`, ``}, 7200004},
			"no list":   {change{`"LikeList":[`, `"x":[`}, 7200004},
		},
		zego.ActionQuery: {
			"no ids":         {change{`["m1"]`, `[]`}, 7200004},
			"id with a dot":  {change{`"m1"`, `"m.1"`}, 7200004},
			"id is a number": {change{`"m1"`, `1`}, 7200004},
			"91 days":        {change{`90`, `91`}, 7200004},
			"0 days":         {change{`90`, `0`}, 7200004},
		},
		zego.ActionLaunch: {
			"no anchor":    {change{`"AnchorId":"a1",`, ``}, 7200004},
			"with a dash":  {change{`"a1"`, `"a-1"`}, 7200004},
			"in an object": {change{`"AnchorId"`, `"UserInfo":{},"AnchorId"`}, 7200004},
		},
	} {
		for name, tt := range changes {
			w := newWorld(t)
			body := strings.Replace(validBodies()[action], tt.change[0], tt.change[1], 1)
			if body == validBodies()[action] {
				t.Fatalf("%s: nothing changed", name)
			}
			got := w.post(t, action, body)
			if got.Code != tt.want || got.status != 200 {
				t.Errorf("%s, %s: %d %s, want %d", action, name, got.status, got.text, tt.want)
			}
			if tt.want != 0 && (w.Tally() != (zegotest.Tally{}) || len(got.Data.Results) > 0 || strings.Contains(got.text, "Data")) {
				t.Errorf("%s, %s: something was consumed: %+v %s", action, name, w.Tally(), got.text)
			}
		}
	}
}

func TestLenientBodies(t *testing.T) {
	w := newWorld(t, func(cfg *zegotest.Config) { cfg.Body.Lenient = true })
	body := strings.Replace(validBodies()[zego.ActionGifts], `"RoomId"`, `"IsTest":true,"RoomId"`, 1)
	if got := w.post(t, zego.ActionGifts, body); got.Code != 0 {
		t.Error(got.text)
	}
}

func TestListBounds(t *testing.T) {
	list := func(n int, entry func(i int) string) string {
		entries := make([]string, n)
		for i := range entries {
			entries[i] = entry(i)
		}
		return strings.Join(entries, ",")
	}
	const u = `{"UserId":"u1","Nickname":"n","Avatar":"https://x"}`
	for n, want := range map[int]int{1: 0, 100: 0, 101: 7200004} {
		w := newWorld(t)
		for action, body := range map[zego.Action]string{
			zego.ActionGifts: `"GiftList":[` + list(n, func(i int) string {
				return `{"UserInfo":` + u + `,"GiftInfo":{"GiftId":"g1","Value":10,"Num":1},"Timestamp":1,"MsgId":"m` + strconv.Itoa(i) + `"}`
			}) + `]`,
			zego.ActionComments: `"CommentList":[` + list(n, func(int) string { return `{"UserInfo":` + u + `,"Content":"5"}` }) + `]`,
			zego.ActionLikes:    `"LikeList":[` + list(n, func(int) string { return `{"UserInfo":` + u + `}` }) + `]`,
			zego.ActionQuery:    `"MsgIdList":[` + list(n, func(i int) string { return `"m` + strconv.Itoa(i) + `"` }) + `]`,
		} {
			if got := w.post(t, action, `{"RoomId":"r1","MiniGameId":"TinyLoveWar",`+body+`}`); got.Code != want {
				t.Errorf("%d entries of %s: %d %s", n, action, got.Code, got.Message)
			}
		}
	}
}

func TestHTTPLayer(t *testing.T) {
	w := newWorld(t)
	if got := w.send(t, http.MethodGet, zego.ActionQuery, ""); got.status != 405 {
		t.Errorf("GET: %d", got.status)
	}
	if got := w.post(t, zego.ActionQuery, strings.Repeat("x", 1<<20+1)); got.status != 413 {
		t.Errorf("more than a MiB: %d", got.status)
	}
	for path, want := range map[string]int{"/": 200, "/v1": 404, "/state": 404} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.api.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := w.api.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}

// TestOneServerIsOneApp: two in a process share nothing.
func TestOneServerIsOneApp(t *testing.T) {
	a, b := newWorld(t), newWorld(t)
	for _, w := range []*world{a, b} {
		w.join(t, "r1", "u1")
		if got, err := w.give(t, "r1", gift("m", "u1", 10, 1)); err != nil || got[0] != "m=0" {
			t.Errorf("%v %v", got, err)
		}
	}
	if a.Effects("m") != 1 || b.Effects("m") != 1 || a.Calls("", zego.ActionGifts) != 1 {
		t.Error("two servers share something")
	}
}

func TestNewNamesAllFaults(t *testing.T) {
	_, err := zegotest.New(zegotest.Config{
		Games:   []room.GameSpec{{}},
		Body:    zegotest.BodyChoices{ListMax: -1},
		Rate:    zegotest.RateChoices{Status: 200, PerSecond: map[zego.Action]int{"X": 1, zego.ActionGifts: -1}},
		Play:    zegotest.PlayChoices{Fresh: 9, JoinDelay: -1},
		Memory:  zegotest.MemoryChoices{IDs: -1, Remember: -time.Hour},
		Reports: zegotest.ReportConfig{URL: "x", Timeout: -1},
	})
	if !errors.Is(err, zegotest.ErrBadConfig) || !errors.Is(err, room.ErrBadCatalogue) {
		t.Fatal(err)
	}
	for _, part := range []string{
		"AppID", "ServerSecret", "Games", "Body.ListMax", "Rate.Status", `1 calls of "X"`, "-1 calls of", "Play.Fresh",
		"Play.JoinDelay", "Memory.IDs", "Memory.Remember", "Reports.URL", "Reports.Secret", "Reports.Timeout",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
}

// FuzzCall: whatever is posted is answered with an envelope, and nothing that is not
// understood is consumed.
func FuzzCall(f *testing.F) {
	for action, body := range validBodies() {
		f.Add(string(action), body)
		f.Add(string(action), strings.Replace(body, "r1", "", 1))
	}
	f.Fuzz(func(t *testing.T, action, body string) {
		w := newFuzzWorld(t)
		ans := w.serve(t, action, body, url.Values{})
		if ans.Code == nil {
			t.Fatal("no Code")
		}
		if *ans.Code != 0 && w.Tally() != (zegotest.Tally{}) {
			t.Errorf("Code %d, and %+v", *ans.Code, w.Tally())
		}
	})
}
