package owner

import (
	"testing"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// The first outcome wins: what is decided of a gift that is not open any more, or twice
// in one batch, is left out, and counts for nothing.
func TestFirstOutcomeWins(t *testing.T) {
	decided := func(id string, s room.Status) room.Decision {
		g := &room.Gift{MsgID: room.NewMsgID(1, "r1", "ann", id), ClientID: id, Room: "r1", Count: 10}
		return room.Decision{Gift: g, Status: s}
	}
	r := newRooms()
	first := decided("a", room.Delivered)
	r.add(&openGift{gift: first.Gift, position: journal.Position{Seq: 7}})
	v := roomVerdicts{room: "r1", decisions: []room.Decision{
		first, decided("a", room.Failed), decided("never opened", room.Delivered),
	}}
	got := entriesOf(r, v)
	if len(got.Decisions) != 1 || got.Decisions[0].Status != room.Delivered || got.Totals.Delivered != 1 || got.Totals.Failed != 0 {
		t.Fatalf("%+v, want the first outcome of the open gift alone", got)
	}
	rec := journal.OutcomeRecord{Seq: 1, Kind: journal.KindDecisions, Rooms: []journal.RoomDecisions{got}}
	r.fold(&rec)
	if again := entriesOf(r, v); len(again.Decisions) != 0 || again.Totals != got.Totals {
		t.Errorf("%+v, want nothing: it is decided", again)
	}
}

// A report that comes again is no news, whatever was reported meanwhile.
func TestRepeatedReportChangesNothing(t *testing.T) {
	var g game
	start := &journal.Callback{GameID: "g", ReportID: "1", Game: room.Game{State: room.GameRunning, Round: "a"}}
	other := &journal.Callback{GameID: "g", ReportID: "2", Game: room.Game{State: room.GameRunning, Round: "b"}}
	if !g.report(start) || !g.report(other) {
		t.Fatal("a report is not taken")
	}
	if g.report(start) || g.Now.Round != "b" {
		t.Errorf("a repeat was taken: round %s", g.Now.Round)
	}
}
