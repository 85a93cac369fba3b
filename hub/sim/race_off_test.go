//go:build !race

package sim

const (
	fewSeeds    = 150
	fewReplays  = 12
	smallFaults = 3
)
