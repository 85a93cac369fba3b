package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// The load of the benchmarks: what one node is meant to carry with ease.
const (
	benchRooms   = 50
	benchViewers = 3 // a room
	benchRate    = 1000
	benchTime    = 10 * time.Second
	benchZego    = 20 * time.Millisecond
)

// BenchmarkNodeAtRate gives 1,000 gifts a second over 50 rooms through the real binary
// on a real disk, with 20 ms of ZEGO. The rate is kept whatever the answers, and
// latencies count from when a gift was due. Clients and ZEGO share the machine with the
// node.
func BenchmarkNodeAtRate(b *testing.B) {
	for b.Loop() {
		bench(b, func(l *drill) {
			l.run(benchTime, benchRate)
			l.report("accept", l.accepts)
			l.report("result", l.results)
		})
	}
}

// BenchmarkNodeFlatOut has 150 viewers with up to 16 unanswered gifts each: how many
// gifts a second one node makes durable.
func BenchmarkNodeFlatOut(b *testing.B) {
	for b.Loop() {
		bench(b, func(l *drill) {
			took := l.flatOut(5*time.Second, 16)
			b.ReportMetric(float64(l.sent.Load())/took.Seconds(), "gifts/s")
			l.report("accept", l.accepts)
		})
	}
}

// drill is the clients' side of a benchmark.
type drill struct {
	b       *testing.B
	node    *served
	viewers []*giver
	accepts *latencies
	results *latencies
	sent    atomic.Int64
	due     sync.Map // id -> when it was due
}

// giver is a viewer that gives.
type giver struct {
	conn  *client.Conn
	slots chan struct{} // of unanswered gifts, where they are bounded
}

func bench(b *testing.B, drive func(*drill)) {
	b.Helper()
	w := newWorld(b)
	w.sim.Fail(zegotest.Rule{Action: zego.ActionGifts, Fault: zegotest.Slow(benchZego)})
	n := w.serve(b, "--limit-gifts", "1000000/1000000", "--limit-frames", "1000000/1000000")
	l := &drill{b: b, node: n, accepts: new(latencies), results: new(latencies)}
	ctx, stop := context.WithCancel(context.Background())
	var readers sync.WaitGroup
	for r := range benchRooms {
		roomID := fmt.Sprint("r", r)
		n.put(b, roomID)
		for v := range benchViewers {
			conn, err := client.Dial(ctx, client.Config{URL: "http://" + n.public, Room: roomID, Token: tokenFor(b, fmt.Sprint("u", r, "x", v))})
			if err != nil {
				b.Fatal(err)
			}
			g := &giver{conn: conn, slots: make(chan struct{}, 16)}
			l.viewers = append(l.viewers, g)
			readers.Go(func() { l.listen(ctx, g) })
			if err := conn.Send(ctx, wire.CommentFrame{ID: "j", Text: "5"}); err != nil {
				b.Fatal(err)
			}
		}
	}
	// A new owner leaves most of ZEGO's budget of its first second to the calls of the one
	// before it (room.TakeoverCalls). That is a restart's price, not the steady state's.
	<-time.After(2 * time.Second)
	before := n.mallocs(b)
	drive(l)
	b.ReportMetric(float64(n.mallocs(b)-before)/float64(l.sent.Load()), "server-allocs/gift")
	// Every gift that was accepted is delivered once.
	for r := range benchRooms {
		n.settled(b, fmt.Sprint("r", r))
	}
	if got := w.sim.Tally(); got.Delivered != uint64(l.sent.Load()) || got.Doubled != 0 { //nolint:gosec // not negative
		b.Errorf("%d gifts given, %d doubled, of %d", got.Delivered, got.Doubled, l.sent.Load())
	}
	stop()
	for _, g := range l.viewers {
		_ = g.conn.Cut() // it has ended with ctx
	}
	readers.Wait()
	n.kill()
}

func (l *drill) listen(ctx context.Context, g *giver) {
	for {
		ev, err := g.conn.Next(ctx)
		if err != nil {
			return
		}
		switch e := ev.(type) {
		case wire.Accepted:
			l.took(e.ID, l.accepts)
			select {
			case <-g.slots:
			default:
			}
		case wire.Result:
			l.took(e.ID, l.results)
			if e.Status != room.Delivered.String() {
				l.b.Errorf("gift %s: %+v", e.ID, e)
			}
		case wire.Rejected:
			l.b.Errorf("gift %s rejected: %+v", e.ID, e)
		}
	}
}

func (l *drill) took(id string, into *latencies) {
	if at, ok := l.due.Load(id); ok {
		into.add(time.Since(at.(time.Time)))
	}
}

// give sends a viewer's gift that was due at a time.
func (l *drill) give(g *giver, due time.Time) {
	id := "c" + strconv.FormatInt(l.sent.Add(1), 10)
	l.due.Store(id, due)
	if err := g.conn.Send(context.Background(), wire.GiftFrame{ID: id, GiftID: "g1", Count: 10}); err != nil {
		l.b.Errorf("send: %v", err)
	}
}

// run keeps a rate of gifts from random viewers.
func (l *drill) run(d time.Duration, perSecond int) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a benchmark's dice
	start := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	total := int(d.Seconds() * float64(perSecond))
	for i := 0; i < total; <-tick.C {
		for ; i < total; i++ {
			due := start.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
			if due.After(time.Now()) {
				break
			}
			l.give(l.viewers[random.IntN(len(l.viewers))], due)
		}
	}
	until(l.b, "results of all gifts", func(context.Context) bool { return l.results.count() == total })
}

// flatOut has every viewer give as soon as one of its gifts is accepted.
func (l *drill) flatOut(d time.Duration, unanswered int) time.Duration {
	start := time.Now()
	var all sync.WaitGroup
	for _, g := range l.viewers {
		g.slots = make(chan struct{}, unanswered)
		all.Go(func() {
			for time.Since(start) < d {
				g.slots <- struct{}{}
				l.give(g, time.Now())
			}
		})
	}
	all.Wait()
	until(l.b, "acceptances of all gifts", func(context.Context) bool { return l.accepts.count() == int(l.sent.Load()) })
	took := time.Since(start)
	until(l.b, "results of all gifts", func(context.Context) bool { return l.results.count() == int(l.sent.Load()) })
	return took
}

// latencies are measured durations.
type latencies struct {
	mu  sync.Mutex
	all []time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	l.all = append(l.all, d)
	l.mu.Unlock()
}

func (l *latencies) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

func (l *drill) report(name string, of *latencies) {
	of.mu.Lock()
	defer of.mu.Unlock()
	slices.Sort(of.all)
	at := func(q float64) float64 {
		return float64(of.all[int(q*float64(len(of.all)-1))]) / float64(time.Millisecond)
	}
	l.b.ReportMetric(at(0.5), name+"-p50-ms")
	l.b.ReportMetric(at(0.99), name+"-p99-ms")
}

// mallocs is how many objects the node has allocated.
func (n *served) mallocs(tb testing.TB) float64 {
	tb.Helper()
	_, body := get(context.Background(), "http://"+n.admin+"/metrics", "")
	const name = "\ngo_memstats_mallocs_total "
	_, after, ok := bytes.Cut(body, []byte(name))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	value, err := strconv.ParseFloat(string(line), 64)
	if !ok || err != nil {
		tb.Fatalf("no %s in the metrics", name)
	}
	return value
}
