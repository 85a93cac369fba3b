package roomtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/giftwire/giftwire/room"
)

func (s *stage) room(opts map[string]string) error {
	cfg := room.CoreConfig{Room: "r1", OwnedSince: -time.Second}
	l := &cfg.Limits
	into := map[string]*time.Duration{
		"flush": &l.FlushInterval, "ttl": &l.GiftTTL, "timeout": &l.CallTimeout, "join": &l.JoinWait,
		"owned": &cfg.OwnedSince, "notbefore": &cfg.NotBefore,
	}
	var err error
	for k, v := range opts {
		switch d := into[k]; {
		case k == "game" && v == "ended":
			cfg.Game = room.GameEnded
		case d == nil:
			return fmt.Errorf("no such option: %s", k)
		default:
			if *d, err = time.ParseDuration(v); err != nil {
				return err
			}
		}
	}
	s.begin(cfg)
	return nil
}

func (s *stage) gift(args []string, game string, opts map[string]string) error {
	if len(args) == 0 {
		return errors.New("who gives?")
	}
	times, recovered := 1, false
	for _, a := range args[1:] {
		if a == "recovered" {
			recovered = true
			continue
		}
		n, err := strconv.Atoi(strings.TrimSuffix(a, "x"))
		if err != nil {
			return err
		}
		times = n
	}
	age, err := time.ParseDuration(cmp.Or(opts["age"], "0s"))
	if err != nil {
		return err
	}
	for range times {
		s.count[args[0]]++
		label := fmt.Sprintf("%s-%d", args[0], s.count[args[0]])
		g := Gift("r1", game, args[0], label)
		s.labels[g.MsgID] = label
		s.world.Step(room.GiftAccepted{
			Gift: g, StoredAt: s.world.Now.Wall - age.Milliseconds(), AgeAtRead: age,
			Recovered: recovered, SentUntil: s.world.Now.Mono + 5*time.Second,
		})
	}
	return nil
}

func (s *stage) game(name string) error {
	for _, state := range []room.GameState{room.GameUnknown, room.GameRunning, room.GameEnded} {
		if state.String() == name {
			s.world.Step(room.GameChanged{Game: room.Game{State: state}})
			return nil
		}
	}
	return fmt.Errorf("no such state: %s", name)
}

func (s *stage) pass(word string, pass func(time.Duration)) error {
	d, err := time.ParseDuration(word)
	if err == nil {
		pass(d)
	}
	return err
}

// actionsOf reads an action's name, or "all".
func actionsOf(word string) ([]room.Action, error) {
	all := []room.Action{room.ActionGifts, room.ActionComments, room.ActionLikes, room.ActionQuery}
	if word == "all" {
		return all, nil
	}
	i := slices.IndexFunc(all, func(a room.Action) bool { return a.String() == word })
	if i < 0 {
		return nil, fmt.Errorf("no such action: %s", word)
	}
	return all[i : i+1], nil
}

// end ends the calls in flight of an action.
func (s *stage) end(words []string) error {
	if len(words) < 3 {
		return errors.New("what becomes of which calls?")
	}
	actions, err := actionsOf(words[1])
	if err != nil {
		return err
	}
	ended := 0
	for _, c := range slices.Clone(s.world.Flying) {
		if !slices.Contains(actions, c.Action) {
			continue
		}
		ended++
		if words[0] == "hold" {
			err := s.pass(words[2], func(d time.Duration) { s.world.Hold(c.ID, d) })
			if err != nil {
				return err
			}
			continue
		}
		answer, err := s.answer(c, words[2:])
		if err != nil {
			return err
		}
		s.world.End(c.ID, answer)
	}
	if ended == 0 {
		return errors.New("no such call is in flight")
	}
	return nil
}

func (s *stage) setAuto(words []string) error {
	if len(words) == 1 && words[0] == "off" {
		clear(s.auto)
		return nil
	}
	if len(words) < 3 {
		return errors.New("which calls are answered after what time by what?")
	}
	actions, err := actionsOf(words[0])
	if err != nil {
		return err
	}
	after, err := time.ParseDuration(words[1])
	for _, a := range actions {
		s.auto[a] = auto{after, words[2:]}
	}
	return err
}

// answer reads an answer.
func (s *stage) answer(c room.Call, words []string) (room.Answer, error) {
	switch words[0] {
	case "lost":
		return Lost(), nil
	case "code":
		return refusalOf(words[1:])
	}
	all, err := resultOf(words[0])
	if err != nil {
		return room.Answer{}, err
	}
	a := room.Answer{Outcome: room.Consumed, Message: "succeed"}
	_, other := split(words[1:])
	for _, id := range IDs(c) {
		class := all
		if word, ok := other[s.labels[id]]; ok {
			if class, err = resultOf(word); err != nil {
				return a, err
			}
		}
		if class != nil {
			a.Rows = append(a.Rows, Row(id, *class))
		}
	}
	return a, nil
}

func refusalOf(words []string) (room.Answer, error) {
	if len(words) != 2 {
		return room.Answer{}, errors.New("which code of which class?")
	}
	code, err := strconv.Atoi(words[0])
	for class := room.ClassRetry; class <= room.ClassConfig; class++ {
		if class.String() == words[1] {
			return Refuse(class, code), err
		}
	}
	return room.Answer{}, fmt.Errorf("no such class: %s", words[1])
}

// resultOf reads the class of a row; nil for none.
func resultOf(word string) (*room.ResultClass, error) {
	if word == "none" {
		return nil, nil
	}
	for class := room.ResultOther; class <= room.ResultPending; class++ {
		if class.String() == word {
			return &class, nil
		}
	}
	return nil, fmt.Errorf("no such result: %s", word)
}
