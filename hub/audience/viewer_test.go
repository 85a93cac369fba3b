package audience_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// viewer is a connection that remembers what it was told. While it is stalled,
// writing to it blocks.
type viewer struct {
	*audience.Member
	user string

	mu     sync.Mutex
	stall  chan struct{} // closed to go on; nil: not stalled
	events []wire.Event
	frames []int // sizes
	byes   []wire.CloseCode
	cut    bool // the connection is broken
}

var errCut = errors.New("connection is cut")

func (v *viewer) WriteFrame(frame []byte) error {
	v.mu.Lock()
	stall := v.stall
	v.mu.Unlock()
	if stall != nil {
		<-stall
	}
	events, err := wire.Parse(payload(frame))
	if err != nil {
		panic(err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cut {
		return errCut
	}
	v.events = append(v.events, events...)
	v.frames = append(v.frames, len(frame))
	return nil
}

// payload is a frame without its header.
func payload(frame []byte) []byte {
	n := len(frame)
	for _, header := range []int{2, 4, 10} {
		if head := wire.AppendTextHeader(nil, n-header); n >= header && bytes.HasPrefix(frame, head) && len(head) == header {
			return frame[header:]
		}
	}
	panic("not a text frame")
}

func (v *viewer) Bye(code wire.CloseCode) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.byes = append(v.byes, code)
}

// heard returns the events and forgets them.
func (v *viewer) heard() []wire.Event {
	v.mu.Lock()
	defer v.mu.Unlock()
	events := v.events
	v.events = nil
	return events
}

// breaks cuts the connection: nothing more is heard.
func (v *viewer) breaks() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cut = true
}

func (v *viewer) block() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stall = make(chan struct{})
}

func (v *viewer) unblock() {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.stall)
	v.stall = nil
}

// theatre is a running house.
type theatre struct {
	*audience.House
	t      *testing.T
	prompt bool   // connections take frames at once
	record uint64 // the room's newest, as its owner says
}

// open runs f with a house that runs; in a bubble, so that time is exact.
func open(t *testing.T, limits audience.Limits, f func(*theatre)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h, err := audience.New(limits)
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, h)
		f(&theatre{House: h, t: t})
		stop()
	})
}

var errStop = errors.New("stopped by the test")

// run runs a house until stop is called.
func run(tb testing.TB, h *audience.House) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(tb.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := h.Run(ctx); !errors.Is(err, errStop) {
			tb.Errorf("Run: %v", err)
		}
	}()
	return func() {
		cancel(errStop)
		<-ended
	}
}

// join lets a viewer in; since < 0 starts over.
func (th *theatre) join(user string, since int) *viewer {
	v := &viewer{user: user}
	th.enter(v, since)
	return v
}

func (th *theatre) enter(v *viewer, since int) { th.enterAt(v, since, 0) }

// enterAt is enter where the room's owner says that seq is the newest gifts event.
func (th *theatre) enterAt(v *viewer, since int, seq uint64) {
	th.t.Helper()
	j := audience.Joining{Room: "r1", User: v.user, Conn: v, Welcome: welcome, Seq: seq, Record: th.record}
	if th.prompt {
		j.Conn = &quick{viewer: v}
	}
	if since >= 0 {
		s := uint64(since)
		j.Since = &s
	}
	m, err := th.Join(j)
	if err != nil {
		th.t.Fatal(err)
	}
	v.Member = m
}

func welcome(s audience.Standing) []byte {
	return wire.Encode(wire.Welcome{Room: "r1", Seq: s.Seq, Resumed: s.Resumed, Viewers: s.Viewers})
}

// wait waits for the time given, and then until everything rests.
func (th *theatre) wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func gift(user, id string) *room.Gift {
	return &room.Gift{
		MsgID: room.NewMsgID(1, "r1", user, id), ClientID: id, Room: "r1", GiftID: "g1", Count: 20, Value: 10, Num: 2,
		User: room.User{ID: user, Nickname: user, Avatar: "https://e.example/a.png"},
	}
}

func delivered(user, id string) room.Decision {
	return room.Decision{Gift: gift(user, id), Status: room.Delivered, Reason: room.ReasonOK, Message: "ok"}
}

func failed(user, id string) room.Decision {
	return room.Decision{Gift: gift(user, id), Status: room.Failed, Code: 10003, Reason: room.ReasonNotJoined, Message: "no"}
}

func news(seq uint64, ds ...room.Decision) owner.News {
	return owner.News{Room: "r1", Seq: seq, Decisions: ds}
}

// brief writes events so that tests can compare them.
func brief(events []wire.Event) []string {
	var out []string
	for _, e := range events {
		switch e := e.(type) {
		case wire.Welcome:
			out = append(out, fmt.Sprintf("welcome %d %v %d", e.Seq, e.Resumed, e.Viewers))
		case wire.Gifts:
			s := fmt.Sprintf("gifts %d", e.Seq)
			for _, g := range e.Gifts {
				s += " " + g.UserID
			}
			out = append(out, s)
		case wire.Result:
			out = append(out, fmt.Sprintf("result %s %s", e.ID, e.Status))
		case wire.Lagged:
			out = append(out, fmt.Sprintf("lagged %d-%d", e.From, e.To))
		case wire.Accepted:
			out = append(out, "accepted "+e.ID)
		case wire.Rejected:
			out = append(out, fmt.Sprintf("rejected %s %s", e.ID, e.Code))
		case wire.Presence:
			out = append(out, fmt.Sprintf("presence %d", e.Viewers))
		case wire.Likes:
			out = append(out, fmt.Sprintf("likes %d %d", e.Count, e.Total))
		case wire.Comments:
			out = append(out, fmt.Sprintf("comments %d", len(e.Comments)))
		default:
			out = append(out, e.Type())
		}
	}
	return out
}
