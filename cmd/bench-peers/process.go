package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is a child that answers lines.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string // closed at its end
}

// start runs a child on one core: its runtime sees no other.
func start(core int, env []string, name string, args ...string) (*process, error) {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startOn(core, cmd); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, in: in, lines: make(chan string)}
	go func() { // ends with the child
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	return p, nil
}

// startOn starts cmd on one core. A child inherits the cores of the thread that makes
// it.
func startOn(core int, cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("core %d: %w", core, err)
	}
	err := cmd.Start()
	return errors.Join(err, unix.SchedSetaffinity(0, &before))
}

// giveWay makes every thread of the child run only when nothing else wants its core: a
// low priority alone would still have its slice of some milliseconds each time. Threads
// that it starts later inherit that.
func (p *process) giveWay() error {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
	for _, t := range tasks {
		id, bad := strconv.Atoi(t.Name())
		if bad == nil {
			bad = unix.SchedSetAttr(id, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0)
		}
		err = errors.Join(err, bad)
	}
	return err
}

// say sends a line.
func (p *process) say(format string, args ...any) error {
	_, err := fmt.Fprintf(p.in, format+"\n", args...)
	return err
}

// patience bounds every wait for a process's answer: 16,000 upgrades on one core take
// some ten seconds.
const patience = 2 * time.Minute

// hear waits for a line.
func (p *process) hear() (string, error) {
	select {
	case line, ok := <-p.lines:
		if !ok {
			return "", fmt.Errorf("%s has ended", p.cmd.Path)
		}
		return line, nil
	case <-time.After(patience):
		return "", fmt.Errorf("%s does not answer", p.cmd.Path)
	}
}

// ask sends a line and waits for the answer.
func (p *process) ask(format string, args ...any) (string, error) {
	if err := p.say(format, args...); err != nil {
		return "", err
	}
	return p.hear()
}

// end ends the child.
func (p *process) end() {
	_ = p.in.Close() // the end of its lines ends it
	kill := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	for range p.lines { // nothing that it says now is of interest
	}
	_ = p.cmd.Wait() // nor how it ends
}

// cpu is the processor time that the child has used. The kernel counts it in ticks of
// 10 ms.
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("stat is %q", text)
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	if err != nil {
		return 0, err
	}
	return time.Duration(user+system) * 10 * time.Millisecond, nil
}

// rss is the child's resident memory in KiB.
func (p *process) rss() (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm is %q", text)
	}
	pages, err := strconv.Atoi(fields[1])
	return pages * os.Getpagesize() / 1024, err
}
