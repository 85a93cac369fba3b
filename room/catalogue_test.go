package room_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/giftwire/giftwire/room"
)

func loveWar() room.GameSpec {
	return room.GameSpec{
		ID:   "TinyLoveWar",
		Join: []room.JoinWord{{Text: "5", Team: "blue"}, {Text: "6", Team: "red"}},
		Gifts: []room.GiftSpec{
			{ID: "g1", Name: "Rocket", Icon: "🚀", Tiers: []room.Tier{{Value: 66, Effect: "general"}, {Value: 10, Effect: "soldier"}}},
			{ID: "g2"},
		},
	}
}

func TestResolve(t *testing.T) {
	c, err := room.NewCatalogue([]room.GameSpec{loveWar()})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		game, gift   string
		count, value int
		tier, num    int
	}{
		{"TinyLoveWar", "g1", 20, 0, 10, 2},
		{"TinyLoveWar", "g1", 66, 0, 66, 1},
		{"TinyLoveWar", "g1", 660, 0, 66, 10},
		{"TinyLoveWar", "g1", 30, 0, 10, 3},
		{"TinyLoveWar", "g1", 660, 10, 10, 66},
		{"TinyLoveWar", "g1", 100_000, 0, 10, 10_000},
		{"TinyLoveWar", "g2", 7, 0, 1, 7},
		{"TinyLoveWar", "g2", 7, 1, 1, 7},
		{"Other", "x", 30, 15, 15, 2},
	} {
		tier, num, err := c.Resolve(tt.game, tt.gift, tt.count, tt.value)
		if err != nil || tier != tt.tier || num != tt.num || tier*num != tt.count {
			t.Errorf("%s %s count %d value %d: %d x %d, %v", tt.game, tt.gift, tt.count, tt.value, tier, num, err)
		}
	}
	for _, tt := range []struct {
		game, gift   string
		count, value int
		message      string // of a TierError; empty: another error
		err          error
	}{
		{"TinyLoveWar", "g1", 15, 0, "count 15 of gift g1 is not a multiple of any of its tiers: 10, 66", nil},
		{"TinyLoveWar", "g1", 30, 30, "gift g1 has no tier of value 30; its tiers are 10, 66", nil},
		{"TinyLoveWar", "g1", 20, 66, "count 20 of gift g1 is not a multiple of value 66; its tiers are 10, 66", nil},
		{"TinyLoveWar", "g2", 4, 2, "gift g2 has no tier of value 2; its tiers are 1", nil},
		{"TinyLoveWar", "g1", 0, 0, "count 0", nil},
		{"TinyLoveWar", "g1", -10, 0, "count -10", nil},
		{"TinyLoveWar", "g1", 100_010, 0, "count 100010", nil},
		{"TinyLoveWar", "g1", 10, -1, "no tier of value -1", nil},
		{"Other", "x", 100_001, 100_001, "count 100001", nil},
		{"TinyLoveWar", "g3", 1, 0, "", room.ErrUnknownGift},
		{"Other", "x", 30, 0, "", room.ErrValueRequired},
	} {
		_, _, err := c.Resolve(tt.game, tt.gift, tt.count, tt.value)
		var tier *room.TierError
		switch {
		case tt.message == "" && !errors.Is(err, tt.err):
			t.Errorf("%s count %d value %d: %v, want %v", tt.gift, tt.count, tt.value, err, tt.err)
		case tt.message != "" && (!errors.As(err, &tier) || !strings.Contains(err.Error(), tt.message)):
			t.Errorf("%s count %d value %d: %v, want %q", tt.gift, tt.count, tt.value, err, tt.message)
		}
	}
}

func TestCatalogueIsACopy(t *testing.T) {
	spec := loveWar()
	c, err := room.NewCatalogue([]room.GameSpec{spec})
	if err != nil {
		t.Fatal(err)
	}
	spec.Gifts[0].Tiers[0].Value, spec.Join[0].Text = 5, "7"
	got, ok := c.Game("TinyLoveWar")
	if !ok || got.Gifts[0].Tiers[0].Value != 66 || got.Join[0].Text != "5" {
		t.Errorf("%+v %v", got, ok)
	}
	if _, ok := c.Game("Other"); ok {
		t.Error("knows a game that was not given")
	}
	var none room.Catalogue
	if _, ok := none.Game("TinyLoveWar"); ok || !none.Joins("TinyLoveWar", "5") {
		t.Error("the zero catalogue knows a game")
	}
}

func TestJoins(t *testing.T) {
	anything := room.GameSpec{ID: "Any"}
	c, err := room.NewCatalogue([]room.GameSpec{loveWar(), anything})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		game, text string
		want       bool
	}{
		{"TinyLoveWar", "5", true},
		{"TinyLoveWar", "6", true},
		{"TinyLoveWar", "55", false},
		{"TinyLoveWar", "hello", false},
		{"Any", "hello", true},
		{"Unlisted", "hello", true},
	} {
		if got := c.Joins(tt.game, tt.text); got != tt.want {
			t.Errorf("%s %q: %v", tt.game, tt.text, got)
		}
	}
}

// Every fault is reported at once, and names where it is.
func TestBadCatalogue(t *testing.T) {
	tier := func(values ...int) []room.Tier {
		var ts []room.Tier
		for _, v := range values {
			ts = append(ts, room.Tier{Value: v})
		}
		return ts
	}
	long := strings.Repeat("x", 129)
	many := make([]room.GiftSpec, room.GiftsMax+1)
	for i := range many {
		many[i].ID = fmt.Sprintf("g%d", i)
	}
	words := make([]room.JoinWord, room.JoinWordsMax+1)
	for i := range words {
		words[i].Text = fmt.Sprint(i)
	}
	_, err := room.NewCatalogue([]room.GameSpec{
		{ID: ""},
		{ID: "A", Gifts: []room.GiftSpec{
			{ID: "twice"},
			{ID: "twice"},
			{ID: ""},
			{ID: "zero", Tiers: tier(0)},
			{ID: "big", Tiers: tier(100_001)},
			{ID: "same", Tiers: tier(3, 3)},
			{ID: "tiers", Tiers: tier(slices.Repeat([]int{1}, 21)...)},
			{ID: "name", Name: long},
			{ID: "icon", Icon: "a\n"},
			{ID: "effect", Tiers: []room.Tier{{Value: 1, Effect: long}}},
		}},
		{ID: "A"},
		{ID: "B", Join: []room.JoinWord{{Text: ""}, {Text: "5"}, {Text: "5"}, {Text: strings.Repeat("x", 201)}, {Text: "7", Team: long}}},
		{ID: "C", Gifts: many, Join: words},
	})
	if !errors.Is(err, room.ErrBadCatalogue) {
		t.Fatal(err)
	}
	for _, want := range []string{
		"game number 1: mini_game_id", `game "A" is there twice`, `gift "twice" is there twice`, "gift number 3",
		`"zero": tier value 0`, `"big": tier value 100001`, `"same": tier value 3 is there twice`, `"tiers": 21 tiers`,
		`"name": name and icon`, `"icon": name and icon`, `"effect": effect of tier 1`,
		`join word ""`, `join word "5" is there twice`, `team of join word "7"`, "201 gifts, at most 200", "101 join words",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s", want)
		}
	}
	if _, err := room.NewCatalogue(make([]room.GameSpec, room.GamesMax+1)); !strings.Contains(err.Error(), "1001 games") {
		t.Error("too many games were taken")
	}
}
