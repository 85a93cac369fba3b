package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/audit"
)

// auditCmd recomputes from the streams what the hub promises of them.
type auditCmd struct {
	Journal journalFlags `embed:"" group:"Journal"`
	JSON    bool         `name:"json" help:"Print the report as JSON, with up to 1,000 problems."`
}

// problemsShown bounds the problems that people see; --json has more.
const problemsShown = 20

func (c *auditCmd) run(ctx context.Context, s streams) error {
	var report *audit.Report
	err := c.Journal.read(ctx, s, func(ctx context.Context, src audit.Source, o audit.Options) (err error) {
		report, err = audit.Run(ctx, src, o)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(s.out, report)
	} else {
		err = printReport(s.out, report)
	}
	if err == nil && !report.Holds {
		err = fmt.Errorf("the audit found %s", plural(report.Found(), "problem"))
	}
	return err
}

// printReport writes the report for people.
func printReport(to io.Writer, r *audit.Report) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(name any, t audit.Tally) {
		_, _ = fmt.Fprintf(w, "%v\t%d\t%d\t%d\t%d\t%d\t%d\t\n", // Flush has the error
			name, t.Accepted, t.Delivered, t.Failed, t.Unresolved, t.Pending, t.Earlier)
	}
	_, _ = fmt.Fprint(w, "partition\taccepted\tdelivered\tfailed\tunresolved\tpending\tearlier\t\n") // Flush has the error
	for _, p := range r.Partitions {
		if p.Figures.Gifts != (audit.Tally{}) {
			line(p.Partition, p.Figures.Gifts)
		}
	}
	line("total", r.Total.Gifts)
	line("value", r.Total.Value)
	if err := w.Flush(); err != nil {
		return err
	}
	t := &r.Total
	_, err := fmt.Fprintf(to, `
value: Value x Num, gifts as viewers count them. earlier: decided in records that have left OUTCOMES.
%s of GIFTS, %s of OUTCOMES; the hub's totals were compared in %s of rooms.
%s under an id that was taken (%d with other content, which does not count); %s of decided gifts have left GIFTS.
`, plural(t.GiftRecords, "record"), plural(t.OutcomeRecords, "record"), plural(t.Checked, "entry"),
		plural(t.Repeats, "repeat"), t.Conflicts, plural(t.GiftGone, "record"))
	if len(r.Cut) > 0 && err == nil {
		_, err = fmt.Fprintf(to, "The server cut off what is no record, as a crash leaves it (bytes): %v.\n", r.Cut)
	}
	if err != nil {
		return err
	}
	return printProblems(to, r)
}

func printProblems(to io.Writer, r *audit.Report) error {
	if r.Holds {
		_, err := fmt.Fprint(to, "\nIt holds: accepted = delivered + failed + unresolved + pending, in number and in value, and every gift once.\n")
		return err
	}
	if _, err := fmt.Fprintf(to, "\n%s:\n", plural(r.Found(), "problem")); err != nil {
		return err
	}
	for i, p := range r.Problems {
		if i == problemsShown {
			break
		}
		if _, err := fmt.Fprintf(to, "  %v\n", p); err != nil {
			return err
		}
	}
	if more := r.Found() - problemsShown; more > 0 {
		_, err := fmt.Fprintf(to, "  and %d more\n", more)
		return err
	}
	return nil
}

// plural is a number with its noun.
func plural(n int64, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case noun == "entry":
		return fmt.Sprintf("%d entries", n)
	default:
		return fmt.Sprintf("%d %ss", n, noun)
	}
}

func printJSON(to io.Writer, v any) error {
	data, err := json.Marshal(v, json.Deterministic(true))
	if err == nil {
		_, err = to.Write(append(data, '\n'))
	}
	return err
}
