package journal_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
)

// The test binary plays other processes: killed ones, and such whose disk is full.
const (
	childRole = "JOURNAL_TEST_CHILD"
	childDir  = "JOURNAL_TEST_DIR"
	childBase = "JOURNAL_TEST_BASE"

	roleSubmit = "submit" // stores gifts and says which, until it is killed
	roleWedge  = "wedge"  // can write no more after a while, and says what happens
	roleIdle   = "idle"   // can write no more, and has nothing to write
)

func runChild(role string) int {
	var err error
	switch role {
	case roleSubmit:
		err = submitUntilKilled()
	case roleWedge:
		err = submitUntilWedged()
	case roleIdle:
		err = wedgeIdle()
	default:
		err = errors.New("no such role")
	}
	fmt.Fprintln(os.Stderr, "child:", err)
	return 1
}

// startChild runs this test binary in a role.
func startChild(t *testing.T, role, dir, base string) (*exec.Cmd, *bufio.Scanner, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childRole+"="+role, childDir+"="+dir, childBase+"="+base)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { late.Stop() })
	return cmd, bufio.NewScanner(out), &stderr
}

// say tells the parent.
func say(words ...any) {
	if _, err := fmt.Fprintln(os.Stdout, words...); err != nil {
		panic(err) // the parent is gone
	}
}

func openChild(pace journal.Pace) (*journal.Journal, error) {
	return journal.OpenPaced(context.Background(), journal.Config{
		Dir: os.Getenv(childDir), Node: "child", Retention: small(), Unanswered: 200 * time.Millisecond,
	}, pace)
}

func submitUntilKilled() error {
	base, err := strconv.Atoi(os.Getenv(childBase))
	if err != nil {
		return err
	}
	j, err := openChild(journal.Pace{})
	if err != nil {
		return err
	}
	go func() { _ = j.Run(context.Background()) }() // the process is killed
	// Bounded by what is in flight: 50 gifts.
	slots := make(chan struct{}, 50)
	for n := base; ; n++ {
		slots <- struct{}{}
		if err := j.Submit(gift("r1", n), func(_ journal.Receipt, err error) {
			if err == nil {
				say(n) // one write: in the kernel before the kill, or not at all
			}
			<-slots
		}); err != nil {
			return err
		}
	}
}

// TestKillLosesNothing kills a process three times in the middle of its work. What
// it said is stored must be there afterwards, once and in order.
func TestKillLosesNothing(t *testing.T) {
	dir := t.TempDir()
	said := make(map[string]bool)
	for kill := range 3 {
		cmd, lines, stderr := startChild(t, roleSubmit, dir, strconv.Itoa((kill+1)*1_000_000))
		for range 400 + 100*kill {
			if !lines.Scan() {
				t.Fatalf("the child ended: %s", stderr)
			}
			said["c-"+lines.Text()] = true
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it said before it died
			said["c-"+lines.Text()] = true
		}
		_ = cmd.Wait() // killed
	}
	j := openJournal(t, journal.Config{Dir: dir})
	run(t, j)
	last := store(t, j, gift("r1", 9_000_000)).Position
	stored := make(map[string]bool)
	newest := 0
	var after uint64
	for after < last.Seq {
		recs, err := j.Log(0).ReadGifts(bounded(t), after)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range recs {
			after = rec.Seq
			for _, e := range rec.Entries {
				id := e.Gift.ClientID
				if stored[id] {
					t.Errorf("%s is stored twice", id)
				}
				stored[id] = true
				n, err := strconv.Atoi(strings.TrimPrefix(id, "c-"))
				if err != nil || n <= newest {
					t.Errorf("%s comes after %d", id, newest)
				}
				newest = n
			}
		}
	}
	for id := range said {
		if !stored[id] {
			t.Errorf("%s was told as stored and is not there", id)
		}
	}
	t.Logf("%d told, %d stored", len(said), len(stored))
}

// submitUntilWedged lets the process write no file beyond a size, which to the
// server is what a full disk is.
func submitUntilWedged() error {
	signal.Ignore(syscall.SIGXFSZ)
	// A grace that the test would notice: a wedged store gets none.
	j, err := openChild(journal.Pace{Check: 50 * time.Millisecond, Wedged: time.Second, Grace: time.Minute})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- j.Run(context.Background()) }()
	limit := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	var telling sync.WaitGroup
	for n := 0; ; n++ {
		err := submitAndWait(j, n, &telling)
		if err != nil {
			say("refused", errors.Is(err, journal.ErrUnavailable), err)
			break
		}
	}
	say("healthy", j.Health() == nil)
	since := time.Now()
	err = <-ended
	telling.Wait()
	say("wedged", errors.Is(err, journal.ErrWedged), err)
	say("soon", time.Since(since) < 20*time.Second, time.Since(since))
	return j.Close()
}

// wedgeIdle takes the disk away from a journal that nobody uses.
func wedgeIdle() error {
	signal.Ignore(syscall.SIGXFSZ)
	j, err := openChild(journal.Pace{Check: 50 * time.Millisecond, Wedged: time.Second, Grace: 100 * time.Millisecond})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- j.Run(context.Background()) }()
	limit := syscall.Rlimit{Cur: 1, Max: 1}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	appended := make(chan error, 1)
	go func() {
		_, err := j.Log(0).AppendOutcome(context.Background(), 0, takeover(j, 1))
		appended <- err
	}()
	err = <-ended
	say("healthy", j.Health() == nil)
	appendErr := <-appended
	say("append", errors.Is(appendErr, journal.ErrWedged), appendErr)
	say("wedged", errors.Is(err, journal.ErrWedged), err)
	return j.Close()
}

// submitAndWait says when the gift is stored, and returns why it was refused. A gift
// without an answer is left behind after a while.
func submitAndWait(j *journal.Journal, n int, telling *sync.WaitGroup) error {
	heard := make(chan error, 1)
	telling.Add(1)
	if err := j.Submit(gift("r1", n), func(_ journal.Receipt, err error) {
		if err == nil {
			say("stored", n)
		}
		heard <- err
		telling.Done()
	}); err != nil {
		telling.Done()
		return err
	}
	select {
	case err := <-heard:
		return err
	case <-time.After(300 * time.Millisecond):
		return nil
	}
}

// TestAWedgedStoreEndsRun: it refuses at once, calls itself unhealthy, and gives up
// so that the process can be started again; then everything is there.
func TestAWedgedStoreEndsRun(t *testing.T) {
	dir := t.TempDir()
	cmd, lines, stderr := startChild(t, roleWedge, dir, "0")
	said := make(map[string]string)
	stored := 0
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		said[word] = rest
		if word == "stored" {
			stored++
		}
	}
	_ = cmd.Wait() // it exits with 1, as runChild does
	if !strings.HasPrefix(said["refused"], "true") || said["healthy"] != "false" || !strings.HasPrefix(said["wedged"], "true") {
		t.Errorf("the child said %v\n%s", said, stderr)
	}
	if !strings.HasPrefix(said["soon"], "true") {
		t.Errorf("it gave a publish more time: %s", said["soon"])
	}
	j := openJournal(t, journal.Config{Dir: dir})
	run(t, j)
	if got, _ := readGifts(t, j.Log(0), stored); len(got) < stored || stored == 0 {
		t.Errorf("%d gifts told as stored, %d are there", stored, len(got))
	}
	store(t, j, gift("r1", 1_000_000))
}

// TestAWedgedStoreIsNoticedWithoutGifts: the first gift must not be what finds it. An
// append that waits for the store ends with it.
func TestAWedgedStoreIsNoticedWithoutGifts(t *testing.T) {
	cmd, lines, stderr := startChild(t, roleIdle, t.TempDir(), "0")
	said := make(map[string]string)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		said[word] = rest
	}
	_ = cmd.Wait() // it exits with 1, as runChild does
	if said["healthy"] != "false" || !strings.HasPrefix(said["wedged"], "true") || !strings.HasPrefix(said["append"], "true") {
		t.Errorf("the child said %v\n%s", said, stderr)
	}
}
