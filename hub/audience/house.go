package audience

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// Conn is where a member's frames go. Its methods are called from one goroutine
// at a time.
type Conn interface {
	// WriteFrame writes one encoded WebSocket text frame, header included, and blocks
	// until it is handed to the system. The frame is the caller's again when it returns.
	// An error is final, and the reader of the connection has to notice that it is over.
	WriteFrame(frame []byte) error
	// Bye ends the connection with a close frame, after everything written. It may
	// block while the peer answers.
	Bye(code wire.CloseCode)
}

// Prompt is a Conn that may take a frame without waiting. What is told to a whole room
// is written to such members by one goroutine, each in its turn; it costs no goroutine,
// timer, copy or allocation a member.
type Prompt interface {
	Conn
	// TryFrame writes one whole encoded frame, as WriteFrame does, if that needs no
	// waiting; false: it wrote nothing. It is never called while WriteFrame is.
	TryFrame(frame []byte) bool
}

// House is all rooms that viewers of this process watch. Its Decided, Repeated and
// GameChanged are the fan-out half of an owner.Listener. It is safe for concurrent
// use.
type House struct {
	limits Limits
	crowd  Crowd

	mu    sync.RWMutex // guards halls and likes
	halls map[string]*hall
	// likes are the totals of rooms whose hall is gone, of likesMax rooms at most: any of
	// them begins at 0 again where there are more.
	likes map[string]int64

	tasks goroutines
	desks sync.Pool // of *desk
	table table

	visits  visits
	viewers atomic.Int64
	counts  counts
}

// Crowd is the viewers of the rooms on all nodes together. Its methods are called with
// a room locked: they must not block, and not call the house back.
type Crowd interface {
	// Set hears how many viewers a room has in this house.
	Set(roomID string, viewers int)
	// Others is how many it has elsewhere.
	Others(roomID string) int
}

// nobody is the crowd of a house that is alone.
type nobody struct{}

// Set implements [Crowd].
func (nobody) Set(string, int) {}

// Others implements [Crowd].
func (nobody) Others(string) int { return 0 }

// likesMax x 120 bytes of name, number and map are 12 MB.
const likesMax = 100_000

// ErrClosed is returned by Join when the house has ended.
var ErrClosed = errors.New("audience: closed")

// New makes a house. It starts nothing; Run must be running while there are members.
func New(limits Limits) (*House, error) {
	limits, err := limits.withDefaults()
	if err != nil {
		return nil, err
	}
	return &House{
		limits: limits,
		crowd:  nobody{},
		halls:  make(map[string]*hall),
		likes:  make(map[string]int64),
		desks:  sync.Pool{New: func() any { return new(desk) }},
		table:  newTable(),
		visits: visits{wake: make(chan struct{}, 1)},
	}, nil
}

// Among makes the house one of several, on as many nodes: what viewers are told of
// their number counts those of the others. Call it before the first Join.
func (h *House) Among(c Crowd) { h.crowd = c }

// Joining is a connection that comes into a room.
type Joining struct {
	Room string
	User string
	Conn Conn
	// Seq is the room's newest gifts event, as its owner knows it, and Record its newest
	// record: the house may not know the room, or not have been told yet.
	Seq, Record uint64
	// Since is the last gifts event that the viewer has heard in this epoch; nil: it
	// starts over.
	Since *uint64
	// Welcome encodes the first event. It is called before Join returns and must not
	// block or call the house.
	Welcome func(Standing) []byte
}

// Standing is where a member starts.
type Standing struct {
	Seq     uint64
	Resumed bool
	Viewers int // on all nodes, with this one
}

// Join lets a connection into a room. The member hears everything that is told from
// now on; Leave must be called when its connection is over. The error is ErrClosed.
func (h *House) Join(j Joining) (*Member, error) {
	if h.tasks.isClosed() {
		return nil, ErrClosed
	}
	hall := h.enter(j.Room, func() uint64 { return j.Seq })
	defer hall.mu.Unlock()
	h.viewers.Add(1)
	return hall.join(j), nil
}

// enter returns the room's hall, locked. If there is none yet, base is its newest
// gifts event so far.
func (h *House) enter(roomID string, base func() uint64) *hall {
	for {
		h.mu.RLock()
		hl := h.halls[roomID]
		h.mu.RUnlock()
		if hl == nil {
			hl = h.build(roomID, base())
		}
		hl.mu.Lock()
		if !hl.gone {
			return hl
		}
		hl.mu.Unlock() // swept between the two locks
	}
}

func (h *House) build(roomID string, base uint64) *hall {
	h.mu.Lock()
	defer h.mu.Unlock()
	if hl := h.halls[roomID]; hl != nil {
		return hl
	}
	hl := &hall{id: roomID, house: h, seq: base, pos: middle, past: newHistory(base), chat: chat{total: h.likes[roomID]}}
	delete(h.likes, roomID)
	h.halls[roomID] = hl
	return hl
}

// find returns the room's hall, locked, or nil.
func (h *House) find(roomID string) *hall {
	h.mu.RLock()
	hl := h.halls[roomID]
	h.mu.RUnlock()
	if hl == nil {
		return nil
	}
	hl.mu.Lock()
	if hl.gone {
		hl.mu.Unlock()
		return nil
	}
	return hl
}

// Decided tells a room what was decided. Also where nobody is: a sender who lost the
// connection for a moment hears of it.
func (h *House) Decided(news owner.News) {
	hl := h.enter(news.Room, func() uint64 {
		for i := range news.Decisions {
			if news.Decisions[i].Status == room.Delivered {
				return news.Seq - 1
			}
		}
		return news.Seq
	})
	defer hl.mu.Unlock()
	hl.decided(news)
}

// Repeated tells a sender the first outcome again.
func (h *House) Repeated(seq uint64, d room.Decision) {
	hl := h.enter(d.Gift.Room, func() uint64 { return seq })
	defer hl.mu.Unlock()
	// At the newest sequence: whoever repeats it has heard the events until now.
	hl.result(hl.seq, d, past{at: time.Now()})
}

// GameChanged tells a room that its game has changed.
func (h *House) GameChanged(roomID, miniGameID string, g room.Game) {
	if hl := h.find(roomID); hl != nil {
		defer hl.mu.Unlock()
		hl.tell(item{event: wire.Encode(wire.GameOf(miniGameID, g)), kind: kindReply})
	}
}

// Comment shows a comment to the room, merged with others.
func (h *House) Comment(roomID string, c wire.Comment) {
	if hl := h.find(roomID); hl != nil {
		defer hl.mu.Unlock()
		hl.comment(c)
	}
}

// Like counts likes for the room, merged with others.
func (h *House) Like(roomID string, count int) {
	hl := h.find(roomID)
	if hl == nil {
		return // only a viewer can like, and viewers have a hall
	}
	defer hl.mu.Unlock()
	hl.like(count)
}

// CrowdChanged says that a room's viewers elsewhere have become more or fewer.
func (h *House) CrowdChanged(roomID string) {
	if hl := h.find(roomID); hl != nil {
		defer hl.mu.Unlock()
		hl.counted()
	}
}

// CloseRoom says bye to everyone in the room, after what was told so far.
func (h *House) CloseRoom(roomID string, bye wire.Bye) {
	if hl := h.find(roomID); hl != nil {
		defer hl.mu.Unlock()
		hl.enqueue(entry{bye: func() wire.Bye { return bye }})
	}
}

// CloseAll says bye to everyone in every room, after what was told so far. bye is
// called for each of them.
func (h *House) CloseAll(bye func() wire.Bye) {
	for _, hl := range h.all() {
		hl.mu.Lock()
		hl.enqueue(entry{bye: bye})
		hl.mu.Unlock()
	}
}

// all returns the halls there are now.
func (h *House) all() []*hall {
	h.mu.RLock()
	defer h.mu.RUnlock()
	halls := make([]*hall, 0, len(h.halls))
	for _, hl := range h.halls {
		halls = append(halls, hl)
	}
	return halls
}

// Viewers counts the room's connections in this process.
func (h *House) Viewers(roomID string) int {
	hl := h.find(roomID)
	if hl == nil {
		return 0
	}
	defer hl.mu.Unlock()
	return len(hl.members)
}

// HistoryAge is how long a room's news are kept to resume from.
func (h *House) HistoryAge() time.Duration { return h.limits.HistoryAge }

func (h *House) soft() bounds { return bounds{h.limits.OutboxEvents, h.limits.OutboxBytes} }

func (h *House) hard() bounds {
	return bounds{hardFactor * h.limits.OutboxEvents, hardFactor * h.limits.OutboxBytes}
}

func (h *House) desk() *desk { return h.desks.Get().(*desk) }

func (h *House) put(d *desk) {
	clear(d.items[:cap(d.items)])
	clear(d.batches[:cap(d.batches)])
	if cap(d.buf) <= deskMax {
		h.desks.Put(d)
	}
}

// Start runs f in a goroutine that Run joins, for what a connection does beside its
// member; false: the house has ended.
func (h *House) Start(f func()) bool { return h.tasks.start(f) }

// Run sends what is merged over time (presence, comments, likes) and drops what is
// too old to resume from, until ctx ends and every goroutine of the house has ended.
// The connections must be closed by then: a writer waits for its connection.
func (h *House) Run(ctx context.Context) error {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	merge := time.NewTimer(mergeEvery)
	merge.Stop()
	defer merge.Stop()
	for {
		select {
		case <-h.visits.wake:
			merge.Reset(mergeEvery)
		case now := <-merge.C:
			for _, hl := range h.visits.take() {
				hl.flush(now)
			}
		case now := <-sweep.C:
			h.sweep(now)
		case <-ctx.Done():
			h.tasks.end()
			return context.Cause(ctx)
		}
	}
}

// sweep drops old history, and halls that nobody needs.
func (h *House) sweep(now time.Time) {
	for _, hl := range h.all() {
		if hl.forget(now.Add(-h.limits.HistoryAge)) {
			h.remove(hl)
		}
	}
}

// remove takes a hall out that nobody needs. h.mu is taken before hall.mu here and
// nowhere the other way round.
func (h *House) remove(hl *hall) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hl.mu.Lock()
	defer hl.mu.Unlock()
	if hl.gone || !hl.unneeded() {
		return // someone has come meanwhile
	}
	hl.gone = true
	delete(h.halls, hl.id)
	if hl.chat.total > 0 {
		for id := range h.likes {
			if len(h.likes) < likesMax {
				break
			}
			delete(h.likes, id)
		}
		h.likes[hl.id] = hl.chat.total
	}
}
