package hub

import (
	"net/http"
	"sync/atomic"
	"time"
)

// phase is where a hub is in its life. It only goes forward.
type phase struct {
	now    atomic.Int32
	served chan struct{} // closed by serve
}

// The phases, in order.
const (
	phaseNew      int32 = iota // Run has not been called
	phaseStarting              // the journal is read; nothing is taken
	phaseServing
	phaseDraining // nothing new is taken
	phaseEnded
)

// to moves forward; false: the hub is there or further already.
func (p *phase) to(next int32) bool {
	for {
		now := p.now.Load()
		if now >= next {
			return false
		}
		if p.now.CompareAndSwap(now, next) {
			return true
		}
	}
}

// serve says that the hub serves from now on, unless it drains already.
func (p *phase) serve() {
	if p.to(phaseServing) {
		close(p.served)
	}
}

func (p *phase) serving() bool { return p.now.Load() == phaseServing }

// startTime is what clients are told to wait for a hub that starts. A restart reads a
// snapshot and what came since, seconds at most.
const startTime = 2 * time.Second

// closed says why the hub takes nothing now; nil: it serves.
func (p *phase) closed() *problem {
	switch p.now.Load() {
	case phaseServing:
		return nil
	case phaseDraining, phaseEnded:
		return newProblem(http.StatusServiceUnavailable, codeDraining, "this node is being stopped").after(retrySoon)
	default:
		return newProblem(http.StatusServiceUnavailable, codeUnavailable, "this node is starting").after(startTime)
	}
}

// check is the phase as a line of /readyz.
func (p *phase) check() healthCheck {
	c := healthCheck{Name: "hub", Status: checkFail}
	switch p.now.Load() {
	case phaseServing:
		c.Status = checkOK
	case phaseDraining:
		c.Detail = "draining"
	case phaseEnded:
		c.Detail = "ended"
	default:
		c.Detail = "starting"
	}
	return c
}
