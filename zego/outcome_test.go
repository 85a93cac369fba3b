package zego_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// TestOutcomeOfAnswers is the rule by which gifts are sent again: only a Code
// other than 0 in an envelope of status 200 says that nothing was taken.
func TestOutcomeOfAnswers(t *testing.T) {
	huge := `{"Code":7206001,"Message":"x","Pad":"` + strings.Repeat("p", 1<<20) + `"}`
	for _, tt := range []struct {
		name    string
		status  int
		body    string
		outcome room.Outcome
		class   room.Class
		code    int
	}{
		{"consumed", 200, okEmpty, room.Consumed, room.ClassNone, 0},
		{"code as text", 200, `{"Code":"0","RequestId":77}`, room.Consumed, room.ClassNone, 0},
		{"other case", 200, `{"code":0,"request_id":"1","data":null}`, room.Consumed, room.ClassNone, 0},
		{"unknown fields", 200, `{"Code":0,"Extra":{"Code":1},"Data":{"More":[1]}}`, room.Consumed, room.ClassNone, 0},
		{"broken UTF-8 in Message", 200, "{\"Code\":0,\"Message\":\"\xff\xfe\"}", room.Consumed, room.ClassNone, 0},

		{"not started", 200, `{"Code":7206001,"Message":"m","RequestId":"9"}`, room.NotTaken, room.ClassNotStarted, 7206001},
		{"code 7206001 as text", 200, `{"Code":"7206001"}`, room.NotTaken, room.ClassNotStarted, 7206001},
		{"data is a string", 200, `{"Code":7200004,"Data":""}`, room.NotTaken, room.ClassBadRequest, 7200004},
		{"data is a list", 200, `{"Code":7202001,"Data":[]}`, room.NotTaken, room.ClassNoGame, 7202001},
		{"signature", 200, `{"Code":100000005,"Message":"no","Data":null}`, room.NotTaken, room.ClassConfig, 100000005},
		{"nobody knows it", 200, `{"Code":42}`, room.NotTaken, room.ClassRetry, 42},
		{"negative", 200, `{"Code":-1}`, room.NotTaken, room.ClassRetry, -1},

		{"no Code", 200, `{"Message":"succeed"}`, room.Unknown, room.ClassNone, 0},
		{"Code is null", 200, `{"Code":null}`, room.Unknown, room.ClassNone, 0},
		{"Code is empty", 200, `{"Code":""}`, room.Unknown, room.ClassNone, 0},
		{"Code is a word", 200, `{"Code":"ok"}`, room.Unknown, room.ClassNone, 0},
		{"Code is a fraction", 200, `{"Code":0.5}`, room.Unknown, room.ClassNone, 0},
		{"Code is true", 200, `{"Code":true}`, room.Unknown, room.ClassNone, 0},
		{"Code is huge", 200, `{"Code":99999999999999999999}`, room.Unknown, room.ClassNone, 0},
		{"two Codes", 200, `{"Code":7206001,"Code":0}`, room.Unknown, room.ClassNone, 0},
		{"two Codes, other case", 200, `{"Code":7206001,"code":0}`, room.Unknown, room.ClassNone, 0},
		{"empty", 200, ``, room.Unknown, room.ClassNone, 0},
		{"null", 200, `null`, room.Unknown, room.ClassNone, 0},
		{"a list", 200, `[]`, room.Unknown, room.ClassNone, 0},
		{"truncated", 200, `{"Code":7206001,"Mess`, room.Unknown, room.ClassNone, 0},
		{"something behind it", 200, `{"Code":7206001}{}`, room.Unknown, room.ClassNone, 0},
		{"HTML", 200, `<html>502 Bad Gateway</html>`, room.Unknown, room.ClassNone, 0},
		{"too large by its spaces", 200, okEmpty + strings.Repeat(" ", 1<<20), room.Unknown, room.ClassNone, 0},
		{"too large", 200, huge, room.Unknown, room.ClassNone, 0},
		{"Results is a string", 200, `{"Code":0,"Data":{"Results":"[]"}}`, room.Unknown, room.ClassNone, 0},
		{"Data is a string", 200, `{"Code":0,"Data":"x"}`, room.Unknown, room.ClassNone, 0},

		{"502", 502, `<html>502 Bad Gateway</html>`, room.Unknown, room.ClassNone, 0},
		{"504", 504, ``, room.Unknown, room.ClassNone, 0},
		{"429 with a code", 429, `{"Code":207,"Message":"slow down"}`, room.Unknown, room.ClassNone, 0},
		{"500 with Code 0", 500, okEmpty, room.Unknown, room.ClassNone, 0},
		{"201", 201, okEmpty, room.Unknown, room.ClassNone, 0},
		{"204", 204, ``, room.Unknown, room.ClassNone, 0},
		{"400 with a code", 400, `{"Code":7200004}`, room.Unknown, room.ClassNone, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDoor(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			_, err := newClient(t, d.URL).SendDanmakuGifts(t.Context(), testGifts())
			if tt.outcome == room.Consumed {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *zego.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is no *zego.Error", err)
			}
			if e.Outcome != tt.outcome || e.Class != tt.class || e.Code != tt.code || e.Status != tt.status {
				t.Errorf("%v %v %d status %d, want %v %v %d", e.Outcome, e.Class, e.Code, e.Status, tt.outcome, tt.class, tt.code)
			}
			if e.Action != zego.ActionGifts || e.Message == "" && e.Code == 0 {
				t.Errorf("%+v does not say what went wrong", e)
			}
			if got := len(d.seen()); got != 1 {
				t.Errorf("%d calls were made", got)
			}
		})
	}
}

func TestRowsAreReadTolerantly(t *testing.T) {
	d := newDoor(t, says(`{"Code":0,"Message":"succeed","RequestId":"1","Data":{"Results":[
		{"Result":"10003","Msg":null,"MsgId":"b","Timestamp":"1700000000123"},
		{"result":0,"msg":"success","msg_id":"a","more":true},
		{"Result":0,"Msg":7,"MsgId":123},
		{"Result":0,"Msg":"no id"},
		{"Msg":"no result","MsgId":"c"},
		{"Result":"x","MsgId":"d"},
		{"Result":0,"Result":10003,"MsgId":"e2"},
		"row", null, 5, [],
		{"Result":0,"MsgId":"a","Timestamp":null},
		{"Result":10004,"Msg":"line\nbreak\u0000\ttab","MsgId":"f"}
	]}}`))
	resp, err := newClient(t, d.URL).SendDanmakuGifts(t.Context(), testGifts())
	var e *zego.Error
	if !errors.As(err, &e) || e.Outcome != room.Unknown {
		t.Fatalf("names that stand twice are a guess: %v, %v", resp, err)
	}
	d.answer = says(`{"Code":0,"Message":"succeed","RequestId":"1","Data":{"Results":[
		{"Result":"10003","Msg":null,"MsgId":"b","Timestamp":"1700000000123"},
		{"result":0,"msg":"success","msg_id":"a","more":true},
		{"Result":0,"Msg":7,"MsgId":123},
		{"Result":0,"Msg":"no id"},
		{"Msg":"no result","MsgId":"c"},
		{"Result":"x","MsgId":"d"},
		"row", null, 5, [],
		{"Result":0,"MsgId":"a","Timestamp":null},
		{"Result":10004,"Msg":"line\nbreak\u0000\ttab","MsgId":"f"}
	]}}`)
	resp, err = newClient(t, d.URL).SendDanmakuGifts(t.Context(), testGifts())
	if err != nil {
		t.Fatal(err)
	}
	want := []zego.Result{
		{MsgID: "b", Result: 10003, Timestamp: 1700000000123},
		{MsgID: "a", Message: "success"},
		{MsgID: "123", Message: "7"},
		{MsgID: "a"},
		{MsgID: "f", Result: 10004, Message: "line break  tab"},
	}
	if diff := cmp.Diff(want, resp.Results); diff != "" {
		t.Error(diff)
	}
}

func TestLaunchCodeShapes(t *testing.T) {
	req := zego.LaunchCodeRequest{RoomID: "r", MiniGameID: "g", AnchorID: "a", Nickname: "A", Avatar: "http://x.example/"}
	for body, want := range map[string]string{
		`{"Code":0,"Data":{"GameLaunchCode":"101010512"}}`: "101010512",
		`{"Code":0,"Data":{"GameLaunchCode":101010512}}`:   "101010512",
		`{"Code":0,"Data":{"GameLaunchCode":""}}`:          "",
		`{"Code":0,"Data":{"GameLaunchCode":"\u0007"}}`:    "",
		`{"Code":0,"Data":{"GameLaunchCode":["1"]}}`:       "",
		`{"Code":0,"Data":{}}`:                             "",
		`{"Code":0}`:                                       "",
	} {
		resp, err := newClient(t, newDoor(t, says(body)).URL).DescribeGameLaunchCode(t.Context(), req)
		var e *zego.Error
		switch {
		case want != "" && (err != nil || resp.LaunchCode != want):
			t.Errorf("%s: %v, %v", body, resp, err)
		case want == "" && (!errors.As(err, &e) || e.Outcome != room.Unknown):
			t.Errorf("%s: %v, want an unknown outcome", body, err)
		}
	}
	var e *zego.Error
	_, err := newClient(t, newDoor(t, says(`{"Code":7206005,"Message":"too often"}`)).URL).DescribeGameLaunchCode(t.Context(), req)
	if !errors.As(err, &e) || e.Code != zego.CodeLaunchTooOften || e.Outcome != room.NotTaken {
		t.Error(err)
	}
}

func TestMessagesAreBoundedAndClean(t *testing.T) {
	for message, want := range map[string]string{
		strings.Repeat("x", 300):                strings.Repeat("x", 256),
		strings.Repeat("é", 200):                strings.Repeat("é", 128),
		"x" + strings.Repeat("é", 200):          "x" + strings.Repeat("é", 127),
		"x" + strings.Repeat("🚀", 1<<16):        "x" + strings.Repeat("🚀", 63),
		`a\u001b[31mred\u0085\r\n`:              "a [31mred   ",
		"half \xf0\x9f":                         "half \uFFFD\uFFFD",
		strings.Repeat("\xff", 2000):            strings.Repeat("\uFFFD", 85),
		strings.Repeat(`\u0000`, 10_000) + "xy": strings.Repeat(" ", 256),
	} {
		d := newDoor(t, says(`{"Code":7208000,"RequestId":"`+strings.Repeat("7", 100)+`","Message":"`+message+`"}`))
		_, err := newClient(t, d.URL).SendDanmakuGifts(t.Context(), testGifts())
		var e *zego.Error
		if !errors.As(err, &e) {
			t.Errorf("%.40q: %v", message, err)
			continue
		}
		if e.Message != want || len(e.RequestID) != 64 {
			t.Errorf("message %q (%d bytes), want %q", e.Message, len(e.Message), want)
		}
	}
}

// TestErrorsHoldNoSignature: a server, or a proxy on the way, may repeat what it
// was asked.
func TestErrorsHoldNoSignature(t *testing.T) {
	echo := func(format string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, format, r.URL.String()+" "+testSecret)
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"message":  echo(`{"Code":100000005,"Message":%q}`, 200),
		"HTML":     echo(`<html>%s</html>`, 200),
		"502":      echo(`<html>%s</html>`, 502),
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) },
		"cut off": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, r.URL.String())
		},
		"dropped": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		d := newDoor(t, answer)
		_, err := newClient(t, d.URL).SendDanmakuGifts(t.Context(), testGifts())
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		signature := d.seen()[0].query["Signature"][0]
		for cause := err; cause != nil; cause = errors.Unwrap(cause) {
			for _, verb := range []string{"%v", "%+v", "%#v"} {
				out := fmt.Sprintf(verb, cause)
				if strings.Contains(out, signature) || strings.Contains(out, testSecret) {
					t.Errorf("%s: %s shows the signature or the secret: %s", name, verb, out)
				}
			}
		}
		if got := len(d.seen()); got != 1 {
			t.Errorf("%s: %d calls were made", name, got)
		}
	}
}

// TestAnswersAreReadOnlySoFar: a body without an end is not kept, whatever its status.
func TestAnswersAreReadOnlySoFar(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusBadGateway} {
		body := &endless{}
		c := newClient(t, "http://x.example", func(cfg *zego.Config) {
			cfg.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: status, Body: body}, nil
			})
		})
		_, err := c.SendDanmakuGifts(t.Context(), testGifts())
		var e *zego.Error
		if !errors.As(err, &e) || e.Outcome != room.Unknown || !body.closed || body.read > 1<<20+512 {
			t.Errorf("status %d: %v after %d bytes, closed %v", status, err, body.read, body.closed)
		}
	}
}

// endless is a body of spaces; at 16 MiB it gives up, so that the test can fail.
type endless struct {
	read   int
	closed bool
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read > 16<<20 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Close() error {
	e.closed = true
	return nil
}

func TestErrorText(t *testing.T) {
	for want, e := range map[string]*zego.Error{
		"zego: SendDanmakuGifts: not_taken: code 7206001 (game_not_started): wait [77]": {
			Action: zego.ActionGifts, Outcome: room.NotTaken, Code: 7206001, Message: "wait", RequestID: "77",
		},
		"zego: SendDanmakuLikes: not_taken: code 5 (unknown)": {Action: zego.ActionLikes, Outcome: room.NotTaken, Code: 5},
		"zego: SendDanmakuLikes: unknown: no answer: " + context.DeadlineExceeded.Error(): {
			Action: zego.ActionLikes, Message: "no answer: context deadline exceeded", Err: context.DeadlineExceeded,
		},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
