package zegotest

import (
	"time"

	"github.com/giftwire/giftwire/zego"
)

// window counts the calls of one room and action. It holds the arrivals of the last
// second only, so its worst second is exact however long it runs: the fullest
// half-open second (t-1s, t] ends at an arrival.
type window struct {
	times   []time.Time // those within the last second, oldest at head
	head    int
	worst   int
	worstAt time.Time // when the worst second ended
	calls   uint64
	over    uint64
	second  int64 // calendar second of the fixed window
	fixed   int   // calls in it
}

// arrive counts a call and returns how many there are in the second that ends now,
// in the sliding and in the calendar one.
func (w *window) arrive(now time.Time) (sliding, fixed int) {
	for w.head < len(w.times) && now.Sub(w.times[w.head]) >= time.Second {
		w.head++
	}
	if w.head > len(w.times)/2 {
		w.times = w.times[:copy(w.times, w.times[w.head:])]
		w.head = 0
	}
	w.times = append(w.times, now)
	w.calls++
	sliding = len(w.times) - w.head
	if sliding > w.worst {
		w.worst, w.worstAt = sliding, now
	}
	if s := now.Unix(); s != w.second {
		w.second, w.fixed = s, 0
	}
	w.fixed++
	return sliding, w.fixed
}

// Budget is how one room and action used ZEGO's budget, over the whole run.
type Budget struct {
	Room   string      `json:"room"`
	Action zego.Action `json:"action"`
	Calls  uint64      `json:"calls"` // that arrived, refused ones too
	Over   uint64      `json:"over"`  // of them, over the budget
	// Worst is the most calls that arrived within any second; WorstAt is its end.
	Worst   int       `json:"worst"`
	WorstAt time.Time `json:"worst_at"`
}

// Budget lists every room and action that had a call, by room and action. It is
// exact over the whole run, whatever the log of arrivals still shows.
func (s *Server) Budget() []Budget {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Budget
	for _, r := range s.rooms.sorted() {
		for _, a := range zego.Actions() {
			if w := r.windows[a]; w != nil {
				list = append(list, Budget{Room: r.id, Action: a, Calls: w.calls, Over: w.over, Worst: w.worst, WorstAt: w.worstAt})
			}
		}
	}
	return list
}

// WorstSecond is the most calls of the action that arrived for one room within any
// second of the run; an empty room means the worst of all rooms.
func (s *Server) WorstSecond(roomID string, action zego.Action) int {
	worst := 0
	for _, b := range s.Budget() {
		if (roomID == "" || b.Room == roomID) && b.Action == action {
			worst = max(worst, b.Worst)
		}
	}
	return worst
}
