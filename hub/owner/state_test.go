package owner

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

func TestPositionsSurvivePacking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seen := rapid.SliceOfDistinct(rapid.Custom(func(t *rapid.T) journal.Position {
			return journal.Position{
				Seq:   rapid.Uint64Range(1, 1<<40).Draw(t, "seq"),
				Index: rapid.IntRange(0, 5000).Draw(t, "index"),
			}
		}), func(p journal.Position) journal.Position { return p }).Draw(t, "positions")
		got, err := unpackPositions(packPositions(slices.Clone(seen)))
		if err != nil {
			t.Fatal(err)
		}
		order := func(a, b journal.Position) int {
			if a.Seq != b.Seq {
				return int(int64(a.Seq) - int64(b.Seq))
			}
			return a.Index - b.Index
		}
		slices.SortFunc(seen, order)
		if !slices.Equal(seen, got) {
			t.Fatalf("packed %v, unpacked %v", seen, got)
		}
	})
}

// The head has to fit a chunk with as many open gifts as an owner lets in.
func TestHeadFitsAChunk(t *testing.T) {
	var open []journal.Position
	for i := range 300_000 {
		// One gift in three stays open, 8 gifts a record, far into a stream.
		open = append(open, journal.Position{Seq: 1<<40 + uint64(i/3), Index: i % 8 * 3})
	}
	data, err := json.Marshal(headShape{Open: packPositions(open)})
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > journal.ChunkMax {
		t.Errorf("a head of %d open gifts has %d bytes, a chunk holds %d", len(open), len(data), journal.ChunkMax)
	}
}

func TestDamagedSnapshotIsRefused(t *testing.T) {
	for name, data := range map[string]string{
		headName: `{"v":1,"open":3}`, "r1": `{`, "j1": `[]`, "r999": `{"v":1}`, "x1": `{"v":1}`, "rx": `{"v":1}`,
		"r2": `{"v":2}`, "": `{}`,
	} {
		if err := new(restored).take(newRooms(), name, []byte(data)); !errors.Is(err, errSnapshot) {
			t.Errorf("chunk %q with %s: %v, want errSnapshot", name, data, err)
		}
	}
	if _, err := unpackPositions([]byte{0x80}); !errors.Is(err, errSnapshot) {
		t.Errorf("cut positions: %v, want errSnapshot", err)
	}
}

func TestMemoryForgetsByTheHour(t *testing.T) {
	var m memory
	const now = 1_800_000_000_000
	m.remember(1, 10, 0, now-24*hourMillis)
	m.remember(2, 20, 0, now)
	if _, _, ok := m.find(1); !ok {
		t.Error("an id of 24 h ago is forgotten")
	}
	m.remember(3, 30, 0, now+hourMillis)
	if _, _, ok := m.find(1); ok {
		t.Error("an id of 25 h ago is remembered")
	}
	m.remember(1, 10, 0, now-30*hourMillis) // too old to come in
	if _, _, ok := m.find(1); ok {
		t.Error("an id of 30 h ago came in")
	}
	if m.size != 2 {
		t.Errorf("size %d, want 2", m.size)
	}
	m.forget(now + 40*hourMillis)
	if _, _, ok := m.find(2); ok || m.size != 0 {
		t.Errorf("after 40 quiet hours: found %v, size %d; want nothing", ok, m.size)
	}
}

func joinBy(user, text string) join {
	return join{Game: "g", Comment: room.Comment{User: room.User{ID: user}, Text: text, Join: true, At: 1}}
}

func TestJoinsKeepTheNewestOfEachViewer(t *testing.T) {
	var j joins
	for i := range joinsMax + 10 {
		j.put(joinBy(fmt.Sprint("u", i), "5"))
	}
	j.put(joinBy("u100", "6"))
	all := j.all()
	if len(all) != joinsMax {
		t.Fatalf("%d joins, want %d", len(all), joinsMax)
	}
	if last := all[len(all)-1]; last.Comment.User.ID != "u100" || last.Comment.Text != "6" {
		t.Errorf("the newest join is %+v, want u100 with 6", last)
	}
	if all[0].Comment.User.ID != "u10" {
		t.Errorf("the oldest kept is %s, want u10", all[0].Comment.User.ID)
	}
	if j.taken(joinBy("u100", "5").Comment) {
		t.Error("an older join of the viewer counts as the newest one's")
	}
	if !j.taken(joinBy("u100", "6").Comment) || !j.all()[joinsMax-1].Taken {
		t.Error("a taken join is not noted")
	}
}

func TestJoinsChunkIsCutToFit(t *testing.T) {
	shape := joinsShape{Version: snapshotShape, Rooms: map[string][]joinShape{}}
	for r := range 3 {
		for i := range 500 {
			j := joinBy(fmt.Sprint("u", i), "5")
			j.Comment.User.Avatar = "https://example.com/" + strings.Repeat("a", 900)
			shape.Rooms[fmt.Sprint("room", r)] = append(shape.Rooms[fmt.Sprint("room", r)], shapeOf(j))
		}
	}
	data, err := shape.encode(journal.ChunkMax)
	if err != nil || len(data) > journal.ChunkMax {
		t.Fatalf("%d bytes, %v; want at most %d", len(data), err, journal.ChunkMax)
	}
	var got joinsShape
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for id, all := range got.Rooms {
		if len(all) == 0 || all[len(all)-1].User.ID != "u499" {
			t.Errorf("room %s keeps %d joins, the newest must be among them", id, len(all))
		}
	}
}

// A room that decides much leaves room in each record for the others.
func TestVerdictsAreTakenInTurns(t *testing.T) {
	v := newVerdicts()
	decided := func(n int) []room.Decision { return make([]room.Decision, n) }
	v.put("a", decided(120))
	v.put("b", decided(2))
	v.put("a", decided(5))
	var got []string
	for {
		batch, _ := v.take(60)
		if len(batch) == 0 {
			break
		}
		line := ""
		for _, b := range batch {
			line += fmt.Sprint(b.room, len(b.decisions), " ")
		}
		got = append(got, strings.TrimSpace(line))
	}
	if diff := cmp.Diff([]string{"a50 b2", "a50", "a25"}, got); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestGameReports(t *testing.T) {
	running := func(report, round string) *journal.Callback {
		return &journal.Callback{GameID: "g", ReportID: report, Game: room.Game{State: room.GameRunning, Round: round}}
	}
	ended := func(report, round string) *journal.Callback {
		return &journal.Callback{GameID: "g", ReportID: report, Game: room.Game{State: room.GameEnded, Round: round, WinnerTeam: 1}}
	}
	at := func(c *journal.Callback, at int64) *journal.Callback {
		c.At = at
		return c
	}
	for _, tt := range []struct {
		name    string
		reports []*journal.Callback
		want    room.GameState
		round   string
	}{
		{"start", []*journal.Callback{running("1", "a")}, room.GameRunning, "a"},
		{"start and end", []*journal.Callback{running("1", "a"), ended("2", "a")}, room.GameEnded, "a"},
		{"repeated start after the end", []*journal.Callback{running("1", "a"), ended("2", "a"), running("1", "a")}, room.GameEnded, "a"},
		{"end before its start", []*journal.Callback{ended("2", "a"), running("1", "a")}, room.GameEnded, "a"},
		{"late end of an earlier round", []*journal.Callback{running("1", "a"), running("3", "b"), ended("2", "a")}, room.GameRunning, "b"},
		{
			"earlier round after the next one",
			[]*journal.Callback{at(running("3", "b"), 30), at(running("1", "a"), 10), at(ended("2", "a"), 20)},
			room.GameRunning, "b",
		},
		{
			"earlier round after the next one's end",
			[]*journal.Callback{at(running("3", "b"), 30), at(ended("4", "b"), 40), at(running("1", "a"), 10)},
			room.GameEnded, "b",
		},
		{"next round", []*journal.Callback{running("1", "a"), ended("2", "a"), running("3", "b")}, room.GameRunning, "b"},
	} {
		var g game
		for _, r := range tt.reports {
			g.report(r)
		}
		if g.Now.State != tt.want || g.Now.Round != tt.round {
			t.Errorf("%s: %v round %q, want %v round %q", tt.name, g.Now.State, g.Now.Round, tt.want, tt.round)
		}
	}
}

// How a gift ended fits beside its sequence, and every reason comes back as what it was.
func TestMemoryKnowsHowGiftsEnded(t *testing.T) {
	now := int64(1_795_449_600_000)
	for i, reason := range endings()[1:] {
		var m memory
		const last = 1<<endingShift - 1
		m.remember(uint64(i), last, endingOf(reason), now)
		seq, how, ok := m.find(uint64(i))
		d, known := how.decision(&room.Gift{ClientID: "c"})
		if !ok || !known || seq != last || d.Reason != reason {
			t.Errorf("%s: found %d %v, %+v %v", reason, seq, ok, d, known)
		}
		want := room.Failed
		switch reason {
		case room.ReasonOK:
			want = room.Delivered
		case room.ReasonUnknownOutcome:
			want = room.Unresolved
		default:
		}
		if d.Status != want || d.Gift.ClientID != "c" {
			t.Errorf("%s: %+v, want status %v", reason, d, want)
		}
	}
	for _, how := range []ending{0, 200} {
		if d, ok := how.decision(&room.Gift{}); ok {
			t.Errorf("ending %d: %+v, want nothing said", how, d)
		}
	}
}
