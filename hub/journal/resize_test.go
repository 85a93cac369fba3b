package journal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/giftwire/giftwire/hub/journal"
)

// TestAResizeThatWasKilled: the embedded server writes a stream's settings and their
// checksum one after the other. Whatever a kill leaves, the next start goes on with the
// old sizes or the new ones, and with all gifts.
func TestAResizeThatWasKilled(t *testing.T) {
	for name, tc := range map[string]struct {
		settings, sum string // old or new
		kept          string // the copy: old, cut off, or none
		want          string // the sizes with which it opens; none: it does not
	}{
		"before it began":          {"old", "old", "none", "old"},
		"while the copy was made":  {"old", "old", "cut off", "old"},
		"with the copy made":       {"old", "old", "old", "old"},
		"between the two":          {"new", "old", "old", "old"},
		"with both written":        {"new", "new", "old", "new"},
		"after it":                 {"new", "new", "none", "new"},
		"between the two, no copy": {"new", "old", "none", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			sizes := map[string]journal.Retention{"old": small(), "new": small()}
			bigger := sizes["new"]
			bigger.GiftBytes = 128 << 20
			sizes["new"] = bigger

			was := map[string]metaFiles{"old": withGift(t, dir, sizes["old"])}
			bigger.Resize = true
			j := openJournal(t, journal.Config{Dir: dir, Retention: bigger})
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			was["new"] = readMeta(t, dir)
			if left, err := filepath.Glob(filepath.Join(dir, "resizing-*")); err != nil || len(left) != 0 {
				t.Fatalf("after a resize: %v, %v", left, err)
			}

			put(t, filepath.Join(streamDir(dir), "meta.inf"), was[tc.settings].inf)
			put(t, filepath.Join(streamDir(dir), "meta.sum"), was[tc.sum].sum)
			switch tc.kept {
			case "old":
				put(t, filepath.Join(dir, "resizing-GIFTS"), was["old"].sum+"\n"+was["old"].inf)
			case "cut off":
				put(t, filepath.Join(dir, "resizing-GIFTS.tmp"), was["old"].sum[:5])
			}
			if tc.want == "none" {
				_, err := journal.Open(t.Context(), settings(journal.Config{Dir: dir, Retention: sizes["old"]}))
				if err == nil || !strings.Contains(err.Error(), "GIFTS on disk could not be recovered") {
					t.Errorf("error %v", err)
				}
				return
			}
			j = openJournal(t, journal.Config{Dir: dir, Retention: sizes[tc.want]})
			if got, _ := readGifts(t, j.Log(0), 1); len(got) != 1 {
				t.Errorf("%d gifts are left", len(got))
			}
			if left, err := filepath.Glob(filepath.Join(dir, "resizing-*")); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// metaFiles are a stream's settings and their checksum.
type metaFiles struct{ inf, sum string }

func streamDir(dir string) string { return filepath.Join(dir, "jetstream", "$G", "streams", "GIFTS") }

// withGift makes the streams with one gift, and returns the settings of GIFTS.
func withGift(t *testing.T, dir string, r journal.Retention) metaFiles {
	t.Helper()
	j := openJournal(t, journal.Config{Dir: dir, Retention: r})
	stop := run(t, j)
	store(t, j, gift("r1", 1))
	stop()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return readMeta(t, dir)
}

func readMeta(t *testing.T, dir string) metaFiles {
	t.Helper()
	inf, err := os.ReadFile(filepath.Join(streamDir(dir), "meta.inf"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(streamDir(dir), "meta.sum"))
	if err != nil {
		t.Fatal(err)
	}
	return metaFiles{string(inf), string(sum)}
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
