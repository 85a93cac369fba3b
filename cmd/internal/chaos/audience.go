//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// audience is everybody who watches.
type audience struct {
	viewers []*viewer
	url     func() string
	signer  *auth.HS256
	seed    uint64

	stop    context.CancelFunc
	running sync.WaitGroup
}

// seat is who sits where, and how quickly they give.
type seat struct {
	room, user string
	pace       time.Duration
	perSecond  float64 // 0: 15, below the hub's default limit of 20
	quota      int     // how many gifts at most; 0: no end
}

// perSecondDefault and burstDefault stay below the hub's default 20/40.
const (
	perSecondDefault = 15
	burstDefault     = 20
)

// add makes a viewer. Call it before run.
func (a *audience) add(s seat) error {
	token, err := a.signer.Token(auth.Identity{
		User: room.User{ID: s.user}, Can: auth.CanAll, Expires: time.Now().Add(24 * time.Hour),
	})
	if err != nil {
		return err
	}
	if s.perSecond == 0 {
		s.perSecond = perSecondDefault
	}
	v := &viewer{
		room: s.room, user: s.user, token: token, url: a.url, pace: s.pace, quota: s.quota,
		sends: &bucket{perSecond: s.perSecond, burst: burstDefault},
		draw:  rand.New(rand.NewPCG(a.seed, uint64(len(a.viewers)))), //nolint:gosec // a run is repeated by its seed
		gifts: make(map[string]*given), open: make(map[string]*given),
		refused: make(map[wire.Code]int), dials: make(map[string]int), from: client.Place{},
	}
	a.viewers = append(a.viewers, v)
	return nil
}

// run lets everyone watch until leave.
func (a *audience) run(ctx context.Context) {
	ctx, a.stop = context.WithCancel(ctx)
	for _, v := range a.viewers {
		a.running.Go(func() { v.watch(ctx) })
	}
}

// leave ends all connections.
func (a *audience) leave() {
	if a.stop != nil {
		a.stop()
	}
	a.running.Wait()
}

// give lets everyone give gifts, or stop it.
func (a *audience) give(on bool) {
	for _, v := range a.viewers {
		v.mu.Lock()
		v.giving = on
		v.mu.Unlock()
	}
}

// each looks at every gift.
func (a *audience) each(look func(*viewer, *given)) {
	for _, v := range a.viewers {
		v.mu.Lock()
		for _, g := range v.order {
			look(v, g)
		}
		v.mu.Unlock()
	}
}

// count counts the gifts that fit.
func (a *audience) count(fits func(*given) bool) int {
	n := 0
	a.each(func(_ *viewer, g *given) {
		if fits(g) {
			n++
		}
	})
	return n
}

// acceptedCount is how many gifts were accepted so far.
func (a *audience) acceptedCount() int { return a.count(isAccepted) }

func isAccepted(g *given) bool { return len(g.Accepted) > 0 }

// refusals counts rejected events by code.
func (a *audience) refusals() map[wire.Code]int {
	out := make(map[wire.Code]int)
	for _, v := range a.viewers {
		v.mu.Lock()
		for code, n := range v.refused {
			out[code] += n
		}
		v.mu.Unlock()
	}
	return out
}

// settled waits until every gift has its answers. The judge names those without.
func (a *audience) settled(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	open := 0
	err := until(ctx, "end", func() (bool, error) {
		open = 0
		for _, v := range a.viewers {
			v.mu.Lock()
			open += len(v.open)
			v.mu.Unlock()
		}
		return open == 0, nil
	})
	if err != nil {
		return fmt.Errorf("%d gifts are without an answer after %v", open, within)
	}
	return nil
}

// repeatMax bounds what one viewer repeats, at 15 a second.
const repeatMax = 45

// repeat asks again for gifts that are decided, spread over all.
func (a *audience) repeat() {
	now := time.Now()
	for _, v := range a.viewers {
		v.mu.Lock()
		step := max(1, len(v.order)/repeatMax)
		for i := 0; i < len(v.order); i += step {
			if g := v.order[i]; isAccepted(g) {
				g.ask(now)
				v.reopen(g)
			}
		}
		v.mu.Unlock()
	}
}

// abreast waits until all viewers of a room have heard of its newest gifts.
func (a *audience) abreast(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return until(ctx, "viewers who have all heard the newest gifts", func() (bool, error) {
		newest := make(map[string]uint64)
		for _, v := range a.viewers {
			newest[v.room] = max(newest[v.room], v.place().Seq)
		}
		for _, v := range a.viewers {
			if v.place().Seq != newest[v.room] {
				return false, nil
			}
		}
		return true, nil
	})
}

func (v *viewer) place() client.Place {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.from
}

// testify enters what everyone has heard.
func (a *audience) testify(e *verdict.Evidence) {
	a.each(func(_ *viewer, g *given) { e.Gifts = append(e.Gifts, g.Gift) })
	for _, v := range a.viewers {
		v.mu.Lock()
		e.Chains = append(e.Chains, verdict.Chain{Room: v.room, Viewer: v.user, Heard: v.heard})
		v.mu.Unlock()
	}
}
