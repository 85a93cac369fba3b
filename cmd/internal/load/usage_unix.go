//go:build linux || darwin || freebsd

package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is what this process has used of the processors.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0 // it does not fail for ourselves; a report without it is one without it
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// openFiles is how many files a process of ours may have open: the hard limit, to which
// the soft one is raised. 0: nobody knows.
func openFiles() uint64 {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	most := uint64(l.Max) //nolint:unconvert // the types differ between systems
	if l.Cur != l.Max {
		l.Cur = l.Max
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &l) != nil && unix.Getrlimit(unix.RLIMIT_NOFILE, &l) == nil {
			most = uint64(l.Cur) //nolint:unconvert // see above
		}
	}
	return most
}
