//go:build race

package sim

// The race detector makes a run ten times slower, and there is one thread.
const (
	fewSeeds    = 24
	fewReplays  = 3
	smallFaults = 1
)
