package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// What the client's tests need of Node: 20.10 has the test runner's --test-concurrency
	// and a WebSocket, which is there without a flag from 22 on.
	nodeMajor, nodeMinor = 20, 10
	webSocketMajor       = 22

	// runFor bounds what is started: machines are shared, and registries slow.
	runFor = 5 * time.Minute

	// testFiles run at the same time, because they wait most of the time.
	testFiles = 4
)

// The client is checked in its own language: its types by the TypeScript compiler, its
// behaviour by Node's test runner against the real binary.
func TestGiftwireJS(t *testing.T) {
	openInputs(t)
	node := nodeRuntime(t)
	installTools(t)
	t.Run("types", func(t *testing.T) {
		run(t, exec.Command(node.path, "node_modules/typescript/bin/tsc", "--project", "."))
	})
	t.Run("behaviour", func(t *testing.T) {
		args := []string{"--no-warnings", "--test", "--test-reporter=tap", fmt.Sprintf("--test-concurrency=%d", testFiles)}
		if node.major < webSocketMajor {
			args = append(args, "--experimental-websocket")
		}
		cmd := exec.Command(node.path, append(args, scripts(t)...)...)
		// TMPDIR: what a test that failed has left goes, too.
		cmd.Env = append(os.Environ(), "GIFTWIRE_BINARY="+buildBinary(t), "TMPDIR="+t.TempDir())
		out := run(t, cmd)
		// A runner that finds nothing is content.
		if !strings.Contains(out, "\n# fail 0\n") || strings.Contains(out, "\n# pass 0\n") || !strings.Contains(out, "\n# skipped 0\n") {
			t.Errorf("the test runner has no good news:\n%s", out)
		}
	})
}

// The lock file pins what is installed by hashes. It must not say from where: that would
// be one machine's registry.
func TestLockFileNamesNoHost(t *testing.T) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{`"resolved"`, "://"} {
		if bytes.Contains(lock, []byte(place)) {
			t.Errorf("package-lock.json contains %s: run npm install with web/.npmrc in force", place)
		}
	}
	if packages, hashes := bytes.Count(lock, []byte(`"node_modules/`)), bytes.Count(lock, []byte(`"integrity"`)); packages == 0 || packages != hashes {
		t.Errorf("package-lock.json has %d packages and %d hashes", packages, hashes)
	}
}

// openInputs looks at what the processes will read: the go command takes a result from its
// cache unless something changed that the test itself has opened.
func openInputs(t *testing.T) {
	t.Helper()
	for _, root := range []string{".", "../cmd", "../hub", "../room", "../zego"} {
		err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && d.Name() == "node_modules" {
				return fs.SkipDir
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func scripts(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"test/*.test.js", "test/unit/*.test.js"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(names) == 0 {
			t.Fatalf("no tests at %s", pattern)
		}
		all = append(all, names...)
	}
	return all
}

func buildBinary(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "giftwire")
	run(t, exec.Command("go", "build", "-o", name, "../cmd/giftwire"))
	return name
}

// nodejs is a Node that will do.
type nodejs struct {
	path  string
	major int
}

// nodeRuntime finds Node and npm, and installs them where that is possible.
func nodeRuntime(t *testing.T) nodejs {
	t.Helper()
	const install = "apt-get update && apt-get install --yes --no-install-recommends nodejs npm"
	node, err := findNode()
	if err == nil {
		return node
	}
	if _, aptErr := exec.LookPath("apt-get"); aptErr == nil && os.Geteuid() == 0 {
		t.Logf("%v; installing: %s", err, install)
		cmd := exec.Command("sh", "-c", install)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		run(t, cmd)
		node, err = findNode()
	}
	if err != nil {
		t.Fatalf("giftwire.js cannot be checked: %v. Install Node %d.%d or later with npm: as root %q, or from https://nodejs.org",
			err, nodeMajor, nodeMinor, install)
	}
	return node
}

func findNode() (nodejs, error) {
	path, err := exec.LookPath("node")
	if err != nil {
		return nodejs{}, err
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return nodejs{}, err
	}
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return nodejs{}, fmt.Errorf("%s --version: %w", path, err)
	}
	version := strings.Split(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".")
	if len(version) < 2 {
		return nodejs{}, fmt.Errorf("%s is of version %q", path, out)
	}
	major, majorErr := strconv.Atoi(version[0])
	minor, minorErr := strconv.Atoi(version[1])
	if err := errors.Join(majorErr, minorErr); err != nil {
		return nodejs{}, fmt.Errorf("%s is of version %q: %w", path, out, err)
	}
	if major < nodeMajor || major == nodeMajor && minor < nodeMinor {
		return nodejs{}, fmt.Errorf("%s is Node %d.%d, which is too old", path, major, minor)
	}
	return nodejs{path: path, major: major}, nil
}

// installTools brings node_modules to what the lock file says, which is quick where it is
// so already.
func installTools(t *testing.T) {
	t.Helper()
	const stamp = "node_modules/.lock-sha256"
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(lock)
	want := hex.EncodeToString(digest[:])
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return
	}
	// It begins by removing node_modules, and the stamp with it.
	run(t, exec.Command("npm", "ci"))
	if err := os.WriteFile(stamp, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a command to its end, answers what it said, and leaves no process behind.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Its children may outlive it and hold its output.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), runFor)
	defer cancel()
	kill := func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // nothing left is what is wanted
	stop := context.AfterFunc(ctx, kill)
	defer stop()
	defer kill()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%s: %v %v\n%s", cmd, err, context.Cause(ctx), out.String())
	}
	return out.String()
}
