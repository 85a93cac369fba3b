package zego

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/giftwire/giftwire/room"
)

const (
	// CatalogueBytes bounds a catalogue file.
	CatalogueBytes = 1 << 20
	// faultsMax is how many faults of a file are named.
	faultsMax = 20
)

// ErrBadCatalogue is wrapped by every error of [ParseCatalogue] and
// [LoadCatalogue] that is the file's fault. Those of its content wrap
// [room.ErrBadCatalogue] too.
var ErrBadCatalogue = errors.New("zego: bad catalogue file")

// The file's shape. Unknown fields, fields given twice and values of another type
// are faults.
type (
	catalogueFile struct {
		Games []gameEntry `yaml:"games"`
	}
	gameEntry struct {
		ID    yamlText    `yaml:"mini_game_id"`
		Join  []joinEntry `yaml:"join"`
		Gifts []giftEntry `yaml:"gifts"`
	}
	joinEntry struct {
		Text yamlText `yaml:"text"`
		Team yamlText `yaml:"team"`
	}
	giftEntry struct {
		ID    yamlText    `yaml:"gift_id"`
		Name  yamlText    `yaml:"name"`
		Icon  yamlText    `yaml:"icon"`
		Tiers []tierEntry `yaml:"tiers"`
	}
	tierEntry struct {
		Value  yamlInt  `yaml:"value"`
		Effect yamlText `yaml:"effect"`
	}
)

// LoadCatalogue reads the catalogue file at path as [ParseCatalogue] does.
func LoadCatalogue(path string) (room.Catalogue, error) {
	games, err := LoadGames(path)
	if err != nil {
		return room.Catalogue{}, err
	}
	return room.NewCatalogue(games)
}

// LoadGames reads the catalogue file at path as [ParseGames] does.
func LoadGames(path string) (games []room.GameSpec, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("zego: catalogue file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	games, err = ParseGames(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return games, nil
}

// ParseCatalogue reads a catalogue file: YAML, one document, at most
// [CatalogueBytes]. It is strict, and reports all faults at once, those of form by
// line, those of content by game and gift:
//
//	games:
//	  - mini_game_id: TinyLoveWar
//	    join: # optional: the comments by which a viewer joins
//	      - { text: "5", team: blue }
//	    gifts:
//	      - gift_id: g1
//	        name: Rocket
//	        icon: "🚀"
//	        tiers:
//	          - { value: 10, effect: soldier }
//	          - { value: 66, effect: general }
func ParseCatalogue(r io.Reader) (room.Catalogue, error) {
	games, err := ParseGames(r)
	if err != nil {
		return room.Catalogue{}, err
	}
	return room.NewCatalogue(games)
}

// ParseGames is [ParseCatalogue] for those who need the list of games: a
// [room.Catalogue] made of it has no faults.
func ParseGames(r io.Reader) ([]room.GameSpec, error) {
	text, err := io.ReadAll(io.LimitReader(r, CatalogueBytes+1))
	if err != nil {
		return nil, fmt.Errorf("zego: reading the catalogue: %w", err)
	}
	if len(text) > CatalogueBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrBadCatalogue, CatalogueBytes)
	}
	var file catalogueFile
	if err := yaml.Load(text, &file, yaml.WithV4Defaults(), yaml.WithKnownFields(), yaml.WithUniqueKeys()); err != nil {
		return nil, yamlFaults(err)
	}
	games := make([]room.GameSpec, len(file.Games))
	for i, entry := range file.Games {
		games[i] = entry.spec()
	}
	if _, err := room.NewCatalogue(games); err != nil {
		return nil, fmt.Errorf("%w:\n%w", ErrBadCatalogue, err)
	}
	return games, nil
}

func (g gameEntry) spec() room.GameSpec {
	spec := room.GameSpec{ID: string(g.ID)}
	for _, w := range g.Join {
		spec.Join = append(spec.Join, room.JoinWord{Text: string(w.Text), Team: string(w.Team)})
	}
	for _, gift := range g.Gifts {
		s := room.GiftSpec{ID: string(gift.ID), Name: string(gift.Name), Icon: string(gift.Icon)}
		for _, t := range gift.Tiers {
			s.Tiers = append(s.Tiers, room.Tier{Value: int(t.Value), Effect: string(t.Effect)})
		}
		spec.Gifts = append(spec.Gifts, s)
	}
	return spec
}

// yamlFaults names every fault with its line. go-yaml reports all faults of one
// kind together; its messages name our Go types, which mean nothing to the reader.
func yamlFaults(err error) error {
	var many *yaml.LoadErrors
	if !errors.As(err, &many) {
		return fmt.Errorf("%w: %w", ErrBadCatalogue, err)
	}
	var faults []error
	for i, one := range many.Errors {
		if i == faultsMax {
			faults = append(faults, fmt.Errorf("%w: and %d more", ErrBadCatalogue, len(many.Errors)-i))
			break
		}
		message := one.Message
		if name, ok := strings.CutPrefix(message, "field "); ok {
			name, _, _ = strings.Cut(name, " not found in type")
			message = "unknown field " + name
		} else {
			message, _, _ = strings.Cut(message, " into zego.")
			message, _, _ = strings.Cut(message, " into []zego.")
		}
		if one.Mark.Line > 0 {
			message = fmt.Sprintf("line %d: %s", one.Mark.Line, message)
		}
		faults = append(faults, fmt.Errorf("%w: %s", ErrBadCatalogue, message))
	}
	return errors.Join(faults...)
}

// yamlText is a string that has to be one in the file too: 5 and true are faults,
// because what 1_000 or 010 would become is not what was written.
type yamlText string

// UnmarshalYAML reads the text.
func (t *yamlText) UnmarshalYAML(n *yaml.Node) error {
	switch {
	case n.Kind != yaml.ScalarNode:
		return errors.New("text is expected")
	case n.ShortTag() != "!!str":
		return fmt.Errorf("%.64s is not text: put it in quotes", n.Value)
	}
	*t = yamlText(n.Value)
	return nil
}

// yamlInt is a decimal integer: YAML would read 010 as eight and 1e1 as ten.
type yamlInt int

// UnmarshalYAML reads the integer.
func (i *yamlInt) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" {
		return errors.New("a whole number is expected")
	}
	v, err := strconv.Atoi(n.Value)
	if err != nil || strconv.Itoa(v) != n.Value {
		return fmt.Errorf("%.64s is not a plain decimal number", n.Value)
	}
	*i = yamlInt(v)
	return nil
}
