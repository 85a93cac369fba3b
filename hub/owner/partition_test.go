package owner_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/owner/ownertest"
	"github.com/giftwire/giftwire/room"
)

func TestGiftIsDecidedStoredAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego)
		g := gift("ann", "c1")
		store.Accept(entryOf(g))
		time.Sleep(time.Second)
		synctest.Wait()

		if got := o.heard.decided(); len(got) != 1 || got[0].Gift != g || got[0].Status != room.Delivered {
			t.Fatalf("told %+v, want the gift delivered", got)
		}
		news := o.heard.news[0]
		if news.Seq != 1 || news.Prev != 0 || news.Record != 2 {
			t.Errorf("news are %+v, want seq 1 in record 2, the room's first", news)
		}
		want := owner.RoomState{
			Owner: "n1", Seq: 1, Record: 2, Accepted: 1,
			Totals: journal.Totals{Delivered: 1, DeliveredCount: 10},
		}
		if diff := cmp.Diff(want, o.Room("r1")); diff != "" {
			t.Errorf("room state (-want +got):\n%s", diff)
		}
		o.release(t)
		wantKinds := []journal.Kind{journal.KindTakeover, journal.KindDecisions, journal.KindRelease}
		if diff := cmp.Diff(wantKinds, kinds(store)); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// P2, P4: whatever is journaled again under a known id has no second effect.
func TestRepeatHasOneEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego)
		other := gift("ann", "c1")
		other.Count, other.Num = 660, 66
		store.Accept(entryOf(gift("ann", "c1")), entryOf(gift("ann", "c1"))) // while it is open
		time.Sleep(time.Second)
		store.Accept(entryOf(other)) // after it was decided, with other content
		time.Sleep(time.Second)
		synctest.Wait()

		if got := zego.sends(); len(got) != 1 {
			t.Errorf("sent %d times, want once", len(got))
		}
		if got := stored(store); len(got) != 1 || got[0].Gift.Count != 10 {
			t.Errorf("decided %+v, want the first content once", got)
		}
		if diff := cmp.Diff([]room.MsgID{other.MsgID}, o.heard.repeated); diff != "" {
			t.Errorf("repeats told (-want +got):\n%s", diff)
		}
		if s := o.Stats(); s.Repeats != 2 || s.Conflicts != 1 {
			t.Errorf("%d repeats, %d conflicts; want 2 and 1", s.Repeats, s.Conflicts)
		}
		o.release(t)
	})
}

// The memory of ids outlives owners, with a snapshot and without.
func TestNextOwnerRemembersIDs(t *testing.T) {
	for name, crash := range map[string]bool{"released": false, "crashed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, zego := ownertest.NewStore(), newPlatform()
				first := own(t, store, zego)
				store.Accept(entryOf(gift("ann", "c1")))
				time.Sleep(time.Second)
				end(t, store, first, crash)

				next := own(t, store, zego)
				time.Sleep(20 * time.Hour)
				store.Accept(entryOf(gift("ann", "c1")))
				time.Sleep(time.Second)
				synctest.Wait()
				if got := zego.sends(); len(got) != 1 {
					t.Errorf("sent %d times, want once", len(got))
				}
				if len(next.heard.repeated) != 1 {
					t.Errorf("told %d repeats, want the first outcome", len(next.heard.repeated))
				}
				if got := next.Room("r1"); got.Seq != 1 || got.Accepted != 1 {
					t.Errorf("room state %+v, want seq 1 and one gift accepted", got)
				}
				next.release(t)
			})
		})
	}
}

// end ends an owner in good order, or as a crash does.
func end(t *testing.T, store *ownertest.Store, o *owning, crash bool) {
	t.Helper()
	if !crash {
		o.release(t)
		return
	}
	store.Hook(ownertest.Hooks{Before: func(ownertest.Op) error { return errCrashed }})
	o.stop()
	if err := o.wait(t); err == nil {
		t.Error("Run ended without an error after a crash")
	}
	store.Hook(ownertest.Hooks{})
}

// A gift that was open when the owner went is sent again under the same id, whether
// the snapshot knew it or GIFTS has to be read again.
func TestOpenGiftIsDecidedByTheNextOwner(t *testing.T) {
	for name, snapshot := range map[string]bool{"from the snapshot": true, "from GIFTS": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, zego := ownertest.NewStore(), newPlatform()
				zego.hang = make(chan struct{}) // answers of the first owner are lost
				first := own(t, store, zego, func(c *owner.Config) {
					if snapshot {
						c.SnapshotEvery = 100 * time.Millisecond
					}
				})
				g := gift("ann", "c1")
				store.Accept(entryOf(g))
				time.Sleep(time.Second)
				end(t, store, first, true)
				zego.mu.Lock()
				zego.hang = nil
				zego.mu.Unlock()

				next := own(t, store, zego)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				got := stored(store)
				if len(got) != 1 || got[0].Status != room.Delivered || got[0].Gift.MsgID != g.MsgID {
					t.Fatalf("decided %+v, want the gift delivered once", got)
				}
				if len(zego.effects) != 1 {
					t.Errorf("%d effects, want 1", len(zego.effects))
				}
				if next.OpenGifts() != 0 {
					t.Errorf("%d gifts open, want none", next.OpenGifts())
				}
				next.release(t)
			})
		})
	}
}

// An open gift of a former owner is unknown, whatever ZEGO says of the next send: it may
// have been given, so it is never failed by a later refusal, but looked up.
func TestRecoveredGiftIsNotFailedByALaterRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		// The first owner's call has its effect; its answer is lost.
		zego.answer = func(call room.GiftCall) *room.Answer {
			zego.mu.Lock()
			defer zego.mu.Unlock()
			for _, g := range call.Gifts {
				zego.effects[g.MsgID] = 1
			}
			return &room.Answer{}
		}
		first := own(t, store, zego)
		store.Accept(entryOf(gift("ann", "c1")))
		time.Sleep(time.Second)
		end(t, store, first, true)
		zego.mu.Lock()
		zego.answer = func(room.GiftCall) *room.Answer {
			return &room.Answer{Outcome: room.NotTaken, Class: room.ClassNotStarted, Code: 7206001}
		}
		zego.mu.Unlock()

		next := own(t, store, zego)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if got := stored(store); len(got) != 1 || got[0].Status != room.Delivered {
			t.Errorf("decided %+v, want delivered, as the query says", got)
		}
		next.release(t)
	})
}

// P7: the store refuses a former owner, and it ends.
func TestFencedOwnerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego)
		store.Intrude(journal.OutcomeRecord{Kind: journal.KindTakeover, Node: "rival", Incarnation: "x", Term: 2, Number: 1})
		store.Accept(entryOf(gift("ann", "c1")))
		if err := o.wait(t); !errors.Is(err, journal.ErrFenced) {
			t.Errorf("Run ended with %v, want ErrFenced", err)
		}
		if got := stored(store); len(got) != 0 {
			t.Errorf("a fenced owner stored %+v", got)
		}
		if len(o.heard.decided()) != 0 {
			t.Error("a fenced owner told a decision that is not stored")
		}
		if o.Ready() {
			t.Error("a fenced owner calls itself ready")
		}
	})
}

// An owner that stops takes its calls in flight to their end.
func TestReleaseWaitsForTheCallInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		zego.hang = make(chan struct{})
		o := own(t, store, zego)
		store.Accept(entryOf(gift("ann", "c1")))
		time.Sleep(time.Second)
		o.stop()
		time.Sleep(time.Second)
		close(zego.hang)
		if err := o.wait(t); err != nil {
			t.Errorf("Run ended with %v", err)
		}
		if got := stored(store); len(got) != 1 || got[0].Status != room.Delivered {
			t.Errorf("decided %+v, want the answer of the call in flight", got)
		}
	})
}

// A log that does not continue the snapshot is refused: its state cannot be rebuilt.
func TestHoleInTheLogIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego)
		store.Accept(entryOf(gift("ann", "c1")))
		time.Sleep(time.Second)
		end(t, store, o, true) // no snapshot
		store.Forget(2)
		next := own(t, store, zego)
		if err := next.wait(t); !errors.Is(err, owner.ErrHole) {
			t.Errorf("Run ended with %v, want ErrHole", err)
		}
	})
}

// A partition that was off for longer than the log is kept goes on from its snapshot.
func TestLogThatHasAgedOutIsNoHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego)
		store.Accept(entryOf(gift("ann", "c1")))
		time.Sleep(time.Second)
		o.release(t)
		store.ForgetAll()
		next := own(t, store, zego)
		if got := next.Room("r1"); got.Seq != 1 || got.Totals.Delivered != 1 {
			t.Errorf("room state %+v, want what the snapshot had", got)
		}
		next.release(t)
	})
}

// The same round number in another game is another round: rounds are unique only within
// one game (ZEGO.md).
func TestSameRoundOfAnotherGameIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := ownertest.NewStore()
		o := own(t, store, newPlatform())
		for i, gameID := range []string{"other", "g"} {
			r := report(fmt.Sprint("p", i), "77", room.GameRunning)
			r.Callback.GameID = gameID
			store.Accept(r)
			synctest.Wait()
		}
		if got := len(o.heard.games); got != 2 {
			t.Errorf("told of %d games, want 2", got)
		}
		if s := o.Room("r1"); s.Playing("g").State != room.GameRunning {
			t.Errorf("state %+v", s)
		}
		o.release(t)
	})
}

// A game that has ended holds its own gifts, not those of the game that the platform
// switched to.
func TestSwitchedGameIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego)
		store.Accept(report("p1", "77", room.GameEnded), entryOf(gift("ann", "held")))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := len(zego.sends()); got != 0 {
			t.Fatalf("%d gifts of an ended game sent", got)
		}
		other := gift("ann", "free")
		other.Game = "h"
		store.Accept(entryOf(other))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := o.heard.decided(); len(got) == 0 || got[0].Gift.MsgID != other.MsgID && got[len(got)-1].Gift.MsgID != other.MsgID {
			t.Errorf("decided %+v, want the gift of the new game among them", got)
		}
		if s := o.Room("r1"); s.GameID != "h" || s.Playing("h").State != room.GameUnknown || s.Playing("g") != (room.Game{}) {
			t.Errorf("state %+v, want the new game's, unknown", s)
		}
		o.release(t)
	})
}

// A join that ZEGO has not taken is sent by the next owner, one that it has taken is
// not, and a new round sends both again.
func TestJoinsOutliveOwnersAndRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		first := own(t, store, zego)
		store.Accept(joinOf("ann", "5"))
		time.Sleep(time.Second)
		first.release(t)
		store.Accept(joinOf("bob", "6"))
		next := own(t, store, zego)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"ann/5", "bob/6"}, zego.joined); diff != "" {
			t.Fatalf("comments sent (-want +got):\n%s", diff)
		}
		store.Accept(report("p1", "77", room.GameRunning), report("p1", "77", room.GameRunning))
		time.Sleep(time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"ann/5", "bob/6", "ann/5", "bob/6"}, zego.joined); diff != "" {
			t.Errorf("comments sent after a new round (-want +got):\n%s", diff)
		}
		if len(next.heard.games) != 1 || next.Room("r1").Game.Round != "77" {
			t.Errorf("told games %+v, state %+v; want round 77 once", next.heard.games, next.Room("r1").Game)
		}
		next.release(t)
	})
}

func report(id, round string, state room.GameState) journal.Entry {
	return journal.Entry{Callback: &journal.Callback{
		Room: "r1", GameID: "g", ReportID: id, Game: room.Game{State: state, Round: round},
	}}
}

func TestLookupAndTimeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		zego.hang = make(chan struct{})
		o := own(t, store, zego)
		g := gift("ann", "c1")
		ctx := t.Context()
		if known, err := o.Lookup(ctx, g.MsgID); err != nil || known.Knowledge != owner.Unseen {
			t.Errorf("before: %+v, %v; want unseen", known, err)
		}
		if _, err := o.Timeline(ctx, "r1", g.MsgID); !errors.Is(err, owner.ErrUnknownGift) {
			t.Errorf("timeline before: %v, want ErrUnknownGift", err)
		}
		store.Accept(entryOf(g))
		time.Sleep(time.Second)
		if known, err := o.Lookup(ctx, g.MsgID); err != nil || known.Knowledge != owner.Open || known.Gift != g {
			t.Errorf("open: %+v, %v", known, err)
		}
		if line, err := o.Timeline(ctx, "r1", g.MsgID); err != nil || line.Decision != nil || line.Node != "writer" {
			t.Errorf("timeline while open: %+v, %v", line, err)
		}
		close(zego.hang)
		time.Sleep(time.Second)
		if known, err := o.Lookup(ctx, g.MsgID); err != nil || known.Knowledge != owner.Decided || known.Decision.Status != room.Delivered || known.Seq != 1 {
			t.Errorf("decided: %+v, %v", known, err)
		}
		line, err := o.Timeline(ctx, "r1", g.MsgID)
		if err != nil || line.Decision == nil || len(line.Attempts) != 1 || line.Attempts[0].RequestID != "r1" {
			t.Errorf("timeline when decided: %+v, %v", line, err)
		}
		if _, err := o.Timeline(ctx, "r2", g.MsgID); !errors.Is(err, owner.ErrUnknownGift) {
			t.Errorf("timeline in another room: %v, want ErrUnknownGift", err)
		}
		o.release(t)
		if _, err := o.Lookup(ctx, g.MsgID); !errors.Is(err, owner.ErrNotReady) {
			t.Errorf("after the release: %v, want ErrNotReady", err)
		}
	})
}
