package journal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/giftwire/giftwire/hub/journal"
)

// TestAStartKilledWhileItMadeStreams: every state of a stream's folder that a kill can
// leave before the stream exists is one from which the next start goes on.
func TestAStartKilledWhileItMadeStreams(t *testing.T) {
	for name, left := range map[string][]string{
		"a folder":                 {},
		"folders":                  {"msgs/", "obs/"},
		"an empty block":           {"msgs/1.blk"},
		"settings being written":   {"msgs/1.blk", "meta.inf.tmp"},
		"settings and no checksum": {"msgs/1.blk", "meta.inf"},
		"checksum being written":   {"msgs/1.blk", "meta.inf", "meta.sum.tmp"},
	} {
		for _, stream := range []string{"OUTCOMES", "IDS"} {
			t.Run(name+" of "+stream, func(t *testing.T) {
				dir := t.TempDir()
				if stream != "OUTCOMES" { // the others exist, and are empty
					if err := openJournal(t, journal.Config{Dir: dir}).Close(); err != nil {
						t.Fatal(err)
					}
				}
				folder := filepath.Join(dir, "jetstream", "$G", "streams", stream)
				leave(t, folder, left)
				j := openJournal(t, journal.Config{Dir: dir})
				run(t, j)
				store(t, j, gift("r1", 1))
			})
		}
	}
}

// leave makes the folder anew with these files; a name that ends in / is a folder.
func leave(t *testing.T, folder string, files []string) {
	t.Helper()
	err := os.RemoveAll(folder)
	if err == nil {
		err = os.MkdirAll(folder, 0o700)
	}
	for _, file := range files {
		name, content := filepath.Join(folder, file), []byte("{}")
		if filepath.Ext(name) == ".blk" {
			content = nil
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(name), 0o700)
		}
		if err == nil && strings.HasSuffix(file, "/") {
			err = os.Mkdir(name, 0o700)
		} else if err == nil {
			err = os.WriteFile(name, content, 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAStreamWithoutChecksumThatHoldsRecords: what was stored is never removed.
func TestAStreamWithoutChecksumThatHoldsRecords(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, journal.Config{Dir: dir})
	stop := run(t, j)
	store(t, j, gift("r1", 1))
	stop()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "jetstream", "$G", "streams", "GIFTS")
	if err := os.Remove(filepath.Join(folder, "meta.sum")); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(t.Context(), settings(journal.Config{Dir: dir})); err == nil {
		t.Error("it opened without the gifts")
	}
	if info, err := os.Stat(filepath.Join(folder, "msgs", "1.blk")); err != nil || info.Size() == 0 {
		t.Errorf("the gifts: %v", err)
	}
}
