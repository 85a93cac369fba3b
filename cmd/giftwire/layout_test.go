package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/giftwire/giftwire/"

// layers says which packages of this module a package may import: the architecture.
// Change it in the commit that changes the architecture. A name ending in /... covers
// what is below.
var layers = map[string][]string{
	"room":                 {},
	"room/roomtest":        {"room"},
	"zego":                 {"room"},
	"zego/zegotest":        {"room", "zego"},
	"web":                  {},
	"hub":                  {"room", "web", "hub/..."},
	"hub/auth":             {"room"},
	"hub/wire":             {"room"},
	"hub/quota":            {},
	"hub/socket":           {},
	"hub/journal":          {"room"},
	"hub/cluster":          {"room", "hub/journal"},
	"hub/relay":            {"room", "hub/journal", "hub/cluster", "hub/owner", "hub/wire"},
	"hub/ask":              {"room", "hub/journal", "hub/owner", "hub/cluster"},
	"hub/holding":          {"hub/journal", "hub/cluster"},
	"hub/internal/stage":   {"room"},
	"hub/owner":            {"room", "hub/journal", "hub/internal/stage"},
	"hub/owner/ownertest":  {"room", "hub/journal"},
	"hub/intake":           {"room", "hub/journal", "hub/owner", "hub/quota", "hub/wire"},
	"hub/audience":         {"room", "hub/owner", "hub/quota", "hub/wire"},
	"hub/sim":              {"room", "room/roomtest", "hub/journal", "hub/owner", "hub/intake", "hub/internal/stage"},
	"cmd/bench-peers":      {"hub/wire"},
	"cmd/internal/mutants": {},
	"cmd/internal/chaos":   {"room", "zego", "zego/zegotest", "hub/auth", "hub/client", "hub/wire", "cmd/internal/chaos/verdict", "cmd/internal/natscluster"},
	// It knows nothing of the hub but what is promised of it.
	"cmd/internal/chaos/verdict": {},
	"cmd/internal/natsd":         {},
	"cmd/internal/natscluster":   {},
	"cmd/internal/trio":          {"room", "web", "hub/auth", "cmd/internal/natscluster"},
	"hub/spec":                   {},
	"hub/spec/spectest":          {"hub/spec"},
	"hub/client":                 {"hub/wire"},
	"hub/audit":                  {}, // it shares no code with what it audits
	"cmd/internal/load":          {"room", "hub/auth", "hub/client", "hub/wire"},
	"cmd/internal/load/loadtest": {"room", "hub/wire"},
	"cmd/giftwire":               {"room", "zego", "zego/zegotest", "web", "hub", "hub/...", "cmd/internal/load"},
}

// trials are packages for tests alone: nothing but each other and tests imports them.
var trials = []string{"hub/sim", "hub/owner/ownertest", "hub/spec/spectest", "hub/internal/natstest", "room/roomtest", "cmd/internal/load/loadtest"}

// confined says which files may import a library: leaving it must stay one file's work.
// A name without .go is a folder.
var confined = map[string][]string{
	"github.com/labstack/echo/v4":         {"hub/echo.go"},
	"github.com/coder/websocket":          {"hub/ws.go", "hub/client", "cmd/internal/load/loadtest"},
	"github.com/prometheus/client_golang": {"hub/metrics.go"},
	"github.com/nats-io/nats.go":          {"hub/journal", "hub/cluster", "hub/audit", "hub/internal/natstest"},
	"github.com/nats-io/nats-server/v2":   {"hub/journal", "hub/audit", "hub/internal/natstest", "cmd/internal/natsd"},
	"github.com/golang-jwt/jwt/v5":        {"hub/auth"},
	"github.com/alecthomas/kong":          {"cmd/giftwire"},
}

// banned are imports of the standard library and of anything else that a layer must
// do without: room is pure.
var banned = map[string][]string{
	"room": {"net", "net/http", "encoding/json", "github.com/go-json-experiment", "log", "log/slog", "os"},
	"zego": {"github.com/nats-io", "github.com/labstack", "github.com/coder"},
}

// imported is one import of one file of the module.
type imported struct {
	file, folder, pkg string
	test              bool
}

func TestImportsFollowTheLayers(t *testing.T) {
	for _, imp := range imports(t) {
		inside, ours := strings.CutPrefix(imp.pkg, module)
		if imp.test || !ours {
			continue
		}
		allowed, known := layers[imp.folder]
		if !known {
			t.Errorf("%s: package %s is in no layer; add it to the table", imp.file, imp.folder)
			continue
		}
		if !matches(inside, allowed) {
			t.Errorf("%s imports %s, which its layer may not", imp.file, inside)
		}
		if slices.Contains(trials, inside) && !slices.Contains(trials, imp.folder) {
			t.Errorf("%s imports %s, which is for tests", imp.file, inside)
		}
	}
}

func TestLibrariesStayInTheirFiles(t *testing.T) {
	for _, imp := range imports(t) {
		for library, homes := range confined {
			if imp.test || !within(imp.pkg, library) {
				continue
			}
			if !slices.Contains(homes, imp.file) && !slices.Contains(homes, imp.folder) {
				t.Errorf("%s imports %s, which is confined to %v", imp.file, library, homes)
			}
		}
		for _, ban := range banned[imp.folder] {
			if !imp.test && within(imp.pkg, ban) && (ban != "net" || imp.pkg != "net/url") {
				t.Errorf("%s imports %s, which package %s does without", imp.file, imp.pkg, imp.folder)
			}
		}
	}
}

// The top level holds what was agreed and nothing else.
func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{"go.mod", "go.sum", "cmd", "hub", "room", "zego", "web", "README.md", "Makefile", "LICENSE"}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s does not belong to the top level", e.Name())
		}
	}
}

// A test that sleeps hopes. In a synctest bubble sleeping is waiting for fake time, so a
// test file that sleeps has to be one of bubbles.
func TestOnlyBubblesSleep(t *testing.T) {
	bubbles := map[string]bool{}
	for _, imp := range imports(t) {
		bubbles[imp.file] = bubbles[imp.file] || imp.pkg == "testing/synctest"
	}
	for file, bubble := range bubbles {
		source, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if !bubble && bytes.Contains(source, []byte("time.Sle"+"ep(")) && strings.HasSuffix(file, "_test.go") {
			t.Errorf("%s sleeps outside of a bubble", file)
		}
	}
}

const root = "../.."

func imports(t *testing.T) []imported {
	t.Helper()
	var out []imported
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && name != root) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		file := filepath.ToSlash(rel)
		for _, spec := range parsed.Imports {
			pkg, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			out = append(out, imported{file: file, folder: path.Dir(file), pkg: pkg, test: strings.HasSuffix(file, "_test.go")})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatal("no imports found: the test looks in the wrong place")
	}
	return out
}

func matches(pkg string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if below, ok := strings.CutSuffix(p, "/..."); ok {
			return within(pkg, below)
		}
		return pkg == p
	})
}

// within reports whether pkg is the parent or below it.
func within(pkg, parent string) bool {
	return pkg == parent || strings.HasPrefix(pkg, parent+"/")
}
