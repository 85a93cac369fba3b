package audience_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// chain checks one viewer's chain of resumes: every number once, in order, gaps
// announced; every result heard at least once.
type chain struct {
	last    uint64
	results map[string]int
	fault   string // the first
}

func (c *chain) wrong(format string, args ...any) {
	if c.fault == "" {
		c.fault = fmt.Sprintf(format, args...)
	}
}

func (c *chain) follow(events []wire.Event, resumed bool) {
	here := make(map[string]bool) // results heard on this connection
	for i, e := range events {
		switch e := e.(type) {
		case wire.Welcome:
			if i != 0 || e.Resumed != resumed || resumed && e.Seq != c.last {
				c.wrong("event %d is %+v, last heard %d", i, e, c.last)
			}
			c.last = e.Seq
		case wire.Gifts:
			if e.Seq != c.last+1 {
				c.wrong("gifts %d after %d", e.Seq, c.last)
			}
			c.last = e.Seq
		case wire.Lagged:
			if e.From != c.last+1 || e.To < e.From {
				c.wrong("lagged %+v after %d", e, c.last)
			}
			c.last = e.To
		case wire.Result:
			if c.results[e.ID]++; here[e.ID] {
				c.wrong("result of %s twice on one connection", e.ID)
			}
			here[e.ID] = true
		}
	}
}

// TestAnyCut: whatever is decided, wherever the connection is cut, whatever was read
// before and however small the bounds are, the chain holds.
func TestAnyCut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		limits := audience.Limits{
			OutboxEvents: rapid.SampledFrom([]int{2, 5, 1000}).Draw(rt, "outbox"),
			HistoryBytes: rapid.SampledFrom([]int{500, 3000, 1 << 20}).Draw(rt, "history"),
		}
		script := rapid.SliceOfN(rapid.SampledFrom([]string{
			"delivered", "failed", "mine", "gap", "cut", "cut early", "stall", "go on", "like",
		}), 1, 60).Draw(rt, "script")
		c := &chain{results: make(map[string]int)}
		prompt := rapid.Bool().Draw(rt, "prompt")
		open(t, limits, func(th *theatre) {
			th.prompt = prompt
			v := th.join("ann", -1)
			resumed, slow, seq := false, false, uint64(0)
			var sent []string
			for i, step := range script {
				id := fmt.Sprint(i)
				switch step {
				case "delivered":
					seq++
					th.Decided(news(seq, delivered("bo", id)))
				case "failed":
					th.Decided(news(seq, failed("bo", id)))
				case "mine":
					seq++
					sent = append(sent, id)
					th.Decided(news(seq, delivered("ann", id)))
				case "gap":
					seq += 2
					th.Decided(news(seq, delivered("bo", id)))
				case "like":
					th.Like("r1", 1)
					th.wait(100 * time.Millisecond)
				case "stall":
					if v.stall == nil {
						v.block()
					}
				case "go on":
					if v.stall != nil {
						v.unblock()
					}
				case "cut", "cut early":
					if step == "cut" {
						synctest.Wait() // what can be read is read
					}
					v.breaks()
					v.Leave()
					if v.stall != nil {
						v.unblock()
					}
					events := v.heard()
					if step == "cut early" { // some were received, but not seen by the app
						events = events[:len(events)*(i%4)/3]
					}
					slow = slow || !v.Ending().IsZero()
					if len(events) > 0 {
						c.follow(events, resumed)
					}
					v = th.join("ann", int(c.last))
					resumed = true
				}
			}
			if v.stall != nil {
				v.unblock()
			}
			synctest.Wait()
			c.follow(v.heard(), resumed)
			if c.last != seq && v.Ending().IsZero() {
				c.wrong("heard up to %d of %d", c.last, seq)
			}
			slow = slow || !v.Ending().IsZero()
			if limits.HistoryBytes == 1<<20 && !slow {
				for _, id := range sent {
					if c.results[id] == 0 {
						c.wrong("the result of %s was never heard", id)
					}
				}
			}
			v.Leave()
		})
		if c.fault != "" {
			rt.Fatal(c.fault)
		}
	})
}

// TestResumeWhileTold: connections come and go while the room is told of gifts as
// fast as it can be; in real time, for the race detector.
func TestResumeWhileTold(t *testing.T) {
	t.Parallel()
	h, err := audience.New(audience.Limits{HistoryBytes: 20_000, OutboxEvents: 50})
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, h)
	th := &theatre{House: h, t: t, prompt: true}
	const last = 3000
	var group sync.WaitGroup
	group.Go(func() {
		for seq := uint64(1); seq <= last; seq++ {
			h.Decided(news(seq, delivered("ann", fmt.Sprint(seq)), failed("bo", fmt.Sprint(seq))))
			h.Like("r1", 1)
			h.Comment("r1", wire.Comment{Text: "x"})
			h.GameChanged("r1", "g", room.Game{})
		}
	})
	for _, user := range []string{"ann", "ann", "bo", "carl"} {
		group.Go(func() {
			c := &chain{results: make(map[string]int)}
			v := th.join(user, -1)
			for resumed := false; c.last < last && c.fault == ""; resumed = true {
				v.breaks()
				v.Leave()
				c.follow(v.heard(), resumed)
				v = th.join(user, int(c.last))
			}
			v.Leave()
			if c.fault != "" {
				t.Errorf("%s: %s", user, c.fault)
			}
		})
	}
	group.Wait()
	stop()
	if got := h.Stats().Viewers; got != 0 {
		t.Errorf("%d viewers are left", got)
	}
}

// TestSweepWhileJoining: a hall is not swept away under someone who comes in.
func TestSweepWhileJoining(t *testing.T) {
	t.Parallel()
	h, err := audience.New(audience.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, h)
	th := &theatre{House: h, t: t}
	quit := make(chan struct{})
	var group sync.WaitGroup
	for range 4 { // more than Run has, so that it happens between two steps of one
		group.Go(func() {
			for {
				select {
				case <-quit:
					return
				default:
					h.Sweep(time.Now().Add(time.Hour))
				}
			}
		})
	}
	for range 10_000 {
		v := th.join("ann", -1)
		if got := h.Viewers("r1"); got != 1 {
			t.Errorf("%d viewers, want 1", got)
		}
		v.Leave()
	}
	close(quit)
	group.Wait()
	stop()
}
