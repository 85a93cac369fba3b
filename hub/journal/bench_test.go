package journal_test

import (
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
)

// gifters are how many people give at once, each waiting for the answer before
// giving again.
var gifters = []int{1, 64, 512}

// BenchmarkGroupCommit stores gifts as the hub does; compare gifts/s and accept
// times with BenchmarkOnePublishPerGift, run together:
//
//	go test -run '^$' -bench 'GroupCommit|OnePublish' ./hub/journal
func BenchmarkGroupCommit(b *testing.B) {
	for _, n := range gifters {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			j := benchJournal(b)
			give(b, n, func(e journal.Entry, _ uint64) error {
				heard := make(chan error, 1)
				if err := j.Submit(e, func(_ journal.Receipt, err error) { heard <- err }); err != nil {
					return err
				}
				return <-heard
			})
			s := j.Stats()
			b.ReportMetric(float64(s.Entries)/float64(s.Records), "gifts/record")
		})
	}
}

// BenchmarkOnePublishPerGift is what group commit replaces: a synchronous publish
// for every gift, of as many gifters.
func BenchmarkOnePublishPerGift(b *testing.B) {
	for _, n := range gifters {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			j := benchJournal(b)
			give(b, n, func(e journal.Entry, n uint64) error { return j.PublishOne(b.Context(), e, n) })
		})
	}
}

// benchJournal is an embedded journal that syncs before it answers, in the
// repository's .bench folder: a real disk, where /tmp may be memory.
func benchJournal(b *testing.B) *journal.Journal {
	b.Helper()
	const root = "../../.bench"
	if err := os.MkdirAll(root, 0o700); err != nil {
		b.Fatal(err)
	}
	dir, err := os.MkdirTemp(root, "journal-") //nolint:usetesting // another disk
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	})
	r := small()
	r.GiftBytes = 8 << 30
	j := openJournal(b, journal.Config{Dir: dir, Retention: r})
	run(b, j)
	return j
}

// give has n gifters store b.N gifts, and reports gifts/s and how long one waits.
func give(b *testing.B, n int, store func(journal.Entry, uint64) error) {
	b.Helper()
	entries := make([]journal.Entry, 1000)
	for i := range entries {
		entries[i] = gift("r1", i)
	}
	var next atomic.Int64
	took := make([][]time.Duration, n)
	var giving sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for g := range n {
		giving.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				begun := time.Now()
				if err := store(entries[int(i)%len(entries)], uint64(i)); err != nil {
					b.Error(err)
					return
				}
				took[g] = append(took[g], time.Since(begun))
			}
		})
	}
	giving.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "gifts/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}
