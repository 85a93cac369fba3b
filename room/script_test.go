package room_test

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/giftwire/giftwire/room/roomtest"
)

var rewrite = flag.Bool("rewrite", false, "write the traces of testdata anew")

func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) { roomtest.Script(t, path, *rewrite) })
	}
}
