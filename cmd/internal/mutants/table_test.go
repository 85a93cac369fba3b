package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The table cannot rot: every rule is where it is said to be, once, and its test exists.
func TestEveryRuleIsThere(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, r := range table {
		if names[r.name] {
			t.Errorf("%s: stands twice", r.name)
		}
		names[r.name] = true
		if r.new == r.old {
			t.Errorf("%s: changes nothing", r.name)
		}
		if _, err := r.mutate(root); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		for _, test := range strings.Split(r.test, "|") {
			if !hasTest(t, filepath.Join(root, r.pkg), test) {
				t.Errorf("%s: package %s has no %s", r.name, r.pkg, test)
			}
		}
	}
	if len(table) < 60 {
		t.Errorf("%d rules; some are lost", len(table))
	}
}

func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(name) + `\(t \*testing\.T\)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if declared.Match(text) {
			return true
		}
	}
	return false
}

// What go test says is read right.
func TestJudge(t *testing.T) {
	for said, want := range map[string]verdict{
		"--- FAIL: TestX (0.00s)\nFAIL\nFAIL\tpkg\t0.1s": caughtIt,
		"panic: test timed out after 3m\nFAIL\tpkg":      caughtIt,
		"FAIL\tpkg [build failed]":                       untried,
		"ok  \tpkg\t0.1s [no tests to run]":              untried,
		"interrupted":                                    untried,
	} {
		if got := judge(said, true); got.verdict != want {
			t.Errorf("%q: %s, want %s", said, got.verdict, want)
		}
	}
	if got := judge("ok  \tpkg\t0.1s", false); got.verdict != survived {
		t.Errorf("green: %s", got.verdict)
	}
}
