package zego_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// theFile is the catalogue file that giftwire documents.
const theFile = `games:
  - mini_game_id: TinyLoveWar
    join: # optional: the comments by which a viewer joins
      - { text: "5", team: blue }
      - { text: "6", team: red }
    gifts:
      - gift_id: g1
        name: Rocket
        icon: "🚀"
        tiers:
          - { value: 10, effect: soldier }
          - { value: 66, effect: general }
`

func TestParseGames(t *testing.T) {
	got, err := zego.ParseGames(strings.NewReader(theFile))
	if err != nil {
		t.Fatal(err)
	}
	want := []room.GameSpec{{
		ID:   "TinyLoveWar",
		Join: []room.JoinWord{{Text: "5", Team: "blue"}, {Text: "6", Team: "red"}},
		Gifts: []room.GiftSpec{{
			ID: "g1", Name: "Rocket", Icon: "🚀",
			Tiers: []room.Tier{{Value: 10, Effect: "soldier"}, {Value: 66, Effect: "general"}},
		}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadCatalogue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "games.yaml")
	if err := os.WriteFile(path, []byte(theFile), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := zego.LoadCatalogue(path)
	if err != nil {
		t.Fatal(err)
	}
	if value, num, err := c.Resolve("TinyLoveWar", "g1", 20, 0); value != 10 || num != 2 || err != nil {
		t.Errorf("20 rockets: %d %d %v", value, num, err)
	}
	if value, num, err := c.Resolve("TinyLoveWar", "g1", 66, 0); value != 66 || num != 1 || err != nil {
		t.Errorf("66 rockets: %d %d %v", value, num, err)
	}
	var tiers *room.TierError
	if _, _, err := c.Resolve("TinyLoveWar", "g1", 30, 30); !errors.As(err, &tiers) {
		t.Errorf("a value of 30: %v", err)
	}
	if _, err := zego.LoadCatalogue(path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, []byte("games: 5"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := zego.LoadCatalogue(path); !errors.Is(err, zego.ErrBadCatalogue) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v does not name the file", err)
	}
}

func TestCatalogueFaultsNameTheirLine(t *testing.T) {
	const head = "games:\n  - mini_game_id: a\n"
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"unknown field", head + "    gift: []\n", []string{"line 3: unknown field gift"}},
		{"wrong case", "Games: []\n", []string{"line 1: unknown field Games"}},
		{"field twice", head + "    mini_game_id: b\n", []string{"line 3", "mini_game_id", "already defined"}},
		{"number for text", head + "    join: [{ text: 5 }]\n", []string{"line 3: 5 is not text: put it in quotes"}},
		{"truth for text", head + "    join:\n      - { text: \"x\", team: yes }\n      - { text: true }\n", []string{"line 5: true is not text"}},
		{"list for text", "games:\n  - mini_game_id: [a]\n", []string{"line 2: text is expected"}},
		{"all faults at once", head + tiers("{ value: ten }", "{ value: 1.5 }", `{ value: "10" }`, "{ value: 10, effect: [1] }") + "    foo: 2\n", []string{
			"line 6: a whole number is expected", "line 7: a whole", "line 8: a whole", "line 9: text is expected", "line 10: unknown field foo",
		}},
		{"traps of YAML", head + tiers("{ value: 010 }", "{ value: 0x10 }", "{ value: 1_0 }", "{ value: +7 }", "{ value: 1e1 }"), []string{
			"line 6: 010 is not a plain decimal", "line 7: 0x10 is not", "line 8: 1_0 is not", "line 9: +7 is not", "line 10: a whole number",
		}},
		{"too large a number", head + tiers("{ value: 99999999999999999999 }"), []string{"line 6: a whole number"}},
		{"games is a number", "games: 5\n", []string{"line 1: cannot construct"}},
		{"a list", "- a\n", []string{"line 1: cannot construct"}},
		{"nothing", "", []string{"no documents"}},
		{"two documents", "games: []\n---\ngames: []\n", []string{"multiple"}},
		{"tab", "games:\n\t- a\n", []string{"L2"}},
		{"cut off", "games: [", []string{"did not find"}},
		{"broken UTF-8", "games:\n  - mini_game_id: \"\xff\"\n", []string{"UTF-8"}},
		{"many", head + tiers(slicesRepeat("{ value: x }", 30)...), []string{"line 25", "and 10 more"}},
		{"content", head + tiers("{ value: 0 }", "{ value: 7 }", "{ value: 7 }") + "  - { mini_game_id: a }\n", []string{
			"tier value 0", "tier value 7 is there twice", `game "a" is there twice`,
		}},
		{"null for text", head + "    join: [{ text: ~ }]\n", []string{"join word"}},
		{"null for id", "games:\n  - mini_game_id:\n", []string{"game number 1"}},
	} {
		games, err := zego.ParseGames(strings.NewReader(tt.text))
		if !errors.Is(err, zego.ErrBadCatalogue) || games != nil {
			t.Errorf("%s: %v, %v", tt.name, games, err)
			continue
		}
		for _, part := range tt.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", tt.name, err, part)
			}
		}
		if strings.Contains(err.Error(), "zego.") && strings.Contains(err.Error(), "Entry") {
			t.Errorf("%s: %q names our types", tt.name, err)
		}
	}
}

func tiers(lines ...string) string {
	return "    gifts:\n      - gift_id: g\n        tiers:\n          - " + strings.Join(lines, "\n          - ") + "\n"
}

func TestCatalogueIsBounded(t *testing.T) {
	if _, err := zego.ParseCatalogue(strings.NewReader(theFile + "#" + strings.Repeat("x", 1<<20))); !errors.Is(err, zego.ErrBadCatalogue) {
		t.Errorf("more than a MiB: %v", err)
	}
	if c, err := zego.ParseCatalogue(strings.NewReader(theFile + "#" + strings.Repeat("x", 1<<20-len(theFile)-1))); err != nil {
		t.Errorf("a MiB: %v", err)
	} else if _, ok := c.Game("TinyLoveWar"); !ok {
		t.Error("the game is missing")
	}
	broken := errors.New("broken disk")
	if _, err := zego.ParseCatalogue(iotest.ErrReader(broken)); !errors.Is(err, broken) || errors.Is(err, zego.ErrBadCatalogue) {
		t.Errorf("a reader's error: %v", err)
	}
	// Nine levels of nine aliases each: 387 million strings, if they were built.
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for name := 'b'; name <= 'i'; name++ {
		bomb += string(name) + ": &" + string(name) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(name-1)+",", 9), ",") + "]\n"
	}
	if _, err := zego.ParseCatalogue(strings.NewReader(bomb + "games: *i\n")); err == nil {
		t.Error("a bomb of aliases passed")
	}
}
