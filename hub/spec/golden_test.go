package spec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/spec"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// golden are the files of package wire in a folder of its testdata.
func golden(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "wire", "testdata", folder, "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no golden files in %s: %v", folder, err)
	}
	files := make(map[string][]byte, len(names))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = text
	}
	return files
}

// typeOf is the type of an event or a frame.
func typeOf(t *testing.T, text []byte) string {
	t.Helper()
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		t.Fatal(err)
	}
	return head.Type
}

// types are the consts that the alternatives of a schema have for "type".
func types(t *testing.T, union string) map[string]bool {
	t.Helper()
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				OneOf []struct {
					Ref string `json:"$ref"`
				} `json:"oneOf"`
				Properties map[string]struct {
					Const string `json:"const"`
				} `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(spec.AsyncAPI()), &doc, json.RejectUnknownMembers(false)); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]bool)
	for _, one := range doc.Components.Schemas[union].OneOf {
		name := strings.TrimPrefix(one.Ref, "#/components/schemas/")
		all[doc.Components.Schemas[name].Properties["type"].Const] = true
	}
	return all
}

// Every event that package wire encodes fits the document, and every event of the
// document is there.
func TestGoldenEventsFitTheDocument(t *testing.T) {
	d := docs(t)
	want := types(t, "Event")
	for name, text := range golden(t, "events") {
		if err := d.Event(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		delete(want, typeOf(t, text))
	}
	if len(want) > 0 {
		t.Errorf("events of the document without a golden file: %v", want)
	}
}

// Every frame that package wire takes fits the document, and the other way round.
func TestGoldenFramesFitTheDocument(t *testing.T) {
	d := docs(t)
	want := types(t, "ClientFrame")
	for name, text := range golden(t, "frames") {
		if err := d.ClientFrame(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		delete(want, typeOf(t, text))
	}
	if len(want) > 0 {
		t.Errorf("frames of the document without a golden file: %v", want)
	}
	for name, text := range golden(t, "refused") {
		if err := d.ClientFrame(text); err == nil {
			t.Errorf("%s: wire refuses it, the document allows it", name)
		}
	}
}

// The closed lists of the code are those of the documents.
func TestListsAgree(t *testing.T) {
	d := docs(t)
	quote := func(s string) []byte { return []byte(`"` + s + `"`) }
	for _, c := range wire.Codes() {
		if err := d.Schema("RejectCode", quote(string(c))); err != nil {
			t.Errorf("reject code %s: %v", c, err)
		}
		if err := d.Event([]byte(`{"type":"rejected","id":"c","message":"m","code":"` + string(c) + `"}`)); err != nil {
			t.Errorf("reject code %s: %v", c, err)
		}
	}
	for _, c := range wire.ByeCodes() {
		if err := d.Event([]byte(`{"type":"bye","code":"` + string(c) + `"}`)); err != nil {
			t.Errorf("bye code %s: %v", c, err)
		}
	}
	for _, r := range []room.Reason{
		room.ReasonOK, room.ReasonNotJoined, room.ReasonNoSuchGift, room.ReasonNotStarted, room.ReasonGameNotFound,
		room.ReasonRefused, room.ReasonExpired, room.ReasonUnknownOutcome, room.ReasonGameError,
	} {
		if err := d.Schema("Reason", quote(string(r))); err != nil {
			t.Errorf("reason %s: %v", r, err)
		}
	}
}
