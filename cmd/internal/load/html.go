package load

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed report.html
var pages embed.FS

// page is what report.html shows.
type page struct {
	*Report
	Verdict string
	Tiles   []tile
	Charts  []chart
	Facts   []fact
}

// tile is one figure that is looked at first.
type tile struct{ Name, Value, Unit, What string }

// fact is one line of the sums.
type fact struct{ Name, Text string }

// WriteHTML writes the report as one page: it asks for nothing from anywhere, and shows
// what it has without a script.
func (r *Report) WriteHTML(to io.Writer) error {
	t, err := template.New("report.html").Funcs(template.FuncMap{
		"ms": ms, "n": thousands, "kinds": func(k Kind) string { return strings.ReplaceAll(string(k), "_", " ") },
	}).ParseFS(pages, "report.html")
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return t.Execute(to, r.page())
}

func (r *Report) page() *page {
	p := &page{Report: r, Verdict: "It holds", Facts: r.facts(), Tiles: r.tiles(), Charts: r.charts()}
	if !r.Holds {
		p.Verdict = "It does not hold: " + plural(r.Mismatches.Found(), "mismatch")
	}
	return p
}

func (r *Report) tiles() []tile {
	t, perSecond := &r.Totals, max(1, r.Totals.LoadSeconds)
	return []tile{
		{"viewers", thousands(int64(r.Settings.Viewers)), "", "in " + plural(int64(r.Settings.Rooms), "room")},
		{"gifts", thousands(int64(float64(t.Due) / perSecond)), "/s", thousands(t.Sent) + " sent"},
		{"accept p99", ms(r.latency(Accept).P99), "ms", "p50 " + ms(r.latency(Accept).P50)},
		{"result p99", ms(r.latency(Result).P99), "ms", "p50 " + ms(r.latency(Result).P50)},
		{"seen p99", ms(r.latency(Seen).P99), "ms", "p50 " + ms(r.latency(Seen).P50)},
		{"deliveries", thousands(int64(float64(t.Deliveries) / perSecond)), "/s", thousands(t.Deliveries) + " in all"},
	}
}

func (r *Report) charts() []chart {
	t, s := &r.Totals, &r.Settings
	var out []chart
	for _, p := range []plot{
		{title: "Latency of gifts", unit: "ms", log: true, lines: []plotLine{
			{"accept p50", "accept dash", func(p *Point) float64 { return p.AcceptP50 }},
			{"accept p99", "accept", func(p *Point) float64 { return p.AcceptP99 }},
			{"result p50", "result dash", func(p *Point) float64 { return p.ResultP50 }},
			{"result p99", "result", func(p *Point) float64 { return p.ResultP99 }},
		}},
		{title: "What viewers see", unit: "ms", log: true, lines: []plotLine{
			{"seen p99", "seen", func(p *Point) float64 { return p.SeenP99 }},
			{"fan-out p50", "fan-out dash", func(p *Point) float64 { return p.FanOutP50 }},
			{"fan-out p99", "fan-out", func(p *Point) float64 { return p.FanOutP99 }},
		}},
		{title: "Gifts", unit: "a second", lines: []plotLine{
			{"due", "late dash", func(p *Point) float64 { return float64(p.Due) }},
			{"accepted", "accept", func(p *Point) float64 { return float64(p.Accepted) }},
			{"results", "result", func(p *Point) float64 { return float64(p.Results) }},
			{"rejected", "bad", func(p *Point) float64 { return float64(p.Rejected) }},
		}},
		{title: "Gifts events heard", unit: "a second", lines: []plotLine{
			{"deliveries", "seen", func(p *Point) float64 { return float64(p.Deliveries) }},
		}},
		{title: "Viewers", unit: "connections", lines: []plotLine{
			{"connected", "accept", func(p *Point) float64 { return float64(p.Connected) }},
			{"lost or dropped", "bad", func(p *Point) float64 { return float64(p.Lost) }},
		}},
		{title: "How late gifts left the generator", unit: "ms", lines: []plotLine{
			{"late p99", "late", func(p *Point) float64 { return p.LateP99 }},
		}},
	} {
		out = append(out, p.over(r.Series, t.LoadSeconds, s.Storms))
	}
	return append(out, quantiles(r.Latencies))
}

// facts are the sums, as the text has them.
func (r *Report) facts() []fact {
	t, g, s := &r.Totals, &r.Generator, &r.Settings
	facts := []fact{
		{"gifts", fmt.Sprintf("%s due (%s), %s sent, %s sent again, %s accepted, %s rejected%s", thousands(t.Due), s.Arrivals, thousands(t.Sent),
			thousands(t.Repeats), thousands(t.Accepted), thousands(t.Rejected), in(r.reasonsOf("rejected: ")))},
		{"results", fmt.Sprintf("%s delivered, %s failed, %s unresolved%s", thousands(t.Delivered), thousands(t.Failed), thousands(t.Unresolved), in(r.reasonsOf("result: ")))},
		{"viewers", fmt.Sprintf("%s gifts events in %s frames, %s; %s caught up after a reconnect, %s lagged",
			thousands(t.Deliveries), thousands(t.Frames), bytesText(t.Bytes), thousands(t.CaughtUp), thousands(t.Lagged))},
		{"lines", fmt.Sprintf("%s dialled, %s resumed, %s left, %s dropped in storms, %s lost%s, %s refused%s", thousands(t.Dials), thousands(t.Resumed),
			thousands(t.Left), thousands(t.Dropped), thousands(t.Lost), in(r.reasonsOf("lost: ")), thousands(t.Refused), in(r.reasonsOf("refused: ")))},
		{"trouble", fmt.Sprintf("%g leave a second, %s, %s", s.Churn, plural(int64(s.Slow), "slow reader"), plural(int64(len(s.Storms)), "storm"))},
		{"generator", fmt.Sprintf("%s of %d cores in %s, %s; machine %.0f %% busy", cpu(g.CoresUsed), g.Cores, plural(int64(g.Processes), "process"),
			bytesText(g.Memory), 100*g.MachineBusy)},
		{"target", strings.Join(s.URLs, ", ")},
	}
	if r.Hub != nil {
		facts = append(facts, fact{"hub", r.Hub.String()})
	}
	return facts
}
