//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
)

// scenario is one kind of fault.
type scenario struct {
	name string
	// each is its default length, for those without an end of their own.
	each time.Duration
	act  func(context.Context, *world) error
	// many, instead of act, plays it on many nodes.
	many func(context.Context, *fleet) error
}

// scenarios lists all, in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		{name: "fsync", act: killAtFsync},
		{name: "kill", act: killAtRandom},
		{name: "stop", each: 15 * time.Second, act: stopAndContinue},
		{name: "full", act: fullDisk},
		{name: "delay", act: slowFsync},
		{name: "eio", act: failingFsync},
		{name: "power", act: powerLoss},
		{name: "nosync", act: powerLossUnsynced},
		{name: "files", act: outOfFiles},
		{name: "zego", act: zegoFaults},
		{name: "brink", act: brink},
		{name: "backlog", act: backlog},
	}
}

func names(of []scenario) []string {
	out := make([]string, len(of))
	for i, s := range of {
		out[i] = s.name
	}
	return out
}

// choose finds scenarios by name: those of one node, or those of many.
func choose(only string, cluster bool) ([]scenario, error) {
	usual, all := scenarios(), scenarios()
	if cluster {
		usual, all = clusterScenarios(), append(clusterScenarios(), clusterMeasures()...)
	}
	if only == "" {
		return usual, nil
	}
	var out []scenario
	for name := range strings.SplitSeq(only, ",") {
		i := slices.Index(names(all), name)
		if i < 0 {
			return nil, fmt.Errorf("no scenario %q; there are %s", name, strings.Join(names(all), ", "))
		}
		out = append(out, all[i])
	}
	return out, nil
}

// errJudged is returned by a scenario whose world is expected to be broken, and has
// judged it itself.
var errJudged = errors.New("judged by the scenario itself")

// run plays a scenario and judges it.
func (s scenario) run(ctx context.Context, t *tools, o options) *outcome {
	if s.many != nil {
		return s.runMany(ctx, t, o)
	}
	r := &outcome{Name: s.name, Audit: "not run"}
	begun := time.Now()
	w, err := newWorld(ctx, t, s.name)
	if err != nil {
		r.Err = err.Error()
		return r
	}
	defer w.close()
	if w.length = o.each; w.length == 0 {
		w.length = s.each
	}
	err = s.act(ctx, w)
	if err == nil {
		var e *verdict.Evidence
		if e, err = w.conclude(ctx); e != nil {
			r.Verdict = *verdict.Judge(e)
			r.FirstFlush = flushes(w.restarts, e.Arrivals)
		}
		if e != nil {
			r.Audit, err = t.audit(ctx, w.data, err)
		}
	} else if errors.Is(err, errJudged) {
		r.Audit, r.Judged, err = "see note", true, nil
	}
	if err != nil {
		r.Err = err.Error()
	}
	r.Faults, r.Notes, r.Took = w.faults, w.notes, time.Since(begun)
	return r
}

// audit runs giftwire audit on a folder whose node has ended.
func (t *tools) audit(ctx context.Context, data string, before error) (string, error) {
	out, err := exec.CommandContext(ctx, t.binary, "audit", "--data", data).CombinedOutput() //nolint:gosec // built by us
	if err != nil {
		return "broken", errors.Join(before, fmt.Errorf("audit: %w\n%s", err, out))
	}
	return "holds", before
}

// flushes are the times from each start of a node to its first call for gifts.
func flushes(starts []time.Time, arrivals []verdict.Arrival) []time.Duration {
	var out []time.Duration
	for i, start := range starts {
		if i == 0 {
			continue // the first start is no restart
		}
		for _, a := range arrivals {
			if a.At.Before(start) || a.Action != "SendDanmakuGifts" {
				continue
			}
			if i+1 == len(starts) || a.At.Before(starts[i+1]) {
				out = append(out, a.At.Sub(start))
			}
			break
		}
	}
	slices.Sort(out)
	return out
}
