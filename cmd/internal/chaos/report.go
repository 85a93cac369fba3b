//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
)

// outcome is what became of a scenario.
type outcome struct {
	Name       string          `json:"name"`
	Faults     int             `json:"faults"`
	Verdict    verdict.Verdict `json:"verdict"`
	FirstFlush []time.Duration `json:"-"` // from restart, sorted
	FirstMS    []int64         `json:"first_flush_ms"`
	Audit      string          `json:"audit"`
	Judged     bool            `json:"judged,omitzero"` // by the scenario itself
	Took       time.Duration   `json:"-"`
	TookMS     int64           `json:"took_ms"`
	Notes      []string        `json:"notes,omitempty"`
	Err        string          `json:"err,omitzero"`
}

// OK reports whether the scenario held.
func (r *outcome) OK() bool {
	return r.Err == "" && (r.Judged || r.Verdict.Holds() && r.Verdict.Accepted > 0 && r.Audit == "holds")
}

func (r *outcome) word() string {
	if r.OK() {
		return "ok"
	}
	return "FAILED"
}

// flush is p50 and the worst time from restart to first flush.
func (r *outcome) flush() string {
	if len(r.FirstFlush) == 0 {
		return "-"
	}
	ms := func(d time.Duration) int64 { return d.Milliseconds() }
	return fmt.Sprintf("%d/%d ms", ms(r.FirstFlush[len(r.FirstFlush)/2]), ms(r.FirstFlush[len(r.FirstFlush)-1]))
}

// line is the scenario in one line, with what went wrong below it.
func (r *outcome) line() string {
	v := &r.Verdict
	line := fmt.Sprintf("%-8s %-6s faults %d, accepted %d (failed %d, unresolved %d), refused %d, lost %d, doubled %d, worst second %d, restart to flush p50/max %s, audit %s, %.0f s",
		r.Name, r.word(), r.Faults, v.Accepted, v.Failed, v.Unresolved, v.Refused, v.Lost, v.Doubled, v.Worst, r.flush(), r.Audit, r.Took.Seconds())
	for _, note := range r.Notes {
		line += "\n    " + note
	}
	if r.Err != "" {
		line += "\n    error: " + strings.ReplaceAll(r.Err, "\n", "\n    ")
	}
	if !r.Judged {
		for _, p := range v.Problems {
			line += "\n    problem: " + p
		}
	}
	return line
}

// errFailed is the end of a run in which a scenario did not hold.
var errFailed = errors.New("a scenario failed")

// report prints the table and writes the JSON beside it.
func report(out io.Writer, dir string, outcomes []*outcome) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(w, "\nscenario\tfaults\taccepted\tlost\tdoubled\tworst second\trestart to flush p50/max\taudit\t\t\n") // Flush has the error
	var failed error
	var sum verdict.Verdict
	faults := 0
	for _, r := range outcomes {
		v := &r.Verdict
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t\n", // Flush has the error
			r.Name, r.Faults, v.Accepted, v.Lost, v.Doubled, v.Worst, r.flush(), r.Audit, r.word())
		if !r.OK() {
			failed = errFailed
		}
		if !r.Judged {
			faults += r.Faults
			sum.Accepted += v.Accepted
			sum.Lost += v.Lost
			sum.Doubled += v.Doubled
			sum.Worst = max(sum.Worst, v.Worst)
		}
	}
	_, _ = fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\t%d\t\t\t\t\n", faults, sum.Accepted, sum.Lost, sum.Doubled, sum.Worst) // Flush has the error
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range outcomes {
		r.TookMS = r.Took.Milliseconds()
		for _, d := range r.FirstFlush {
			r.FirstMS = append(r.FirstMS, d.Milliseconds())
		}
	}
	data, err := json.Marshal(outcomes, jsontext.Multiline(true))
	if err != nil {
		return err
	}
	name := filepath.Join(dir, "report.json")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "report: %s\n", name)
	return errors.Join(failed, err)
}
