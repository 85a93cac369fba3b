package main

import "syscall"

// apart keeps a process out of the terminal's reach: Ctrl-C ends what is started here in
// its order, and not all at once. Nothing outlives this process.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
