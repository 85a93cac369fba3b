// Command mutants switches safety rules off, one at a time, and demands that a named
// test turns red: an alarm that never rang may not be connected.
//
// A rule is one change of one file; the changed file is laid over the tree by go test's
// -overlay, so nothing is copied and nothing can be left behind. First the same tests
// have to be green without a change. A mutant that does not compile, or whose test does
// not exist, proves nothing and is an error. The exit code is 1 if a mutant survives or
// could not be tried.
//
//	go run ./cmd/internal/mutants [-run regexp] [-list] [-jobs n]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code) //nolint:forbidigo // this is main
}

// command is main with its surroundings handed in.
func command(ctx context.Context, args []string, out, complaints io.Writer) int {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(complaints)
	only := flags.String("run", "", "only rules whose name matches")
	list := flags.Bool("list", false, "list the rules and end")
	jobs := flags.Int("jobs", max(1, runtime.NumCPU()/2), "how many tests at a time")
	if flags.Parse(args) != nil {
		return 2
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		_, _ = fmt.Fprintln(complaints, err)
		return 2
	}
	rules := slices.DeleteFunc(slices.Clone(table), func(r rule) bool { return !pattern.MatchString(r.name) })
	if *list {
		write(out, rules, nil)
		return 0
	}
	begun := time.Now()
	for _, fault := range green(ctx, rules) {
		_, _ = fmt.Fprintln(complaints, fault)
		return 1
	}
	results := tryAll(ctx, rules, *jobs, complaints)
	write(out, rules, results)
	caught := 0
	for i, r := range results {
		if r.verdict == caughtIt {
			caught++
			continue
		}
		_, _ = fmt.Fprintf(complaints, "%s: %s: %s\n", rules[i].name, r.verdict, r.detail)
	}
	_, _ = fmt.Fprintf(out, "%d mutants caught of %d tried, in %v\n", caught, len(rules), time.Since(begun).Round(time.Second))
	if caught < len(rules) {
		return 1
	}
	return 0
}

// tryAll tries the rules, some at a time, and tells how it goes.
func tryAll(ctx context.Context, rules []rule, jobs int, progress io.Writer) []result {
	results := make([]result, len(rules))
	next := make(chan int)
	var mu sync.Mutex // guards done and progress
	done := 0
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			for i := range next {
				results[i] = rules[i].try(ctx)
				mu.Lock()
				done++
				_, _ = fmt.Fprintf(progress, "%3d/%d %-10s %6.1fs  %s\n", done, len(rules), results[i].verdict, results[i].took.Seconds(), rules[i].name)
				mu.Unlock()
			}
		})
	}
	for i := range rules {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

// write writes the table; without results, what is in it.
func write(out io.Writer, rules []rule, results []result) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer func() { _ = w.Flush() }()
	_, _ = fmt.Fprintln(w, "switched off\tpromise\tfile\ttest\tverdict\ttook")
	for i, r := range rules {
		verdict, took := "", ""
		if results != nil {
			verdict, took = string(results[i].verdict), results[i].took.Round(100*time.Millisecond).String()
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\t%s\t%s\n", r.name, r.promise, r.file, r.pkg, r.test, verdict, took)
	}
}
