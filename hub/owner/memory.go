package owner

import (
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
	number int64 // hours since 1970
	seqs   map[uint64]uint64
}

// remember stores where the id was decided, at a wall clock time in Unix ms. A time
// older than what the ring holds is left out.
func (m *memory) remember(key, seq uint64, at int64) {
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
	h.seqs[key] = seq
	m.size += len(h.seqs)
}

// find returns the OUTCOMES sequence of the newest decision known under the key.
func (m *memory) find(key uint64) (seq uint64, ok bool) {
	for i := range m.hours {
		if s, hit := m.hours[i].seqs[key]; hit && s > seq {
			seq, ok = s, true
		}
	}
	return seq, ok
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
