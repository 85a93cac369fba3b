package load

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText writes the report for people.
func (r *Report) WriteText(to io.Writer) error {
	var b strings.Builder
	s, t, g := &r.Settings, &r.Totals, &r.Generator
	fmt.Fprintf(&b, "%s of load from %s in %s, settled in %.1f s. Run %s, seed %d.\n\n",
		seconds(t.LoadSeconds), plural(int64(s.Viewers), "viewer"), plural(int64(s.Rooms), "room"), t.SettleSeconds, r.Run, s.Seed)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "ms\tp50\tp90\tp99\tp99.9\tmax\tcount\t\n") //nolint:errcheck // of a Builder
	for _, l := range r.Latencies {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t %s\n", //nolint:errcheck // of a Builder
			l.Name, ms(l.P50), ms(l.P90), ms(l.P99), ms(l.P999), ms(l.Max), thousands(l.Count), l.Meaning)
	}
	_ = w.Flush() // of a Builder
	perSecond := max(1, t.LoadSeconds)
	fmt.Fprintf(&b, "\ngifts    %s due (%s/s, %s), %s sent, %s accepted, %s rejected%s\n",
		thousands(t.Due), thousands(int64(float64(t.Due)/perSecond)), s.Arrivals, thousands(t.Sent), thousands(t.Accepted), thousands(t.Rejected), in(r.reasonsOf("rejected: ")))
	fmt.Fprintf(&b, "results  %s delivered, %s failed, %s unresolved%s\n",
		thousands(t.Delivered), thousands(t.Failed), thousands(t.Unresolved), in(r.reasonsOf("result: ")))
	fmt.Fprintf(&b, "viewers  heard %s gifts events (%s/s) in %s frames, %s; %s caught up, %s lagged\n",
		thousands(t.Deliveries), thousands(int64(float64(t.Deliveries)/perSecond)), thousands(t.Frames), bytesText(t.Bytes), thousands(t.CaughtUp), thousands(t.Lagged))
	fmt.Fprintf(&b, "lines    %s dialled, %s resumed, %s left, %s dropped in storms, %s lost%s, %s refused%s\n",
		thousands(t.Dials), thousands(t.Resumed), thousands(t.Left), thousands(t.Dropped), thousands(t.Lost), in(r.reasonsOf("lost: ")),
		thousands(t.Refused), in(r.reasonsOf("refused: ")))
	fmt.Fprintf(&b, "itself   %s of %d cores in %s, %s\n", cpu(g.CoresUsed), g.Cores, plural(int64(g.Processes), "process"), bytesText(g.Memory))
	if h := r.Hub; h != nil {
		fmt.Fprintf(&b, "the hub  %s\n", h)
	}
	if g.Bottleneck != "" {
		fmt.Fprintf(&b, "\nTake the latencies with care: %s.\n", g.Bottleneck)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "\nNote: %s.\n", note)
	}
	r.verdict(&b)
	_, err := io.WriteString(to, b.String())
	return err
}

// String is the cost in one line.
func (h *HubCost) String() string {
	return fmt.Sprintf("%s cores in %s, %s; %s gifts events for a CPU-second",
		cpu(h.CoresUsed), plural(int64(h.Nodes), "node"), bytesText(int64(h.Memory)), thousands(int64(h.PerCPU)))
}

// verdict is what it all comes to.
func (r *Report) verdict(b *strings.Builder) {
	if r.Holds {
		fmt.Fprintf(b, "\nIt holds: %s accepted and as many results, one each; ledger and counters say the same; %s heard everything, in order.\n",
			plural(r.Totals.Accepted, "gift"), plural(int64(r.Settings.Viewers), "viewer"))
		return
	}
	fmt.Fprintf(b, "\nIt does not hold, %s:\n", plural(r.Mismatches.Found(), "mismatch"))
	listed := make(map[Kind]int64)
	for i, m := range r.Mismatches.List {
		fmt.Fprintf(b, "  %v\n", m)
		listed[m.Kind]++
		if i+1 == len(r.Mismatches.List) || r.Mismatches.List[i+1].Kind != m.Kind {
			if more := r.Mismatches.Counts[m.Kind] - listed[m.Kind]; more > 0 {
				fmt.Fprintf(b, "  and %s more of %s\n", thousands(more), m.Kind)
			}
		}
	}
}

// in puts details into brackets, if there are any.
func in(details string) string {
	if details == "" {
		return ""
	}
	return " (" + details + ")"
}

// ms is a latency with three digits that matter.
func ms(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	default:
		return thousands(int64(v + 0.5))
	}
}

func cpu(cores float64) string { return fmt.Sprintf("%.2f", cores) }

func seconds(s float64) string {
	if s == float64(int64(s)) {
		return fmt.Sprintf("%.0f s", s)
	}
	return fmt.Sprintf("%.1f s", s)
}

// thousands groups digits: 12,345.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// plural is a number with its noun.
func plural(n int64, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "s") || strings.HasSuffix(noun, "h"):
		return thousands(n) + " " + noun + "es"
	default:
		return thousands(n) + " " + noun + "s"
	}
}

// bytesText is a size for people.
func bytesText(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	v, unit := float64(n), 0
	for v >= 1024 && unit < len(units)-1 {
		v /= 1024
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[unit])
}

// Line is the progress in one line of at most width characters, without a line break.
func (p Progress) Line(width int) string {
	s := p.Standing
	text := fmt.Sprintf("%-10s %3.0f/%.0f s", p.Phase, p.After.Seconds(), p.Of.Seconds())
	if p.Phase == "connecting" {
		text += fmt.Sprintf("  %d/%d viewers", s.Ready, s.Viewers)
	} else {
		text += fmt.Sprintf("  %d/%d viewers  %d gifts/s  %d open  p99 ms: accept %s  result %s  seen %s  heard %s/s",
			s.Connected, s.Viewers, p.Second.Sent, s.Undecided,
			ms(p.Second.AcceptP99), ms(p.Second.ResultP99), ms(p.Second.SeenP99), thousands(p.Second.Deliveries))
	}
	if p.Found > 0 {
		text += fmt.Sprintf("  MISMATCHES %d", p.Found)
	}
	if len(text) > width && width > 0 {
		text = text[:width]
	}
	return text
}
