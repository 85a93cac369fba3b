package ask

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/owner"
)

// counter is where one partition's questions are answered.
type counter struct {
	// Set at birth.
	desk        *Desk
	incarnation string
	partition   Partition
	life        context.Context //nolint:containedctx // questions come from a subscription, not from a caller with a context
	cancel      context.CancelFunc
	closed      atomic.Bool // set under mu

	mu    sync.Mutex     // makes closing and the beginning of an answer exclude each other
	group sync.WaitGroup // the answers that are being made
}

func newCounter(d *Desk, incarnation string, p Partition) *counter {
	life, cancel := context.WithCancel(context.Background())
	return &counter{desk: d, incarnation: incarnation, partition: p, life: life, cancel: cancel}
}

// close ends the answers that are being made, and waits for them.
func (c *counter) close() {
	c.mu.Lock()
	c.closed.Store(true)
	c.mu.Unlock()
	c.cancel()
	c.group.Wait()
}

// ask puts a question to the partition. What it said counts only if it is owned still
// after it was read: a process can be stopped between any two instructions.
func (c *counter) ask(ctx context.Context, q *question) (reply, error) {
	r, err := respond(ctx, c.partition, q)
	if !c.partition.Ready() || c.closed.Load() || !c.desk.cfg.Valid() {
		return reply{}, owner.ErrNotReady
	}
	return r, err
}

// hear takes one message of another node. It does not block.
func (c *counter) hear(data []byte, give func([]byte)) {
	stats := &c.desk.stats
	q, err := decodeQuestion(data)
	switch {
	case errors.Is(err, ErrVersion):
		stats.foreign.Add(1)
		c.give(give, &answer{Code: codeVersion, Text: clip(err.Error())})
	case err != nil:
		stats.unreadable.Add(1)
		c.give(give, &answer{Code: codeFailed, Text: clip(err.Error())})
	case !c.desk.cfg.Valid():
		// Who has the partition now may hear the same question: what it says must not
		// come second.
		stats.silent.Add(1)
	case q.Kind == kindComment, q.Kind == kindLike:
		// Here, so that one node's keep their order.
		if _, err := respond(c.life, c.partition, q); err != nil {
			stats.dropped.Add(1)
		}
	case !c.begin(q, give):
		stats.busy.Add(1)
		c.give(give, &answer{Code: codeBusy})
	}
}

// begin answers a question on a goroutine that close joins; false: there are too many.
func (c *counter) begin(q *question, give func([]byte)) bool {
	places := c.desk.questions
	if q.Kind == kindLedger {
		places = c.desk.pages
	}
	select {
	case places <- struct{}{}:
	default:
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Load() { // whoever asks finds the partition elsewhere, or soon will
		<-places
		c.desk.stats.notReady.Add(1)
		c.give(give, &answer{Code: codeNotReady})
		return true
	}
	c.group.Go(func() {
		defer func() { <-places }()
		c.answer(q, give)
	})
	return true
}

// answer makes one answer and gives it, unless the lease has run out over it.
func (c *counter) answer(q *question, give func([]byte)) {
	ctx, cancel := context.WithTimeout(c.life, min(q.Kind.most(), time.Duration(q.Within)*time.Millisecond))
	defer cancel()
	r, err := c.ask(ctx, q)
	a := &answer{Code: codeOf(err), Reply: r}
	if err != nil {
		a.Text, a.Reply = clip(err.Error()), reply{}
	}
	if !c.desk.cfg.Valid() {
		c.desk.stats.silent.Add(1)
		return
	}
	c.count(a.Code)
	if a.Code == codeFailed {
		c.desk.cfg.Logger.Warn("a question could not be answered",
			slog.String("kind", string(q.Kind)), slog.String("room", q.Room), slog.Any("error", err))
	}
	c.give(give, a)
}

func (c *counter) count(code code) {
	stats := &c.desk.stats
	switch code {
	case codeNotReady:
		stats.notReady.Add(1)
	case codeFailed:
		stats.failed.Add(1)
	default:
		stats.answered.Add(1)
	}
}

// give sends an answer.
func (c *counter) give(give func([]byte), a *answer) {
	a.V, a.Node, a.Incarnation = version, c.desk.cfg.Node, c.incarnation
	data, err := encodeAnswer(a, cluster.MessageMax)
	if err != nil {
		c.desk.stats.failed.Add(1)
		c.desk.cfg.Logger.Error("an answer cannot be sent", slog.Any("error", err))
		return
	}
	give(data)
}
