//go:build linux && (amd64 || arm64)

package socket

import (
	"syscall"
	"unsafe"
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

// once is called with the descriptor. It returns true: the runtime is not to wait. The
// scheduler is not told of the call, since it cannot wait (send(2), MSG_DONTWAIT); that,
// and send in place of write, are an eighth of a delivery's cost.
func (a *attempt) once(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(a.p))), uintptr(len(a.p)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		if errno == syscall.EINTR {
			continue
		}
		if errno == 0 {
			a.n = int(n)
		}
		return true
	}
}
