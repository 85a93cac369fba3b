package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// bench is one run's settings.
type bench struct {
	self    string // this program
	hub     string // the test binary of package hub
	rounds  int
	viewers int
	many    int // of the scenario size
	large   int // of the scenario beside
	lasts   time.Duration
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench-peers:", err)
		os.Exit(1)
	}
}

// run is the whole program: without a verb it measures, with one it is a child.
func run(args []string, in io.Reader, out, progress io.Writer) error {
	if len(args) == 3 && args[0] == "serve" {
		return serve(args[1], atoi(args[2]), in, out)
	}
	if len(args) == 3 && args[0] == "read" {
		return read(args[1], args[2], in, out)
	}
	b := bench{rounds: 5, viewers: 5000, many: 16_000, large: 15_000, lasts: 5 * time.Second}
	flags := flag.NewFlagSet("bench-peers", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "a smoke run: one round of 500 viewers for a second; its figures say little")
	flags.IntVar(&b.rounds, "rounds", b.rounds, "how often everything is measured; figures are medians")
	flags.StringVar(&b.hub, "hub", "", "the test binary of package hub")
	only := flags.String("only", "", "scenarios, separated by commas; empty: all")
	peerNames := flags.String("peers", "giftwire,centrifuge,melody,gws,tcp", "servers, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *quick {
		b.rounds, b.viewers, b.many, b.large, b.lasts = 1, 500, 1600, 1500, time.Second
	}
	if b.rounds < 1 {
		return fmt.Errorf("rounds must be above zero, not %d", b.rounds)
	}
	if b.hub == "" {
		return errors.New("-hub is missing: go test -c -o FILE ./hub builds it")
	}
	var err error
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d viewers, %d bytes, %v, medians of %d\n\n", b.viewers, messageBytes, b.lasts, b.rounds)
	return b.all(*only, strings.Split(*peerNames, ","), out, progress)
}

// all runs the scenarios one after the other, the servers of each by turns.
func (b bench) all(only string, peers []string, out, progress io.Writer) error {
	for _, s := range scenarios() {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		var names []string
		for _, p := range peers {
			if s.peers == nil || slices.Contains(s.peers, p) {
				names = append(names, p)
			}
		}
		all := make(results)
		for round := range b.rounds {
			for _, p := range names {
				f, err := s.run(b, p)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, p, err)
				}
				fmt.Fprintf(progress, "%s %d/%d %s %.4v\n", s.name, round+1, b.rounds, p, f)
				all[p] = append(all[p], f)
			}
		}
		all.print(out, s, names)
	}
	return nil
}
