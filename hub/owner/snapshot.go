package owner

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// A snapshot is one head and up to 2 x 256 chunks. The head is copied first and
// stored last: every chunk then covers at least what the head covers, and a crash in
// between leaves an older head with newer chunks, which the replay sorts out because
// each chunk says how far it has come.
const (
	headName      = "head"
	roomsPrefix   = "r"
	joinsPrefix   = "j"
	snapshotShape = 1 // version of the shapes below
)

// errSnapshot is wrapped when a stored snapshot cannot be read.
var errSnapshot = errors.New("owner: bad snapshot")

// headShape is the stored form of the partition's head.
type headShape struct {
	Version    int    `json:"v"`
	Read       uint64 `json:"read"`        // GIFTS sequence read so far
	Last       uint64 `json:"last"`        // OUTCOMES sequence covered
	Term       uint64 `json:"term"`        // of that record
	Number     uint64 `json:"number"`      // of that record
	TakeoverAt int64  `json:"takeover_at"` // Unix ms
	StrayAt    int64  `json:"stray_at"`    // Unix ms, see rooms.strayAt; 0: long ago
	Open       []byte `json:"open"`        // open gifts' positions, packed
}

// roomsShape is the stored form of a chunk of rooms.
type roomsShape struct {
	Version int                  `json:"v"`
	Covered uint64               `json:"covered"` // OUTCOMES sequence folded in
	Rooms   map[string]roomShape `json:"rooms"`
}

type roomShape struct {
	Seq     uint64      `json:"seq"`
	Number  uint64      `json:"number"`
	Chain   []uint64    `json:"chain,omitempty"`
	Totals  totalsShape `json:"totals"`
	GameID  string      `json:"mini_game_id,omitzero"`
	Game    gameShape   `json:"game"`
	GameAt  int64       `json:"game_at,omitzero"`
	Reports []string    `json:"reports,omitempty"`
	Ended   []string    `json:"ended,omitempty"`
}

// The shapes below have the fields of their domain types, so that a conversion does;
// the names in the stored form do not follow a renaming in the code.
type (
	totalsShape struct {
		Delivered       uint64 `json:"delivered"`
		Failed          uint64 `json:"failed"`
		Unresolved      uint64 `json:"unresolved"`
		DeliveredCount  uint64 `json:"delivered_count"`
		FailedCount     uint64 `json:"failed_count"`
		UnresolvedCount uint64 `json:"unresolved_count"`
	}
	gameShape struct {
		State      room.GameState `json:"state"`
		Round      string         `json:"round"`
		WinnerTeam int            `json:"winner_team"`
		ResultType int            `json:"result_type"`
	}
	userShape struct {
		ID       string `json:"user_id"`
		Nickname string `json:"nickname"`
		Avatar   string `json:"avatar"`
		Sex      int    `json:"sex"`
	}
)

// joinsShape is the stored form of the joins of a chunk of rooms, oldest first.
type joinsShape struct {
	Version int                    `json:"v"`
	Rooms   map[string][]joinShape `json:"rooms"`
}

type joinShape struct {
	Game  string    `json:"game"`
	User  userShape `json:"user"`
	Text  string    `json:"text"`
	At    int64     `json:"at"`
	Taken bool      `json:"taken"`
}

func shapeOf(j join) joinShape {
	return joinShape{Game: j.Game, User: userShape(j.Comment.User), Text: j.Comment.Text, At: j.Comment.At, Taken: j.Taken}
}

func (s joinShape) join() join {
	return join{
		Game: s.Game, Taken: s.Taken,
		Comment: room.Comment{User: room.User(s.User), Text: s.Text, Join: true, At: s.At},
	}
}

// positions are those of the open gifts. The caller holds the lock.
func (r *rooms) positions() []journal.Position {
	positions := make([]journal.Position, 0, len(r.open))
	for _, g := range r.open {
		positions = append(positions, g.position)
	}
	return positions
}

// head copies the head but for the open gifts. The caller holds the lock.
func (r *rooms) head() headShape {
	return headShape{
		Version: snapshotShape, Read: r.read, Last: r.log.last, Term: r.log.term, Number: r.log.number,
		TakeoverAt: r.takeoverAt, StrayAt: r.strayAt,
	}
}

// chunk copies a chunk of rooms. The caller holds the lock.
func (r *rooms) chunk(c int) roomsShape {
	out := roomsShape{Version: snapshotShape, Covered: r.log.last, Rooms: make(map[string]roomShape, len(r.byChunk[c]))}
	for name, e := range r.byChunk[c] {
		out.Rooms[name] = roomShape{
			Seq: e.seq, Number: e.chain.number, Chain: slices.Clone(e.chain.seqs), Totals: totalsShape(e.totals),
			GameID: e.game.ID, Game: gameShape(e.game.Now), GameAt: e.game.At,
			Reports: slices.Clone(e.game.Reports), Ended: slices.Clone(e.game.Ended),
		}
	}
	return out
}

// joinsChunk copies the joins of a chunk of rooms. The caller holds the lock.
func (r *rooms) joinsChunk(c int) joinsShape {
	out := joinsShape{Version: snapshotShape, Rooms: make(map[string][]joinShape)}
	for name, e := range r.byChunk[c] {
		for _, j := range e.joins.all() {
			out.Rooms[name] = append(out.Rooms[name], shapeOf(j))
		}
	}
	return out
}

// encode fits the joins of a chunk into most bytes: while they are too large, the
// older half of every room's joins is left out.
func (j joinsShape) encode(most int) ([]byte, error) {
	for {
		data, err := json.Marshal(j, json.Deterministic(true))
		if err != nil || len(data) <= most {
			return data, err
		}
		for name, all := range j.Rooms {
			if len(all) == 1 {
				delete(j.Rooms, name)
				continue
			}
			j.Rooms[name] = all[len(all)/2:]
		}
	}
}

// encode fits a chunk of rooms into most bytes: while they are too large, the older half
// of every room's remembered reports and rounds is left out, which only says that ZEGO
// repeats a callback of them in vain. Without them a room takes 300 bytes, so that a
// chunk has place for 3,400 and a partition for 890,000; beyond that it is too large.
func (s roomsShape) encode(most int) ([]byte, error) {
	for {
		data, err := json.Marshal(s, json.Deterministic(true))
		if err != nil || len(data) <= most {
			return data, err
		}
		left := 0
		for name, r := range s.Rooms {
			r.Reports, r.Ended = lastOf(r.Reports, len(r.Reports)/2), lastOf(r.Ended, len(r.Ended)/2)
			left += len(r.Reports) + len(r.Ended)
			s.Rooms[name] = r
		}
		if left == 0 {
			return json.Marshal(s, json.Deterministic(true))
		}
	}
}

// packPositions writes positions as ascending differences in varints: 2 to 3 bytes
// each at usual rates, so that 250,000 fit a chunk.
func packPositions(p []journal.Position) []byte {
	slices.SortFunc(p, func(a, b journal.Position) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Index, b.Index))
	})
	var out []byte
	var before journal.Position
	for _, at := range p {
		out = binary.AppendUvarint(out, at.Seq-before.Seq)
		if at.Seq != before.Seq {
			before = journal.Position{Seq: at.Seq}
		}
		out = binary.AppendUvarint(out, uint64(at.Index-before.Index))
		before.Index = at.Index
	}
	return out
}

func unpackPositions(data []byte) ([]journal.Position, error) {
	var out []journal.Position
	var at journal.Position
	in := bytes.NewReader(data)
	for in.Len() > 0 {
		step, err := binary.ReadUvarint(in)
		if err != nil {
			return nil, fmt.Errorf("%w: open gifts: %w", errSnapshot, err)
		}
		index, err := binary.ReadUvarint(in)
		if err != nil {
			return nil, fmt.Errorf("%w: open gifts: %w", errSnapshot, err)
		}
		if step > 0 {
			at = journal.Position{Seq: at.Seq + step}
		}
		at.Index += int(index)
		out = append(out, at)
	}
	return out, nil
}

// restored is what a snapshot's chunks add up to before the replay.
type restored struct {
	head    headShape
	covered [chunks]uint64
}

// take puts one stored chunk into the state.
func (s *restored) take(r *rooms, name string, data []byte) error {
	bad := func(err error) error { return fmt.Errorf("%w: chunk %q: %w", errSnapshot, name, err) }
	if name == headName {
		if err := json.Unmarshal(data, &s.head); err != nil {
			return bad(err)
		}
		return versioned(name, s.head.Version)
	}
	prefix, digits := name[:min(1, len(name))], name[min(1, len(name)):]
	c, err := strconv.Atoi(digits)
	if err != nil || c < 0 || c >= chunks {
		return bad(errors.New("unknown name"))
	}
	switch prefix {
	case roomsPrefix:
		var in roomsShape
		if err := json.Unmarshal(data, &in); err != nil {
			return bad(err)
		}
		s.covered[c] = in.Covered
		r.restoreRooms(in)
		return versioned(name, in.Version)
	case joinsPrefix:
		var in joinsShape
		if err := json.Unmarshal(data, &in); err != nil {
			return bad(err)
		}
		for id, all := range in.Rooms {
			e := r.at(id)
			for _, j := range all {
				e.joins.put(j.join())
			}
		}
		return versioned(name, in.Version)
	default:
		return bad(errors.New("unknown name"))
	}
}

func versioned(name string, version int) error {
	if version != snapshotShape {
		return fmt.Errorf("%w: chunk %q has version %d, this program reads %d", errSnapshot, name, version, snapshotShape)
	}
	return nil
}

func (r *rooms) restoreRooms(in roomsShape) {
	for id, s := range in.Rooms {
		e := r.at(strings.Clone(id))
		e.seq, e.totals = s.Seq, journal.Totals(s.Totals)
		e.chain = chain{number: s.Number, seqs: s.Chain}
		e.game = game{ID: s.GameID, Now: room.Game(s.Game), At: s.GameAt, Reports: s.Reports, Ended: s.Ended}
	}
}
