package audience

import "time"

// Sweep is what Run does every few seconds, for tests that cannot wait.
func (h *House) Sweep(now time.Time) { h.sweep(now) }
