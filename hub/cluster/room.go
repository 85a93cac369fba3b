package cluster

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/room"
)

// miniGameMax is the longest MiniGameId, in bytes. ZEGO gives no bound; the
// catalogue's is the same.
const miniGameMax = 128

// ErrBadRoom is wrapped by the errors about a room that cannot be stored.
var ErrBadRoom = errors.New("cluster: bad room")

// Room is a room as the platform configured it, and what its game is doing.
type Room struct {
	ID         string
	MiniGameID string // 1 to 128 printable bytes
	AnchorID   string // default receiver of gifts; may be empty
	// RequireRunning: gifts are refused unless the game runs.
	RequireRunning bool
	// Deleted is a tombstone: no gifts, no viewers; ledger and open gifts stay.
	Deleted bool
	// Game is what GameID's game was last heard to do, see [Registry.SetGame]. It is kept
	// over changes, deletion and revival.
	Game      room.Game
	GameID    string // MiniGameId
	CreatedAt int64  // Unix ms
	ChangedAt int64  // Unix ms: of configuration or game
}

// setting is what the platform decides of a room.
type setting struct {
	game, anchor            string
	requireRunning, deleted bool
}

func (r *Room) setting() setting {
	return setting{r.MiniGameID, r.AnchorID, r.RequireRunning, r.Deleted}
}

// check reports all faults at once.
func (r *Room) check() error {
	var faults []error
	fault := func(err error) { faults = append(faults, fmt.Errorf("%w: %w", ErrBadRoom, err)) }
	if err := room.CheckRoomID(r.ID); err != nil {
		fault(err)
	}
	if n := len(r.MiniGameID); n < 1 || n > miniGameMax || !printable(r.MiniGameID) {
		fault(fmt.Errorf("mini game id must be 1 to %d printable bytes", miniGameMax))
	}
	if r.AnchorID != "" {
		if err := room.CheckUserID(r.AnchorID); err != nil {
			fault(err)
		}
	}
	return errors.Join(faults...)
}

func printable(s string) bool {
	for _, c := range s {
		if unicode.IsControl(c) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// roomFormat is the version of a stored room. A node refuses another one, and
// ignores members that it does not know.
const roomFormat = 1

// errFormat is wrapped where a stored room cannot be read.
var errFormat = errors.New("cluster: stored room cannot be read")

type storedRoom struct {
	V              int        `json:"v"`
	ID             string     `json:"room"`
	MiniGameID     string     `json:"mini_game_id"`
	AnchorID       string     `json:"anchor_id,omitzero"`
	RequireRunning bool       `json:"require_running,omitzero"`
	Deleted        bool       `json:"deleted,omitzero"`
	Game           storedGame `json:"game"`
	CreatedAt      int64      `json:"created_at"`
	ChangedAt      int64      `json:"changed_at"`
}

type storedGame struct {
	State      string `json:"state"`
	GameID     string `json:"mini_game_id,omitzero"`
	Round      string `json:"round_id,omitzero"`
	WinnerTeam int    `json:"winner_team,omitzero"`
	ResultType int    `json:"result_type,omitzero"`
}

func encodeRoom(r Room) ([]byte, error) {
	data, err := json.Marshal(storedRoom{
		V: roomFormat, ID: r.ID, MiniGameID: r.MiniGameID, AnchorID: r.AnchorID,
		RequireRunning: r.RequireRunning, Deleted: r.Deleted,
		Game: storedGame{
			State: r.Game.State.String(), GameID: r.GameID, Round: r.Game.Round,
			WinnerTeam: r.Game.WinnerTeam, ResultType: r.Game.ResultType,
		},
		CreatedAt: r.CreatedAt, ChangedAt: r.ChangedAt,
	})
	if err != nil {
		return nil, fmt.Errorf("cluster: encode room: %w", err)
	}
	return data, nil
}

// decodeRoom reads the room stored under the key.
func decodeRoom(key string, data []byte) (Room, error) {
	var s storedRoom
	if err := json.Unmarshal(data, &s); err != nil {
		return Room{}, fmt.Errorf("%w: %w", errFormat, err)
	}
	if s.V != roomFormat {
		return Room{}, fmt.Errorf("%w: format %d, this release reads %d", errFormat, s.V, roomFormat)
	}
	if s.ID != key {
		return Room{}, fmt.Errorf("%w: room %.64q under key %.64q", errFormat, s.ID, key)
	}
	state, ok := gameState(s.Game.State)
	if !ok {
		return Room{}, fmt.Errorf("%w: game state %.32q", errFormat, s.Game.State)
	}
	return Room{
		ID: s.ID, MiniGameID: s.MiniGameID, AnchorID: s.AnchorID,
		RequireRunning: s.RequireRunning, Deleted: s.Deleted,
		Game: room.Game{
			State: state, Round: s.Game.Round, WinnerTeam: s.Game.WinnerTeam, ResultType: s.Game.ResultType,
		},
		GameID:    s.Game.GameID,
		CreatedAt: s.CreatedAt, ChangedAt: s.ChangedAt,
	}, nil
}

func gameState(name string) (room.GameState, bool) {
	for _, s := range []room.GameState{room.GameUnknown, room.GameRunning, room.GameEnded} {
		if s.String() == name {
			return s, true
		}
	}
	return 0, false
}
