package journal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
)

// TestAFullQueue: nobody publishes, so entries wait, up to the bound.
func TestAFullQueue(t *testing.T) {
	j := openJournal(t, journal.Config{Dir: t.TempDir(), QueueBytes: 1 << 20})
	taken := 0
	var err error
	told := 0
	for ; taken < 10_000; taken++ {
		if err = j.Submit(gift("r1", taken), func(journal.Receipt, error) { told++ }); err != nil {
			break
		}
	}
	if !errors.Is(err, journal.ErrUnavailable) {
		t.Fatalf("%d entries taken: %v", taken, err)
	}
	if s := j.Stats(); s.QueuedEntries != taken || s.QueuedBytes > 1<<20 || s.QueuedBytes < 1<<20-10_000 {
		t.Errorf("%d taken; stats %+v", taken, s)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if s := j.Stats(); told != taken || s.QueuedEntries != 0 || s.QueuedBytes != 0 {
		t.Errorf("%d of %d told; stats %+v", told, taken, s)
	}
}

func TestHooksAreTold(t *testing.T) {
	type stored struct{ entries, bytes int }
	storing, appending := make(chan stored, 1), make(chan int, 1)
	j := openJournal(t, journal.Config{Dir: t.TempDir(), Hooks: journal.Hooks{
		Stored: func(entries, bytes int, took time.Duration) {
			if took <= 0 || took > patience {
				t.Errorf("took %v", took)
			}
			storing <- stored{entries, bytes}
		},
		Appended: func(bytes int, _ time.Duration) { appending <- bytes },
	}})
	run(t, j)
	store(t, j, gift("r1", 1))
	if got := wait(t, storing, "Stored"); got.entries != 1 || got.bytes < 300 {
		t.Errorf("Stored: %+v", got)
	}
	mustAppend(t, j.Log(0), 0, takeover(j, 1))
	if bytes := wait(t, appending, "Appended"); bytes < 50 {
		t.Errorf("Appended: %d", bytes)
	}
}
