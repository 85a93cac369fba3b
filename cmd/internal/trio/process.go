//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	// comesBack is how long a process that was killed stays away, as it would before a
	// supervisor has it back: longer than the 2 s after which its rooms go elsewhere.
	comesBack = 5 * time.Second
	// early is a first life so short that the process cannot start: it is not tried again.
	early = time.Second
	// endsWithin is how long a process may take to end: a node drains for up to 20 s.
	endsWithin = 25 * time.Second
)

// process is one that is kept running.
type process struct {
	name string
	line []string // command line
	log  string   // file
	told func(format string, args ...any)

	mu  sync.Mutex // guards the following
	cmd *exec.Cmd
}

// run keeps the process running until ctx ends, and then asks it to end and waits. It
// returns early only if the process cannot start.
func (p *process) run(ctx context.Context) error {
	for life := 0; ; life++ {
		begun := time.Now()
		err := p.live(ctx, life)
		if ctx.Err() != nil {
			return err
		}
		if life == 0 && time.Since(begun) < early {
			return fmt.Errorf("%s cannot start: %w; its log is %s", p.name, err, p.log)
		}
		p.told("%s has ended (%v); it comes back in %v", p.name, err, comesBack)
		select {
		case <-time.After(comesBack):
		case <-ctx.Done():
			return nil
		}
	}
}

var errByItself = errors.New("by itself")

// live is one life.
func (p *process) live(ctx context.Context, life int) error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()                                               // the process has its own
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.line[0], p.line[1:]...) //nolint:gosec // built by us
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = apart()
	if err := cmd.Start(); err != nil {
		return err
	}
	p.mu.Lock()
	p.cmd = cmd
	p.mu.Unlock()
	if life > 0 {
		p.told("%s is back, as process %d", p.name, cmd.Process.Pid)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // joined below
	select {
	case err := <-ended:
		if err == nil {
			err = errByItself
		}
		return err
	case <-ctx.Done():
	}
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case err = <-ended:
	case <-time.After(endsWithin):
		_ = cmd.Process.Kill() // it may have ended
		err = fmt.Errorf("%s did not end within %v: %w", p.name, endsWithin, <-ended)
	}
	return err
}

// pid is the process's number, 0 before its first life.
func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// group is processes that live and end together.
type group struct {
	stop context.CancelFunc
	all  sync.WaitGroup
	mu   sync.Mutex // guards errs
	errs []error
}

// begin keeps processes running until end; failed hears of one that cannot start.
func begin(ctx context.Context, failed func(error), processes ...*process) *group {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	g := &group{stop: stop}
	for _, p := range processes {
		g.all.Go(func() {
			if err := p.run(ctx); err != nil {
				g.mu.Lock()
				g.errs = append(g.errs, fmt.Errorf("%s: %w", p.name, err))
				g.mu.Unlock()
				if ctx.Err() == nil {
					failed(err)
				}
			}
		})
	}
	return g
}

// end asks all to end and waits.
func (g *group) end() error {
	g.stop()
	g.all.Wait()
	return errors.Join(g.errs...)
}

func logFile(dir, name string) string { return filepath.Join(dir, name+".log") }
