package journal_test

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// cable is the connections between a journal and its server, with faults.
type cable struct {
	// deaf loses what the server says, mute what the journal says.
	deaf, mute atomic.Bool

	mu    sync.Mutex
	conns []net.Conn
}

// Dial is what nats.SetCustomDialer wants.
func (c *cable) Dial(network, address string) (net.Conn, error) {
	conn, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
	return &plug{Conn: conn, cable: c}, nil
}

// cut ends the faults with the connections that suffered them: a stream of bytes
// with a hole in it cannot go on.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
	c.deaf.Store(false)
	c.mute.Store(false)
}

type plug struct {
	net.Conn
	cable *cable
	lost  atomic.Bool // this connection has lost bytes
}

func (p *plug) Read(b []byte) (int, error) {
	for {
		n, err := p.Conn.Read(b)
		if err != nil || !p.cable.deaf.Load() && !p.lost.Load() {
			return n, err
		}
		p.lost.Store(true)
	}
}

func (p *plug) Write(b []byte) (int, error) {
	if p.cable.mute.Load() {
		return len(b), nil
	}
	return p.Conn.Write(b)
}

// faulty is a running journal behind a cable, and the streams seen from elsewhere.
type faulty struct {
	*journal.Journal
	*cable
	stop func()
	url  string
}

// short are times for faults: an answer is late after 100 ms.
func startFaulty(t *testing.T, pace journal.Pace) *faulty {
	t.Helper()
	s := natstest.Start(t)
	f := &faulty{cable: &cable{}, url: s.URL()}
	f.Journal = openPaced(t, journal.Config{
		NATSURL: f.url, Partitions: 1, Unanswered: 100 * time.Millisecond,
		NATSOptions: []nats.Option{nats.SetCustomDialer(f.cable)},
	}, pace)
	f.stop = run(t, f.Journal)
	t.Cleanup(f.cut) // before stop, so that Run can end in peace
	store(t, f.Journal, gift("r1", 0))
	return f
}

func TestALostAnswerIsFoundOut(t *testing.T) {
	f := startFaulty(t, journal.Pace{})
	js := natstest.ByHand(t, f.url)
	f.deaf.Store(true)
	first := submit(t, f.Journal, gift("r1", 1))
	eventually(t, "the gift is stored", func() bool { return streamState(t, js, "GIFTS").LastSeq == 2 })
	// What waits behind it was handed to nobody.
	if err := waitRefused(t, f.Journal, 2); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("behind an unanswered publish: %v", err)
	}
	if err := f.Health(); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("Health: %v", err)
	}
	select {
	case got := <-first:
		t.Fatalf("told %+v of a publish without an answer", got)
	default:
	}
	f.cut()
	if got := wait(t, first, "answer"); got.err != nil || got.receipt.Position.Seq != 2 {
		t.Errorf("told %+v", got)
	}
	eventually(t, "healthy again", func() bool { return f.Health() == nil })
	store(t, f.Journal, gift("r1", 3))
	got, _ := readGifts(t, f.Log(0), 3)
	if len(got) != 3 || got[1].Gift.ClientID != "c-1" || got[2].Gift.ClientID != "c-3" {
		t.Errorf("stored: %v", clientIDs(got))
	}
	if f.Stats().Resends == 0 {
		t.Error("nothing was repeated")
	}
	if len(first) != 0 {
		t.Error("done was called twice")
	}
}

// waitRefused submits gifts until one is refused, at once or later, and returns
// why.
func waitRefused(t *testing.T, j *journal.Journal, n int) error {
	t.Helper()
	heard := make(chan error, 1)
	if err := j.Submit(gift("r1", n), func(_ journal.Receipt, err error) { heard <- err }); err != nil {
		return err
	}
	return wait(t, heard, "refusal")
}

func clientIDs(entries []journal.Entry) (ids []string) {
	for _, e := range entries {
		ids = append(ids, e.Gift.ClientID)
	}
	return ids
}

func TestALostPublishIsRepeated(t *testing.T) {
	f := startFaulty(t, journal.Pace{})
	f.mute.Store(true)
	heard := submit(t, f.Journal, gift("r1", 1))
	eventually(t, "repeats", func() bool { return f.Stats().Resends > 0 })
	f.cut()
	if got := wait(t, heard, "answer"); got.err != nil || got.receipt.Position.Seq != 2 {
		t.Errorf("told %+v", got)
	}
}

// TestALateRepeatIsLookedUpFirst: the store has forgotten the id, so that a repeat
// would be stored twice.
func TestALateRepeatIsLookedUpFirst(t *testing.T) {
	for name, loseRequest := range map[string]bool{"answers are lost": false, "publishes are lost": true} {
		t.Run(name, func(t *testing.T) {
			f := startFaulty(t, journal.Pace{Window: 300 * time.Millisecond, Repeat: 150 * time.Millisecond})
			js := natstest.ByHand(t, f.url)
			f.mute.Store(loseRequest)
			f.deaf.Store(true)
			heard := submit(t, f.Journal, gift("r1", 1))
			if !loseRequest {
				eventually(t, "the gift is stored", func() bool { return streamState(t, js, "GIFTS").LastSeq == 2 })
			}
			stay(1000) // three windows: the id is forgotten
			f.cut()
			if got := wait(t, heard, "answer"); got.err != nil || got.receipt.Position.Seq != 2 {
				t.Errorf("told %+v", got)
			}
			eventually(t, "healthy again", func() bool { return f.Health() == nil })
			store(t, f.Journal, gift("r1", 2))
			if got, _ := readGifts(t, f.Log(0), 3); len(got) != 3 || got[1].Gift.ClientID != "c-1" || got[2].Gift.ClientID != "c-2" {
				t.Errorf("stored: %v", clientIDs(got))
			}
			if last := streamState(t, js, "GIFTS").LastSeq; last != 3 {
				t.Errorf("%d records stored, 3 were published", last)
			}
		})
	}
}

func TestAnEndWithoutAnAnswerIsUnknown(t *testing.T) {
	f := startFaulty(t, journal.Pace{Grace: 200 * time.Millisecond})
	f.deaf.Store(true)
	inFlight := submit(t, f.Journal, gift("r1", 1))
	eventually(t, "the publish is in flight", func() bool { return f.Stats().QueuedEntries == 0 })
	behind := submit(t, f.Journal, gift("r1", 2))
	f.stop()
	if got := wait(t, inFlight, "answer"); !errors.Is(got.err, journal.ErrUnknown) {
		t.Errorf("in flight: %v", got.err)
	}
	if got := wait(t, behind, "answer"); !errors.Is(got.err, journal.ErrClosed) && !errors.Is(got.err, journal.ErrUnavailable) {
		t.Errorf("behind it: %v", got.err)
	}
}

// TestAPublishInFlightGetsTimeToEnd: ending Run does not make an answer unknown
// that comes in time.
func TestAPublishInFlightGetsTimeToEnd(t *testing.T) {
	f := startFaulty(t, journal.Pace{})
	f.mute.Store(true)
	heard := submit(t, f.Journal, gift("r1", 1))
	eventually(t, "repeats", func() bool { return f.Stats().Resends > 0 })
	stopped := make(chan struct{})
	go func() { defer close(stopped); f.stop() }()
	f.cut()
	if got := wait(t, heard, "answer"); got.err != nil {
		t.Errorf("told %v", got.err)
	}
	wait(t, stopped, "end of Run")
}

// stay leaves things as they are for some milliseconds.
func stay(ms int) { <-time.After(time.Duration(ms) * time.Millisecond) }

// TestAServerThatGoesAwayAndReturns: unready, refusing, and well again by itself.
func TestAServerThatGoesAwayAndReturns(t *testing.T) {
	s := natstest.Start(t)
	j := openPaced(t, journal.Config{NATSURL: s.URL(), Partitions: 1, Unanswered: 200 * time.Millisecond},
		journal.Pace{Check: 50 * time.Millisecond})
	run(t, j)
	store(t, j, gift("r1", 1))
	s.Stop()
	eventually(t, "Health tells", func() bool { return errors.Is(j.Health(), journal.ErrUnavailable) })
	if err := j.Submit(gift("r1", 2), func(journal.Receipt, error) { t.Error("done was called") }); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("Submit: %v", err)
	}
	s.Start()
	eventually(t, "healthy again", func() bool { return j.Health() == nil })
	store(t, j, gift("r1", 3))
	if got, _ := readGifts(t, j.Log(0), 2); got[1].Gift.ClientID != "c-3" || got[0].Gift.MsgID != room.NewMsgID(7, "r1", "u1", "c-1") {
		t.Errorf("stored: %v", clientIDs(got))
	}
}
