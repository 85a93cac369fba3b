package audience

import "sync"

// goroutines are started until end is called, which joins them.
type goroutines struct {
	mu     sync.RWMutex // a start happens before end, or not at all
	closed bool
	group  sync.WaitGroup
}

// start runs f in a goroutine; false: end was called.
func (g *goroutines) start(f func()) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		return false
	}
	g.group.Go(f) // joined by end
	return true
}

func (g *goroutines) isClosed() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.closed
}

// end waits for all that was started; nothing is started any more.
func (g *goroutines) end() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.group.Wait()
}

// visits are the halls that have something to flush, each at most once.
type visits struct {
	wake chan struct{} // to Run: there is one; capacity 1, never closed

	mu   sync.Mutex
	list []*hall
}

// visit asks Run to flush a hall at the next merge.
func (h *House) visit(hl *hall) {
	v := &h.visits
	v.mu.Lock()
	v.list = append(v.list, hl)
	first := len(v.list) == 1
	v.mu.Unlock()
	if !first {
		return
	}
	select {
	case v.wake <- struct{}{}:
	default: // Run was told already
	}
}

// take returns the halls, and forgets them.
func (v *visits) take() []*hall {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := v.list
	v.list = nil
	return list
}
