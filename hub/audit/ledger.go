package audit

import "iter"

// fate is what is known of one gift, in 48 bytes: there may be millions.
type fate struct {
	seq       uint64 // its record in GIFTS
	out       uint64 // the record in OUTCOMES that decided it; 0: none
	print     fingerprint
	storedAt  uint32 // when its record was stored, Unix s
	decidedAt uint32 // when its decision was stored, Unix s
	value     uint32 // Value x Num
	room      uint32 // number in rooms
	index     uint32 // place in the record in GIFTS
	partition uint16
	status    verdict
	seen      bool // its record is in GIFTS
}

// at reports whether f stands at the place.
func (f *fate) at(seq uint64, index uint32) bool { return f.seq == seq && f.index == index }

// before reports whether f stands before the place.
func (f *fate) before(seq uint64, index uint32) bool {
	return f.seq < seq || f.seq == seq && f.index < index
}

// verdict is a status in a byte.
type verdict uint8

const (
	open verdict = iota
	isDelivered
	isFailed
	isUnresolved
)

// String is the status as it stands in records.
func (v verdict) String() string { return [...]string{pending, delivered, failed, unresolved}[v] }

func verdictOf(status string) verdict {
	switch status {
	case delivered:
		return isDelivered
	case failed:
		return isFailed
	default:
		return isUnresolved
	}
}

// ledger is every gift that was decided or is open, by id. A map grows by half of what
// it has, so it holds numbers only, and the fates stand in chunks that never move.
type ledger struct {
	numbers map[msgID]uint32 // 4 billion gifts would need 300 GB
	chunks  [][]fate
}

// chunkLen is how many fates are made room for at once: 3 MiB.
const chunkLen = 1 << 16

func newLedger() ledger { return ledger{numbers: make(map[msgID]uint32)} }

// find is the gift's fate, nil if it has none. It may be changed.
func (l *ledger) find(id msgID) *fate {
	n, ok := l.numbers[id]
	if !ok {
		return nil
	}
	return &l.chunks[n/chunkLen][n%chunkLen]
}

// put sets the gift's fate.
func (l *ledger) put(id msgID, f fate) {
	if old := l.find(id); old != nil {
		*old = f
		return
	}
	n := uint32(len(l.numbers)) //nolint:gosec // see numbers
	if n%chunkLen == 0 {
		l.chunks = append(l.chunks, make([]fate, 0, chunkLen))
	}
	c := &l.chunks[n/chunkLen]
	*c = append(*c, f)
	l.numbers[id] = n
}

// all are the gifts, in no order.
func (l *ledger) all() iter.Seq2[msgID, *fate] {
	return func(yield func(msgID, *fate) bool) {
		for id, n := range l.numbers {
			if !yield(id, &l.chunks[n/chunkLen][n%chunkLen]) {
				return
			}
		}
	}
}
