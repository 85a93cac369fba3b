package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// rule is a safety rule and how to switch it off.
type rule struct {
	name    string
	promise string // of PROMISES.md
	file    string // from the module's root
	old     string // found exactly once in the file
	new     string
	pkg     string // whose test rings, from the module's root
	test    string // -run
}

// verdict is what became of a mutant.
type verdict string

const (
	caughtIt verdict = "caught"
	survived verdict = "SURVIVED"
	untried  verdict = "NOT TRIED"
)

type result struct {
	verdict verdict
	detail  string // of what is not caught
	took    time.Duration
}

// testTimeout ends a test that hangs, which counts as red.
const testTimeout = "3m"

// mutate returns the file's text with the rule switched off.
func (r rule) mutate(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, r.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), r.old); n != 1 {
		return "", fmt.Errorf("%s has the rule's text %d times, once is needed: %q", r.file, n, r.old)
	}
	return strings.Replace(string(text), r.old, r.new, 1), nil
}

// try switches the rule off and runs its test.
func (r rule) try(ctx context.Context) (out result) {
	begun := time.Now()
	defer func() { out.took = time.Since(begun) }()
	root, err := moduleRoot()
	if err != nil {
		return result{verdict: untried, detail: err.Error()}
	}
	overlay, remove, err := r.overlay(root)
	if err != nil {
		return result{verdict: untried, detail: err.Error()}
	}
	defer remove()
	return judge(goTest(ctx, root, r.pkg, r.test, "-overlay", overlay))
}

// overlay writes the changed file and go's description of where it belongs.
func (r rule) overlay(root string) (path string, remove func(), err error) {
	text, err := r.mutate(root)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return "", nil, err
	}
	changed := filepath.Join(dir, "changed.go")
	path = filepath.Join(dir, "overlay.json")
	described, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, r.file): changed}})
	err = errors.Join(err, os.WriteFile(changed, []byte(text), 0o600), os.WriteFile(path, described, 0o600))
	remove = func() { _ = os.RemoveAll(dir) }
	if err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}

// judge reads what a test run has said.
func judge(said string, red bool) result {
	switch {
	case strings.Contains(said, "[no tests to run]"), strings.Contains(said, "no test files"):
		return result{verdict: untried, detail: "there is no such test"}
	case strings.Contains(said, "[build failed]"), strings.Contains(said, "[setup failed]"):
		return result{verdict: untried, detail: "it does not compile: " + said}
	case !red:
		return result{verdict: survived, detail: "the test is green"}
	case strings.Contains(said, "--- FAIL"), strings.Contains(said, "panic:"), strings.Contains(said, "fatal error:"), strings.Contains(said, "\nFAIL\t"):
		return result{verdict: caughtIt}
	default:
		return result{verdict: untried, detail: said}
	}
}

// green runs the tests of the rules without a change. They have to pass, or a red one
// says nothing.
func green(ctx context.Context, rules []rule) (faults []error) {
	root, err := moduleRoot()
	if err != nil {
		return []error{err}
	}
	tests := make(map[string][]string)
	var pkgs []string
	for _, r := range rules {
		if tests[r.pkg] == nil {
			pkgs = append(pkgs, r.pkg)
		}
		tests[r.pkg] = append(tests[r.pkg], r.test)
	}
	for _, pkg := range pkgs {
		if said, red := goTest(ctx, root, pkg, strings.Join(tests[pkg], "|")); red {
			faults = append(faults, fmt.Errorf("without a mutant, the tests of %s are not green: %s", pkg, said))
		}
	}
	return faults
}

// goTest runs tests and returns what they said.
func goTest(ctx context.Context, root, pkg, test string, more ...string) (said string, red bool) {
	args := append([]string{"test", "-count=1", "-vet=off", "-failfast", "-timeout", testTimeout, "-run", "^(" + test + ")$"}, more...)
	args = append(args, "./"+pkg)
	if usesRapid(filepath.Join(root, pkg)) {
		args = append(args, "-rapid.nofailfile") // or a mutant would leave what made it fail behind
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "interrupted", true
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err.Error(), true
	}
	return string(out), err != nil
}

// usesRapid reports whether the package's tests know rapid's flags.
func usesRapid(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return false // cannot be: the pattern is good
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), `"pgregory.net/rapid"`) {
			return true
		}
	}
	return false
}

// moduleRoot is the folder of go.mod at or above the working folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod at or above the working folder")
		}
		dir = parent
	}
}
