package owner

import (
	"slices"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// memoryHours is how long a decided id is remembered: ZEGO's 24 h, in whole hours,
// and one for the hour that has begun.
const memoryHours = 25

const hourMillis = 3_600_000

// memory remembers every id that was decided in the last 24 to 25 hours, and where:
// a ring of hourly maps, so that forgetting is dropping a map. About 25 bytes a gift:
// 100 gifts a second for a day are 8.6 million ids and 220 MB.
//
// The key is the id's first 8 bytes, a hash already. Two of ten million ids share
// them with a probability of three in a million; the later one then hides the
// earlier, and whoever finds a key compares the whole id with the record.
type memory struct {
	hours  [memoryHours]hour
	newest int64 // number of the newest hour
	size   int
}

type hour struct {
	number int64             // hours since 1970
	seqs   map[uint64]uint64 // sequence, and in its upper 8 bits the ending
}

// endingShift leaves 56 bits for a sequence: at a million records a second 2,000 years.
const endingShift = 56

// ending numbers the reasons, for the memory and its stored form: a decision's record
// may be purged within the day for which its result is owed. 0: not known.
type ending uint8

// endings are the reasons by their numbers, which never change: add at the end.
func endings() []room.Reason {
	return []room.Reason{
		"", room.ReasonOK, room.ReasonNotJoined, room.ReasonNoSuchGift, room.ReasonNotStarted, room.ReasonGameNotFound,
		room.ReasonRefused, room.ReasonExpired, room.ReasonUnknownOutcome, room.ReasonGameError,
	}
}

func endingOf(r room.Reason) ending {
	return ending(max(slices.Index(endings(), r), 0)) //nolint:gosec // one of ten
}

// decision is what can be said of a gift that ended so; false: nothing. Its code is the
// usual one of its reason, its time is not known.
func (e ending) decision(g *room.Gift) (room.Decision, bool) {
	d := room.Decision{Gift: g, Status: room.Failed, Message: "decided earlier; the record of it was purged"}
	all := endings()
	if e == 0 || int(e) >= len(all) {
		return room.Decision{}, false
	}
	switch d.Reason = all[e]; d.Reason {
	case room.ReasonOK:
		d.Status = room.Delivered
	case room.ReasonUnknownOutcome:
		d.Status = room.Unresolved
	case room.ReasonNotJoined:
		d.Code = 10003
	case room.ReasonNoSuchGift:
		d.Code = 10004
	case room.ReasonNotStarted:
		d.Code = 7206001
	case room.ReasonGameNotFound:
		d.Code = 7202001
	case room.ReasonRefused:
		d.Code = 7200004
	case room.ReasonExpired, room.ReasonGameError: // whatever ZEGO had said
	}
	return d, true
}

// remember stores where and how the id was decided, at a wall clock time in Unix ms. A
// time older than what the ring holds is left out.
func (m *memory) remember(key, seq uint64, how ending, at int64) {
	number := at / hourMillis
	if number <= m.newest-memoryHours {
		return
	}
	m.newest = max(m.newest, number)
	h := &m.hours[number%memoryHours]
	if number > h.number || h.seqs == nil {
		m.size -= len(h.seqs)
		*h = hour{number: number, seqs: make(map[uint64]uint64)}
	}
	m.size -= len(h.seqs)
	h.seqs[key] = seq | uint64(how)<<endingShift
	m.size += len(h.seqs)
}

// find returns the OUTCOMES sequence of the newest decision known under the key, and
// how it ended.
func (m *memory) find(key uint64) (seq uint64, how ending, ok bool) {
	for i := range m.hours {
		packed, hit := m.hours[i].seqs[key]
		if s := packed & (1<<endingShift - 1); hit && s > seq {
			seq, how, ok = s, ending(packed>>endingShift), true
		}
	}
	return seq, how, ok
}

// forget drops what is older than 24 h at now (Unix ms), so that a quiet partition
// does not keep a day that has passed.
func (m *memory) forget(now int64) {
	for i := range m.hours {
		if h := &m.hours[i]; h.seqs != nil && h.number <= now/hourMillis-memoryHours {
			m.size -= len(h.seqs)
			*h = hour{}
		}
	}
}

// decisionOf finds the id's decision in a record, with the room's gifts event
// counter at that time.
func decisionOf(rec journal.OutcomeRecord, id room.MsgID) (d *journal.Decided, seq uint64) {
	for i := range rec.Rooms {
		for j := range rec.Rooms[i].Decisions {
			if d := &rec.Rooms[i].Decisions[j]; d.Gift.MsgID == id {
				return d, rec.Rooms[i].Seq
			}
		}
	}
	return nil, 0
}
