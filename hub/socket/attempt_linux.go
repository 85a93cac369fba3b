package socket

import (
	"errors"
	"syscall"
)

// attempt writes to a socket without waiting. It is used under a lock.
type attempt struct {
	raw raw // nil: nothing can be tried
	do  func(fd uintptr) bool
	p   []byte
	n   int
}

func (a *attempt) prepare(r raw) {
	a.raw = r
	a.do = a.once // bound here, so that a write allocates nothing
}

// write writes what the system takes of p at once. An error counts as nothing: who waits
// for the connection meets it.
func (a *attempt) write(p []byte) int {
	if a.raw == nil {
		return 0
	}
	a.p, a.n = p, 0
	_ = a.raw.Write(a.do) // closed: nothing is written
	a.p = nil
	return a.n
}

// once is called with the descriptor. It returns true: the runtime is not to wait.
func (a *attempt) once(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), a.p)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		a.n = max(0, n)
		return true
	}
}
