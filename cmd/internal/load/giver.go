package load

import (
	"slices"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
)

// giver is the sending side of a viewer that gives. What is due waits here while there is
// no connection, as it does in an app.
type giver struct {
	// Set at birth.
	worker *worker
	tally  *tally
	queue  chan job

	mu    sync.Mutex // guards all below
	open  map[int]struct{}
	again *time.Timer   // asks again later; nil: not
	ask   chan struct{} // of one: everything that is open is to be asked for again
}

// job is a gift, or a frame without an answer.
type job struct {
	serial int
	frame  []byte // nil: it is a gift
	due    time.Duration
}

const (
	// queueMax is what waits for one giver: at the hub's 20 gifts/s of a user, 12 s.
	queueMax = 256
	// answerTime is how long a gift without any answer is waited for, on a connection that
	// stands, until it is asked for again under the same id.
	answerTime = 10 * time.Second
	// repeatEvery is how far apart repeats are, so that they do not use up the user's
	// 20 gifts a second that new gifts need.
	repeatEvery = 100 * time.Millisecond
)

func newGiver(w *worker, t *tally) *giver {
	return &giver{
		worker: w, tally: t, queue: make(chan job, queueMax),
		open: make(map[int]struct{}), ask: make(chan struct{}, 1),
	}
}

// post takes a job without waiting; false: the queue is full.
func (g *giver) post(j job) bool {
	select {
	case g.queue <- j:
		return true
	default:
		return false
	}
}

// over forgets a gift of which nothing more is awaited.
func (g *giver) over(serial int) {
	g.mu.Lock()
	delete(g.open, serial)
	g.mu.Unlock()
}

// askAgain repeats everything that is open after a time, on whatever connection there is
// then.
func (g *giver) askAgain(after time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.again != nil {
		g.again.Stop()
	}
	g.again = time.AfterFunc(after, func() { // it does not block: nothing has to join it
		select {
		case g.ask <- struct{}{}:
		default:
		}
	})
}

// rest ends what askAgain began.
func (g *giver) rest() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.again != nil {
		g.again.Stop()
	}
}

// opened lists the gifts without a final answer, oldest first.
func (g *giver) opened() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]int, 0, len(g.open))
	for serial := range g.open {
		all = append(all, serial)
	}
	slices.Sort(all)
	return all
}

// write sends on a connection that stands, until it is over: the word by which the
// viewer joins the game, what is open once more, and what is due.
func (g *giver) write(c *conn, number uint32, over <-chan struct{}) {
	stood := g.worker.clock.now()
	if word := g.worker.plan.Config.Gifts.Join; word != "" && number == 1 {
		if c.send(wire.CommentFrame{ID: "join", Text: word}.Append(nil)) != nil {
			return
		}
	}
	tick := time.NewTicker(repeatEvery)
	defer tick.Stop()
	silence := time.NewTicker(answerTime)
	defer silence.Stop()
	repeats := g.opened()
	for {
		var repeat <-chan time.Time
		if len(repeats) > 0 {
			repeat = tick.C
		}
		var err error
		select {
		case j := <-g.queue:
			err = g.do(c, number, j, stood)
		case <-repeat:
			err = g.repeat(c, number, repeats[0])
			repeats = repeats[1:]
		case <-g.ask:
			repeats = g.opened()
		case <-silence.C:
			repeats = append(repeats, g.worker.book.silent(g.opened(), g.worker.clock.now()-answerTime)...)
		case <-over:
			return
		}
		if err != nil {
			c.cut() // its reader notices
			return
		}
	}
}

// do does a job on a connection that has stood since a time.
func (g *giver) do(c *conn, number uint32, j job, stood time.Duration) error {
	if j.frame != nil {
		g.tally.count(Chat)
		return c.send(j.frame)
	}
	g.mu.Lock()
	g.open[j.serial] = struct{}{}
	g.mu.Unlock()
	err := g.give(c, number, j.serial, j.due)
	if j.due >= stood { // else it had to wait for the connection
		g.tally.record(Late, g.worker.clock.now()-j.due)
	}
	g.tally.count(Sent)
	return err
}

// repeat asks for a gift again, if it is still open.
func (g *giver) repeat(c *conn, number uint32, serial int) error {
	g.mu.Lock()
	_, open := g.open[serial]
	g.mu.Unlock()
	if !open {
		return nil
	}
	g.tally.count(Repeats)
	return g.give(c, number, serial, g.worker.book.due(serial))
}

// give writes a gift. Whether it has arrived, the answer tells.
func (g *giver) give(c *conn, number uint32, serial int, due time.Duration) error {
	w := g.worker
	w.book.sending(serial, number)
	receiver := tag{due: due, worker: w.plan.Worker, serial: serial}.String()
	return c.send(wire.GiftFrame{
		ID: w.book.id(serial), GiftID: w.plan.Config.Gifts.GiftID, Count: w.plan.Config.Gifts.Count, Receiver: &receiver,
	}.Append(nil))
}
