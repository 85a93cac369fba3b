package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// results are a scenario's figures, by peer and round.
type results map[string][]figures

// median of a column's figures.
func (r results) median(peer, column string) float64 {
	var all []float64
	for _, f := range r[peer] {
		all = append(all, f[column])
	}
	slices.Sort(all)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2]
}

// print writes the scenario's table. The first column is also shown as giftwire's
// multiple of each peer's.
func (r results) print(out io.Writer, s scenario, peers []string) {
	head := []string{s.title}
	for _, c := range s.columns {
		head = append(head, strings.TrimSpace(c.name+" "+c.unit))
	}
	ratio := s.columns[0] == perCPU
	if ratio {
		head = append(head, "giftwire is")
	}
	row(out, head)
	row(out, slices.Repeat([]string{"---"}, len(head)))
	for _, p := range peers {
		cells := []string{p}
		for _, c := range s.columns {
			cells = append(cells, number(r.median(p, c.name)))
		}
		if ratio {
			cells = append(cells, fmt.Sprintf("%.2f x", r.median("giftwire", perCPU.name)/r.median(p, perCPU.name)))
		}
		row(out, cells)
	}
	fmt.Fprintln(out)
}

func row(out io.Writer, cells []string) { fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | ")) }

// number writes three digits.
func number(f float64) string {
	switch {
	case f == 0:
		return "0"
	case f < 10:
		return fmt.Sprintf("%.2f", f)
	case f < 100:
		return fmt.Sprintf("%.1f", f)
	default:
		return fmt.Sprintf("%.0f", f)
	}
}
