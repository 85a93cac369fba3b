package journal

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/room"
)

// decodeGiftRecord reads a record of GIFTS. Its errors wrap [ErrFormat].
func decodeGiftRecord(data []byte) (GiftRecord, error) {
	var w giftRecord
	if err := unmarshal(data, &w); err != nil {
		return GiftRecord{}, err
	}
	if err := checkEnvelope(w.V, w.Node, w.Incarnation, w.Number); err != nil {
		return GiftRecord{}, err
	}
	rec := GiftRecord{Node: w.Node, Incarnation: w.Incarnation, Number: w.Number}
	if len(w.Entries) > 0 {
		rec.Entries = make([]Entry, len(w.Entries))
	}
	for i, e := range w.Entries {
		got, err := entryFromWire(e)
		if err != nil {
			return GiftRecord{}, fmt.Errorf("%w: entry %d: %w", ErrFormat, i, err)
		}
		rec.Entries[i] = got
	}
	return rec, nil
}

// decodeOutcome reads a record of OUTCOMES, and the sequence that its writer
// expected to be the last. Its errors wrap [ErrFormat].
func decodeOutcome(data []byte) (rec OutcomeRecord, prev uint64, err error) {
	var w outcomeRecord
	if err := unmarshal(data, &w); err != nil {
		return OutcomeRecord{}, 0, err
	}
	if err := checkEnvelope(w.V, w.Node, w.Incarnation, w.Number); err != nil {
		return OutcomeRecord{}, 0, err
	}
	switch w.Kind {
	case KindTakeover, KindDecisions, KindRelease, KindMark:
	default:
		return OutcomeRecord{}, 0, fmt.Errorf("%w: kind %.32q", ErrFormat, w.Kind)
	}
	rec = OutcomeRecord{
		Kind: w.Kind, Node: w.Node, Incarnation: w.Incarnation, Term: w.Term, Number: w.Number,
	}
	for i := range w.Rooms {
		r, err := roomFromWire(&w.Rooms[i])
		if err != nil {
			return OutcomeRecord{}, 0, fmt.Errorf("%w: room %d: %w", ErrFormat, i, err)
		}
		rec.Rooms = append(rec.Rooms, r)
	}
	return rec, w.Prev, nil
}

// unmarshal is strict on JSON (one value, no duplicate names, valid UTF-8, exact
// case) and tolerant of members that it does not know.
func unmarshal(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return nil
}

func checkEnvelope(v int, node, incarnation string, number uint64) error {
	switch {
	case v != recordFormat:
		return fmt.Errorf("%w: format %d, this release reads %d", ErrFormat, v, recordFormat)
	case node == "" || incarnation == "" || number == 0:
		return fmt.Errorf("%w: node, incarnation or number is missing", ErrFormat)
	default:
		return nil
	}
}

func entryFromWire(e entry) (Entry, error) {
	var got Entry
	fields := 0
	if e.Gift != nil {
		got.Gift = giftFromWire(e.Gift)
		fields++
	}
	if c := e.Comment; c != nil {
		got.Comment = &Comment{Room: c.Room, Game: c.Game, Comment: room.Comment{
			User: room.User(c.User), Text: c.Text, Join: c.Join, At: c.At,
		}}
		fields++
	}
	if c := e.Callback; c != nil {
		got.Callback = &Callback{Room: c.Room, GameID: c.GameID, ReportID: c.ReportID, Game: gameFromWire(c.Game), At: c.At}
		fields++
	}
	if fields != 1 {
		return Entry{}, fmt.Errorf("has %d of gift, comment and callback", fields)
	}
	if entryRoom(got) == "" {
		return Entry{}, errors.New("has no room")
	}
	return got, nil
}

func giftFromWire(g *gift) *room.Gift {
	return &room.Gift{
		MsgID: room.MsgID(g.MsgID), ClientID: g.ClientID, Room: g.Room, Game: g.Game, User: room.User(g.User),
		GiftID: g.GiftID, Count: g.Count, Value: g.Value, Num: g.Num, Receiver: g.Receiver,
		Asked: room.Asked(g.Asked), At: g.At,
	}
}

func gameFromWire(g game) room.Game {
	return room.Game{State: room.GameState(g.State), Round: g.Round, WinnerTeam: g.WinnerTeam, ResultType: g.ResultType}
}

func roomFromWire(w *rooms) (RoomDecisions, error) {
	if w.Room == "" {
		return RoomDecisions{}, errors.New("has no name")
	}
	r := RoomDecisions{
		Room: w.Room, Number: w.Number, Prev: w.Prev, Jump: w.Jump, Seq: w.Seq, Totals: Totals(w.Totals),
	}
	for i := range w.Decisions {
		d := &w.Decisions[i]
		if room.Status(d.Status) == room.Pending {
			return RoomDecisions{}, fmt.Errorf("decision %d has no status", i)
		}
		got := Decided{
			Decision: room.Decision{
				Gift: giftFromWire(&d.Gift), Status: room.Status(d.Status), Code: d.Code,
				Reason: d.Reason, Message: d.Message, At: d.At,
			},
			Position: Position{Seq: d.GiftSeq, Index: d.GiftIndex}, Node: d.Node, StoredAt: d.StoredAt,
		}
		for _, a := range d.Attempts {
			got.Attempts = append(got.Attempts, attemptFromWire(a))
		}
		r.Decisions = append(r.Decisions, got)
	}
	return r, nil
}

func attemptFromWire(a attempt) room.Attempt {
	got := room.Attempt{
		N: a.N, Query: a.Query, StartedAt: a.StartedAt, EndedAt: a.EndedAt, Outcome: room.Outcome(a.Outcome),
		Code: a.Code, RequestID: a.RequestID, Message: a.Message,
	}
	if a.Result != nil {
		got.Result, got.HasRow = *a.Result, true
	}
	return got
}
