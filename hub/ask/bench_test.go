package ask_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/ask"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

const (
	pace        = time.Millisecond      // 1,000 gifts a second
	paceRepeats = 10 * time.Millisecond // 100 repeats a second among them
)

// BenchmarkAccept is what the question costs on the way of a gift from its coming in to
// its being durable, at 1,000 gifts a second: two nodes over one NATS on loopback, the
// gifts come in at one and the rooms are owned by the other.
//
//   - journal: nobody is asked.
//   - ask elsewhere, ask here: the id is looked up first, then the gift is journaled.
//   - repeat elsewhere: the id was decided, so the owner reads a record of up to 500
//     decisions from the log; nothing is journaled. 100 a second.
//
// Run it with -benchtime 5000x: 5 s each, and 50 s of repeats.
func BenchmarkAccept(b *testing.B) {
	for _, c := range []struct {
		name         string
		ask, journal bool
		here         bool
	}{
		{name: "journal", journal: true},
		{name: "ask elsewhere", ask: true, journal: true},
		{name: "ask here", ask: true, journal: true, here: true},
		{name: "only the question elsewhere", ask: true},
	} {
		b.Run(c.name, func(b *testing.B) {
			owning, other := pair(b)
			owning.publish(b)
			other.publish(b)
			owning.own(b)
			n := other
			if c.here {
				n = owning
			}
			warm(b, n)
			var unsure atomic.Int64
			paced(b, pace, func(i int, done func()) {
				g := giftOf(fmt.Sprint(i))
				if c.ask {
					if _, err := n.Lookup(context.Background(), "r", g.MsgID); errors.Is(err, owner.ErrNotReady) {
						unsure.Add(1) // the machine is too slow for the pace
					} else if err != nil {
						b.Error(err)
					}
				}
				if !c.journal {
					done()
					return
				}
				n.submit(b, g, done)
			})
			b.ReportMetric(float64(unsure.Load()), "unsure")
		})
	}
	b.Run("repeat elsewhere", func(b *testing.B) {
		owning, other := pair(b)
		owning.publish(b)
		owning.own(b)
		ids := warm(b, owning)
		paced(b, paceRepeats, func(i int, done func()) {
			if known, err := other.Lookup(context.Background(), "r", ids[i%len(ids)]); err != nil || known.Gift == nil {
				b.Error(known, err)
			}
			done()
		})
	})
}

// BenchmarkAsk is questions without a pace: time and garbage.
func BenchmarkAsk(b *testing.B) {
	a, other := pair(b)
	f := fullFake(b)
	f.known.Knowledge, f.known.Gift = 0, nil
	a.serve(b, f)
	for name, n := range map[string]*node{"here": a, "elsewhere": other} {
		for _, kind := range ask.Kinds() {
			b.Run(name+"/"+string(kind), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := n.put(b.Context(), kind); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// warm brings 200 gifts in and waits until they are decided.
func warm(b *testing.B, n *node) (ids []room.MsgID) {
	b.Helper()
	for i := range 200 {
		g := giftOf(fmt.Sprint("warm", i))
		n.accept(b, g)
		ids = append(ids, g.MsgID)
	}
	poll(b, "all is delivered", func() bool {
		s, err := n.State(b.Context(), "r")
		return err == nil && s.Totals.Delivered == 200
	})
	return ids
}

func (n *node) submit(b *testing.B, g *room.Gift, done func()) {
	b.Helper()
	err := n.journal.Submit(journal.Entry{Gift: g}, func(_ journal.Receipt, err error) {
		if err != nil {
			b.Error(err)
		}
		done()
	})
	if err != nil {
		b.Error(err)
		done()
	}
}

// paced begins one each pace, however long the others take, and reports how long they
// took.
func paced(b *testing.B, pace time.Duration, one func(i int, done func())) {
	b.Helper()
	took := make([]time.Duration, b.N)
	var all sync.WaitGroup
	all.Add(b.N)
	b.ResetTimer()
	for i, began := 0, time.Now(); i < b.N; i++ {
		due := began.Add(time.Duration(i) * pace)
		<-time.After(time.Until(due))
		due = time.Now()   // the timer's lateness is not the question's
		go one(i, func() { // joined by all
			took[i] = time.Since(due)
			all.Done()
		})
	}
	all.Wait()
	b.StopTimer()
	slices.Sort(took)
	at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Microseconds()) }
	b.ReportMetric(at(0.5), "p50-µs")
	b.ReportMetric(at(0.99), "p99-µs")
	b.ReportMetric(0, "ns/op") // the pace, not a cost
}
