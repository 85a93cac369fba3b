package ask_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/ask"
	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

var update = flag.Bool("update", false, "write the golden files anew")

// full is a T whose every field, however deep, has a value of its own.
func full[T any](tb testing.TB) T {
	tb.Helper()
	var v T
	n := 0
	fill(tb, reflect.ValueOf(&v).Elem(), &n)
	return v
}

func fill(tb testing.TB, v reflect.Value, n *int) {
	tb.Helper()
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				tb.Fatalf("%v has a field that nobody can carry: %s", v.Type(), v.Type().Field(i).Name)
			}
			fill(tb, v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(tb, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(tb, v.Index(i), n)
		}
	case reflect.String:
		v.SetString("s" + strconv.Itoa(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Uint64:
		v.SetUint(1<<63 + uint64(*n)) // JSON's floats would round it
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	default:
		tb.Fatalf("%v: fill does not know it", v.Type())
	}
}

// questions are one of each kind, with nothing left out.
func questions(tb testing.TB) map[string]ask.Question {
	tb.Helper()
	all := make(map[string]ask.Question)
	for _, k := range append(ask.Kinds(), ask.KindComment, ask.KindLike) {
		q := full[ask.Question](tb)
		q.V, q.Kind, q.Within, q.Limit = ask.Version, k, 900, 1000
		if k == ask.KindComment || k == ask.KindLike {
			q.UpTo = 0
		}
		all[string(k)] = q
	}
	return all
}

// answers are one of each kind, with nothing left out.
func answers(tb testing.TB) map[ask.Kind]ask.Answer {
	tb.Helper()
	known := full[owner.Known](tb)
	known.Knowledge = owner.Decided
	state, timeline, page := full[owner.RoomState](tb), full[owner.Timeline](tb), full[owner.Page](tb)
	with := func(r ask.Reply) ask.Answer {
		a := full[ask.Answer](tb)
		a.V, a.Code, a.Reply = ask.Version, "", r
		return a
	}
	return map[ask.Kind]ask.Answer{
		ask.KindState: with(ask.Reply{State: &state}), ask.KindLookup: with(ask.Reply{Known: &known}),
		ask.KindTimeline: with(ask.Reply{Timeline: &timeline}), ask.KindLedger: with(ask.Reply{Page: &page}),
	}
}

func TestEveryFieldTravels(t *testing.T) {
	for name, q := range questions(t) {
		data, err := ask.EncodeQuestion(&q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ask.DecodeQuestion(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(q, *got); diff != "" {
			t.Errorf("question %s (-sent +got):\n%s", name, diff)
		}
	}
	for kind, a := range answers(t) {
		data, err := ask.EncodeAnswer(&a)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ask.DecodeAnswer(data, kind)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if diff := cmp.Diff(a, *got); diff != "" {
			t.Errorf("answer %s (-sent +got):\n%s", kind, diff)
		}
	}
}

// What is empty stays what it is: nil is not an empty slice.
func TestNothingTravels(t *testing.T) {
	state, known, page := owner.RoomState{}, owner.Known{}, owner.Page{}
	timeline := owner.Timeline{Gift: new(room.Gift)}
	for kind, r := range map[ask.Kind]ask.Reply{
		ask.KindState: {State: &state}, ask.KindLookup: {Known: &known},
		ask.KindTimeline: {Timeline: &timeline}, ask.KindLedger: {Page: &page},
	} {
		a := ask.Answer{V: ask.Version, Reply: r}
		data, err := ask.EncodeAnswer(&a)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ask.DecodeAnswer(data, kind)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if diff := cmp.Diff(a, *got); diff != "" {
			t.Errorf("%s (-sent +got):\n%s", kind, diff)
		}
	}
}

// Nodes of two releases talk to each other while an upgrade rolls: what stands on the
// wire changes by intention, with the version where a meaning changes.
func TestGolden(t *testing.T) {
	files := make(map[string][]byte)
	for name, q := range questions(t) {
		data, err := ask.EncodeQuestion(&q)
		if err != nil {
			t.Fatal(err)
		}
		files["question-"+name] = data
	}
	for kind, a := range answers(t) {
		data, err := ask.EncodeAnswer(&a)
		if err != nil {
			t.Fatal(err)
		}
		files["answer-"+string(kind)] = data
	}
	for name, data := range files {
		file := filepath.Join("testdata", name+".json")
		data = append(data, '\n')
		if *update {
			if err := os.WriteFile(file, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, data) {
			t.Errorf("%s is\n%s\nwant\n%s", file, data, want)
		}
	}
}

// The numbers by which enumerations travel must not move.
func TestEnumerationsKeepTheirNumbers(t *testing.T) {
	got := []int{
		int(owner.Unseen), int(owner.Open), int(owner.Decided),
		int(room.Pending), int(room.Delivered), int(room.Failed), int(room.Unresolved),
		int(room.Unknown), int(room.NotTaken), int(room.Consumed),
		int(room.GameUnknown), int(room.GameRunning), int(room.GameEnded),
	}
	if diff := cmp.Diff([]int{0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 0, 1, 2}, got); diff != "" {
		t.Errorf("raise the version (-want +got):\n%s", diff)
	}
}

// largest is a decision that cannot be larger: of characters that JSON writes as six.
func largest() room.Decision {
	nasty := func(n int) string { return strings.Repeat("\x01", n) }
	g := &room.Gift{
		ClientID: nasty(room.ClientIDMax), Room: nasty(room.RoomIDMax), Game: nasty(128),
		User:   room.User{ID: nasty(room.UserIDMax), Nickname: nasty(4 * room.NicknameMax), Avatar: nasty(room.AvatarMax)},
		GiftID: nasty(128), Receiver: nasty(room.UserIDMax), Asked: room.Asked{Receiver: nasty(room.UserIDMax)},
	}
	d := room.Decision{Gift: g, Message: nasty(256), Reason: room.ReasonGameError}
	for range room.AttemptsMax {
		d.Attempts = append(d.Attempts, room.Attempt{RequestID: nasty(64), Message: nasty(256)})
	}
	return d
}

func TestTheLargestTimelineFits(t *testing.T) {
	d := largest()
	a := ask.Answer{V: ask.Version, Reply: ask.Reply{
		Timeline: &owner.Timeline{Gift: d.Gift, Node: "n", Attempts: d.Attempts, Decision: &d},
	}}
	data, err := ask.EncodeAnswer(&a)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > cluster.MessageMax/8 {
		t.Errorf("it has %d bytes", len(data))
	}
}

// A page that is too large is cut, and whoever goes on at its Next misses nothing.
func TestAPageIsCut(t *testing.T) {
	small := room.Decision{Gift: &room.Gift{Room: "r"}}
	var rows []owner.Row
	for i := range 1000 {
		d := largest()
		if i%3 > 0 {
			d = small
		}
		rows = append(rows, owner.Row{Cursor: owner.Cursor{Seq: uint64(i), Index: owner.WholeRecord}, Decision: d})
	}
	seen, pages := 0, 0
	for ; seen < len(rows); pages++ {
		a := ask.Answer{V: ask.Version, Reply: ask.Reply{Page: &owner.Page{Rows: rows[seen:], Next: rows[len(rows)-1].Cursor}}}
		data, err := ask.EncodeAnswer(&a)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > cluster.MessageMax {
			t.Fatalf("a page of %d bytes", len(data))
		}
		got, err := ask.DecodeAnswer(data, ask.KindLedger)
		if err != nil {
			t.Fatal(err)
		}
		page := got.Reply.Page
		if n := len(page.Rows); n == 0 || page.Next != page.Rows[n-1].Cursor || page.Rows[0].Cursor != rows[seen].Cursor {
			t.Fatalf("after %d rows: %d rows up to %+v", seen, n, page.Next)
		}
		seen += len(page.Rows)
	}
	if pages < 3 || pages > 40 {
		t.Errorf("%d pages", pages)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	for name, data := range map[string]string{
		"not JSON": `{`, "twice": `{"v":1,"v":1,"kind":"state","room":"r"}`, "no room": `{"v":1,"kind":"state"}`,
		"no kind": `{"v":1,"room":"r"}`, "another kind": `{"v":1,"kind":"dance","room":"r"}`,
		"no comment": `{"v":1,"kind":"comment","room":"r"}`, "no like": `{"v":1,"kind":"like","room":"r"}`,
		"a like that waits": `{"v":1,"kind":"like","room":"r","up_to":9,"like":{}}`,
		"no limit":          `{"v":1,"kind":"ledger","room":"r"}`, "no bound": `{"v":1,"kind":"ledger","room":"r","limit":1001}`,
		"too patient": `{"v":1,"kind":"state","room":"r","within":5001}`,
		"too long":    `{"v":1,"kind":"state","room":"` + strings.Repeat("r", ask.QuestionMax) + `"}`,
	} {
		if _, err := ask.DecodeQuestion([]byte(data)); !errors.Is(err, ask.ErrMessage) {
			t.Errorf("question, %s: %v", name, err)
		}
	}
	for _, kind := range ask.Kinds() {
		for name, data := range map[string]string{
			"not JSON": `[]`, "empty": `{"v":1}`, "of nothing": `{"v":1,"reply":{}}`,
			"no gift": `{"v":1,"reply":{"known":{"Knowledge":2},"timeline":{},"page":{"Rows":[{}]}}}`,
		} {
			if _, err := ask.DecodeAnswer([]byte(data), kind); !errors.Is(err, ask.ErrMessage) {
				t.Errorf("answer to %s, %s: %v", kind, name, err)
			}
		}
	}
	for _, data := range []string{`{"v":2,"kind":"state","room":"r"}`, `{"v":2,"kind":7}`, `{}`} {
		if _, err := ask.DecodeQuestion([]byte(data)); !errors.Is(err, ask.ErrVersion) {
			t.Errorf("question %s: %v", data, err)
		}
		if _, err := ask.DecodeAnswer([]byte(data), ask.KindState); !errors.Is(err, ask.ErrVersion) {
			t.Errorf("answer %s: %v", data, err)
		}
	}
}

// Whatever is read can be written and is read the same, and has what its reader relies
// upon.
func FuzzMessages(f *testing.F) {
	for _, q := range questions(f) {
		data, err := ask.EncodeQuestion(&q)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, a := range answers(f) {
		data, err := ask.EncodeAnswer(&a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if q, err := ask.DecodeQuestion(data); err == nil {
			again, err := ask.EncodeQuestion(q)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ask.DecodeQuestion(again)
			if len(again) <= ask.QuestionMax && (err != nil || !cmp.Equal(q, got)) {
				t.Fatalf("%s became %s: %v", data, again, err)
			}
		}
		for _, kind := range ask.Kinds() {
			a, err := ask.DecodeAnswer(data, kind)
			if err != nil || a.Code != "" {
				continue
			}
			rely(a.Reply, kind)
			again, err := ask.EncodeAnswer(a)
			if err != nil {
				continue // one row above all bounds
			}
			if _, err := ask.DecodeAnswer(again, kind); err != nil {
				t.Fatalf("%s became %s: %v", data, again, err)
			}
		}
	})
}

// rely looks at what the readers of a reply look at.
func rely(r ask.Reply, kind ask.Kind) {
	switch kind {
	case ask.KindState:
		_ = *r.State
	case ask.KindLookup:
		if r.Known.Knowledge != owner.Unseen {
			_ = r.Known.Gift.Content()
		}
	case ask.KindTimeline:
		_ = r.Timeline.Gift.MsgID
	default:
		for _, row := range r.Page.Rows {
			_ = row.Decision.Gift.MsgID
		}
	}
}
