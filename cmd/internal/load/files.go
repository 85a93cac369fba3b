package load

import "fmt"

// spareFiles are a process's own: pipes, the poller, the platform API's connections.
const spareFiles = 100

// checkFiles checks that so many processes may open as many connections; may is how many
// files each may have open, 0: nobody knows.
func checkFiles(viewers, processes int, may uint64) error {
	each := (viewers + processes - 1) / processes
	if may == 0 || uint64(each+spareFiles) <= may { //nolint:gosec // not below zero
		return nil
	}
	return &FaultError{"processes", fmt.Sprintf(
		"%d connections a process are more than the %d open files that it may have allow (ulimit -Hn); %d processes would do",
		each, may, processesFor(viewers, may))}
}

// Processes is how many processes so many viewers need: each may have only so many open
// files. At least one.
func Processes(viewers int) int { return processesFor(viewers, openFiles()) }

func processesFor(viewers int, may uint64) int {
	if may <= spareFiles {
		return 1 // nobody knows; or there is no room for anything, which the check tells
	}
	each := int(min(may, ViewersMax+spareFiles)) - spareFiles //nolint:gosec // bounded
	return max(1, (viewers+each-1)/each)
}
