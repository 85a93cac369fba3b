package room

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a catalogue, so that a welcome frame that carries a game's gifts
// stays below 256 KiB.
const (
	// GamesMax is how many games a catalogue may hold.
	GamesMax = 1000
	// GiftsMax is how many gifts one game may hold.
	GiftsMax = 200
	// TiersMax is how many tiers one gift may have.
	TiersMax = 20
	// JoinWordsMax is how many join words one game may have.
	JoinWordsMax = 100
	// nameMax bounds names, icons, effects and teams, in bytes.
	nameMax = 128
)

// Errors of resolving a gift. [TierError] is the third.
var (
	// ErrUnknownGift: the room's game has no such gift.
	ErrUnknownGift = errors.New("room: unknown gift")
	// ErrValueRequired: the game is not in the catalogue, so nothing tells the
	// tier but the sender.
	ErrValueRequired = errors.New("room: value is required: the game is not in the catalogue")
	// ErrBadCatalogue is wrapped by every error of [NewCatalogue].
	ErrBadCatalogue = errors.New("room: bad catalogue")
)

// TierError says that count cannot be given as asked, and which tiers would do.
type TierError struct {
	GiftID string
	Count  int
	Value  int   // the tier asked for, 0: none
	Tiers  []int // what the gift has, ascending; none: the game is not in the catalogue
}

// Error names the tiers that would do.
func (e *TierError) Error() string {
	tiers := make([]string, len(e.Tiers))
	for i, t := range e.Tiers {
		tiers[i] = strconv.Itoa(t)
	}
	list := strings.Join(tiers, ", ")
	switch {
	case len(e.Tiers) == 0:
		return fmt.Sprintf("count %d of gift %s is not a multiple of value %d", e.Count, e.GiftID, e.Value)
	case e.Value != 0 && !slices.Contains(e.Tiers, e.Value):
		return fmt.Sprintf("gift %s has no tier of value %d; its tiers are %s", e.GiftID, e.Value, list)
	case e.Value != 0:
		return fmt.Sprintf("count %d of gift %s is not a multiple of value %d; its tiers are %s",
			e.Count, e.GiftID, e.Value, list)
	default:
		return fmt.Sprintf("count %d of gift %s is not a multiple of any of its tiers: %s", e.Count, e.GiftID, list)
	}
}

// GameSpec is what was agreed with ZEGO for one game.
type GameSpec struct {
	ID    string     // MiniGameId
	Join  []JoinWord // the comments by which a viewer joins; none: any comment may be one
	Gifts []GiftSpec
}

// JoinWord is a comment that joins the game.
type JoinWord struct {
	Text string
	Team string // for people; may be empty
}

// GiftSpec is one gift of a game.
type GiftSpec struct {
	ID    string // ZEGO's GiftId
	Name  string
	Icon  string
	Tiers []Tier // none: Value is 1
}

// Tier is one effect of a gift.
type Tier struct {
	Value  int    // how many of the gift make one effect
	Effect string // for people
}

// Catalogue says which gifts each game has, and so what Value and Num a gift
// becomes. The zero Catalogue knows no game. It is immutable and safe for
// concurrent use.
type Catalogue struct {
	games map[string]*game
}

type game struct {
	spec  GameSpec
	gifts map[string][]int // ascending tier values; nil: Value is 1
	join  map[string]bool
}

// NewCatalogue checks the games and copies what it keeps. All faults are
// reported at once, each naming game and gift, in one error that wraps
// [ErrBadCatalogue].
func NewCatalogue(games []GameSpec) (Catalogue, error) {
	c := Catalogue{games: make(map[string]*game, len(games))}
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: "+format, append([]any{ErrBadCatalogue}, args...)...))
	}
	if len(games) > GamesMax {
		fault("%d games, at most %d", len(games), GamesMax)
	}
	for i, spec := range games {
		where := fmt.Sprintf("game %q", spec.ID)
		switch {
		case !named(spec.ID):
			where = fmt.Sprintf("game number %d", i+1)
			fault("%s: mini_game_id must be 1 to %d printable bytes", where, nameMax)
		case c.games[spec.ID] != nil:
			fault("%s is there twice", where)
		}
		c.games[spec.ID] = newGame(spec, func(format string, args ...any) {
			fault(where+": "+format, args...)
		})
	}
	if len(faults) > 0 {
		return Catalogue{}, errors.Join(faults...)
	}
	return c, nil
}

func newGame(spec GameSpec, fault func(string, ...any)) *game {
	g := &game{spec: cloneGame(spec), gifts: make(map[string][]int), join: make(map[string]bool)}
	if len(spec.Join) > JoinWordsMax {
		fault("%d join words, at most %d", len(spec.Join), JoinWordsMax)
	}
	for _, w := range spec.Join {
		switch {
		case w.Text == "" || utf8.RuneCountInString(w.Text) > CommentMax || !printable(w.Text):
			fault("join word %.64q must be 1 to %d printable characters", w.Text, CommentMax)
		case g.join[w.Text]:
			fault("join word %q is there twice", w.Text)
		}
		if w.Team != "" && !named(w.Team) {
			fault("team of join word %q must be at most %d printable bytes", w.Text, nameMax)
		}
		g.join[w.Text] = true
	}
	if len(spec.Gifts) > GiftsMax {
		fault("%d gifts, at most %d", len(spec.Gifts), GiftsMax)
	}
	for i, gift := range spec.Gifts {
		if !named(gift.ID) {
			fault("gift number %d: gift_id must be 1 to %d printable bytes", i+1, nameMax)
			continue
		}
		if _, twice := g.gifts[gift.ID]; twice {
			fault("gift %q is there twice", gift.ID)
		}
		g.gifts[gift.ID] = tierValues(gift, fault)
	}
	return g
}

func tierValues(gift GiftSpec, fault func(string, ...any)) []int {
	if (gift.Name != "" && !named(gift.Name)) || (gift.Icon != "" && !named(gift.Icon)) {
		fault("gift %q: name and icon must be at most %d printable bytes", gift.ID, nameMax)
	}
	if len(gift.Tiers) > TiersMax {
		fault("gift %q: %d tiers, at most %d", gift.ID, len(gift.Tiers), TiersMax)
	}
	var values []int
	for _, t := range gift.Tiers {
		switch {
		case t.Value < 1 || t.Value > CountMax:
			fault("gift %q: tier value %d is not between 1 and %d", gift.ID, t.Value, CountMax)
		case slices.Contains(values, t.Value):
			fault("gift %q: tier value %d is there twice", gift.ID, t.Value)
		}
		if t.Effect != "" && !named(t.Effect) {
			fault("gift %q: effect of tier %d must be at most %d printable bytes", gift.ID, t.Value, nameMax)
		}
		values = append(values, t.Value)
	}
	slices.Sort(values)
	return values
}

// named reports whether s can stand as a name: not empty, bounded, printable.
func named(s string) bool { return s != "" && len(s) <= nameMax && printable(s) }

func cloneGame(s GameSpec) GameSpec {
	s.Join = slices.Clone(s.Join)
	s.Gifts = slices.Clone(s.Gifts)
	for i := range s.Gifts {
		s.Gifts[i].Tiers = slices.Clone(s.Gifts[i].Tiers)
	}
	return s
}

// Game returns what is known of the game, for showing it. The slices are
// shared: do not change them.
func (c Catalogue) Game(id string) (GameSpec, bool) {
	g, ok := c.games[id]
	if !ok {
		return GameSpec{}, false
	}
	return g.spec, true
}

// Joins reports whether the text is a comment that joins the game. Where the
// game lists no join words, or is not in the catalogue, any comment may be one.
func (c Catalogue) Joins(gameID, text string) bool {
	g, ok := c.games[gameID]
	return !ok || len(g.join) == 0 || g.join[text]
}

// Resolve turns count of a gift into ZEGO's Value and Num (ZEGO.md 1.1.1):
// Value is the tier asked for, or else the largest tier that divides count;
// Num is count / Value. A gift without tiers has Value 1. A game that is not in
// the catalogue takes the value as given and needs one. Errors:
// [ErrUnknownGift], [ErrValueRequired], [*TierError], or count and value out of
// 1 to [CountMax] as a [*TierError] too.
func (c Catalogue) Resolve(gameID, giftID string, count, value int) (tier, num int, err error) {
	g, known := c.games[gameID]
	var tiers []int
	switch {
	case !known && value == 0:
		return 0, 0, ErrValueRequired
	case !known:
		tiers = []int{value}
	default:
		var ok bool
		if tiers, ok = g.gifts[giftID]; !ok {
			return 0, 0, fmt.Errorf("%w: game %s has no gift %.64q", ErrUnknownGift, gameID, giftID)
		}
		if len(tiers) == 0 {
			tiers = []int{1}
		}
	}
	refuse := &TierError{GiftID: giftID, Count: count, Value: value, Tiers: tiers}
	if !known {
		refuse.Tiers = nil // it was the sender's word
	}
	if count < 1 || count > CountMax || value < 0 || value > CountMax {
		return 0, 0, refuse
	}
	for _, t := range slices.Backward(tiers) {
		if (value == 0 || value == t) && count%t == 0 {
			return t, count / t, nil
		}
	}
	return 0, 0, refuse
}
