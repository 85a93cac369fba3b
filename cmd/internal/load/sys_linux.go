package load

import (
	"syscall"
)

// ipBindAddressNoPort is IP_BIND_ADDRESS_NO_PORT of linux/in.h: the port is chosen when
// the destination is known, so that one source address has all its ports for each node.
const ipBindAddressNoPort = 24

// shape sets a socket's options before it connects. receive is its receive buffer in
// bytes; 0: the system's choice.
func shape(raw syscall.RawConn, bound bool, receive int) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		if bound {
			failed = syscall.SetsockoptInt(int(fd), syscall.SOL_IP, ipBindAddressNoPort, 1)
		}
		if receive > 0 && failed == nil {
			failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, receive)
		}
	})
	if err != nil {
		return err
	}
	return failed
}
