package web_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait: machines are shared.
const patience = time.Minute

// server is a running `giftwire dev`, which can be killed and started again.
type server struct {
	t            *testing.T
	binary, data string
	base         string // http://host:port
	cmd          *exec.Cmd
	ended        chan struct{}
	mu           sync.Mutex
	log          bytes.Buffer
}

// serve starts `giftwire dev` on a free port, for as long as the test runs.
func serve(t *testing.T, binary string) *server {
	t.Helper()
	s := &server{t: t, binary: binary, data: t.TempDir()}
	s.start("127.0.0.1:0")
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("giftwire dev said:\n%s", s.said())
		}
	})
	return s
}

// start runs the process until it says where its page is.
func (s *server) start(listen string) {
	s.t.Helper()
	s.cmd = exec.Command(s.binary, "dev", "--data", s.data, "--listen", listen)
	s.cmd.Stderr = s
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	page, ended := make(chan string, 1), make(chan struct{})
	s.ended = ended
	go func() { // kill waits for it
		defer close(ended)
		read(out, page)
		_ = s.cmd.Wait() // it is killed, always
	}()
	select {
	case s.base = <-page:
	case <-ended:
		s.t.Fatalf("giftwire dev ended:\n%s", s.said())
	case <-time.After(patience):
		s.t.Fatalf("giftwire dev did not say where its page is:\n%s", s.said())
	}
}

// read looks for the address in what the process says, and then only keeps reading.
func read(out io.Reader, page chan<- string) {
	where := regexp.MustCompile(`^ *page +(http://[^/]+)/$`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := where.FindStringSubmatch(lines.Text()); found != nil {
			page <- found[1]
		}
	}
}

// Write keeps what the process logs.
func (s *server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// kill is kill -9.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.ended
}

// again starts what was killed, where it was.
func (s *server) again() {
	s.t.Helper()
	s.start(strings.TrimPrefix(s.base, "http://"))
}

// post sends JSON, as a platform or a person at the simulator does.
func (s *server) post(path, body string) []byte {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer giftwire-dev-api-key")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		s.t.Fatalf("POST %s: %d %s %v", path, resp.StatusCode, answer, err)
	}
	return answer
}

// builtBinary compiles the command for all tests of a run.
func builtBinary(t *testing.T) string {
	t.Helper()
	name := t.TempDir() + "/giftwire"
	cmd := exec.Command("go", "build", "-o", name, "../cmd/giftwire")
	cmd.Env = os.Environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return name
}
