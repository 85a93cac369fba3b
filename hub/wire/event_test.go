package wire_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var msgID = room.NewMsgID(1234567, "r1", "u1", "c-17")

// events is one of each, by the name of its golden file.
func events() map[string]wire.Event {
	two, zero := 2, 0
	game := wire.Game{MiniGameID: "TinyLoveWar", State: "running", RoundID: "77"}
	return map[string]wire.Event{
		"welcome": wire.Welcome{
			Room: "r1", UserID: "u1", Node: "n1", Epoch: "e-1", Seq: 41, Viewers: 3, Game: game,
			Menu: wire.Menu{
				Gifts: []wire.MenuGift{{
					GiftID: "g1", Name: "Rocket", Icon: "🚀",
					Tiers: []wire.MenuTier{{Value: 10, Effect: "soldier"}, {Value: 66, Effect: "general"}},
				}, {GiftID: "g2", Name: "Rose", Tiers: []wire.MenuTier{}}},
				Join: []wire.JoinWord{{Text: "5", Team: "blue"}, {Text: "6", Team: "red"}},
			},
		},
		"welcome_resumed": wire.Welcome{
			Room: "r1", UserID: "u1", Node: "n1", Epoch: "e-1", Seq: 40, Resumed: true, Viewers: 1,
			Game: wire.Game{MiniGameID: "other", State: "unknown"},
			Menu: wire.Menu{Gifts: []wire.MenuGift{}, Join: []wire.JoinWord{}},
		},
		"accepted":      wire.Accepted{ID: "c-17", MsgID: msgID},
		"rejected":      wire.Rejected{ID: "c-18", Code: wire.CodeBadCount, Message: "count 15 of gift g1 is not a multiple of any of its tiers: 10, 66"},
		"rejected_busy": wire.Rejected{ID: "c-18", Code: wire.CodeBusy, Message: "too many gifts wait", RetryAfterMS: 1000},
		"result":        wire.Result{ID: "c-17", MsgID: msgID, Status: "delivered", Reason: room.ReasonOK, Message: "given"},
		"result_failed": wire.Result{ID: "c-17", MsgID: msgID, Status: "failed", Code: 10003, Reason: room.ReasonNotJoined, Message: "not joined"},
		"gifts": wire.Gifts{Seq: 42, Gifts: []wire.Gift{{
			MsgID: msgID, UserID: "u1", Nickname: "Ann \"<&>\" \u2028", Avatar: "https://example.com/a.png", GiftID: "g1",
			Value: 10, Num: 2, Count: 20, ReceiverID: "anchor1", At: 1795449600000,
		}, {
			MsgID: msgID, UserID: "u2", Nickname: "Bo", Avatar: "https://example.com/b.png", GiftID: "g1",
			Value: 66, Num: 1, Count: 66, At: 1795449600001,
		}}},
		"comments": wire.Comments{Comments: []wire.Comment{{
			UserID: "u1", Nickname: "Ann", Avatar: "https://example.com/a.png", Text: "5", At: 1795449600000,
		}}},
		"likes":      wire.Likes{Count: 7, Total: 1007},
		"presence":   wire.Presence{Viewers: 12},
		"game":       game,
		"game_ended": wire.Game{MiniGameID: "TinyLoveWar", State: "ended", RoundID: "77", WinnerTeam: &two, ResultType: &zero},
		"lagged":     wire.Lagged{From: 3, To: 9},
		"error":      wire.Error{Code: wire.CodeBadRequest, Message: "the frame is not valid JSON"},
		"error_id":   wire.Error{Code: wire.CodeUnavailable, Message: "later", ID: "c-19"},
		"pong":       wire.Pong{T: jsontext.Value("17.5"), Now: 1795449600000},
		"pong_bare":  wire.Pong{Now: 1795449600000},
		"bye":        wire.Bye{Code: wire.ByeDraining, ReconnectInMS: 1234},
		"bye_final":  wire.Bye{Code: wire.ByeRoomClosed},
	}
}

// TestGolden holds every event to its file: the names on the wire are fixed.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	all := events()
	if len(files) != len(all) && !*update {
		t.Errorf("%d golden files, %d events", len(files), len(all))
	}
	for name, e := range all {
		file := filepath.Join("testdata", "events", name+".json")
		got := append(e.Append(nil), '\n')
		if *update {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !jsontext.Value(got).IsValid() {
			t.Errorf("%s is not valid JSON: %s", name, got)
		}
	}
}

// TestParse reads back what Append wrote: the tags of the structs and the names
// that Append writes are the same.
func TestParse(t *testing.T) {
	t.Parallel()
	for name, e := range events() {
		got, err := wire.Parse(wire.AppendFrame(nil, wire.Encode(e), []byte(`{"type":"news","of":"tomorrow"}`)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff([]wire.Event{e}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, frame := range []string{``, `{}`, `[1]`, `[{}]`, `[{"type":"gifts","seq":"1"}]`, `[{"type":"bye"}] x`} {
		if got, err := wire.Parse([]byte(frame)); err == nil {
			t.Errorf("Parse(%s) = %v, want an error", frame, got)
		}
	}
}

func TestAppendFrame(t *testing.T) {
	t.Parallel()
	a, b := wire.Encode(wire.Presence{Viewers: 1}), wire.Encode(wire.Lagged{From: 1, To: 2})
	want := `[{"type":"presence","viewers":1},{"type":"lagged","from":1,"to":2}]`
	if got := string(wire.AppendFrame(nil, a, b)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(wire.AppendFrame(nil)); got != "[]" {
		t.Errorf("empty frame %s", got)
	}
	if cap(a) != len(a) {
		t.Errorf("Encode keeps %d bytes for %d", cap(a), len(a))
	}
}

// TestEncodeBadUTF8: whatever stands in a string, a frame is valid UTF-8 and JSON.
func TestEncodeBadUTF8(t *testing.T) {
	t.Parallel()
	got := wire.Encode(wire.Comments{Comments: []wire.Comment{{Text: "a\xffb\x00\"\\"}}})
	if !utf8.Valid(got) || !jsontext.Value(got).IsValid() {
		t.Errorf("%q", got)
	}
	if !strings.Contains(string(got), `a\ufffdb`) && !bytes.Contains(got, []byte("a�b")) {
		t.Errorf("the bad byte was not replaced: %q", got)
	}
}

func TestCloseCodes(t *testing.T) {
	t.Parallel()
	want := map[wire.ByeCode]wire.CloseCode{
		wire.ByeDraining: 1012, wire.ByeRoomClosed: 1000, wire.ByeSlow: 1008, wire.ByeExpiredToken: 1000, wire.ByeAbuse: 1008,
	}
	got := make(map[wire.ByeCode]wire.CloseCode)
	for _, c := range wire.ByeCodes() {
		got[c] = c.CloseCode()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func BenchmarkGifts(b *testing.B) {
	e := events()["gifts"]
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = e.Append(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}
