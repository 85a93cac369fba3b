package load

import (
	"maps"
	"math"
	"time"
)

// sums add up what the workers of a run report.
type sums struct {
	start   time.Duration // of the load, since the origin; zero: not yet
	hists   histograms    // of the load and what follows it
	counts  counts        // of the whole run
	reasons map[string]int64
	last    map[int]*second // the latest of each worker
	points  []*point
	cpu     time.Duration // used from the load's beginning on
	found   Mismatches
	rows    map[string][]Row // by room
	done    int
}

// point is one second of a run, while its reports come in.
type point struct {
	at        int // s since the load's beginning
	counts    counts
	hists     *histograms // nil: summed up
	reports   int         // of so many workers
	cpu       time.Duration
	connected int
	sum       Point
}

// pointsOpen is how many of the latest points keep their histograms, for reports that
// come late: 1 MB each.
const pointsOpen = 5

func newSums() *sums {
	return &sums{reasons: make(map[string]int64), last: make(map[int]*second), rows: make(map[string][]Row)}
}

// second adds a worker's second.
func (s *sums) second(r *second) error {
	hists, err := r.Packed.open()
	if err != nil {
		return err
	}
	s.counts.add(&r.Counts)
	for reason, n := range r.Reasons {
		s.reasons[reason] += n
	}
	used, told := r.CPU, time.Duration(0)
	if before := s.last[r.Worker]; before != nil {
		used -= before.CPU
		told = before.At
	}
	s.last[r.Worker] = r
	if s.start == 0 {
		// How long it took to connect is told, what was measured meanwhile is not load.
		s.hists.add(&histograms{Connect: hists[Connect]})
		return nil
	}
	s.hists.add(hists)
	s.cpu += used
	if !r.Last {
		s.spread(r, hists, used, told)
	}
	return nil
}

// spread puts a report into the seconds that it tells of: the one before its own, and,
// where a busy machine kept the worker from telling, all since it last did. Counts are
// divided among them; latencies are the last one's.
func (s *sums) spread(r *second, hists *histograms, used, told time.Duration) {
	last := s.secondOf(r.At)
	first := min(max(s.secondOf(told)+1, 0), last)
	left := r.Counts
	for at := first; at <= last; at++ {
		p := s.point(at)
		if p == nil {
			return
		}
		for c, n := range left {
			part := n / int64(last-at+1)
			p.counts[c] += part
			left[c] -= part
		}
		p.cpu += used / time.Duration(last-first+1)
		p.connected += r.Connected
		p.reports++
		if at == last && p.hists != nil {
			p.hists.add(hists)
		}
	}
}

// secondOf is the second of the load, from 0 on, that a report at a time is of: what is
// told at second n happened in the one before it. Below zero: it was before the load.
func (s *sums) secondOf(at time.Duration) int { return int(math.Round((at - s.start).Seconds())) - 1 }

// point is the one of a second, nil where it is before the load.
func (s *sums) point(at int) *point {
	if at < 0 {
		return nil
	}
	for len(s.points) <= at {
		s.points = append(s.points, &point{at: len(s.points), hists: new(histograms)})
		if old := len(s.points) - 1 - pointsOpen; old >= 0 {
			s.points[old].close()
		}
	}
	return s.points[at]
}

func (p *point) close() {
	if p.hists != nil {
		p.sum, p.hists = p.figures(), nil
	}
}

// figures sum the second up, as far as it was told.
func (p *point) figures() Point {
	if p.hists == nil {
		return p.sum
	}
	c, h := &p.counts, p.hists
	return Point{
		At: p.at, Due: c[Due], Sent: c[Sent], Accepted: c[Accepted], Rejected: c[Rejected],
		Results: c[Delivered] + c[Failed] + c[Unresolved], Deliveries: c[Deliveries], Lost: c[Lost] + c[Dropped], Connected: p.connected,
		AcceptP50: h.at(Accept, 50), AcceptP99: h.at(Accept, 99), ResultP50: h.at(Result, 50), ResultP99: h.at(Result, 99),
		SeenP99: h.at(Seen, 99), FanOutP50: h.at(FanOut, 50), FanOutP99: h.at(FanOut, 99), LateP99: h.at(Late, 99),
		CPU: round(p.cpu.Seconds()),
	}
}

// newest is the last second of which all workers have told.
func (s *sums) newest(workers int) Point {
	for i := len(s.points) - 1; i >= 0; i-- {
		if p := s.points[i]; p.reports >= workers {
			return p.figures()
		}
	}
	return Point{}
}

// series are all seconds.
func (s *sums) series() []Point {
	out := make([]Point, 0, len(s.points))
	for _, p := range s.points {
		p.close()
		out = append(out, p.sum)
	}
	return out
}

// standing is where all viewers of the run are, as last told.
func (s *sums) standing(workers int) Standing {
	sum := Standing{Rooms: make(map[string]span), Calm: len(s.last) == workers}
	for _, r := range s.last {
		sum.Viewers += r.Viewers
		sum.Ready += r.Ready
		sum.Connected += r.Connected
		sum.Undecided += r.Undecided
		sum.Calm = sum.Calm && r.Calm
		for room, one := range r.Rooms {
			if all, known := sum.Rooms[room]; known {
				one = span{min(all.Low, one.Low), max(all.High, one.High)}
			}
			sum.Rooms[room] = one
		}
	}
	return sum
}

// settled reports whether the load is over and nothing is open any more: every gift has
// ended, every viewer is there and has heard everything.
func (s Standing) settled() bool {
	if !s.Calm || s.Undecided > 0 || s.Connected < s.Viewers {
		return false
	}
	for one := range maps.Values(s.Rooms) {
		if one.Low < one.High {
			return false
		}
	}
	return true
}

// heads are the newest sequences of the rooms.
func (s Standing) heads() map[string]uint64 {
	out := make(map[string]uint64, len(s.Rooms))
	for room, one := range s.Rooms {
		out[room] = one.High
	}
	return out
}

// report adds anything that a worker tells; failed is why it cannot go on.
func (s *sums) report(r *report) (failed string, err error) {
	switch {
	case r.Failed != "":
		return r.Failed, nil
	case r.Second != nil:
		return "", s.second(r.Second)
	case r.Done != nil:
		s.found.merge(&r.Done.Found)
		s.done++
	default:
		for _, row := range r.Rows {
			s.rows[row.Room] = append(s.rows[row.Room], row)
		}
	}
	return "", nil
}
