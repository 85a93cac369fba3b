package relay_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/relay"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// world is the log of all rooms, and what their owners know: a relay's Source.
type world struct {
	mu      sync.Mutex
	last    uint64
	records map[uint64]journal.OutcomeRecord
	rooms   map[string]*owner.RoomState
	gone    uint64 // records up to here have aged out
	away    error  // the store and the owners do not answer
	asked   int    // questions
}

func newWorld() *world {
	return &world{records: make(map[uint64]journal.OutcomeRecord), rooms: make(map[string]*owner.RoomState)}
}

func (w *world) room(id string) *owner.RoomState {
	if w.rooms[id] == nil {
		w.rooms[id] = new(owner.RoomState)
	}
	return w.rooms[id]
}

// decide stores one record of the room: a delivered gift, and a failed one.
func (w *world) decide(id string) owner.News {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last += 1 + rand.Uint64N(3) // other rooms' records are between
	s := w.room(id)
	news := owner.News{Room: id, Record: w.last, Prev: s.Record, Seq: s.Seq + 1}
	for i, status := range []room.Status{room.Delivered, room.Failed} {
		client := fmt.Sprintf("g%d-%d", w.last, i)
		news.Decisions = append(news.Decisions, room.Decision{
			Gift: &room.Gift{
				MsgID: room.NewMsgID(1, id, "u1", client), ClientID: client, Room: id, Game: "mg",
				User: room.User{ID: "u1", Nickname: "Ann <3", Avatar: "https://x/y.png", Sex: room.Female}, GiftID: "rose",
				Count: 6, Value: 3, Num: 2, Receiver: "anchor", Asked: room.Asked{Value: 3, Receiver: "anchor"}, At: 17,
			},
			Status: status, Code: 10003 * i, Reason: room.ReasonOK, Message: "m", At: 18,
		})
	}
	s.Record, s.Seq = news.Record, news.Seq
	s.Totals.Delivered++
	s.Totals.DeliveredCount += 6
	s.Totals.Failed++
	s.Totals.FailedCount += 6
	s.Accepted += 2
	d := journal.RoomDecisions{Room: id, Prev: news.Prev, Seq: news.Seq, Totals: s.Totals}
	for _, n := range news.Decisions {
		d.Decisions = append(d.Decisions, journal.Decided{Decision: n})
	}
	w.records[news.Record] = journal.OutcomeRecord{Seq: news.Record, Rooms: []journal.RoomDecisions{{Room: "other"}, d}}
	return news
}

// play changes the room's game.
func (w *world) play(id string, g room.Game) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.room(id).Game, w.room(id).GameID = g, "mg"
}

func (w *world) heads() []owner.Head {
	w.mu.Lock()
	defer w.mu.Unlock()
	var heads []owner.Head
	for id, s := range w.rooms {
		heads = append(heads, owner.Head{Room: id, Record: s.Record, Seq: s.Seq})
	}
	return heads
}

func (w *world) questions() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}

func (w *world) set(change func(*world)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}

// State implements relay.Source.
func (w *world) State(_ context.Context, id string) (owner.RoomState, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	return *w.room(id), w.away
}

// OutcomeAt implements relay.Source.
func (w *world) OutcomeAt(_ context.Context, _ string, record uint64) (journal.OutcomeRecord, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	rec, ok := w.records[record]
	switch {
	case w.away != nil:
		return journal.OutcomeRecord{}, w.away
	case !ok || record <= w.gone:
		return journal.OutcomeRecord{}, &journal.GoneError{After: record - 1}
	}
	return rec, nil
}

// since lists the room's records after one.
func (w *world) since(id string, after uint64) []uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var records []uint64
	for at := w.room(id).Record; at > after; {
		records = append(records, at)
		at = w.records[at].Rooms[1].Prev
	}
	slices.Reverse(records)
	return records
}

var errAway = errors.New("away")

// hall is the viewers of one node: it keeps what it is told.
type hall struct {
	mu   sync.Mutex
	told map[string][]owner.News
	seen seen
}

// seen is what a hall was told beside news.
type seen struct {
	repeated []string
	games    map[string]room.Game
	changes  int
	comments []string
	likes    int
	crowd    map[string]int
}

func newHall() *hall {
	return &hall{told: make(map[string][]owner.News), seen: seen{games: make(map[string]room.Game), crowd: make(map[string]int)}}
}

func (h *hall) Decided(n owner.News) { h.with(func() { h.told[n.Room] = append(h.told[n.Room], n) }) }

func (h *hall) Repeated(seq uint64, d room.Decision) {
	h.with(func() { h.seen.repeated = append(h.seen.repeated, fmt.Sprint(seq, d.Gift.ClientID, d.Status)) })
}

func (h *hall) GameChanged(id, gameID string, g room.Game) {
	h.with(func() { h.seen.games[id+"/"+gameID] = g; h.seen.changes++ })
}

func (h *hall) Comment(id string, c wire.Comment) {
	h.with(func() { h.seen.comments = append(h.seen.comments, id+" "+c.Text) })
}
func (h *hall) Like(_ string, count int) { h.with(func() { h.seen.likes += count }) }

// ears are how a relay tells a hall.
type ears struct{ *hall }

func (e ears) Crowd(id string, others int) { e.with(func() { e.seen.crowd[id] = others }) }

// saw returns what was told so far.
func (h *hall) saw() seen {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seen
	s.repeated, s.comments = slices.Clone(s.repeated), slices.Clone(s.comments)
	s.games, s.crowd = maps.Clone(s.games), maps.Clone(s.crowd)
	return s
}

func (h *hall) with(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
}

// records lists what was told of the room, without what only says that it was not told.
func (h *hall) records(id string) []uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	var records []uint64
	for _, n := range h.told[id] {
		if len(n.Decisions) > 0 {
			records = append(records, n.Record)
		}
	}
	return records
}

func (h *hall) all(id string) []owner.News {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.told[id])
}

// node is a relay that runs.
type node struct {
	*relay.Relay
	*hall
	stop func()
}

// start runs a relay until the test ends, or stop.
func start(t *testing.T, cfg relay.Config) *node {
	t.Helper()
	n := &node{hall: newHall()}
	cfg.Audience = ears{n.hall}
	if cfg.Others == nil {
		cfg.Others = func() bool { return true }
	}
	r, err := relay.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n.Relay = r
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }() // joined by stop
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(n.stop)
	return n
}

func (n *node) follow(t *testing.T, id string) owner.RoomState {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := n.Follower.Follow(ctx, id)
	if err != nil {
		t.Fatalf("Follow(%s): %v", id, err)
	}
	return s
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		wrong := what()
		if wrong == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", wrong)
		}
		<-tick.C
	}
}
