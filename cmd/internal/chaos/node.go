//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// readyWithin is how long a node may take to its first readiness: machines are shared.
	readyWithin = 40 * time.Second
	// linesMax bounds what is kept of a node's log.
	linesMax = 400
)

// errEnded says that a node ended by itself.
var errEnded = errors.New("the node has ended")

// node is one process of giftwire.
type node struct {
	cmd     *exec.Cmd
	started time.Time
	exited  chan struct{} // closed when it has ended

	mu    sync.Mutex // guards the following
	lines []string   // its newest log
	bind  map[string]string
}

// startNode runs a command line that is, or becomes, giftwire. It dies with this
// process. Its whole log goes to the end of a file as well; an empty name: to none.
func startNode(line []string, log string) (*node, error) {
	n := &node{cmd: exec.Command(line[0], line[1:]...), exited: make(chan struct{}), bind: make(map[string]string)} //nolint:noctx // it is ended by signals
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	n.cmd.Env = append(os.Environ(), "GOTRACEBACK=all")
	// A pipe of our own: a tracer inherits it, and Wait must not wait for that.
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	whole, err := openLog(log)
	if err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	n.cmd.Stderr, n.cmd.Stdout = write, write
	n.started = time.Now()
	err = n.cmd.Start()
	_ = write.Close() // the child has its own
	if err != nil {
		return nil, errors.Join(err, read.Close(), whole.Close())
	}
	var reader sync.WaitGroup
	reader.Go(func() { n.read(read, whole) })
	go func() { // joined by whoever waits for exited
		_ = n.cmd.Wait() // the status is in ProcessState
		reader.Wait()
		close(n.exited)
	}()
	return n, nil
}

// openLog opens a log to go on with.
func openLog(name string) (*os.File, error) {
	if name == "" {
		name = os.DevNull
	}
	return os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // a name of ours
}

// read keeps what the process logs and learns its addresses.
func (n *node) read(from io.ReadCloser, whole io.WriteCloser) {
	defer func() { _, _ = from.Close(), whole.Close() }() // a log that is cut off proves nothing
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var entry struct {
			Flag    string `json:"flag"`
			Address string `json:"address"`
		}
		_, _ = fmt.Fprintln(whole, lines.Text()) // it is for people, who see where it ends
		n.mu.Lock()
		n.lines = append(n.lines, lines.Text())
		if len(n.lines) > linesMax {
			n.lines = n.lines[len(n.lines)-linesMax:]
		}
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Address != "" {
			n.bind[entry.Flag] = entry.Address
		}
		n.mu.Unlock()
	}
}

func (n *node) address(flag string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.bind[flag]
}

// tail is the end of the log, for reports.
func (n *node) tail(count int) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.lines[max(0, len(n.lines)-count):], "\n")
}

func (n *node) pid() int { return n.cmd.Process.Pid }

func (n *node) ended() bool {
	select {
	case <-n.exited:
		return true
	default:
		return false
	}
}

// ready waits until /readyz says so.
func (n *node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return until(ctx, "readiness", func() (bool, error) {
		if n.ended() {
			return false, fmt.Errorf("%w before it was ready: %v\n%s", errEnded, n.cmd.ProcessState, n.tail(20))
		}
		return n.isReady(ctx), nil
	})
}

func (n *node) isReady(ctx context.Context) bool {
	admin := n.address("admin-listen")
	if admin == "" || n.address("listen") == "" {
		return false
	}
	status, _, err := ask(ctx, request{method: http.MethodGet, url: "http://" + admin + "/readyz"})
	return err == nil && status == http.StatusOK
}

// kill is kill -9.
func (n *node) kill() {
	_ = n.cmd.Process.Kill() // it may have ended
	<-n.exited
}

func (n *node) signal(s syscall.Signal) error { return n.cmd.Process.Signal(s) }

// wait waits until the node has ended by itself.
func (n *node) wait(ctx context.Context, within time.Duration) (status int, took time.Duration, err error) {
	begun := time.Now()
	select {
	case <-n.exited:
		return n.cmd.ProcessState.ExitCode(), time.Since(begun), nil
	case <-time.After(within):
		return 0, within, fmt.Errorf("the node has not ended within %v\n%s", within, n.tail(20))
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
}

// request is a call of the node's HTTP API.
type request struct{ method, url, key, body string }

// askWithin bounds one call.
const askWithin = 5 * time.Second

func ask(ctx context.Context, q request) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, q.method, q.url, strings.NewReader(q.body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+q.key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }() // only read
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, data, err
}

// pollEvery is how often a condition is looked at that only another process can tell.
const pollEvery = 20 * time.Millisecond

// until polls a condition until it holds, fails, or ctx ends.
func until(ctx context.Context, what string, condition func() (bool, error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		ok, err := condition()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("no %s: %w", what, ctx.Err())
		}
	}
}

// pause waits for d.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
