package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what a run found. Its JSON is what --json writes; fields may be added.
type Report struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	// Holds: no mismatch was found. Then every gift of the run that was accepted got
	// exactly one result, ledger and counters say the same, and every viewer heard every
	// sequence or was told which it lost.
	Holds      bool             `json:"holds"`
	Mismatches Mismatches       `json:"mismatches"`
	Settings   Settings         `json:"settings"`
	Totals     Totals           `json:"totals"`
	Latencies  []Latency        `json:"latencies"`
	Quantiles  []float64        `json:"quantiles"` // of each Curve
	Reasons    map[string]int64 `json:"reasons"`
	Generator  Generator        `json:"generator"`
	Hub        *HubCost         `json:"hub,omitzero"` // nil: not known
	// Notes are what a reader should know before trusting the figures.
	Notes  []string `json:"notes"`
	Series []Point  `json:"series"`
}

// Settings are what was asked for. Times are in seconds.
type Settings struct {
	URLs      []string  `json:"urls"`
	Viewers   int       `json:"viewers"`
	Gifters   int       `json:"gifters"`
	Rooms     int       `json:"rooms"`
	Rate      float64   `json:"rate"`
	Arrivals  string    `json:"arrivals"`
	Count     int       `json:"count"`
	Churn     float64   `json:"churn"`
	Slow      int       `json:"slow_readers"`
	Storms    []float64 `json:"storms_s"`
	Sources   int       `json:"sources"`
	Processes int       `json:"processes"`
	Duration  float64   `json:"duration_s"`
	Seed      uint64    `json:"seed"`
}

// Totals are sums over the run.
type Totals struct {
	LoadSeconds   float64 `json:"load_s"`
	SettleSeconds float64 `json:"settle_s"`
	Due           int64   `json:"due"`
	Unsent        int64   `json:"unsent"`
	Sent          int64   `json:"sent"`
	Repeats       int64   `json:"repeats"`
	Accepted      int64   `json:"accepted"`
	Rejected      int64   `json:"rejected"`
	Delivered     int64   `json:"delivered"`
	Failed        int64   `json:"failed"`
	Unresolved    int64   `json:"unresolved"`
	Frames        int64   `json:"frames"`
	Bytes         int64   `json:"bytes"`
	Deliveries    int64   `json:"deliveries"`
	CaughtUp      int64   `json:"caught_up"`
	Lagged        int64   `json:"lagged"`
	Dials         int64   `json:"dials"`
	Refused       int64   `json:"refused"`
	Resumed       int64   `json:"resumed"`
	Left          int64   `json:"left"`
	Dropped       int64   `json:"dropped"`
	Lost          int64   `json:"lost"`
	Chat          int64   `json:"chat"`
}

// Generator is what the run itself cost.
type Generator struct {
	Processes int     `json:"processes"`
	Cores     int     `json:"cores"`
	CPU       float64 `json:"cpu_s"`      // of the load and what followed it
	CoresUsed float64 `json:"cores_used"` // CPU by time
	Memory    int64   `json:"memory_bytes"`
	// MachineBusy is the share of this machine's processors that was used, by whomever,
	// 0 to 1; 0: not known.
	MachineBusy float64 `json:"machine_busy"`
	// Bottleneck says how the generator itself spoilt the figures; empty: it did not.
	Bottleneck string `json:"bottleneck"`
}

// Point is one second of the load and of what follows it. Latencies are in ms.
type Point struct {
	At         int     `json:"at_s"`
	Due        int64   `json:"due"`
	Sent       int64   `json:"sent"`
	Accepted   int64   `json:"accepted"`
	Rejected   int64   `json:"rejected"`
	Results    int64   `json:"results"`
	Deliveries int64   `json:"deliveries"`
	Connected  int     `json:"connected"`
	Lost       int64   `json:"lost"` // connections
	AcceptP50  float64 `json:"accept_p50_ms"`
	AcceptP99  float64 `json:"accept_p99_ms"`
	ResultP50  float64 `json:"result_p50_ms"`
	ResultP99  float64 `json:"result_p99_ms"`
	SeenP99    float64 `json:"seen_p99_ms"`
	FanOutP50  float64 `json:"fan_out_p50_ms"`
	FanOutP99  float64 `json:"fan_out_p99_ms"`
	LateP99    float64 `json:"late_p99_ms"`
	CPU        float64 `json:"cpu_cores"`
}

func (r *Run) report(started time.Time, loaded, settled time.Duration) *Report {
	c, n := &r.Config, &r.sums.counts
	out := &Report{
		Run: r.id, Started: started.UTC().Truncate(time.Second), Mismatches: r.sums.found,
		Settings: settings(c),
		Totals: Totals{
			LoadSeconds: round(loaded.Seconds()), SettleSeconds: round(settled.Seconds()),
			Due: n[Due], Unsent: n[Unsent], Sent: n[Sent], Repeats: n[Repeats], Accepted: n[Accepted], Rejected: n[Rejected],
			Delivered: n[Delivered], Failed: n[Failed], Unresolved: n[Unresolved],
			Frames: n[Frames], Bytes: n[Bytes], Deliveries: n[Deliveries], CaughtUp: n[CaughtUp], Lagged: n[Lagged],
			Dials: n[Dials], Refused: n[Refused], Resumed: n[Resumed], Left: n[Left], Dropped: n[Dropped], Lost: n[Lost], Chat: n[Chat],
		},
		Quantiles: Quantiles(), Reasons: r.sums.reasons, Notes: append(c.Warnings(), r.notes...), Series: r.sums.series(),
		Generator: Generator{
			Processes: c.Processes, Cores: cores(), CPU: round(r.sums.cpu.Seconds()),
			CoresUsed: round(r.sums.cpu.Seconds() / max(1, (loaded+settled).Seconds())),
		},
	}
	for _, last := range r.sums.last {
		out.Generator.Memory += last.Memory
	}
	for m := range measures {
		if l, ok := r.sums.hists.summary(m); ok {
			out.Latencies = append(out.Latencies, l)
		}
	}
	return out
}

func settings(c *Config) Settings {
	s := Settings{
		URLs: c.Target.URLs, Viewers: c.Crowd.Viewers, Gifters: c.Crowd.Gifters, Rooms: c.Crowd.Rooms, Rate: c.Gifts.Rate,
		Arrivals: "random", Count: c.Gifts.Count, Churn: c.Trouble.Churn, Slow: c.slowReaders(), Sources: len(c.Crowd.Sources),
		Processes: c.Processes, Duration: c.Times.Load.Seconds(), Seed: c.Seed, Storms: []float64{},
	}
	if c.Gifts.Even {
		s.Arrivals = "even"
	}
	for _, at := range c.Trouble.Storms {
		s.Storms = append(s.Storms, at.Seconds())
	}
	return s
}

// When the generator itself spoils the figures.
const (
	// lateMax is how late one gift in a hundred may leave, in ms: a few of the runtime's
	// timer steps, which are 1 ms.
	lateMax = 5
	// coresMax is the share of the machine's processors that it may use.
	coresMax = 0.85
	// busyMax is the share of them that all may use together.
	busyMax = 0.95
)

// conclude says what follows from the figures.
func (r *Report) conclude() {
	r.Holds = r.Mismatches.Found() == 0
	g := &r.Generator
	var why []string
	if late := r.latency(Late); late.P99 > lateMax {
		why = append(why, fmt.Sprintf("1 %% of the gifts left this generator more than %s ms late", ms(late.P99)))
	}
	if g.CoresUsed > coresMax*float64(g.Cores) {
		why = append(why, fmt.Sprintf("the generator used %.1f of %d cores", g.CoresUsed, g.Cores))
	}
	if g.MachineBusy > busyMax {
		why = append(why, fmt.Sprintf("this machine was %.0f %% busy, with whatever else runs on it", 100*g.MachineBusy))
	}
	g.Bottleneck = strings.Join(why, "; ")
	if t := &r.Totals; t.Unsent > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d of %d gifts were never sent: their givers' queues were full", t.Unsent, t.Due))
	}
}

// latency is a measure's, the zero one where it has no values.
func (r *Report) latency(m Measure) Latency {
	for _, l := range r.Latencies {
		if l.Name == m.String() {
			return l
		}
	}
	return Latency{}
}

// reasonsOf lists the reasons with a prefix, the most frequent first.
func (r *Report) reasonsOf(prefix string) string {
	var names []string
	for name := range maps.Keys(r.Reasons) {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			names = append(names, rest)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := r.Reasons[prefix+b] - r.Reasons[prefix+a]; d != 0 {
			return int(d)
		}
		return strings.Compare(a, b)
	})
	var out []string
	for _, name := range names {
		out = append(out, fmt.Sprintf("%s %d", name, r.Reasons[prefix+name]))
	}
	return strings.Join(out, ", ")
}
