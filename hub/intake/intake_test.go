package intake_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// TestAcceptedWhenStored: accepted is told after the journal has stored the gift,
// not before, and what is stored is the whole gift, frozen.
func TestAcceptedWhenStored(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	before := time.Now().UnixMilli()
	got := b.submit(t, rockets("c-17", 20))
	got.none(t)
	gift := b.journal.answer(t, nil)
	id := room.NewMsgID(appID, "r1", "ann", "c-17")
	if diff := cmp.Diff(intake.Verdict{Outcome: intake.Accepted, MsgID: id}, got.verdict(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if gift.At < before || gift.At > time.Now().UnixMilli() {
		t.Errorf("At %d", gift.At)
	}
	want := &room.Gift{
		MsgID: id, ClientID: "c-17", Room: "r1", Game: "TinyLoveWar", User: ann, GiftID: "g1",
		Count: 20, Value: 10, Num: 2, Receiver: "anchor1", At: gift.At,
	}
	if diff := cmp.Diff(want, gift); diff != "" {
		t.Errorf("journaled (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"accepted"}, b.meter.seen); diff != "" {
		t.Errorf("metered (-want +got):\n%s", diff)
	}
}

func TestAskedFields(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	g := rockets("c", 660)
	g.Value, g.Receiver = ptr(10), ptr("guest2")
	b.submit(t, g)
	gift := b.journal.answer(t, nil)
	if gift.Value != 10 || gift.Num != 66 || gift.Receiver != "guest2" {
		t.Errorf("%+v", gift)
	}
	want := room.Content{GiftID: "g1", Count: 660, Value: 10, Receiver: "guest2"}
	if diff := cmp.Diff(want, gift.Content()); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
}

func TestRejections(t *testing.T) {
	t.Parallel()
	running := room.Game{State: room.GameRunning}
	tests := []struct {
		name string
		gift func(*intake.Gift)
		set  func(*bench)
		code wire.Code
		says string
	}{
		{name: "count zero", gift: func(g *intake.Gift) { g.Count = 0 }, code: wire.CodeBadRequest, says: "count"},
		{name: "count too high", gift: func(g *intake.Gift) { g.Count = 100_001 }, code: wire.CodeBadRequest, says: "count"},
		{name: "value zero", gift: func(g *intake.Gift) { g.Value = ptr(0) }, code: wire.CodeBadRequest, says: "value"},
		{name: "value too high", gift: func(g *intake.Gift) { g.Value = ptr(100_001) }, code: wire.CodeBadRequest, says: "value"},
		{name: "gift_id empty", gift: func(g *intake.Gift) { g.GiftID = "" }, code: wire.CodeBadRequest, says: "gift_id"},
		{name: "gift_id long", gift: func(g *intake.Gift) { g.GiftID = strings.Repeat("g", 129) }, code: wire.CodeBadRequest, says: "gift_id"},
		{name: "gift_id control", gift: func(g *intake.Gift) { g.GiftID = "g\x00" }, code: wire.CodeBadRequest, says: "gift_id"},
		{name: "receiver empty", gift: func(g *intake.Gift) { g.Receiver = ptr("") }, code: wire.CodeBadRequest, says: "receiver_id"},
		{name: "receiver bad", gift: func(g *intake.Gift) { g.Receiver = ptr("a-b") }, code: wire.CodeBadRequest, says: "receiver_id"},
		{name: "id bad", gift: func(g *intake.Gift) { g.ID = "a/b" }, code: wire.CodeBadRequest, says: "id"},
		{name: "room bad", gift: func(g *intake.Gift) { g.Room = "a/b" }, code: wire.CodeBadRequest, says: "room"},
		{name: "user bad", gift: func(g *intake.Gift) { g.User.Avatar = "http://" }, code: wire.CodeBadRequest, says: "avatar"},
		{name: "no such room", gift: func(g *intake.Gift) { g.Room = "r2" }, code: wire.CodeRoomClosed},
		{name: "no such gift", gift: func(g *intake.Gift) { g.GiftID = "g9" }, code: wire.CodeUnknownGift},
		{name: "15 rockets", gift: func(g *intake.Gift) { g.Count = 15 }, code: wire.CodeBadCount, says: "10, 66"},
		{name: "tier that is not there", gift: func(g *intake.Gift) { g.Count, g.Value = 30, ptr(30) }, code: wire.CodeBadCount, says: "10, 66"},
		{name: "not a multiple of the tier", gift: func(g *intake.Gift) { g.Value = ptr(66) }, code: wire.CodeBadCount, says: "10, 66"},
		{name: "game without a price", gift: func(g *intake.Gift) { g.Room = "wild" }, code: wire.CodeBadRequest, says: "value is required"},
		{
			name: "game not running", code: wire.CodeGameNotRunning,
			set: func(b *bench) { b.rooms["r1"] = intake.Room{Game: "TinyLoveWar", RequireRunning: true} },
		},
		{
			name: "another game running", code: wire.CodeGameNotRunning,
			set: func(b *bench) {
				b.rooms["r1"] = intake.Room{Game: "TinyLoveWar", RequireRunning: true}
				b.owner.state = owner.RoomState{GameID: "Chess", Game: running}
			},
		},
		{
			name: "room full", code: wire.CodeBusy,
			set: func(b *bench) { b.owner.state = owner.RoomState{Open: 3, Game: running} },
		},
		{name: "node full", code: wire.CodeBusy, set: func(b *bench) { b.owner.open = 5 }},
		{name: "journal refuses", code: wire.CodeUnavailable, set: func(b *bench) { b.journal.refuse = journal.ErrUnavailable }},
		{name: "journal closed", code: wire.CodeUnavailable, set: func(b *bench) { b.journal.refuse = journal.ErrClosed }},
		{name: "journal too small", code: wire.CodeBadRequest, set: func(b *bench) { b.journal.refuse = journal.ErrTooLarge }},
	}
	for _, tt := range tests {
		b := newBench(t, func(cfg *intake.Config) { cfg.Limits = intake.Limits{RoomOpen: 3, NodeOpen: 5} })
		g := rockets("c-1", 20)
		if tt.gift != nil {
			tt.gift(&g)
		}
		if tt.set != nil {
			tt.set(b)
		}
		v := b.submit(t, g).verdict(t)
		retryable := tt.code == wire.CodeBusy || tt.code == wire.CodeUnavailable
		if v.Outcome != intake.Rejected || v.Code != tt.code || !strings.Contains(v.Message, tt.says) || (v.RetryAfter > 0) != retryable {
			t.Errorf("%s: %+v, want %s with %q", tt.name, v, tt.code, tt.says)
		}
		if n := len(b.journal.entries()); n != 0 {
			t.Errorf("%s: %d entries journaled", tt.name, n)
		}
		if diff := cmp.Diff([]string{string(tt.code)}, b.meter.seen); diff != "" {
			t.Errorf("%s: metered (-want +got):\n%s", tt.name, diff)
		}
		// Nothing is left behind: the same gift is taken once the cause is gone.
		if got := b.Stats().InFlight; got != 0 {
			t.Errorf("%s: %d in flight", tt.name, got)
		}
	}
}

func TestRequireRunning(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.rooms["r1"] = intake.Room{Game: "TinyLoveWar", RequireRunning: true}
	b.owner.state.GameID, b.owner.state.Game.State = "TinyLoveWar", room.GameRunning
	b.submit(t, rockets("c", 10)).none(t)
	b.journal.answer(t, nil)
}

func TestUnlistedGameTakesTheValueGiven(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	g := rockets("c", 30)
	g.Room, g.GiftID, g.Value = "wild", "whatever", ptr(15)
	b.submit(t, g)
	if gift := b.journal.answer(t, nil); gift.Value != 15 || gift.Num != 2 || gift.Game != "NotListed" || gift.Receiver != "" {
		t.Errorf("%+v", gift)
	}
}

// TestInFlightCountsAsOpen: gifts that the owner has not read yet fill the backlog,
// too.
func TestInFlightCountsAsOpen(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(cfg *intake.Config) { cfg.Limits = intake.Limits{RoomOpen: 3} })
	b.owner.state.Open = 1
	b.submit(t, rockets("c-1", 10)).none(t)
	b.submit(t, rockets("c-2", 10)).none(t)
	if v := b.submit(t, rockets("c-3", 10)).verdict(t); v.Code != wire.CodeBusy {
		t.Errorf("the fourth: %+v, want busy", v)
	}
	b.journal.answer(t, nil)
	b.journal.answer(t, nil)
	b.submit(t, rockets("c-4", 10)).none(t)
}

// TestSameIDInFlight: two frames while the first publish is in flight are one gift.
func TestSameIDInFlight(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	first := b.submit(t, rockets("c", 20))
	second := b.submit(t, rockets("c", 20))
	other := rockets("c", 20)
	other.Receiver = ptr("anchor1") // the same receiver, but not the same as sent
	if v := b.submit(t, other).verdict(t); v.Code != wire.CodeConflict {
		t.Errorf("other content: %+v", v)
	}
	first.none(t)
	second.none(t)
	b.journal.answer(t, nil)
	id := room.NewMsgID(appID, "r1", "ann", "c")
	if diff := cmp.Diff(intake.Verdict{Outcome: intake.Accepted, MsgID: id}, first.verdict(t)); diff != "" {
		t.Errorf("first (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(intake.Verdict{Outcome: intake.Accepted, MsgID: id, Repeat: true}, second.verdict(t)); diff != "" {
		t.Errorf("second (-want +got):\n%s", diff)
	}
	if n := len(b.journal.entries()); n != 0 {
		t.Errorf("%d more entries were journaled", n)
	}
}

// TestRepeatOfStored: between the journal's answer and the owner's reading, this
// process alone knows the id.
func TestRepeatOfStored(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.submit(t, rockets("c", 20))
	gift := b.journal.answer(t, nil)
	if v := b.submit(t, rockets("c", 10)).verdict(t); v.Code != wire.CodeConflict {
		t.Errorf("other content: %+v", v)
	}
	want := intake.Verdict{Outcome: intake.Accepted, MsgID: gift.MsgID, Repeat: true}
	if diff := cmp.Diff(want, b.submit(t, rockets("c", 20)).verdict(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	decision := room.Decision{Gift: gift, Status: room.Delivered, Reason: room.ReasonOK}
	b.owner.known[gift.MsgID] = owner.Known{Knowledge: owner.Decided, Gift: gift, Decision: decision}
	want.Decision = &decision
	if diff := cmp.Diff(want, b.submit(t, rockets("c", 20)).verdict(t)); diff != "" {
		t.Errorf("decided (-want +got):\n%s", diff)
	}
	if n := len(b.journal.entries()); n != 0 {
		t.Errorf("%d more entries were journaled", n)
	}
	if diff := cmp.Diff([]string{"accepted", "conflict", "repeat", "repeat"}, b.meter.seen); diff != "" {
		t.Errorf("metered (-want +got):\n%s", diff)
	}
}

// TestRepeatKnownToTheOwner: a repeat after a restart, when only the log knows, also
// in a room that is closed or full meanwhile: it was accepted.
func TestRepeatKnownToTheOwner(t *testing.T) {
	t.Parallel()
	id := room.NewMsgID(appID, "r1", "ann", "c")
	gift := &room.Gift{MsgID: id, ClientID: "c", Room: "r1", User: ann, GiftID: "g1", Count: 20, Receiver: "anchor0"}
	decision := room.Decision{Gift: gift, Status: room.Failed, Code: 10003, Reason: room.ReasonNotJoined}
	for _, known := range []owner.Known{
		{Knowledge: owner.Open, Gift: gift},
		{Knowledge: owner.Decided, Gift: gift, Decision: decision},
	} {
		b := newBench(t, withWallet(new(fakeWallet)))
		b.owner.known[id] = known
		b.owner.open = 1 << 30
		delete(b.rooms, "r1")
		if v := b.submit(t, rockets("c", 66)).verdict(t); v.Code != wire.CodeConflict {
			t.Errorf("other content: %+v", v)
		}
		want := intake.Verdict{Outcome: intake.Accepted, MsgID: id, Repeat: true}
		if known.Knowledge == owner.Decided {
			want.Decision = &decision
		}
		if diff := cmp.Diff(want, b.submit(t, rockets("c", 20)).verdict(t)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if len(b.journal.entries()) != 0 || len(b.wallet.log()) != 0 {
			t.Errorf("journaled %d, wallet %v", len(b.journal.entries()), b.wallet.log())
		}
	}
}

// TestLookupFails: an owner that cannot say does not stop a gift.
func TestLookupFails(t *testing.T) {
	t.Parallel()
	for _, err := range []error{owner.ErrNotReady, errors.New("the log cannot be read")} {
		b := newBench(t, nil)
		b.owner.err = err
		got := b.submit(t, rockets("c", 20))
		b.journal.answer(t, nil)
		if v := got.verdict(t); v.Outcome != intake.Accepted {
			t.Errorf("%v: %+v", err, v)
		}
		if failed := b.Stats().LookupsFailed; (failed == 1) == errors.Is(err, owner.ErrNotReady) {
			t.Errorf("%v: %d look-ups failed", err, failed)
		}
	}
}

// TestDoubtIsNoRefusal: while the owner cannot say whether a gift is journaled already,
// nobody hears that nothing was charged, and the wallet is not touched.
func TestDoubtIsNoRefusal(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*bench, *intake.Gift){
		"the room was closed meanwhile": func(b *bench, _ *intake.Gift) { delete(b.rooms, "r1") },
		"the game has ended":            func(b *bench, _ *intake.Gift) { b.rooms["r1"] = intake.Room{Game: "TinyLoveWar", RequireRunning: true} },
		"the gift left the catalogue":   func(_ *bench, g *intake.Gift) { g.GiftID = "old" },
		"the tiers have changed":        func(_ *bench, g *intake.Gift) { g.Count = 15 },
		"the room is full":              func(b *bench, _ *intake.Gift) { b.owner.state.Open = 1 << 20 },
		"the wallet would decline":      func(*bench, *intake.Gift) {},
	} {
		b := newBench(t, func(cfg *intake.Config) {
			cfg.Limits = intake.Limits{RoomOpen: 3}
			cfg.Prices.Wallet = &fakeWallet{reserve: fails(intake.ErrDeclined)}
		})
		b.owner.err = owner.ErrNotReady
		g := rockets("c", 20)
		set(b, &g)
		if v := b.submit(t, g).verdict(t); v.Outcome != intake.Rejected || v.Code != wire.CodeUnavailable || v.RetryAfter == 0 {
			t.Errorf("%s: %+v, want unavailable", name, v)
		}
		if len(b.journal.entries()) != 0 || len(b.wallet.log()) != 0 {
			t.Errorf("%s: journaled %d, wallet %v", name, len(b.journal.entries()), b.wallet.log())
		}
	}
}

// TestJournalAnswersLate: what was handed over is rejected only if it is surely not
// stored.
func TestJournalAnswersLate(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]intake.Verdict{
		journal.ErrUnknown:     {Outcome: intake.Unknown},
		journal.ErrUnavailable: {Outcome: intake.Rejected, Code: wire.CodeUnavailable},
	} {
		b := newBench(t, nil)
		got, joined := b.submit(t, rockets("c", 20)), b.submit(t, rockets("c", 20))
		b.journal.answer(t, fmt.Errorf("publish: %w", err))
		for _, a := range []answers{got, joined} {
			if v := a.verdict(t); v.Outcome != want.Outcome || v.Code != want.Code {
				t.Errorf("%v: %+v", err, v)
			}
		}
		// A repeat is a new attempt.
		again := b.submit(t, rockets("c", 20))
		again.none(t)
		b.journal.answer(t, nil)
		if v := again.verdict(t); v.Outcome != intake.Accepted || v.Repeat {
			t.Errorf("again: %+v", v)
		}
	}
}

// TestStoredIsForgotten: what this process remembers of stored gifts is bounded.
func TestStoredIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.journal.auto = true
		b.submit(t, rockets("c", 20)).verdict(t)
		synctest.Wait()
		<-time.After(time.Minute - time.Nanosecond)
		b.submit(t, rockets("c", 20)).verdict(t)
		if n := len(b.journal.entries()); n != 1 {
			t.Errorf("journaled %d times within the minute", n)
		}
		<-time.After(time.Nanosecond)
		b.submit(t, rockets("c", 20)).verdict(t)
		if n := len(b.journal.entries()); n != 2 {
			t.Errorf("journaled %d times after the minute, want 2: the owner knows it now", n)
		}
		synctest.Wait()
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	got := b.submit(t, rockets("c-1", 20))
	b.Close()
	b.Close()
	if v := b.submit(t, rockets("c-2", 20)).verdict(t); v.Code != wire.CodeUnavailable || v.RetryAfter == 0 {
		t.Errorf("after Close: %+v", v)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("no more patience")
	cancel(gone)
	if err := b.Wait(ctx); !errors.Is(err, gone) {
		t.Errorf("Wait with a gift in flight: %v", err)
	}
	b.journal.answer(t, nil)
	if err := b.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if v := got.verdict(t); v.Outcome != intake.Accepted {
		t.Errorf("%+v", v)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	_, err := intake.New(intake.Config{Limits: intake.Limits{RoomOpen: -1, ReserveTimeout: -1}})
	for _, name := range []string{"Journal", "Owner", "Chat", "Rooms", "RoomOpen", "ReserveTimeout"} {
		if !errors.Is(err, intake.ErrBadConfig) || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v does not name %s", err, name)
		}
	}
}
