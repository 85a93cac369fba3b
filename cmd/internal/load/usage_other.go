//go:build !linux && !darwin && !freebsd

package load

import "time"

// cpuTime is not known here.
func cpuTime() time.Duration { return 0 }

// openFiles is not known here.
func openFiles() uint64 { return 0 }
