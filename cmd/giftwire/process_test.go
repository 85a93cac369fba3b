package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

type ctx = context.Context

// patience bounds every wait for a process: machines are shared.
const patience = time.Minute

// build compiles the command once for all tests.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "giftwire-test")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "giftwire")
	out, err := exec.Command("go", "build", "-o", name, ".").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return name, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(name)) // a leftover in the temporary folder harms nobody
	}
	os.Exit(code) //nolint:forbidigo // a TestMain is a main
}

func binary(tb testing.TB) string {
	tb.Helper()
	name, err := build()
	if err != nil {
		tb.Fatalf("go build: %v", err)
	}
	return name
}

// process is a running giftwire.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended

	mu   sync.Mutex
	log  bytes.Buffer      // standard error
	out  bytes.Buffer      // standard output
	bind map[string]string // address by flag
	news chan struct{}     // closed and replaced when something was logged
}

// start runs giftwire with the arguments. It is killed when the test ends.
func start(tb testing.TB, args ...string) *process {
	tb.Helper()
	p := &process{
		cmd: exec.Command(binary(tb), args...), exited: make(chan struct{}),
		bind: make(map[string]string), news: make(chan struct{}),
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	p.cmd.Env = append(os.Environ(), "GOTRACEBACK=all")
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.read(stderr, &p.log) })
	readers.Go(func() { p.read(stdout, &p.out) })
	go func() {
		readers.Wait()
		_ = p.cmd.Wait() // the status is in ProcessState
		close(p.exited)
	}()
	tb.Cleanup(func() {
		p.kill()
		if tb.Failed() {
			tb.Logf("giftwire %s logged:\n%s", strings.Join(args, " "), p.logged())
		}
	})
	return p
}

// read keeps what the process writes and learns its addresses.
func (p *process) read(from io.Reader, into *bytes.Buffer) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var entry struct {
			Flag    string `json:"flag"`
			Address string `json:"address"`
		}
		p.mu.Lock()
		into.Write(append(lines.Bytes(), '\n'))
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Address != "" {
			p.bind[entry.Flag] = entry.Address
		}
		close(p.news)
		p.news = make(chan struct{})
		p.mu.Unlock()
	}
}

// address waits until the process has bound the flag's address.
func (p *process) address(tb testing.TB, flag string) string {
	tb.Helper()
	var found string
	p.await(tb, "an address for --"+flag, func() bool {
		found = p.bind[flag]
		return found != ""
	})
	return found
}

// await waits for a condition on what was logged; it is called with the lock held.
func (p *process) await(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	timeout := time.After(patience)
	for {
		p.mu.Lock()
		news, ok := p.news, condition()
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-news:
		case <-p.exited:
			tb.Fatalf("giftwire ended (%v) before there was %s:\n%s", p.cmd.ProcessState, what, p.logged())
		case <-timeout:
			tb.Fatalf("no %s after %v:\n%s", what, patience, p.logged())
		}
	}
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.exited
}

// terminate is SIGTERM; it returns the exit status and how long it took.
func (p *process) terminate(tb testing.TB) (status int, took time.Duration) {
	tb.Helper()
	begun := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		tb.Fatal(err)
	}
	return p.wait(tb), time.Since(begun)
}

// wait waits for the process to end by itself.
func (p *process) wait(tb testing.TB) int {
	tb.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		tb.Fatalf("giftwire has not ended after %v", patience)
		return -1
	}
}

// ready waits until /readyz says so.
func ready(tb testing.TB, admin string) {
	tb.Helper()
	until(tb, "readiness", func(ctx context.Context) bool {
		status, _ := get(ctx, "http://"+admin+"/readyz", "")
		return status == http.StatusOK
	})
}

// until polls a condition that only another process can tell.
func until(tb testing.TB, what string, condition func(context.Context) bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatalf("no %s within %v", what, patience)
		}
	}
}

// get asks with an API key and returns status and body; status 0: no answer.
func get(ctx context.Context, url, key string) (int, []byte) {
	return ask(ctx, http.MethodGet, url, key, "")
}

func ask(ctx context.Context, method, url, key, body string) (int, []byte) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	r.Close = true
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }() // only read
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, data
}
