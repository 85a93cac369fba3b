package journal

import (
	"log/slog"
	"strings"
	"testing"
)

// TestEveryFolderIsAStream: a server that does not know a stream whose folder is there,
// because it could not read the folder of folders, is not gone on with.
func TestEveryFolderIsAStream(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(t.Context(), Config{Dir: dir, Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	names, err := removeUnfinished(dir, slog.New(slog.DiscardHandler))
	if err != nil || len(names) != 4 {
		t.Fatalf("folders %v, %v, want four streams", names, err)
	}
	if err := recovered(j.embedded.server, names); err != nil {
		t.Errorf("all are there: %v", err)
	}
	err = recovered(j.embedded.server, append(names, "LOST"))
	if err == nil || !strings.Contains(err.Error(), "LOST on disk") || strings.Contains(err.Error(), "GIFTS") {
		t.Errorf("one is lost: %v", err)
	}
	if err := checkServer(j.embedded.server, []string{"LOST"}); err == nil {
		t.Error("a server that has lost a stream is taken")
	}
}
