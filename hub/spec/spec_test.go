package spec_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/spec"
	"github.com/giftwire/giftwire/hub/spec/spectest"
)

func docs(t *testing.T) *spectest.Docs {
	t.Helper()
	d, err := spectest.Load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDocumentsCompile(t *testing.T) {
	docs(t)
	for name, text := range map[string]string{"openapi": spec.OpenAPI(), "asyncapi": spec.AsyncAPI()} {
		var doc map[string]any
		if err := json.Unmarshal([]byte(text), &doc); err != nil { // duplicate names are an error here
			t.Errorf("%s: %v", name, err)
		}
		if doc[name] == nil {
			t.Errorf("%s: the document does not say its version", name)
		}
	}
}

// Every reference must lead somewhere, those outside of schemas too.
func TestReferencesResolve(t *testing.T) {
	for name, text := range map[string]string{"openapi": spec.OpenAPI(), "asyncapi": spec.AsyncAPI()} {
		var doc any
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		var walk func(node any)
		walk = func(node any) {
			switch n := node.(type) {
			case map[string]any:
				if ref, ok := n["$ref"].(string); ok && resolve(doc, ref) == nil {
					t.Errorf("%s: %s leads nowhere", name, ref)
				}
				for _, v := range n {
					walk(v)
				}
			case []any:
				for _, v := range n {
					walk(v)
				}
			}
		}
		walk(doc)
	}
}

func resolve(node any, ref string) any {
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		m, _ := node.(map[string]any)
		node = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
	}
	return node
}

// The same names mean the same in both documents.
func TestSharedSchemasAgree(t *testing.T) {
	var open, async struct {
		Components struct {
			Schemas map[string]map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(spec.OpenAPI()), &open); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(spec.AsyncAPI()), &async); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"RoomID", "UserID", "ClientID", "MsgID"} {
		if a, b := open.Components.Schemas[name]["pattern"], async.Components.Schemas[name]["pattern"]; a == nil || a != b {
			t.Errorf("%s: openapi %v, asyncapi %v", name, a, b)
		}
	}
}

func TestFrames(t *testing.T) {
	d := docs(t)
	tests := []struct {
		name   string
		client bool
		frame  string
		ok     bool
	}{
		{"gift", true, `{"type":"gift","id":"c-17","gift_id":"g1","count":20}`, true},
		{"gift in full", true, `{"type":"gift","id":"c","gift_id":"g1","count":20,"value":10,"receiver_id":"a1"}`, true},
		{"gift without id", true, `{"type":"gift","gift_id":"g1","count":20}`, false},
		{"gift with a stranger", true, `{"type":"gift","id":"c","gift_id":"g1","count":20,"price":0}`, false},
		{"comment", true, `{"type":"comment","id":"c","text":"5"}`, true},
		{"like", true, `{"type":"like"}`, true},
		{"ping", true, `{"type":"ping","t":1.5}`, true},
		{"unknown type", true, `{"type":"buy"}`, false},
		{"array", true, `[{"type":"ping"}]`, false},
		{"pong", false, `[{"type":"pong","t":1,"now":2}]`, true},
		{"two events", false, `[{"type":"lagged","from":1,"to":2},{"type":"bye","code":"slow","reconnect_in_ms":100}]`, true},
		{"not in an array", false, `{"type":"pong","now":2}`, false},
		{"empty array", false, `[]`, false},
		{"an event with a stranger", false, `[{"type":"pong","now":2,"x":1}]`, false},
		{"result pending", false, `[{"type":"result","id":"c","msg_id":"0f0e0d0c-0b0a-5908-8706-050403020100","status":"pending","code":0,"reason":"ok","message":""}]`, false},
		{"twice", false, `[{"type":"pong","now":2,"now":3}]`, false},
	}
	for _, tt := range tests {
		check := d.ServerFrame
		if tt.client {
			check = d.ClientFrame
		}
		if err := check([]byte(tt.frame)); (err == nil) != tt.ok {
			t.Errorf("%s: fits %v, want %v: %v", tt.name, err == nil, tt.ok, err)
		}
	}
}

func TestExchangeNoticesWhatIsNotDocumented(t *testing.T) {
	d := docs(t)
	problem := http.Header{"Content-Type": {"application/problem+json"}, "Retry-After": {"1"}, "Allow": {"GET"}}
	plain := http.Header{"Content-Type": {"application/json"}}
	const notFound = `{"type":"about:blank","status":404,"title":"Not Found","detail":"x","code":"room_not_found"}`
	tests := []struct {
		name string
		x    spectest.Exchange
		ok   bool
	}{
		{"documented problem", spectest.Exchange{Method: "GET", Path: "/v1/rooms/r1", Status: 404, Header: problem, Answer: []byte(notFound)}, true},
		{"head", spectest.Exchange{Method: "HEAD", Path: "/v1/rooms/r1", Status: 404, Header: problem}, true},
		{"status not listed", spectest.Exchange{Method: "GET", Path: "/v1/rooms/r1", Status: 418, Header: problem, Answer: []byte(notFound)}, false},
		{"method not allowed", spectest.Exchange{Method: "PATCH", Path: "/v1/rooms/r1", Status: 405, Header: problem, Answer: []byte(`{"type":"about:blank","status":405,"title":"x","detail":"x","code":"method_not_allowed"}`)}, true},
		{"unknown path", spectest.Exchange{Method: "GET", Path: "/v2", Status: 404, Header: problem, Answer: []byte(`{"type":"about:blank","status":404,"title":"x","detail":"x","code":"not_found"}`)}, true},
		{"unknown path, 200", spectest.Exchange{Method: "GET", Path: "/v2", Status: 200, Header: plain, Answer: []byte(`{}`)}, false},
		{"unknown code", spectest.Exchange{Method: "GET", Path: "/v1/rooms/r1", Status: 404, Header: problem, Answer: []byte(`{"type":"about:blank","status":404,"title":"x","detail":"x","code":"gone_fishing"}`)}, false},
		{"wrong media type", spectest.Exchange{Method: "GET", Path: "/v1/rooms/r1", Status: 404, Header: plain, Answer: []byte(notFound)}, false},
		{"no Retry-After", spectest.Exchange{
			Method: "GET", Path: "/v1/rooms/r1", Status: 503, Header: http.Header{"Content-Type": {"application/problem+json"}},
			Answer: []byte(`{"type":"about:blank","status":503,"title":"x","detail":"x","code":"unavailable"}`),
		}, false},
		{"answer misses a member", spectest.Exchange{Method: "GET", Path: "/v1/rooms", Status: 200, Header: plain, Answer: []byte(`{"rooms":[]}`)}, false},
		{"answer has a stranger", spectest.Exchange{Method: "GET", Path: "/v1/rooms", Status: 200, Header: plain, Answer: []byte(`{"rooms":[],"next":"","x":1}`)}, false},
		{"body with 204", spectest.Exchange{Method: "DELETE", Path: "/v1/rooms/r1", Status: 204, Header: plain, Answer: []byte(`{}`)}, false},
		{"took what is forbidden", spectest.Exchange{
			Method: "POST", Path: "/v1/rooms/r1/gifts", Status: 202, Header: plain,
			Request: []byte(`{"gifts":[],"x":1}`), Answer: []byte(`{"results":[]}`),
		}, false},
		{"took what is allowed", spectest.Exchange{
			Method: "POST", Path: "/v1/rooms/r1/gifts", Status: 202, Header: plain,
			Request: []byte(`{"gifts":[]}`), Answer: []byte(`{"results":[]}`),
		}, true},
	}
	for _, tt := range tests {
		if _, err := d.Exchange(tt.x); (err == nil) != tt.ok {
			t.Errorf("%s: fits %v, want %v: %v", tt.name, err == nil, tt.ok, err)
		}
	}
}
