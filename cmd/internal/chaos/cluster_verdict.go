//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
	"github.com/giftwire/giftwire/cmd/internal/natscluster"
)

// runMany plays a scenario of many nodes and judges it.
func (s scenario) runMany(ctx context.Context, t *tools, o options) *outcome {
	r := &outcome{Name: s.name, Audit: "not run"}
	begun := time.Now()
	f, err := newFleet(ctx, t, s.name)
	if err != nil {
		r.Err = err.Error()
		return r
	}
	defer f.close()
	if f.length = o.each; f.length == 0 {
		f.length = s.each
	}
	err = s.many(ctx, f)
	switch {
	case errors.Is(err, errJudged):
		r.Audit, r.Judged, err = "see note", true, nil
	case err == nil:
		var e *verdict.Evidence
		if e, err = f.conclude(ctx); e != nil {
			r.Verdict = *verdict.Judge(e)
			r.Audit, err = f.audit(ctx, err)
		}
	}
	if err != nil {
		r.Err = err.Error()
	}
	r.Faults, r.Notes, r.Took, r.FirstFlush = f.faults, f.notes, time.Since(begun), slices.Sorted(slices.Values(f.gaps))
	return r
}

// conclude lets everything heal, asks again for what is decided, drains all nodes, and
// gathers the evidence.
func (f *fleet) conclude(ctx context.Context) (*verdict.Evidence, error) {
	if err := f.heal(ctx); err != nil {
		return nil, err
	}
	f.giving(false)
	if err := f.settled(ctx, settleWithin); err != nil {
		f.note("%v", err)
	}
	if err := f.platform.settled(ctx, time.Minute); err != nil {
		f.note("%v", err)
	}
	f.repeat()
	if err := f.settled(ctx, time.Minute); err != nil {
		f.note("repeats: %v", err)
	}
	slow := f.abreast(ctx)
	e := &verdict.Evidence{Conflicts: f.sim.Tally().Conflicts}
	var err error
	if e.Ledger, err = f.ledger(ctx); err != nil {
		return nil, errors.Join(slow, err)
	}
	err = f.drainAll(ctx)
	f.leave()
	f.platform.close()
	f.testify(e)
	given := effects(f.sim)
	odd := f.platform.testify(e, given)
	e.Arrivals = f.door.seen()
	for _, effect := range given {
		e.Effects = append(e.Effects, verdict.Effect{Room: effect.Room, MsgID: effect.MsgID})
	}
	f.note("platform: %d gifts, each through two nodes at once; %d ids asked for with other content; told %v",
		len(f.platform.gifts), f.platform.asked, f.platform.told)
	f.note("viewers: rejected %v, upgrades refused %v", f.refusals(), f.refusedDials())
	return e, errors.Join(slow, err, odd)
}

// ledger reads the hub's ledger, when it has every gift of the platform: nobody hears
// of their end.
func (f *fleet) ledger(ctx context.Context) ([]verdict.Row, error) {
	within, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	var out []verdict.Row
	var last error
	err := until(within, "ledger with all of the platform's gifts", func() (bool, error) {
		if out, last = rows(ctx, f.anyNode(), f.roomIDs()); last != nil {
			return false, nil //nolint:nilerr // asked again, and told at the end
		}
		return f.platform.unbooked(out) == 0, nil
	})
	if last != nil {
		return nil, fmt.Errorf("%w: %w", err, last)
	}
	if err != nil {
		f.note("%v: %d are missing", err, f.platform.unbooked(out)) // the judge names them
	}
	return out, nil
}

// drainAll ends all nodes at once, as promised of SIGTERM.
func (f *fleet) drainAll(ctx context.Context) error {
	var errs []error
	for _, m := range f.nodes {
		errs = append(errs, m.proc.signal(sigTerm))
	}
	for _, m := range f.nodes {
		errs = append(errs, m.ended(ctx))
	}
	return errors.Join(errs...)
}

// ended waits until a node that was asked to has ended as promised.
func (m *machine) ended(ctx context.Context) error {
	status, took, err := m.proc.wait(ctx, 2*drainWithin)
	m.down = true
	if err == nil && (status != 0 || took > drainWithin) {
		err = fmt.Errorf("SIGTERM: exit %d after %v, want 0 within %v\n%s", status, took, drainWithin, m.proc.tail(20))
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", m.name, err)
	}
	return err
}

// audit runs giftwire audit on the NATS cluster.
func (f *fleet) audit(ctx context.Context, before error) (string, error) {
	out, err := exec.CommandContext(ctx, f.tools.binary, "audit", "--nats-url", natscluster.URL(f.servers)).CombinedOutput() //nolint:gosec // built by us
	if err != nil {
		return "broken", errors.Join(before, fmt.Errorf("audit: %w\n%s", err, out))
	}
	return "holds", before
}

// refusedDials counts refused upgrades by status.
func (a *audience) refusedDials() map[string]int {
	out := make(map[string]int)
	for _, v := range a.viewers {
		v.mu.Lock()
		for status, n := range v.dials {
			out[status] += n
		}
		v.mu.Unlock()
	}
	return out
}

// welcomes counts connections so far.
func (a *audience) welcomes() int {
	n := 0
	for _, v := range a.viewers {
		v.mu.Lock()
		for _, h := range v.heard {
			if h.Kind == verdict.Welcome {
				n++
			}
		}
		v.mu.Unlock()
	}
	return n
}
