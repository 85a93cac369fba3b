package wire_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

func ptr[T any](v T) *T { return &v }

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want wire.Frame
	}{
		{`{"type":"gift","id":"c-17","gift_id":"g1","count":20}`, wire.GiftFrame{ID: "c-17", GiftID: "g1", Count: 20}},
		{
			` { "count" : 66, "value":66,"receiver_id":"a1", "gift_id":"g1","id":"c_1","type":"gift"} ` + "\n",
			wire.GiftFrame{ID: "c_1", GiftID: "g1", Count: 66, Value: ptr(66), Receiver: ptr("a1")},
		},
		{`{"type":"gift","id":"c","gift_id":"","count":-5,"value":0}`, wire.GiftFrame{ID: "c", Count: -5, Value: ptr(0)}},
		{`{"\u0074ype":"g\u0069ft","id":"c","gift_id":"g","count":1}`, wire.GiftFrame{ID: "c", GiftID: "g", Count: 1}},
		{`{"type":"comment","id":"c-1","text":"5"}`, wire.CommentFrame{ID: "c-1", Text: "5"}},
		{`{"type":"comment","id":"c-1","text":"\ud83d\ude80\n"}`, wire.CommentFrame{ID: "c-1", Text: "🚀\n"}},
		{`{"type":"like"}`, wire.LikeFrame{Count: 1}},
		{`{"type":"like","count":0}`, wire.LikeFrame{Count: 0}},
		{`{"type":"like","count":1000}`, wire.LikeFrame{Count: 1000}},
		{`{"type":"ping"}`, wire.PingFrame{}},
		{`{"type":"ping","t":-1.5e300}`, wire.PingFrame{T: jsontext.Value("-1.5e300")}},
	}
	for _, tt := range tests {
		got, err := wire.Decode([]byte(tt.in))
		if err != nil {
			t.Errorf("Decode(%s): %v", tt.in, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("Decode(%s) (-want +got):\n%s", tt.in, diff)
		}
		again, err := wire.Decode(got.Append(nil))
		if diff := cmp.Diff(got, again); diff != "" || err != nil {
			t.Errorf("%s written and read again: %v (-want +got):\n%s", tt.in, err, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const gift = `{"type":"gift","id":"c-1","gift_id":"g","count":1`
	tests := []struct {
		name, in  string
		id        string
		malformed bool
		says      string
	}{
		{name: "empty", in: ``, malformed: true},
		{name: "not JSON", in: `hello`, malformed: true},
		{name: "cut off", in: `{"type":"gift"`, malformed: true},
		{name: "array", in: `[{"type":"ping"}]`, malformed: true},
		{name: "string", in: `"ping"`, malformed: true},
		{name: "null", in: `null`, malformed: true},
		{name: "two objects", in: `{"type":"ping"}{"type":"ping"}`, malformed: true},
		{name: "trailing comma", in: `{"type":"ping",}`, malformed: true},
		{name: "trailing bytes", in: `{"type":"ping"} x`, malformed: true},
		{name: "byte order mark", in: "\ufeff" + `{"type":"ping"}`, malformed: true},
		{name: "comment syntax", in: `{"type":"ping"/*t*/}`, malformed: true},
		{name: "single quotes", in: `{'type':'ping'}`, malformed: true},
		{name: "lone surrogate", in: `{"type":"comment","id":"c","text":"\ud800"}`, malformed: true},
		{name: "bad UTF-8", in: "{\"type\":\"comment\",\"id\":\"c\",\"text\":\"\xff\"}", malformed: true},
		{name: "raw control", in: "{\"type\":\"comment\",\"id\":\"c\",\"text\":\"\n\"}", malformed: true},
		{name: "deep", in: `{"type":"ping","t":` + strings.Repeat("[", 10_001), malformed: true},
		{name: "no type", in: `{"id":"c-1"}`, malformed: true},
		{name: "type twice", in: `{"type":"ping","type":"ping"}`, malformed: true},
		{name: "type null", in: `{"type":null}`, malformed: true},
		{name: "type number", in: `{"type":1}`, malformed: true},
		{name: "type in other case", in: `{"Type":"ping"}`, malformed: true},
		{name: "unknown type", in: `{"type":"gifts","id":"c-1"}`, malformed: true, says: "unknown type"},
		{name: "type value in other case", in: `{"type":"Gift","id":"c-1"}`, malformed: true},

		{name: "unknown member", in: gift + `,"price":0}`, id: "c-1", says: "not known"},
		{name: "member of another type", in: gift + `,"text":"5"}`, id: "c-1", says: "not known"},
		{name: "member in other case", in: `{"type":"gift","id":"c-1","gift_id":"g","Count":1}`, id: "c-1", says: "not known"},
		{name: "sender's identity", in: gift + `,"user_id":"boss"}`, id: "c-1", says: "not known"},
		{name: "count twice", in: gift + `,"count":1}`, id: "c-1", says: "twice: count"},
		{name: "count twice, escaped", in: gift + `,"c\u006funt":1}`, id: "c-1", says: "twice: count"},
		{name: "no count", in: `{"type":"gift","id":"c-1","gift_id":"g"}`, id: "c-1", says: "missing: count"},
		{name: "no gift_id", in: `{"type":"gift","id":"c-1","count":1}`, id: "c-1", says: "missing: gift_id"},
		{name: "count string", in: `{"type":"gift","id":"c-1","gift_id":"g","count":"1"}`, id: "c-1", says: "type: count"},
		{name: "count null", in: `{"type":"gift","id":"c-1","gift_id":"g","count":null}`, id: "c-1", says: "type: count"},
		{name: "count fraction", in: `{"type":"gift","id":"c-1","gift_id":"g","count":1.5}`, id: "c-1", says: "type: count"},
		{name: "count exponent", in: `{"type":"gift","id":"c-1","gift_id":"g","count":1e2}`, id: "c-1", says: "type: count"},
		{name: "count huge", in: `{"type":"gift","id":"c-1","gift_id":"g","count":99999999999999999999}`, id: "c-1", says: "type: count"},
		{name: "count true", in: `{"type":"gift","id":"c-1","gift_id":"g","count":true}`, id: "c-1", says: "type: count"},
		{name: "value null", in: gift + `,"value":null}`, id: "c-1", says: "type: value"},
		{name: "receiver number", in: gift + `,"receiver_id":7}`, id: "c-1", says: "type: receiver_id"},
		{name: "gift_id object", in: `{"type":"gift","id":"c-1","gift_id":{},"count":1}`, id: "c-1", says: "type: gift_id"},
		{name: "comment without text", in: `{"type":"comment","id":"c-1"}`, id: "c-1", says: "missing: text"},
		{name: "comment text list", in: `{"type":"comment","id":"c-1","text":["5"]}`, id: "c-1", says: "type: text"},

		{name: "no id", in: `{"type":"gift","gift_id":"g","count":1}`, says: "missing: id"},
		{name: "id twice", in: gift + `,"id":"c-1"}`, says: "twice: id"},
		{name: "id number", in: `{"type":"gift","id":17,"gift_id":"g","count":1}`, says: "type: id"},
		{name: "id in other case", in: `{"type":"gift","ID":"c-1","gift_id":"g","count":1}`, says: "not known"},
		{name: "id empty", in: `{"type":"gift","id":"","gift_id":"g","count":1}`, says: "id must be"},
		{name: "id too long", in: `{"type":"gift","id":"` + strings.Repeat("a", 65) + `","gift_id":"g","count":1}`, says: "id must be"},
		{name: "id with a space", in: `{"type":"comment","id":"a b","text":"5"}`, says: "id must be"},
		{name: "like with id", in: `{"type":"like","id":"c-1"}`, says: "not known"},
		{name: "like null", in: `{"type":"like","count":null}`, says: "type: count"},
		{name: "ping with a string", in: `{"type":"ping","t":"now"}`, says: "type: t"},
		{name: "ping with a list", in: `{"type":"ping","t":[1]}`, says: "type: t"},
	}
	for _, tt := range tests {
		got, err := wire.Decode([]byte(tt.in))
		var fe *wire.FrameError
		if !errors.As(err, &fe) {
			t.Errorf("%s: got %#v, error %v, want a FrameError", tt.name, got, err)
			continue
		}
		if fe.ID != tt.id || fe.Malformed != tt.malformed || !strings.Contains(fe.Message, tt.says) {
			t.Errorf("%s: got %+v, want id %q, malformed %v, message with %q", tt.name, *fe, tt.id, tt.malformed, tt.says)
		}
	}
}

// TestDecodeKeepsNothing: the caller's buffer is used again for the next frame.
func TestDecodeKeepsNothing(t *testing.T) {
	t.Parallel()
	in := []byte(`{"type":"ping","t":12345}`)
	got, err := wire.Decode(in)
	if err != nil {
		t.Fatal(err)
	}
	clear(in)
	if diff := cmp.Diff(wire.Frame(wire.PingFrame{T: jsontext.Value("12345")}), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzDecode: no panic; an error is a FrameError with an id that an answer can
// carry; a frame that was taken is taken again when it is written.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/[fr]*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := wire.Decode(data)
		var fe *wire.FrameError
		switch {
		case err == nil:
			again, err := wire.Decode(frame.Append(nil))
			if diff := cmp.Diff(frame, again); diff != "" || err != nil {
				t.Errorf("written and read again: %v\n%s", err, diff)
			}
		case !errors.As(err, &fe):
			t.Errorf("error %v is not a FrameError", err)
		case fe.ID != "" && (fe.Malformed || room.CheckClientID(fe.ID) != nil):
			t.Errorf("id %q of %+v", fe.ID, fe)
		case fe.Message == "" || len(fe.Message) > 300:
			t.Errorf("message of %d bytes: %q", len(fe.Message), fe.Message)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	in := []byte(`{"type":"gift","id":"c-17","gift_id":"g1","count":20,"receiver_id":"anchor1"}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, err := wire.Decode(in); err != nil {
			b.Fatal(err)
		}
	}
}
