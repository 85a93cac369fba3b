package zegotest

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/giftwire/giftwire/zego"
)

// State is the phase of a room's game.
type State int

// The phases.
const (
	// Running: gifts are taken.
	Running State = iota
	// NotStarted: a list of gifts is answered with Code 7206001 and not recorded.
	NotStarted
	// Ended: gifts are consumed, each with Result 10003.
	Ended
)

// String is the state's name in the admin API; empty for a number that is none.
func (s State) String() string {
	switch s {
	case Running:
		return "running"
	case NotStarted:
		return "not_started"
	case Ended:
		return "ended"
	default:
		return ""
	}
}

// ParseState reads what [State.String] writes.
func ParseState(name string) (State, bool) {
	for _, s := range []State{Running, NotStarted, Ended} {
		if s.String() == name {
			return s, true
		}
	}
	return 0, false
}

// rooms is the table of what is known, bounded.
type rooms struct {
	byID    map[string]*playroom
	limit   int
	fresh   State
	session string
}

// playroom is one room.
type playroom struct {
	id      string
	state   State
	session string // begins the RoundId
	rounds  int    // started so far; the number ends the RoundId
	game    string // of the last start
	anchor  string // who asked for the last launch code: holds the room
	launch  time.Time
	joined  map[member]join
	windows map[zego.Action]*window
	tally   Tally
}

// member is a viewer in a game.
type member struct{ game, user string }

// join is when a viewer's join works, and for which team.
type join struct {
	from time.Time
	team string
}

// Tally counts what became of a room's entries, or of all rooms'.
type Tally struct {
	// Consumed gifts are MsgIds that got an outcome: Delivered with the effect, Failed
	// without. Doubled counts effects beyond the first of a MsgId: it has to stay 0.
	Consumed  uint64 `json:"consumed"`
	Delivered uint64 `json:"delivered"`
	Failed    uint64 `json:"failed"`
	Doubled   uint64 `json:"doubled"`
	// DeliveredCount is the sum of Value x Num over all effects.
	DeliveredCount uint64 `json:"delivered_count"`
	// Repeats are entries whose MsgId had an outcome already, Pending those met by
	// Result 10006, Conflicts repeats with another payload.
	Repeats   uint64 `json:"repeats"`
	Pending   uint64 `json:"pending"`
	Conflicts uint64 `json:"conflicts"`
	// Comments, of which Joins joined; Likes counted, and Discarded ones of viewers who
	// had not joined.
	Comments  uint64 `json:"comments"`
	Joins     uint64 `json:"joins"`
	Likes     uint64 `json:"likes"`
	Discarded uint64 `json:"discarded"`
}

// get returns the room, made if need be; nil when there are too many.
func (t *rooms) get(id string) *playroom {
	if r := t.byID[id]; r != nil {
		return r
	}
	if len(t.byID) >= t.limit {
		return nil
	}
	r := &playroom{id: id, session: t.session, state: t.fresh, joined: make(map[member]join), windows: make(map[zego.Action]*window)}
	t.byID[id] = r
	return r
}

func (t *rooms) sorted() []*playroom {
	list := make([]*playroom, 0, len(t.byID))
	for _, r := range t.byID {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *playroom) int { return cmp.Compare(a.id, b.id) })
	return list
}

func (r *playroom) window(a zego.Action) *window {
	w := r.windows[a]
	if w == nil {
		w = &window{}
		r.windows[a] = w
	}
	return w
}

// round is the RoundId of the current or last round.
func (r *playroom) round() string { return r.session + strconv.Itoa(r.rounds) }

// hasJoined reports whether the viewer's join works at now.
func (r *playroom) hasJoined(m member, now time.Time) bool {
	j, ok := r.joined[m]
	return ok && !now.Before(j.from)
}

// end ends the round.
func (r *playroom) end(keepJoins bool) {
	r.state = Ended
	if !keepJoins {
		clear(r.joined)
	}
}

// RoomState is what the simulator knows of a room.
type RoomState struct {
	Room   string `json:"room"`
	State  string `json:"state"`
	Game   string `json:"mini_game_id"`
	Round  string `json:"round_id"` // empty before the first start
	Anchor string `json:"anchor_id"`
	Joined int    `json:"joined"` // viewers, also those whose join does not work yet
	Tally  Tally  `json:"tally"`
}

func (r *playroom) snapshot() RoomState {
	s := RoomState{Room: r.id, State: r.state.String(), Game: r.game, Anchor: r.anchor, Joined: len(r.joined), Tally: r.tally}
	if r.rounds > 0 {
		s.Round = r.round()
	}
	return s
}
