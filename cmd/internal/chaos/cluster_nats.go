//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/zego"
)

// leader is the server that leads a stream, as the monitoring of one that lives says.
func (f *fleet) leader(ctx context.Context, stream string) (*machine, error) {
	var found *machine
	ctx, cancel := context.WithTimeout(ctx, natsWithin)
	defer cancel()
	err := until(ctx, "leader of "+stream, func() (bool, error) {
		for i, m := range f.nats {
			if m.down {
				continue
			}
			name := f.ledBy(ctx, f.servers[i].Monitor, stream)
			if at := slices.IndexFunc(f.nats, func(m *machine) bool { return m.name == name && !m.down }); at >= 0 {
				found = f.nats[at]
				return true, nil
			}
		}
		return false, nil
	})
	return found, err
}

// ledBy asks one server; empty: it does not know.
func (f *fleet) ledBy(ctx context.Context, monitor, stream string) string {
	status, text, err := ask(ctx, request{method: http.MethodGet, url: "http://" + monitor + "/jsz?streams=true"})
	var jsz struct {
		Accounts []struct {
			Streams []struct {
				Name    string `json:"name"`
				Cluster struct {
					Leader string `json:"leader"`
				} `json:"cluster"`
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	if err != nil || status != http.StatusOK || json.Unmarshal(text, &jsz) != nil {
		return ""
	}
	for _, account := range jsz.Accounts {
		for _, s := range account.Streams {
			if s.Name == stream {
				return s.Cluster.Leader
			}
		}
	}
	return ""
}

// silence is, for each room, the longest time without a call for gifts that began within
// a time.
func silence(arrivals []verdict.Arrival, since, until time.Time) []time.Duration {
	last, worst := make(map[string]time.Time), make(map[string]time.Duration)
	for _, a := range arrivals {
		if a.Action != string(zego.ActionGifts) {
			continue
		}
		if before, ok := last[a.Room]; ok && a.At.After(since) && before.Before(until) {
			worst[a.Room] = max(worst[a.Room], a.At.Sub(before))
		}
		last[a.Room] = a.At
	}
	var out []time.Duration
	for _, d := range worst {
		out = append(out, d)
	}
	return out
}

// flowing waits until every room has had a call after a moment.
func (f *fleet) flowing(ctx context.Context, since time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, flowsWithin)
	defer cancel()
	missing := 0
	err := until(ctx, "calls of every room", func() (bool, error) {
		seen := make(map[string]bool)
		for _, a := range f.door.seenSince(since) {
			if a.Action == string(zego.ActionGifts) {
				seen[a.Room] = true
			}
		}
		missing = len(f.roomIDs()) - len(seen)
		return missing == 0, nil
	})
	if err != nil {
		err = fmt.Errorf("%w: %d rooms are silent for %v\n%s", err, missing, flowsWithin, f.logs())
	}
	return err
}

// flowsWithin is when rooms that do not flush count as stuck.
const flowsWithin = 45 * time.Second

// settledAgain waits until load flows after a fault of NATS, and notes the silence. NATS
// itself has to be well within a time; since when it is, it returns.
func (f *fleet) settledAgain(ctx context.Context, at time.Time, within time.Duration) (well time.Time, err error) {
	if err := f.flowing(ctx, time.Now()); err != nil {
		return time.Time{}, err
	}
	if err := f.ready(ctx); err != nil {
		return time.Time{}, err
	}
	well, err = f.natsSteady(ctx, within)
	f.gaps = append(f.gaps, silence(f.door.seenSince(at.Add(-recent)), at, time.Now())...)
	return well, err
}

// killLeaders is kill -9 of the server that leads a stream.
func killLeaders(ctx context.Context, f *fleet) error {
	if err := f.usual(ctx); err != nil {
		return err
	}
	led := []string{"GIFTS", "OUTCOMES", "KV_NODES"} // what is accepted, what is decided, who lives
	draw := f.luck(31)
	for begun := time.Now(); f.faults < len(led) || time.Since(begun) < f.length; f.faults++ {
		stream := led[f.faults%len(led)]
		m, err := f.leader(ctx, stream)
		if err != nil {
			return err
		}
		at, before := time.Now(), len(f.gaps)
		m.kill()
		if err := f.flowing(ctx, at.Add(time.Second)); err != nil {
			return fmt.Errorf("%s, leader of %s, killed: %w", m.name, stream, err)
		}
		if err := pause(ctx, between(draw, 0, 3*time.Second)); err != nil {
			return err
		}
		if err := m.start(); err != nil {
			return err
		}
		if _, err := f.settledAgain(ctx, at, natsWithin); err != nil {
			return fmt.Errorf("%s, leader of %s, is back: %w", m.name, stream, err)
		}
		f.note("leader of %s killed: longest silence of rooms %s", stream, span(f.gaps[before:]))
	}
	return f.grow(ctx, 50)
}

// rollNATS restarts one server after the other, as an upgrade does.
func rollNATS(ctx context.Context, f *fleet) error {
	if err := f.usual(ctx); err != nil {
		return err
	}
	for _, m := range f.nats {
		at := time.Now()
		f.faults++
		if err := m.proc.signal(syscall.SIGINT); err != nil {
			return err
		}
		if _, _, err := m.proc.wait(ctx, natsWithin); err != nil {
			return err
		}
		if err := m.start(); err != nil {
			return err
		}
		if _, err := f.settledAgain(ctx, at, natsWithin); err != nil {
			return err
		}
		if err := pause(ctx, 3*time.Second); err != nil { // until the next one, as operators are told
			return err
		}
	}
	f.note("%d servers restarted one after the other: longest silence of rooms %s", f.faults, span(f.gaps))
	return f.grow(ctx, 50)
}

// repairsWithin is when a server that was cut off must call itself well again. What it
// has taken in alone, as a leader that did not know of its end, is thrown away one record
// at a time, with 1 to 3 s between two where a stream is quiet (nats-server v2.15.2,
// processAppendEntry: "truncating and repairing"). Nobody waits for it meanwhile, as long
// as the other two are there: a cut of one of them is a second fault, and the rooms wait
// for the repair.
const repairsWithin = 4 * time.Minute

// cutNATS cuts a server from its peers; nodes and tools still reach it.
func cutNATS(ctx context.Context, f *fleet) error {
	if err := f.usual(ctx); err != nil {
		return err
	}
	draw := f.luck(32)
	for begun := time.Now(); f.faults < 3 || time.Since(begun) < f.length; f.faults++ {
		m, at, before := f.nats[draw.IntN(fleetSize)], time.Now(), len(f.gaps)
		if f.faults == 0 {
			leads, err := f.leader(ctx, "OUTCOMES")
			if err != nil {
				return err
			}
			m = leads
		}
		if err := m.cut(ctx, routes); err != nil {
			return err
		}
		flows := f.flowing(ctx, at.Add(time.Second))
		if err := errors.Join(flows, pause(ctx, between(draw, 0, 6*time.Second)), m.mend(ctx, routes)); err != nil {
			return fmt.Errorf("%s cut from the other servers: %w", m.name, err)
		}
		mended := time.Now()
		well, err := f.settledAgain(ctx, at, repairsWithin)
		if err != nil {
			return fmt.Errorf("%s is with the other servers again: %w", m.name, err)
		}
		f.note("%s cut from the other servers at %s for %.1f s: longest silence of rooms %s; NATS itself well %.1f s after it was mended",
			m.name, at.Format(clock), mended.Sub(at).Seconds(), span(f.gaps[before:]), max(well.Sub(mended), 0).Seconds())
	}
	return f.grow(ctx, 50)
}

// clock is how notes give a moment, to find it in the logs.
const clock = "15:04:05.000"

// muteWithin is how long nodes may hang on a server that has gone without a word.
const muteWithin = 20 * time.Second

// muteNATS takes a server's host away without a word: no connection is closed, nothing
// comes any more. Its nodes have to find another one by themselves.
func muteNATS(ctx context.Context, f *fleet) error {
	if err := f.usual(ctx); err != nil {
		return err
	}
	for _, m := range f.nats {
		at, before := time.Now(), len(f.gaps)
		f.faults++
		if err := errors.Join(m.cut(ctx, store), m.cut(ctx, routes)); err != nil {
			return err
		}
		flows := f.flowing(ctx, at.Add(muteWithin))
		var unready []string
		for _, n := range f.nodes {
			if !n.proc.isReady(ctx) {
				unready = append(unready, n.name)
			}
		}
		if len(unready) > 0 {
			flows = errors.Join(flows, fmt.Errorf("%v after its host had gone, not ready: %v\n%s", time.Since(at), unready, f.logs()))
		}
		if err := errors.Join(flows, m.mendAll(ctx)); err != nil {
			return fmt.Errorf("%s without a word: %w", m.name, err)
		}
		if _, err := f.settledAgain(ctx, at, natsWithin); err != nil {
			return err
		}
		f.note("%s gone without a word: longest silence of rooms %s", m.name, span(f.gaps[before:]))
	}
	return f.grow(ctx, 50)
}

// killMajority is kill -9 of two of three servers.
func killMajority(ctx context.Context, f *fleet) error { return f.withoutQuorum(ctx, f.nats[:2]) }

// killAllNATS is kill -9 of all servers. The bucket of leases is in their memory: the
// nodes have to know each other by the one that was made anew, so that one is missed
// afterwards that is killed, and one that drains is succeeded.
func killAllNATS(ctx context.Context, f *fleet) error {
	if err := f.withoutQuorum(ctx, f.nats); err != nil {
		return err
	}
	killed, drained := f.nodes[0], f.nodes[1]
	took, err := f.succession(ctx, killed, func() error { killed.kill(); return nil })
	if err != nil {
		return fmt.Errorf("%s killed after NATS was back: %w", killed.name, err)
	}
	if err := f.back(ctx, killed); err != nil {
		return err
	}
	handed, err := f.succession(ctx, drained, func() error { return drained.proc.signal(sigTerm) })
	if err == nil {
		err = drained.ended(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s drained after NATS was back: %w", drained.name, err)
	}
	f.note("after that, until the next call of each room: %s of a node that was killed, %s of one that drained", span(took), span(handed))
	if late := slices.Max(took); late > promisedTakeover+arriveWithin {
		return fmt.Errorf("a takeover after NATS was back took %v, %v is promised", late, promisedTakeover)
	}
	return f.grow(ctx, 50)
}

// succession ends a node that owns rooms, and returns for how long each of them had
// nobody.
func (f *fleet) succession(ctx context.Context, m *machine, end func() error) ([]time.Duration, error) {
	rooms, err := f.owned(ctx, m)
	if err != nil {
		return nil, err
	}
	at := time.Now()
	if err := end(); err != nil {
		return nil, err
	}
	f.faults++
	got, err := f.succeeded(ctx, m, rooms, at)
	var took []time.Duration
	for _, s := range got {
		took = append(took, s.after)
	}
	return took, err
}

// withoutQuorum kills servers so that nothing can be stored. Nodes have to live on, say
// unready, refuse as unavailable, keep their viewers, and recover by themselves.
func (f *fleet) withoutQuorum(ctx context.Context, gone []*machine) error {
	if err := f.usual(ctx); err != nil {
		return err
	}
	for range 2 {
		at, welcomes, refused := time.Now(), f.welcomes(), f.refusals()[wire.CodeUnavailable]
		for _, m := range gone {
			m.kill()
			f.faults++
		}
		if err := f.allUnready(ctx); err != nil {
			return err
		}
		unready := time.Since(at)
		if err := pause(ctx, 10*time.Second); err != nil {
			return err
		}
		for _, n := range f.nodes {
			if n.proc.ended() {
				return fmt.Errorf("%s has ended without NATS:\n%s", n.name, n.proc.tail(20))
			}
			late := lateCalls(f.door.seenSince(at), n.address(face), at.Add(leaseMax+arriveWithin), time.Now())
			if len(late) > 0 {
				return fmt.Errorf("%s sent on past its lease: %s", n.name, describe(late, at))
			}
		}
		stayed, told := f.welcomes()-welcomes, f.refusals()[wire.CodeUnavailable]-refused
		back := time.Now()
		for _, m := range gone {
			if err := m.start(); err != nil {
				return err
			}
		}
		if err := errors.Join(f.natsReady(ctx, natsWithin), f.ready(ctx)); err != nil {
			return err
		}
		ready := time.Since(back)
		if err := f.flowing(ctx, time.Now()); err != nil {
			return err
		}
		f.note("%d of %d servers killed: all nodes unready after %.1f s; %d gifts refused as unavailable, %d viewers connected anew; back: all ready after %.1f s, all rooms flushed after %.1f s",
			len(gone), fleetSize, unready.Seconds(), told, stayed, ready.Seconds(), time.Since(back).Seconds())
		switch {
		case told == 0:
			return errors.New("no gift was refused as unavailable")
		case stayed > 0:
			return fmt.Errorf("%d viewers lost their connection when NATS went", stayed)
		}
	}
	return f.grow(ctx, 50)
}

// allUnready waits until no node calls itself ready.
func (f *fleet) allUnready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*unreadyWithin)
	defer cancel()
	return until(ctx, "unreadiness of all nodes", func() (bool, error) {
		return !slices.ContainsFunc(f.nodes, func(n *machine) bool { return n.proc.isReady(ctx) }), nil
	})
}
