package sim

import (
	"fmt"
	"time"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

const (
	appID       = 1
	gameA       = "game-a"
	gameB       = "game-b"
	poison      = "g3" // a gift that spoils every list it is in (7200004)
	callTimeout = 5 * time.Second
	joinWait    = 2 * time.Second
)

// World is everything that one run is made of.
type World struct {
	loop      *loop
	server    *server
	zego      *zego
	judge     *judge
	catalogue room.Catalogue
	limits    room.Limits
	embedded  bool // one node with the server inside, else several beside it

	nodes     []string
	processes []*process // alive
	owner     *ownership // who was last let to take over; nil: nobody
	taken     []time.Duration
	rooms     []string
	games     map[string]string // by room: the configured game
	rounds    map[string]int
	viewers   []*viewer
	wishes    []*wish

	rates  rates
	bugs   bugs
	healed bool
	dark   bool // nothing starts
	asleep bool // viewers have gone: they do not repeat an id half a day later
	tally  Tally
	err    error
}

// rates are the probabilities of small faults. All are 0 once the world has healed.
type rates struct {
	requestLost, requestLate, answerLost    float64 // between a process and the server
	publishRefused, saveRefused             float64
	lookupFails                             float64
	crash                                   float64 // at each end of each request
	repeat, giveUp, poison, joins, storming float64 // what viewers and weather do
}

// bugs are deliberate: a test sets one and sees the alarm ring. The zero value has none.
type bugs struct {
	ackBeforeSync bool
	noFence       bool
	noMemory      bool
	noLease       bool
	replaySkips   bool
	reorder       bool
	tamper        func(chunk string, data []byte) []byte
	event         func(room.Event) room.Event
	call          func(room.Call) room.Call
}

// Tally is what a run went through.
type Tally struct {
	Gifts, Delivered, Failed, Unresolved  int // unique gifts journaled, and their ends
	Accepted, Rejected, Resubmits         int // answers, and gifts submitted again on purpose
	Repeats, Gaps                         int // journaled again after the decision; news untold
	Crashes, Starts, Takeovers, Drains    int
	ServerCrashes, Freezes, Cuts, Weather int
	Purges, Alarms, Calls, Worst          int // Worst: most gift calls in one second at ZEGO's door
	Lost, Doubled                         int
	Events                                int
	Longest                               time.Duration // from healing to the last decision
}

// Faults counts what was done to the run beside lost requests and answers.
func (t *Tally) Faults() int {
	return t.Crashes + t.ServerCrashes + t.Freezes + t.Cuts + t.Weather + t.Drains
}

func newWorld(l luck) *World {
	catalogue, err := room.NewCatalogue([]room.GameSpec{spec(gameA), spec(gameB)})
	if err != nil {
		panic(err) // a constant
	}
	w := &World{
		loop: newLoop(l), catalogue: catalogue, games: make(map[string]string), rounds: make(map[string]int),
		limits: room.Limits{CallTimeout: callTimeout, JoinWait: joinWait},
	}
	w.server, w.zego, w.judge = newServer(w), newZego(w), newJudge(w)
	return w
}

func spec(id string) room.GameSpec {
	tiers := []room.Tier{{Value: 1}, {Value: 10}, {Value: 66}}
	return room.GameSpec{
		ID: id, Join: []room.JoinWord{{Text: "1"}},
		Gifts: []room.GiftSpec{{ID: "g1", Tiers: tiers}, {ID: "g2"}, {ID: poison}},
	}
}

// addRooms makes rooms, each with viewers.
func (w *World) addRooms(rooms, viewers int) {
	// One room a chunk of the snapshot: the owner walks a chunk's rooms in no order.
	names := []string{"ra", "rb", "rc", "rd"}
	for _, name := range names[:rooms] {
		w.rooms = append(w.rooms, name)
		w.games[name] = gameA
		w.zego.running[name] = true
		w.zego.weather[name] = &weather{}
		for i := range viewers {
			w.viewers = append(w.viewers, &viewer{w: w, user: roomtest.User(fmt.Sprintf("%sv%d", name, i+1)), room: name})
		}
	}
}

// addNodes starts nodes, the first of which takes the partition over.
func (w *World) addNodes(n int) {
	for i := range n {
		name := fmt.Sprintf("n%d", i+1)
		w.nodes = append(w.nodes, name)
		w.start(name)
	}
	w.loop.in(0, nil, w.place)
}

// Room implements [intake.Rooms].
func (w *World) Room(id string) (intake.Room, bool) {
	return intake.Room{Game: w.games[id], Anchor: "anchor1", RequireRunning: id == "rb"}, true
}

// anyone draws a process that answers viewers; nil: none does.
func (w *World) anyone() *process {
	var there []*process
	for _, p := range w.processes {
		if !p.frozen {
			there = append(there, p)
		}
	}
	if len(there) == 0 {
		return nil
	}
	return pick(w.loop, there)
}

// vacate notes that the partition has no owner, or will be found to have none.
func (w *World) vacate(o *ownership) {
	if w.owner != o {
		return
	}
	w.owner = nil
	delay := w.loop.between(time.Millisecond, 50*time.Millisecond)
	if o.p.dead && !w.embedded {
		delay = w.loop.between(evictAfter-renewEvery, evictAfter+600*time.Millisecond)
	}
	w.loop.in(delay, nil, w.place)
}

// place lets a process take the partition over. It keeps owners apart as far as the
// budget's promise reaches: a fourth within one call's timeout is not covered
// (room/budget.go).
func (w *World) place() {
	if w.owner != nil || w.dark {
		return
	}
	var able []*process
	for _, p := range w.processes {
		if !p.frozen && !p.cut && !p.lease.evicted && p.lease.ends < 0 && p.owning == nil {
			able = append(able, p)
		}
	}
	fourth := len(w.taken) >= 2 && w.loop.now() < w.taken[len(w.taken)-2]+callTimeout
	if w.server.down || len(able) == 0 || fourth {
		w.loop.in(50*time.Millisecond, nil, w.place)
		return
	}
	w.own(pick(w.loop, able))
}

// evictLater lets the others find that a process does not renew its lease.
func (w *World) evictLater(p *process) {
	if w.embedded || p.lease.ends < 0 {
		return
	}
	w.loop.in(p.lease.ends-w.loop.now()+200*time.Millisecond+w.loop.between(0, 300*time.Millisecond), nil, func() {
		switch {
		case p.dead || p.lease.ends < 0:
		case w.loop.now() < p.lease.ends+200*time.Millisecond: // it has renewed meanwhile, and is silent again
		case w.server.down: // nobody's renewals succeed, so nobody counts
			w.loop.in(500*time.Millisecond, nil, func() { w.evictLater(p) })
		default:
			w.loop.note("%s is evicted", p.incarnation)
			p.lease.evicted = true
			if w.owner != nil && w.owner.p == p {
				w.vacate(w.owner)
			}
			p.online()
		}
	})
}

// crashServer stops the server; nobody's renewals succeed then.
func (w *World) crashServer(d time.Duration) {
	if w.server.down || w.embedded {
		return
	}
	w.tally.ServerCrashes++
	for _, p := range w.processes {
		p.offline()
	}
	w.server.crash()
	w.loop.in(d, nil, func() {
		w.server.restart()
		for _, p := range w.processes {
			p.online()
		}
	})
}

// round ends a room's round at ZEGO, or begins one.
func (w *World) round(roomID string, run bool) {
	w.zego.running[roomID] = run
	state := room.GameEnded
	if run {
		w.rounds[roomID]++
		state = room.GameRunning
	}
	n := w.rounds[roomID]
	w.loop.note("%s round %d: %v", roomID, n, state)
	w.report(journal.Callback{
		Room: roomID, GameID: w.games[roomID], ReportID: fmt.Sprintf("%s-%d-%v", roomID, n, state),
		Game: room.Game{State: state, Round: fmt.Sprint(n)}, At: time.Now().UnixMilli(),
	}, 5)
}

// add adds another run's.
func (t *Tally) add(o *Tally) {
	t.Gifts += o.Gifts
	t.Delivered += o.Delivered
	t.Failed += o.Failed
	t.Unresolved += o.Unresolved
	t.Accepted += o.Accepted
	t.Rejected += o.Rejected
	t.Resubmits += o.Resubmits
	t.Repeats += o.Repeats
	t.Gaps += o.Gaps
	t.Crashes += o.Crashes
	t.Starts += o.Starts
	t.Takeovers += o.Takeovers
	t.Drains += o.Drains
	t.ServerCrashes += o.ServerCrashes
	t.Freezes += o.Freezes
	t.Cuts += o.Cuts
	t.Weather += o.Weather
	t.Purges += o.Purges
	t.Alarms += o.Alarms
	t.Calls += o.Calls
	t.Worst = max(t.Worst, o.Worst)
	t.Lost += o.Lost
	t.Doubled += o.Doubled
	t.Events += o.Events
	t.Longest = max(t.Longest, o.Longest)
}
