package journal

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/room"
)

// Bounds of a record.
const (
	// headerMax is left for NATS headers, which max_payload and a stream's MaxMsgSize
	// count.
	headerMax = 4 << 10
	// recordMax is the most bytes of one record: 1 MiB, NATS' default max_payload,
	// less the headers.
	recordMax = 1<<20 - headerMax
	// envelopeMax bounds what a record of GIFTS holds beside its entries: a node name
	// of 64 bytes, an incarnation of 36, a number of 20, and 80 of JSON.
	envelopeMax = 256
	// EntryMax is the most bytes that an encoded entry may have, so that one alone
	// always fits a record. A gift has about 700, at most about 3 KiB.
	EntryMax = recordMax - envelopeMax
)

// encodeEntry encodes one entry, in the caller's goroutine, so that the
// publisher only joins bytes.
func encodeEntry(e Entry) ([]byte, error) {
	var w entry
	fields := 0
	if e.Gift != nil {
		g := giftToWire(e.Gift)
		w.Gift = &g
		fields++
	}
	if c := e.Comment; c != nil {
		w.Comment = &comment{
			Room: c.Room, Game: c.Game, User: userToWire(c.Comment.User),
			Text: c.Comment.Text, Join: c.Comment.Join, At: c.Comment.At,
		}
		fields++
	}
	if c := e.Callback; c != nil {
		w.Callback = &callback{Room: c.Room, GameID: c.GameID, ReportID: c.ReportID, Game: gameToWire(c.Game), At: c.At}
		fields++
	}
	if fields != 1 {
		return nil, fmt.Errorf("journal: an entry has %d of gift, comment and callback, one is needed", fields)
	}
	data, err := json.Marshal(&w)
	if err != nil {
		return nil, fmt.Errorf("journal: encode entry: %w", err)
	}
	if len(data) > EntryMax {
		return nil, fmt.Errorf("%w: %d bytes, at most %d fit a record", ErrTooLarge, len(data), EntryMax)
	}
	return data, nil
}

// entryRoom is the room that an entry belongs to.
func entryRoom(e Entry) string {
	switch {
	case e.Gift != nil:
		return e.Gift.Room
	case e.Comment != nil:
		return e.Comment.Room
	case e.Callback != nil:
		return e.Callback.Room
	default:
		return ""
	}
}

// appendGiftRecord joins encoded entries into a record. Node and incarnation need
// no escaping: Config.Node is checked, and the incarnation is a UUID.
func appendGiftRecord(dst []byte, node, incarnation string, number uint64, entries []pending) []byte {
	dst = append(dst, `{"v":`...)
	dst = strconv.AppendInt(dst, recordFormat, 10)
	dst = append(dst, `,"node":"`...)
	dst = append(dst, node...)
	dst = append(dst, `","incarnation":"`...)
	dst = append(dst, incarnation...)
	dst = append(dst, `","number":`...)
	dst = strconv.AppendUint(dst, number, 10)
	dst = append(dst, `,"entries":[`...)
	for i := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, entries[i].data...)
	}
	return append(dst, `]}`...)
}

// encodeOutcome encodes a record of OUTCOMES. prev is the sequence that the
// writer expects to be the partition's last.
func encodeOutcome(rec OutcomeRecord, prev uint64) ([]byte, error) {
	w := outcomeRecord{
		V: recordFormat, Kind: rec.Kind, Node: rec.Node, Incarnation: rec.Incarnation,
		Term: rec.Term, Number: rec.Number, Prev: prev,
	}
	for i := range rec.Rooms {
		r, err := roomToWire(&rec.Rooms[i])
		if err != nil {
			return nil, err
		}
		w.Rooms = append(w.Rooms, r)
	}
	data, err := json.Marshal(&w)
	if err != nil {
		return nil, fmt.Errorf("journal: encode outcome: %w", err)
	}
	if len(data) > recordMax {
		return nil, fmt.Errorf("%w: an outcome record of %d bytes, at most %d fit", ErrTooLarge, len(data), recordMax)
	}
	return data, nil
}

func roomToWire(r *RoomDecisions) (rooms, error) {
	w := rooms{
		Room: r.Room, Number: r.Number, Prev: r.Prev, Jump: r.Jump, Seq: r.Seq, Totals: totals(r.Totals),
		Decisions: make([]decision, 0, len(r.Decisions)),
	}
	for i := range r.Decisions {
		d := &r.Decisions[i]
		if d.Gift == nil {
			return rooms{}, fmt.Errorf("journal: encode outcome: decision %d of room %s has no gift", i, r.Room)
		}
		dw := decision{
			Gift: giftToWire(d.Gift), GiftSeq: d.Position.Seq, GiftIndex: d.Position.Index,
			Node: d.Node, StoredAt: d.StoredAt, Status: status(d.Status), Code: d.Code, Reason: d.Reason, Message: d.Message, At: d.At,
		}
		for _, a := range d.Attempts {
			dw.Attempts = append(dw.Attempts, attemptToWire(a))
		}
		w.Decisions = append(w.Decisions, dw)
	}
	return w, nil
}

func attemptToWire(a room.Attempt) attempt {
	w := attempt{
		N: a.N, Query: a.Query, StartedAt: a.StartedAt, EndedAt: a.EndedAt, Outcome: outcome(a.Outcome),
		Code: a.Code, RequestID: a.RequestID, Message: a.Message,
	}
	if a.HasRow {
		w.Result = &a.Result
	}
	return w
}

func giftToWire(g *room.Gift) gift {
	return gift{
		MsgID: msgID(g.MsgID), ClientID: g.ClientID, Room: g.Room, Game: g.Game, User: userToWire(g.User),
		GiftID: g.GiftID, Count: g.Count, Value: g.Value, Num: g.Num, Receiver: g.Receiver,
		Asked: asked(g.Asked), At: g.At,
	}
}

func userToWire(u room.User) user {
	return user{ID: u.ID, Nickname: u.Nickname, Avatar: u.Avatar, Sex: u.Sex}
}

func gameToWire(g room.Game) game {
	return game{State: gameState(g.State), Round: g.Round, WinnerTeam: g.WinnerTeam, ResultType: g.ResultType}
}
