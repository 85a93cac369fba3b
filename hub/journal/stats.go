package journal

import (
	"sync/atomic"
	"time"
)

// Stats is what the journal has done since Open, and what waits now.
type Stats struct {
	Records uint64 // of GIFTS, stored by this node
	Entries uint64 // in them
	Bytes   uint64 // of them
	Resends uint64 // publishes repeated because no answer came
	Appends uint64 // records of OUTCOMES, stored by this node

	AppendBytes   uint64
	QueuedEntries int // that wait for a publish
	QueuedBytes   int
	Stalled       int // partitions and appends that wait for an answer too long
	Gifts         StreamSpace
	Outcomes      StreamSpace
	Snapshots     StreamSpace // when it is full, snapshots fail: restarts take longer, and history is not purged
	IDs           StreamSpace
}

// StreamSpace is how full a stream is, as of the last look (every second while
// Run runs).
type StreamSpace struct {
	Bytes, Max uint64
}

// Full is the part that is used, 0 to 1.
func (s StreamSpace) Full() float64 {
	if s.Max == 0 {
		return 0
	}
	return float64(s.Bytes) / float64(s.Max)
}

// Stats returns a snapshot. It does no I/O.
func (j *Journal) Stats() Stats {
	s := &j.stats
	return Stats{
		Records: s.records.Load(), Entries: s.entries.Load(), Bytes: s.bytes.Load(), Resends: s.resends.Load(),
		Appends: s.appends.Load(), AppendBytes: s.appendBytes.Load(),
		QueuedEntries: int(s.queuedEntries.Load()), QueuedBytes: int(s.queuedBytes.Load()),
		Stalled: int(j.health.stalled.Load()),
		Gifts:   j.health.space(streamGifts), Outcomes: j.health.space(streamOutcomes),
		Snapshots: j.health.space(streamSnapshots), IDs: j.health.space(streamIDs),
	}
}

// stats are counters that every publisher adds to.
type stats struct {
	records, entries, bytes, resends, appends, appendBytes atomic.Uint64
	queuedEntries, queuedBytes                             atomic.Int64
}

func (s *stats) stored(entries, bytes int) {
	s.records.Add(1)
	s.entries.Add(uint64(entries)) //nolint:gosec // a length
	s.bytes.Add(uint64(bytes))     //nolint:gosec // a length
}

func (s *stats) appended(bytes int) {
	s.appends.Add(1)
	s.appendBytes.Add(uint64(bytes)) //nolint:gosec // a length
}

func (s *stats) resent() { s.resends.Add(1) }

func (s *stats) queued(entries, bytes int) {
	s.queuedEntries.Add(int64(entries))
	s.queuedBytes.Add(int64(bytes))
}

func (h Hooks) stored(entries, bytes int, took time.Duration) {
	if h.Stored != nil {
		h.Stored(entries, bytes, took)
	}
}

func (h Hooks) resent() {
	if h.Resent != nil {
		h.Resent()
	}
}

func (h Hooks) appended(bytes int, took time.Duration) {
	if h.Appended != nil {
		h.Appended(bytes, took)
	}
}
