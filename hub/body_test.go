package hub

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

type testBody struct {
	Name string   `json:"name"`
	Num  int      `json:"num"`
	Flag bool     `json:"flag"`
	List []string `json:"list"`
	Sub  struct {
		Name string `json:"name"`
	} `json:"sub"`
}

func TestReadJSONIsStrict(t *testing.T) {
	tests := []struct {
		name, body string
		detail     string // in the problem; empty: accepted
	}{
		{"good", `{"name":"a","num":1,"flag":true,"list":["x"],"sub":{"name":"b"}}`, ""},
		{"white space", " {\n\"name\": \"a\"}\n", ""},
		{"unknown member", `{"name":"a","nmu":1}`, `"/nmu" is not a known member`},
		{"unknown member inside", `{"sub":{"x":1}}`, `"/sub/x" is not a known member`},
		{"wrong case", `{"Name":"a"}`, `"/Name" is not a known member`},
		{"twice", `{"name":"a","name":"b"}`, `"/name" is there twice`},
		{"twice inside", `{"sub":{"name":"a","name":"b"}}`, `"/sub/name" is there twice`},
		{"twice by escape", `{"name":"a","na\u006de":"b"}`, `"/name" is there twice`},
		{"null", `{"name":null}`, `"/name" must not be null`},
		{"null inside", `{"list":["a",null]}`, `"/list/1" must not be null`},
		{"null body", `null`, `the body must not be null`},
		{"number for string", `{"name":1}`, `"/name" must be a string`},
		{"string for number", `{"num":"1"}`, `"/num" must be a whole number`},
		{"fraction", `{"num":1.5}`, `"/num" must be a whole number`},
		{"huge number", `{"num":1e40}`, `"/num" must be a whole number`},
		{"number for bool", `{"flag":1}`, `"/flag" must be true or false`},
		{"object for array", `{"list":{}}`, `"/list" must be an array`},
		{"array for object", `[]`, `the body must be an object`},
		{"trailing data", `{"name":"a"} {}`, "not valid JSON"},
		{"trailing comma", `{"name":"a",}`, "not valid JSON"},
		{"comment", `{"name":"a"} // x`, "not valid JSON"},
		{"invalid UTF-8", "{\"name\":\"a\xff\"}", "not valid JSON"},
		{"lone surrogate", `{"name":"\ud800"}`, "not valid JSON"},
		{"cut", `{"name":"a"`, "ends too early"},
		{"empty", ``, "ends too early"},
		{"NaN", `{"num":NaN}`, "not valid JSON"},
		{"deep", `{"list":` + strings.Repeat("[", 20000) + `}`, "not valid JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			r.Header.Set("Content-Type", "application/json")
			var v testBody
			err := readJSON(httptest.NewRecorder(), r, &v)
			if tt.detail == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			var p *problem
			if !errors.As(err, &p) || p.status != http.StatusBadRequest || p.code != codeBadRequest {
				t.Fatalf("got %v, want a 400 bad_request", err)
			}
			if !strings.Contains(p.detail, tt.detail) {
				t.Errorf("detail %q does not say %q", p.detail, tt.detail)
			}
		})
	}
}

func TestReadJSONDoesNotRepeatWhatWasSent(t *testing.T) {
	const secret = "s3cr3t-value"
	for _, body := range []string{
		`{"num":"` + secret + `"}`, `{"name":"` + secret + `"`, `{"name":"` + secret + `"} x`,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		err := readJSON(httptest.NewRecorder(), r, new(testBody))
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: error %v repeats a value", body, err)
		}
	}
}

func TestReadJSONMediaTypes(t *testing.T) {
	tests := []struct {
		contentType, encoding string
		ok                    bool
	}{
		{"application/json", "", true},
		{"application/json; charset=utf-8", "", true},
		{"application/json; charset=UTF-8", "identity", true},
		{"", "", true},
		{"application/json", "gzip", false},
		{"application/json; charset=latin1", "", false},
		{"text/plain;charset=UTF-8", "", true},          // fetch with a string
		{"application/x-www-form-urlencoded", "", true}, // curl -d
		{"application/json; =", "", true},
		{"text/plain; charset=utf-16", "", false},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{}`))
		r.Header.Set("Content-Type", tt.contentType)
		if tt.contentType == "" {
			r.Header.Del("Content-Type")
		}
		if tt.encoding != "" {
			r.Header.Set("Content-Encoding", tt.encoding)
		}
		err := readJSON(httptest.NewRecorder(), r, new(testBody))
		var p *problem
		switch {
		case tt.ok && err != nil:
			t.Errorf("%q %q refused: %v", tt.contentType, tt.encoding, err)
		case !tt.ok && (!errors.As(err, &p) || p.status != http.StatusUnsupportedMediaType):
			t.Errorf("%q %q: got %v, want 415", tt.contentType, tt.encoding, err)
		}
	}
}
