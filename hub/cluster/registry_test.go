package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is far more than anything here takes.
const patience = 20 * time.Second

var untimed = cmpopts.IgnoreFields(cluster.Room{}, "CreatedAt", "ChangedAt")

func openJournal(tb testing.TB, dir string) *journal.Journal {
	tb.Helper()
	j, err := journal.Open(tb.Context(), journal.Config{Dir: dir, Node: "n1"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := j.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return j
}

func openRegistry(tb testing.TB, j *journal.Journal, cfg cluster.RegistryConfig) *cluster.Registry {
	tb.Helper()
	r, err := cluster.OpenRegistry(tb.Context(), j, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// follow runs the registry until the test ends.
func follow(tb testing.TB, r *cluster.Registry) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("Run: %v", err)
		}
	})
}

func bounded(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(cancel)
	return ctx
}

// eventually waits until the registry has a room as wanted.
func eventually(t *testing.T, r *cluster.Registry, want cluster.Room) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		got, _ := r.Get(want.ID)
		if d := cmp.Diff(want, got, untimed); d == "" {
			return
		} else if time.Now().After(end) {
			t.Fatalf("room (-want +got):\n%s", d)
		}
	}
}

func put(t *testing.T, r *cluster.Registry, rm cluster.Room) (cluster.Room, bool) {
	t.Helper()
	got, created, err := r.Put(bounded(t), rm)
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	return got, created
}

func TestPutCreatesChangesAndRevives(t *testing.T) {
	r := openRegistry(t, openJournal(t, t.TempDir()), cluster.RegistryConfig{})
	first := cluster.Room{ID: "r1", MiniGameID: "TinyLoveWar", AnchorID: "anchor1"}
	if _, created := put(t, r, first); !created {
		t.Error("a new room was not created")
	}
	if _, created := put(t, r, first); created {
		t.Error("the same room was created again")
	}
	game := room.Game{State: room.GameRunning, Round: "77"}
	if err := r.SetGame(bounded(t), "r1", "TinyLoveWar", game); err != nil {
		t.Fatal(err)
	}
	changed := first
	changed.RequireRunning = true
	if _, created := put(t, r, changed); created {
		t.Error("a changed room was created")
	}
	if err := r.Delete(bounded(t), "r1"); err != nil {
		t.Fatal(err)
	}
	dead := changed
	dead.Deleted, dead.Game, dead.GameID = true, game, "TinyLoveWar"
	if got, _ := r.Get("r1"); !cmp.Equal(dead, got, untimed) {
		t.Errorf("deleted room:\n%s", cmp.Diff(dead, got, untimed))
	}
	if got := r.List("", 10); len(got) != 0 {
		t.Errorf("a deleted room is listed: %+v", got)
	}
	back, created := put(t, r, changed)
	if !created || back.Deleted || back.Game != game {
		t.Errorf("revived room: created %v, %+v", created, back)
	}
}

func TestRoomsThatCannotBe(t *testing.T) {
	r := openRegistry(t, openJournal(t, t.TempDir()), cluster.RegistryConfig{})
	for name, rm := range map[string]cluster.Room{
		"no id":            {MiniGameID: "g"},
		"dot in id":        {ID: "a.b", MiniGameID: "g"},
		"wildcard":         {ID: "*", MiniGameID: "g"},
		"no game":          {ID: "r"},
		"control in game":  {ID: "r", MiniGameID: "a\nb"},
		"long game":        {ID: "r", MiniGameID: fmt.Sprintf("%0129d", 1)},
		"dashes in anchor": {ID: "r", MiniGameID: "g", AnchorID: "a-b"},
	} {
		if _, _, err := r.Put(bounded(t), rm); !errors.Is(err, cluster.ErrBadRoom) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.Delete(bounded(t), "nobody"); !errors.Is(err, cluster.ErrUnknownRoom) {
		t.Errorf("Delete of no room: %v", err)
	}
	if err := r.SetGame(bounded(t), "nobody", "", room.Game{}); !errors.Is(err, cluster.ErrUnknownRoom) {
		t.Errorf("SetGame of no room: %v", err)
	}
}

func TestListPages(t *testing.T) {
	r := openRegistry(t, openJournal(t, t.TempDir()), cluster.RegistryConfig{})
	for _, id := range []string{"d", "a", "c", "b", "e"} {
		put(t, r, cluster.Room{ID: id, MiniGameID: "g"})
	}
	if err := r.Delete(bounded(t), "c"); err != nil {
		t.Fatal(err)
	}
	ids := func(rooms []cluster.Room) (out []string) {
		for _, rm := range rooms {
			out = append(out, rm.ID)
		}
		return out
	}
	for _, tc := range []struct {
		after string
		limit int
		want  []string
	}{
		{"", 10, []string{"a", "b", "d", "e"}},
		{"", 2, []string{"a", "b"}},
		{"b", 2, []string{"d", "e"}}, // over the tombstone
		{"bb", 1, []string{"d"}},     // a name that is not there
		{"e", 2, nil},
	} {
		if d := cmp.Diff(tc.want, ids(r.List(tc.after, tc.limit))); d != "" {
			t.Errorf("after %q, %d (-want +got):\n%s", tc.after, tc.limit, d)
		}
	}
}

func TestRestartKeepsRooms(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(t.Context(), journal.Config{Dir: dir, Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	r := openRegistry(t, j, cluster.RegistryConfig{})
	want, _ := put(t, r, cluster.Room{ID: "r1", MiniGameID: "g", RequireRunning: true})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	r = openRegistry(t, openJournal(t, dir), cluster.RegistryConfig{})
	if got, _ := r.Get("r1"); got != want {
		t.Errorf("after a restart: %s", cmp.Diff(want, got))
	}
}

// TestAnotherNodeSeesChanges has two registries on one bucket, as two nodes have.
func TestAnotherNodeSeesChanges(t *testing.T) {
	j := openJournal(t, t.TempDir())
	heard := make(chan cluster.Room, 10)
	one := openRegistry(t, j, cluster.RegistryConfig{Changed: func(rm cluster.Room) { heard <- rm }})
	two := openRegistry(t, j, cluster.RegistryConfig{})
	follow(t, one)
	follow(t, two)
	want, _ := put(t, two, cluster.Room{ID: "r1", MiniGameID: "g"})
	eventually(t, one, want)
	if err := one.Delete(bounded(t), "r1"); err != nil {
		t.Fatal(err)
	}
	want.Deleted = true
	eventually(t, two, want)
	// The listener hears of the other's change and of its own, each once, in order.
	for _, deleted := range []bool{false, true} {
		select {
		case rm := <-heard:
			if rm.ID != "r1" || rm.Deleted != deleted {
				t.Errorf("heard %+v, deleted should be %v", rm, deleted)
			}
		case <-time.After(patience):
			t.Fatal("the listener heard nothing")
		}
	}
	// What a game does is not for the listener.
	if err := two.SetGame(bounded(t), "r1", "g", room.Game{State: room.GameRunning}); err != nil {
		t.Fatal(err)
	}
	put(t, one, cluster.Room{ID: "r2", MiniGameID: "g"})
	if rm := <-heard; rm.ID != "r2" {
		t.Errorf("heard %+v once more", rm)
	}
}

// TestConcurrentWritersLoseNothing: each writer changes another field of the same
// room, knowing only its own memory; all changes must be there in the end.
func TestConcurrentWritersLoseNothing(t *testing.T) {
	j := openJournal(t, t.TempDir())
	configuring := openRegistry(t, j, cluster.RegistryConfig{})
	playing := openRegistry(t, j, cluster.RegistryConfig{})
	put(t, configuring, cluster.Room{ID: "r1", MiniGameID: "g0"})
	follow(t, configuring)
	follow(t, playing)
	eventually(t, playing, cluster.Room{ID: "r1", MiniGameID: "g0"})
	const rounds = 50
	ctx := bounded(t)
	var writers sync.WaitGroup
	writers.Go(func() {
		for n := range rounds {
			if _, _, err := configuring.Put(ctx, cluster.Room{ID: "r1", MiniGameID: fmt.Sprintf("g%d", n+1)}); err != nil {
				t.Errorf("Put: %v", err)
			}
		}
	})
	writers.Go(func() {
		for n := range rounds {
			game := room.Game{State: room.GameRunning, Round: fmt.Sprint(n + 1)}
			if err := playing.SetGame(ctx, "r1", "TinyLoveWar", game); err != nil {
				t.Errorf("SetGame: %v", err)
			}
		}
	})
	writers.Wait()
	want := cluster.Room{
		ID: "r1", MiniGameID: fmt.Sprintf("g%d", rounds), GameID: "TinyLoveWar", Game: room.Game{State: room.GameRunning, Round: fmt.Sprint(rounds)},
	}
	eventually(t, configuring, want)
	eventually(t, playing, want)
}

// TestOfOneRoomOnlyOneIsCreated: the nodes do not know of each other's write.
func TestOfOneRoomOnlyOneIsCreated(t *testing.T) {
	j := openJournal(t, t.TempDir())
	one := openRegistry(t, j, cluster.RegistryConfig{})
	two := openRegistry(t, j, cluster.RegistryConfig{})
	if _, created := put(t, one, cluster.Room{ID: "r1", MiniGameID: "g"}); !created {
		t.Error("the first was not created")
	}
	if _, created := put(t, two, cluster.Room{ID: "r1", MiniGameID: "h"}); created {
		t.Error("the second was created too")
	}
}

func TestRunEndsWithTheJournal(t *testing.T) {
	j := openJournal(t, t.TempDir())
	r := openRegistry(t, j, cluster.RegistryConfig{})
	ended := make(chan error, 1)
	go func() { ended <- r.Run(t.Context()) }()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, journal.ErrClosed) {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Run did not end")
	}
	if _, _, err := r.Put(bounded(t), cluster.Room{ID: "r1", MiniGameID: "g"}); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Put into a closed journal: %v", err)
	}
}

// TestFetch: a room that another node has put is found before the watch brings it.
func TestFetch(t *testing.T) {
	j := openJournal(t, t.TempDir())
	one := openRegistry(t, j, cluster.RegistryConfig{})
	two := openRegistry(t, j, cluster.RegistryConfig{}) // does not follow
	want, _ := put(t, one, cluster.Room{ID: "r1", MiniGameID: "g"})
	if _, ok := two.Get("r1"); ok {
		t.Fatal("known without a look")
	}
	if got, ok := two.Fetch(bounded(t), "r1"); !ok || got != want {
		t.Errorf("%+v, %v; want %+v", got, ok, want)
	}
	if got, ok := two.Get("r1"); !ok || got != want {
		t.Errorf("afterwards it knows %+v, %v", got, ok)
	}
	for _, id := range []string{"r2", "", "a.b", "no room"} {
		if got, ok := two.Fetch(bounded(t), id); ok {
			t.Errorf("%q is %+v", id, got)
		}
	}
}
