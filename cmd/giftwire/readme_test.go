package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the README has to say of the settings")

const (
	tableBegin = "<!-- settings -->\n"
	tableEnd   = "<!-- /settings -->\n"
)

// The README's table of settings is what the command has.
func TestReadmeNamesEverySetting(t *testing.T) {
	name := filepath.Join(root, "README.md")
	readme, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(readme), tableBegin)
	got, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatal("the README has no place for the table of settings")
	}
	want := settingsTable(t)
	if *update {
		if err := os.WriteFile(name, []byte(before+tableBegin+want+tableEnd+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings in the README (-command +README); go test ./cmd/giftwire -run Readme -update writes them:\n%s", diff)
	}
}

func settingsTable(t *testing.T) string {
	t.Helper()
	var c cli
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	out.WriteString("| flag of `giftwire serve` | default | what |\n| --- | --- | --- |\n")
	for _, command := range parser.Model.Children {
		if command.Name != "serve" {
			continue
		}
		for _, f := range command.Flags {
			def := ""
			if f.Default != "" {
				def = "`" + f.Default + "`"
			}
			fmt.Fprintf(&out, "| `--%s` | %s | %s |\n", f.Name, def, f.Help)
		}
	}
	return out.String()
}

// Names that the README mentions are there.
func TestReadmeMetricsExist(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	n := newWorld(t).serve(t)
	_, metrics := get(t.Context(), "http://"+n.admin+"/metrics", "")
	names := regexp.MustCompile("`(giftwire_[a-z_]+)").FindAllSubmatch(readme, -1)
	if len(names) == 0 {
		t.Fatal("the README names no metric")
	}
	for _, name := range names {
		// Vectors have no series before their first event, but a type.
		if !bytes.Contains(metrics, append([]byte("\n"), name[1]...)) && !bytes.Contains(source(t), name[1][len("giftwire_"):]) {
			t.Errorf("%s is no metric", name[1])
		}
	}
}

// source is the file that defines the metrics.
func source(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "hub", "metrics.go"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
