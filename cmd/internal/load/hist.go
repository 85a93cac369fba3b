package load

import (
	"fmt"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Measure is one of the measured latencies: see the package's text.
type Measure int

// The measures, in the order of reports.
const (
	Accept Measure = iota
	Result
	Seen
	FanOut
	Late
	Connect
	Back
	measures // how many there are
)

// String is its name in reports.
func (m Measure) String() string {
	return [measures]string{"accept", "result", "seen", "fan-out", "late", "connect", "back"}[m]
}

// Meaning says what it is, in a few words.
func (m Measure) Meaning() string {
	return [measures]string{
		"gift due until accepted",
		"gift due until its result",
		"gift due until a viewer sees it",
		"first viewer's receipt until another's",
		"gift due until it was written: the generator's own part",
		"dial until welcome",
		"dropped in a storm until welcome",
	}[m]
}

// Latencies are counted in µs, to three digits. What takes longer than latencyMax counts
// as that: a phase does not last so long. One histogram is 155 KB.
const (
	latencyMin    = 1
	latencyMax    = 300_000_000
	latencyDigits = 3
)

// histograms are one for each measure, each there from its first value on.
type histograms [measures]*hdr.Histogram

// record counts a latency; one below a µs, or below zero because the wall was moved
// between two processes' starts, counts as a µs.
func (h *histograms) record(m Measure, took time.Duration) {
	if h[m] == nil {
		h[m] = hdr.New(latencyMin, latencyMax, latencyDigits)
	}
	_ = h[m].RecordValue(min(max(took.Microseconds(), latencyMin), latencyMax)) // in its bounds, it cannot fail
}

// add adds all values of others.
func (h *histograms) add(others *histograms) {
	for m, other := range others {
		if other == nil || other.TotalCount() == 0 {
			continue
		}
		if h[m] == nil {
			h[m] = hdr.New(latencyMin, latencyMax, latencyDigits)
		}
		h[m].Merge(other) // of the same bounds, so that nothing is dropped
	}
}

// reset forgets the values and keeps the memory.
func (h *histograms) reset() {
	for _, one := range h {
		if one != nil && one.TotalCount() > 0 {
			one.Reset()
		}
	}
}

// packed are histograms on their way between processes; empty ones are left out.
type packed map[Measure][]byte

func (h *histograms) pack() (packed, error) {
	out := make(packed)
	for m, one := range h {
		if one == nil || one.TotalCount() == 0 {
			continue
		}
		data, err := one.Encode(hdr.V2CompressedEncodingCookieBase)
		if err != nil {
			return nil, fmt.Errorf("load: %v: %w", Measure(m), err)
		}
		out[Measure(m)] = data
	}
	return out, nil
}

func (p packed) open() (*histograms, error) {
	h := new(histograms)
	for m, data := range p {
		if m < 0 || m >= measures {
			return nil, fmt.Errorf("load: no measure %d", int(m))
		}
		one, err := hdr.Decode(data)
		if err != nil {
			return nil, fmt.Errorf("load: %v: %w", m, err)
		}
		h[m] = one
	}
	return h, nil
}

// Latency sums a measure up, in ms.
type Latency struct {
	Name    string  `json:"name"`
	Meaning string  `json:"meaning"`
	Count   int64   `json:"count"`
	Mean    float64 `json:"mean_ms"`
	P50     float64 `json:"p50_ms"`
	P90     float64 `json:"p90_ms"`
	P99     float64 `json:"p99_ms"`
	P999    float64 `json:"p999_ms"`
	Max     float64 `json:"max_ms"`
	// Curve are the values at the quantiles of [Quantiles].
	Curve []float64 `json:"curve_ms"`
}

// Quantiles are those of a Latency's Curve, in percent: half as much is left at each
// second step, which shows a tail as long as it is.
func Quantiles() []float64 {
	return []float64{0, 25, 50, 62.5, 75, 81.25, 87.5, 90.625, 93.75, 96.875, 98.4375, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 100}
}

// summary of a measure; ok is false where it has no values.
func (h *histograms) summary(m Measure) (l Latency, ok bool) {
	one := h[m]
	if one == nil || one.TotalCount() == 0 {
		return Latency{}, false
	}
	l = Latency{
		Name: m.String(), Meaning: m.Meaning(), Count: one.TotalCount(), Mean: round(one.Mean() / 1000),
		P50: h.at(m, 50), P90: h.at(m, 90), P99: h.at(m, 99), P999: h.at(m, 99.9), Max: round(float64(one.Max()) / 1000),
	}
	for _, q := range Quantiles() {
		l.Curve = append(l.Curve, h.at(m, q))
	}
	return l, true
}

// at is a measure's value at a percentile in ms; 0 where it has none.
func (h *histograms) at(m Measure, percentile float64) float64 {
	if h[m] == nil || h[m].TotalCount() == 0 {
		return 0
	}
	return round(float64(h[m].ValueAtPercentile(percentile)) / 1000)
}

// round to a µs: a report's figures are read by people, too.
func round(ms float64) float64 { return float64(int64(ms*1000+0.5)) / 1000 }
