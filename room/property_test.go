package room_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

const wall0 = 1_795_449_600_000

// giftsMost bounds a script: the twin looks at all of them at each step.
const giftsMost = 400

// script drives a world with drawn events and answers of any shape.
type script struct {
	t     *rapid.T
	cfg   room.CoreConfig
	w     *roomtest.World
	gifts []*room.Gift
	users []string
	games []string
}

func drawConfig(t *rapid.T) room.CoreConfig {
	ms := func(name string, low, high int) time.Duration {
		return time.Duration(rapid.IntRange(low, high).Draw(t, name)) * time.Millisecond
	}
	return room.CoreConfig{
		Room: "r1", Seed: rapid.Uint64().Draw(t, "seed"),
		Limits: room.Limits{
			FlushInterval: ms("flush", 50, 200), GiftTTL: ms("ttl", 1000, 90_000),
			BackoffBase: ms("backoff", 1, 200), JoinWait: ms("join wait", 1, 3000),
		},
		OwnedSince: ms("owned", -2000, 0),
		NotBefore:  ms("not before", 0, 500),
		Game:       room.GameState(rapid.IntRange(0, 2).Draw(t, "game")),
	}
}

func newScript(t *rapid.T) *script {
	cfg := drawConfig(t)
	return &script{
		t: t, cfg: cfg, w: roomtest.NewWorld(cfg, wall0),
		users: []string{"ann", "bob", "cid"}, games: []string{"G", "G", "G", "H"},
	}
}

func (s *script) pick(name string, from []string) string {
	return rapid.SampledFrom(from).Draw(s.t, name)
}

func (s *script) giveGifts(*rapid.T) {
	n := rapid.SampledFrom([]int{1, 1, 1, 2, 3, 7, 60}).Draw(s.t, "gifts")
	for range n {
		if len(s.gifts) == giftsMost {
			return
		}
		g := roomtest.Gift("r1", s.pick("game", s.games), s.pick("user", s.users), fmt.Sprintf("c-%d", len(s.gifts)))
		if rapid.IntRange(0, 50).Draw(s.t, "long") == 0 {
			g.GiftID = string(make([]byte, 4000)) // six-fold in JSON: a few fill a call
		}
		s.gifts = append(s.gifts, g)
		e := room.GiftAccepted{Gift: g, StoredAt: s.w.Now.Wall}
		switch rapid.IntRange(0, 9).Draw(s.t, "how") {
		case 0:
			e.Recovered, e.SentUntil = true, s.w.Now.Mono+5*time.Second
		case 1:
			e.AgeAtRead = time.Duration(rapid.IntRange(0, 100_000_000).Draw(s.t, "age")) * time.Millisecond
		case 2:
			e.StoredAt -= int64(rapid.IntRange(-5000, 100_000_000).Draw(s.t, "stored before"))
		}
		s.w.Step(e)
	}
}

func (s *script) talk(*rapid.T) {
	user, game := roomtest.User(s.pick("user", s.users)), s.pick("game", s.games)
	switch rapid.IntRange(0, 3).Draw(s.t, "talk") {
	case 0:
		s.w.Step(room.Liked{Game: game, Like: room.Like{User: user, Amount: rapid.IntRange(-1, 600_000).Draw(s.t, "likes")}})
	case 1:
		s.w.Step(room.Commented{Game: game, Comment: room.Comment{User: user, Text: "hello", At: s.w.Now.Wall}})
	default:
		s.w.Step(room.Commented{Game: game, Comment: room.Comment{User: user, Text: "5", Join: true, At: s.w.Now.Wall}})
	}
}

func (s *script) changeGame(*rapid.T) {
	state := room.GameState(rapid.IntRange(0, 2).Draw(s.t, "state"))
	s.w.Step(room.GameChanged{Game: room.Game{State: state}})
}

func (s *script) pass(*rapid.T) {
	s.w.Advance(time.Duration(rapid.SampledFrom([]int{1, 10, 50, 100, 250, 1000, 3000, 20_000, 70_000, 4_000_000}).
		Draw(s.t, "ms")) * time.Millisecond)
}

func (s *script) jump(*rapid.T) {
	s.w.Now.Wall += int64(rapid.SampledFrom([]int{-100_000_000, -3000, -500, 500, 3000, 100_000_000}).Draw(s.t, "jump"))
}

func (s *script) wakeForNothing(*rapid.T) { s.w.Step(room.TimerFired{}) }

func (s *script) answer(*rapid.T) {
	if len(s.w.Flying) == 0 {
		s.w.Step(room.CallEnded{ID: 99_999})
		return
	}
	call := rapid.SampledFrom(s.w.Flying).Draw(s.t, "call")
	if rapid.IntRange(0, 9).Draw(s.t, "hold") == 0 {
		s.w.Hold(call.ID, time.Duration(rapid.IntRange(1, 2000).Draw(s.t, "hold ms"))*time.Millisecond)
		return
	}
	s.w.End(call.ID, s.drawAnswer(call))
}

func (s *script) drawAnswer(call room.Call) room.Answer {
	code := rapid.SampledFrom([]int{0, 7_206_001, 7_202_001, 7_210_000}).Draw(s.t, "code")
	switch rapid.IntRange(0, 4).Draw(s.t, "outcome") {
	case 0:
		return roomtest.Lost()
	case 1:
		return roomtest.Refuse(room.Class(rapid.IntRange(0, int(room.ClassConfig)).Draw(s.t, "class")), code)
	case 2:
		return roomtest.Refuse(room.ClassBadRequest, 7_200_004)
	case 3:
		return roomtest.Deliver(call)
	}
	a := room.Answer{Outcome: room.Outcome(rapid.IntRange(0, 2).Draw(s.t, "with rows"))}
	ids := roomtest.IDs(call)
	for range rapid.IntRange(0, 2*len(ids)+1).Draw(s.t, "rows") {
		id := room.MsgID{1} // foreign
		if pool := s.rowIDs(ids); len(pool) > 0 {
			id = rapid.SampledFrom(pool).Draw(s.t, "id")
		}
		row := roomtest.Row(id, room.ResultClass(rapid.IntRange(0, int(room.ResultPending)).Draw(s.t, "row")))
		row.At = int64(rapid.IntRange(0, 2).Draw(s.t, "at")) // the gifts' is 1
		a.Rows = append(a.Rows, row)
	}
	return a
}

// rowIDs are ids that rows may be of: mostly those asked for, sometimes any.
func (s *script) rowIDs(asked []room.MsgID) []room.MsgID {
	if rapid.IntRange(0, 4).Draw(s.t, "foreign") > 0 || len(s.gifts) == 0 {
		return asked
	}
	return append([]room.MsgID{rapid.SampledFrom(s.gifts).Draw(s.t, "other").MsgID}, asked...)
}

func (s *script) check(t *rapid.T) {
	if s.w.Err != nil {
		t.Fatal(s.w.Err)
	}
}

// storm lets time pass under a platform that answers every call by itself, badly.
func (s *script) storm(*rapid.T) {
	answers := []func(room.Call) room.Answer{
		s.drawAnswer,
		roomtest.Deliver,
		func(room.Call) room.Answer { return roomtest.Lost() },
		func(room.Call) room.Answer { return room.Answer{Outcome: room.Consumed} }, // no row at all
		func(c room.Call) room.Answer { return roomtest.Answered(c, room.ResultPending) },
		func(c room.Call) room.Answer { return roomtest.Answered(c, room.ResultException) },
		func(room.Call) room.Answer { return roomtest.Refuse(room.ClassNotStarted, 7_206_001) },
		func(room.Call) room.Answer { return roomtest.Refuse(room.ClassNoGame, 7_202_001) },
		func(room.Call) room.Answer { return roomtest.Refuse(room.ClassBadRequest, 7_200_004) },
	}
	var kinds [4]func(room.Call) room.Answer
	for i := range kinds {
		kinds[i] = rapid.SampledFrom(answers).Draw(s.t, "answers")
	}
	took := time.Duration(rapid.SampledFrom([]int{0, 1, 30, 400, 5000}).Draw(s.t, "took ms")) * time.Millisecond
	s.w.Platform = func(_ *roomtest.World, c room.Call) (room.Answer, time.Duration, bool) {
		return kinds[c.Action](c), took, true
	}
	for _, call := range slices.Clone(s.w.Flying) {
		s.w.End(call.ID, s.drawAnswer(call))
	}
	s.pass(nil)
	s.w.Platform = nil
}

// heal lets the world be well and everything end. Whether the platform remembers the
// gifts that it is asked for is drawn.
func (s *script) heal() {
	remembers := rapid.Bool().Draw(s.t, "remembers")
	s.w.Platform = func(_ *roomtest.World, call room.Call) (room.Answer, time.Duration, bool) {
		if call.Action == room.ActionQuery && !remembers {
			return room.Answer{Outcome: room.Consumed}, 20 * time.Millisecond, true
		}
		return roomtest.Deliver(call), 20 * time.Millisecond, true
	}
	for _, call := range slices.Clone(s.w.Flying) {
		s.w.End(call.ID, roomtest.Lost())
	}
	s.w.Step(room.GameChanged{Game: room.Game{State: room.GameRunning}})
	s.w.Settle(25 * time.Hour)
	s.w.Advance(time.Minute)
}

func (s *script) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"": s.check, "gifts": s.giveGifts, "talk": s.talk, "game": s.changeGame, "pass": s.pass, "jump": s.jump,
		"wake": s.wakeForNothing, "answer": s.answer, "storm": s.storm, "gale": s.storm,
	}
}

// everyGiftEndsOnce: whatever happens in whatever order, the twin has nothing to object,
// and once the world is well every gift has its one decision.
func everyGiftEndsOnce(rt *rapid.T) {
	s := newScript(rt)
	rt.Repeat(s.actions())
	s.heal()
	s.check(rt)
	if open := s.w.Core.Open(); open > 0 || len(s.w.Decisions) != len(s.gifts) {
		rt.Fatalf("%d gifts open, %d decisions of %d gifts", open, len(s.w.Decisions), len(s.gifts))
	}
	if !s.w.Idle {
		rt.Fatal("the room is not idle a minute after all was decided")
	}
}

func TestEveryGiftEndsOnce(t *testing.T) { rapid.Check(t, everyGiftEndsOnce) }

// endless is a fuzz target's input, and random bytes behind it: what a property draws
// past the end of its input would be called invalid, and a whole world is longer than
// what a fuzzer finds.
func endless(prop func(*testing.T, []byte)) func(*testing.T, []byte) {
	return func(t *testing.T, input []byte) {
		t.Helper()
		tail := make([]byte, 128<<10)
		_, _ = rand.NewChaCha8([32]byte{}).Read(tail) // never fails
		prop(t, append(bytes.Clone(input), tail...))
	}
}

func FuzzEveryGiftEndsOnce(f *testing.F) {
	f.Fuzz(endless(rapid.MakeFuzz(everyGiftEndsOnce)))
}

// TestStoppedCoreOnlyListens: after a stop nothing starts and nothing is given up, but
// answers still decide. (The twin sees to it.)
func TestStoppedCoreOnlyListens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newScript(rt)
		rt.Repeat(s.actions())
		s.w.Step(room.Stopped{})
		for _, call := range slices.Clone(s.w.Flying) {
			s.w.End(call.ID, s.drawAnswer(call))
		}
		s.giveGifts(nil)
		s.w.Advance(time.Hour)
		s.w.Step(room.TimerFired{})
		s.check(rt)
	})
}
