package owner

import (
	"context"
	"errors"
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

// What is decided is told when the log has stored it, and not before: an append that
// fails leaves an audience that has heard nothing (P1).
func TestNothingIsToldBeforeItIsStored(t *testing.T) {
	told := &tellTale{}
	p, err := New(Config{
		Store: refusing{told: told, t: t}, Sender: struct{ room.Sender }{}, Listener: told, Node: "n1", Incarnation: "i1",
	})
	if err != nil {
		t.Fatal(err)
	}
	g := &room.Gift{MsgID: room.NewMsgID(1, "r1", "ann", "c1"), ClientID: "c1", Room: "r1", Count: 10}
	p.rooms.add(&openGift{gift: g, position: journal.Position{Seq: 7}})
	p.verdicts.put("r1", []room.Decision{{Gift: g, Status: room.Delivered}})
	if err := p.newAppender().flush(t.Context()); !errors.Is(err, errRefused) {
		t.Errorf("flush ended with %v, want the store's error", err)
	}
	if told.decided != 0 {
		t.Errorf("%d decisions were told that are not stored", told.decided)
	}
	if _, open := p.rooms.open[g.MsgID]; !open {
		t.Error("the gift was closed though its decision is not stored")
	}
}

var errRefused = errors.New("refused")

// refusing is a log that stores nothing.
type refusing struct {
	Store

	told *tellTale
	t    *testing.T
}

func (s refusing) AppendOutcome(context.Context, uint64, journal.OutcomeRecord) (uint64, error) {
	if s.told.decided != 0 {
		s.t.Error("told while the record is being stored")
	}
	return 0, errRefused
}

// tellTale counts what it is told.
type tellTale struct{ decided int }

func (l *tellTale) Decided(n News)                        { l.decided += len(n.Decisions) }
func (l *tellTale) Repeated(uint64, room.Decision)        {}
func (l *tellTale) GameChanged(string, string, room.Game) {}

// A flood of repeats takes no place from what is said once: how each room's game stands.
func TestNewestGameIsToldInAFlood(t *testing.T) {
	v := newVerdicts()
	game := func(roomID, round string) notice {
		return notice{game: &gameNews{roomID, "g", room.Game{State: room.GameRunning, Round: round}}}
	}
	v.tell(game("r1", "a"))
	for range 2 * noticesMax {
		v.tell(notice{repeated: &repeated{}})
	}
	for _, n := range []notice{game("r1", "b"), game("r2", "a"), game("r2", "b")} {
		v.tell(n)
	}
	newest := make(map[string]string)
	_, notices := v.take(1)
	for _, n := range notices {
		if n.game != nil {
			newest[n.game.room] += n.game.game.Round
		}
	}
	if newest["r1"] != "b" || newest["r2"] != "b" || len(notices) != noticesMax+1 {
		t.Errorf("games %v in %d notices; want round b of both, and one notice above the bound", newest, len(notices))
	}
}
