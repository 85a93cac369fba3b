//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tracer is an strace that stands at a running node.
type tracer struct {
	cmd    *exec.Cmd
	log    string
	exited chan struct{}
}

// injection is what strace does to system calls of each thread.
type injection struct {
	calls  string   // fsync,fdatasync
	inject string   // signal=KILL:when=3
	paths  []string // only calls on these files; empty: all
}

func (i injection) args(log string) []string {
	args := []string{"-f", "-y", "-o", log, "-e", "trace=" + i.calls, "-e", "inject=" + i.calls + ":" + i.inject, "-e", "signal=none"}
	for _, path := range i.paths {
		args = append(args, "-P", path)
	}
	return args
}

// synced are the calls by which a file becomes durable.
const synced = "fsync,fdatasync"

// under starts a node under strace, which stays a grandchild: the process that is
// started becomes the node. (With --seccomp-bpf strace would be quicker, but 6.1 then
// injects nothing for calls chosen by their file.)
func (i injection) under(log string) []string {
	return append(append([]string{"strace", "-D"}, i.args(log)...), "--")
}

// attach puts strace at the node and returns when it stands at every thread.
func (w *world) attach(ctx context.Context, i injection) (*tracer, error) {
	log := filepath.Join(w.dir, fmt.Sprintf("strace-%d", time.Now().UnixNano()))
	cmd := exec.Command("strace", append(i.args(log), "-p", strconv.Itoa(w.node.pid()))...) //nolint:gosec,noctx // detached by a signal
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	t := &tracer{cmd: cmd, log: log, exited: make(chan struct{})}
	attached := make(chan struct{})
	go func() { // joined by detach
		defer close(t.exited)
		lines, told := bufio.NewScanner(stderr), false
		for lines.Scan() {
			if !told && strings.Contains(lines.Text(), "attached") {
				told = true
				close(attached)
			}
		}
		_ = cmd.Wait() // its node may have been killed
	}()
	select {
	case <-attached:
		return t, nil
	case <-t.exited:
		return nil, errors.New("strace could not attach")
	case <-ctx.Done():
		t.detach()
		return nil, ctx.Err()
	}
}

// detach lets the node go on without it.
func (t *tracer) detach() {
	_ = t.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	<-t.exited
}
