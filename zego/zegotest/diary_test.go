package zegotest_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// A server that recalls a diary is as good as the one that wrote it: repeats meet the
// first outcome, joins hold, and rounds go on.
func TestDiaryOutlivesTheServer(t *testing.T) {
	var diary bytes.Buffer
	first := newWorld(t, func(c *zegotest.Config) { c.Diary = &diary })
	first.StartGame("r1", game)
	first.SettleGame("r1", zego.Settlement{WinTeam: 1})
	round := first.StartGame("r1", game)
	first.Join("r1", game, "ann")
	if _, err := first.give(t, "r1", gift("m1", "ann", 10, 1), gift("m2", "bob", 10, 1)); err != nil { // bob has not joined
		t.Fatal(err)
	}

	next := newWorld(t)
	next.clock.advance(first.clock.Now().Sub(next.clock.Now()))
	if err := next.Recall(bytes.NewReader(diary.Bytes())); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.Tally(), next.Tally(), cmp.Transformer("gifts", giftsOnly)); diff != "" {
		t.Errorf("tally (-first +next):\n%s", diff)
	}
	if diff := cmp.Diff(first.Ledger(0, 10), next.Ledger(0, 10)); diff != "" {
		t.Errorf("ledger (-first +next):\n%s", diff)
	}
	state, _ := next.Room("r1")
	if state.Round != round || state.State != "running" || state.Joined != 1 {
		t.Errorf("room %+v, want round %s running with one viewer", state, round)
	}
	got, err := next.give(t, "r1", gift("m1", "ann", 10, 1), gift("m2", "bob", 10, 1), gift("m3", "ann", 10, 1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"m1=0", "m2=10003", "m3=0"}, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if n := next.Effects("m1"); n != 1 {
		t.Errorf("m1 had %d effects", n)
	}
	if n := next.Tally().Conflicts; n != 0 {
		t.Errorf("%d conflicts: the same payload counts as another after a restart", n)
	}
}

func giftsOnly(t zegotest.Tally) zegotest.Tally {
	return zegotest.Tally{
		Consumed: t.Consumed, Delivered: t.Delivered, Failed: t.Failed, Doubled: t.Doubled, DeliveredCount: t.DeliveredCount,
	}
}

// What ZEGO has forgotten is not recalled, and a killed writer's last line is no fault.
func TestDiaryOldAndCut(t *testing.T) {
	var diary bytes.Buffer
	first := newWorld(t, func(c *zegotest.Config) { c.Diary = &diary })
	first.Join("r1", game, "ann")
	if _, err := first.give(t, "r1", gift("m1", "ann", 10, 1)); err != nil {
		t.Fatal(err)
	}

	later := newWorld(t)
	later.clock.advance(24 * time.Hour)
	if err := later.Recall(strings.NewReader(diary.String() + `{"gift":{"at":"20`)); err != nil {
		t.Fatalf("a cut last line: %v", err)
	}
	if later.Effects("m1") != 0 {
		t.Error("a gift of 24 h ago is remembered")
	}
	if err := newWorld(t).Recall(strings.NewReader("{\n" + diary.String())); !errors.Is(err, zegotest.ErrBadDiary) {
		t.Errorf("a broken first line: %v, want ErrBadDiary", err)
	}
}

func TestSessionMakesIDsUnique(t *testing.T) {
	w := newWorld(t, func(c *zegotest.Config) { c.Session = "s1-" })
	if got := w.StartGame("r1", game); got != "s1-1" {
		t.Errorf("round %q, want s1-1", got)
	}
}
