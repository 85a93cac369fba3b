package hub

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/quota"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// lobbyConfig is what viewers' connections need of the hub.
type lobbyConfig struct {
	face    face
	auth    auth.Authenticator
	origins []string
	house   *audience.House
	intake  *intake.Intake
	rooms   intake.Rooms
	// find looks for a room that is not known here yet; nil: there is nowhere to look.
	find      func(ctx context.Context, roomID string) (intake.Room, bool)
	owners    following
	chat      saying
	memoir    *memoir
	catalogue room.Catalogue
	limits    ViewerLimits
	// closed says why nobody is let in now; nil: the hub serves.
	closed func() *problem
	log    *slog.Logger
}

// following is what is known of rooms that viewers watch.
type following interface {
	// Follow says that a viewer of the room is here, and returns the room's state: from
	// there on the house hears everything. It may wait for the room's owner until ctx
	// ends. Each Follow that returns no error needs an Unfollow.
	Follow(ctx context.Context, roomID string) (owner.RoomState, error)
	Unfollow(roomID string)
	// Ask asks the room's owner for its state, with all that was told of it anywhere. It
	// may wait for the owner until ctx ends.
	Ask(ctx context.Context, roomID string) (owner.RoomState, error)
	// Room returns the newest that is known here of a room that is followed.
	Room(roomID string) owner.RoomState
}

// saying shows what viewers say to the room's viewers, here and elsewhere.
type saying interface {
	Comment(roomID string, c wire.Comment)
	Like(roomID string, count int)
}

// lobby is where viewers come in: it checks them, makes their sessions, and watches
// over them.
type lobby struct {
	lobbyConfig
	sessions sessions
	leaving  atomic.Int64 // how many there were when the node began to drain, and 1
	seats    *seating
	upgrades *quota.Table[netip.Prefix]
	gifts    *quota.Table[userInRoom]
	comments *quota.Table[userInRoom]
	likes    *quota.Table[userInRoom]
	menus    menus
	buffers  sync.Pool // of *[]byte, for messages that are being read
}

// userInRoom is whose gifts, comments and likes are counted together.
type userInRoom struct{ room, user string }

// Bounds of the tables of limits. A key is there only while its bucket is not full:
// 4 s for gifts, 5 s for comments, 2 s for likes, 10 s for upgrades.
const (
	addressesMax = 100_000 // x 150 bytes = 15 MB
	usersMax     = 500_000 // x 200 bytes = 100 MB each, if half a million send at once
)

// newLobby makes the viewers' side of what the hub has.
func (h *Hub) newLobby() *lobby {
	return newLobby(lobbyConfig{
		face: face{node: h.cfg.Journal.Node(), epoch: h.cfg.Journal.Epoch()},
		auth: h.cfg.Auth, origins: h.cfg.Web.Origins,
		house: h.house, intake: h.intake, rooms: h.rooms, find: h.rooms.findOpen,
		owners: watched{h}, chat: chatter{h}, memoir: newMemoir(h.house, h.relay.Follower.Past),
		catalogue: h.cfg.Catalogue, limits: h.cfg.Limits.Viewer, closed: h.phase.closed, log: h.cfg.Logger,
	})
}

func newLobby(cfg lobbyConfig) *lobby {
	users := func(r Rate) *quota.Table[userInRoom] { return quota.NewTable[userInRoom](r.limit(), usersMax) }
	return &lobby{
		lobbyConfig: cfg,
		sessions:    sessions{all: make(map[*session]struct{}), empty: make(chan struct{})},
		seats:       newSeating(cfg.limits.Seats),
		upgrades:    quota.NewTable[netip.Prefix](cfg.limits.Upgrades.limit(), addressesMax),
		gifts:       users(cfg.limits.Gifts),
		comments:    users(cfg.limits.Comments),
		likes:       users(cfg.limits.Likes),
		menus:       menus{catalogue: cfg.catalogue, encoded: make(map[string][]byte)},
		buffers:     sync.Pool{New: func() any { return new([]byte) }},
	}
}

func (r Rate) limit() quota.Limit { return quota.Limit{PerSecond: r.PerSecond, Burst: r.Burst} }

// Spread of the viewers' return when a node drains: as long as their number takes at the
// rate of the limits, but not less than a second.
const (
	returnMin    = 500 * time.Millisecond
	returnSpread = time.Second
)

// drain tells every viewer to come back elsewhere, and waits until all connections
// have ended, or ctx has. Nobody comes in any more.
func (l *lobby) drain(ctx context.Context) error {
	l.sessions.close()
	l.house.CloseAll(l.drainBye)
	select {
	case <-l.sessions.empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// drainBye tells one viewer when to come back. It is called while nobody comes in any
// more, for everyone: the number of those who are left shrinks meanwhile, so it is taken
// once.
func (l *lobby) drainBye() wire.Bye {
	l.leaving.CompareAndSwap(0, int64(l.sessions.count())+1)
	spread := time.Duration(l.leaving.Load()) * time.Second / time.Duration(l.limits.Return)
	after := returnMin + rand.N(max(returnSpread, spread))
	return wire.Bye{Code: wire.ByeDraining, ReconnectInMS: after.Milliseconds()}
}

// run serves the viewers until ctx ends; then it ends the connections that are left,
// and returns when every goroutine of theirs has ended.
func (l *lobby) run(ctx context.Context) error {
	house := begin(context.WithoutCancel(ctx), "audience", l.house.Run, func(error) {})
	l.watch(ctx)
	for _, s := range l.sessions.kill() {
		s.link.socket.Kill()
	}
	l.sessions.group.Wait()
	return house.end()
}

// watch looks after the sessions until ctx ends.
func (l *lobby) watch(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			l.sweep(now)
		case <-ctx.Done():
			return
		}
	}
}

// sessions are the connections there are.
type sessions struct {
	group sync.WaitGroup // their goroutines, and whoever is about to have one

	mu       sync.Mutex // guards all below
	all      map[*session]struct{}
	entering int
	closed   bool
	killed   bool
	empty    chan struct{} // closed when closed and nobody is there or enters
}

// admit lets a session begin; false: nobody is let in any more. Then start or turnAway
// must follow.
func (ss *sessions) admit() bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.closed {
		return false
	}
	ss.entering++
	ss.group.Add(1)
	return true
}

// turnAway ends a session that was admitted and not started.
func (ss *sessions) turnAway() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.entering--
	ss.check()
	ss.group.Done()
}

// start takes an admitted session in and runs f. The hub may have closed or even killed
// its sessions since the admission: then this one has to be told by the caller.
func (ss *sessions) start(s *session, f func()) (closed, killed bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.entering--
	ss.all[s] = struct{}{}
	go func() { // joined by run
		defer ss.group.Done()
		f()
	}()
	return ss.closed, ss.killed
}

// also runs f beside a session that is there.
func (ss *sessions) also(s *session, f func()) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if _, there := ss.all[s]; there {
		ss.group.Go(f) // joined by run, which waits for the session's own goroutine, too
	}
}

func (ss *sessions) remove(s *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.all, s)
	ss.check()
}

// count is how many there are.
func (ss *sessions) count() int {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return len(ss.all)
}

// close lets nobody in any more.
func (ss *sessions) close() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if !ss.closed {
		ss.closed = true
		ss.check()
	}
}

// kill lets nobody in any more, and lists whom the caller has to cut off.
func (ss *sessions) kill() []*session {
	ss.close()
	ss.mu.Lock()
	ss.killed = true
	ss.mu.Unlock()
	return ss.list()
}

// check closes empty when it is time, under mu.
func (ss *sessions) check() {
	if !ss.closed || len(ss.all) > 0 || ss.entering > 0 {
		return
	}
	select {
	case <-ss.empty:
	default:
		close(ss.empty)
	}
}

func (ss *sessions) list() []*session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	list := make([]*session, 0, len(ss.all))
	for s := range ss.all {
		list = append(list, s)
	}
	return list
}

// menus are the encoded menus of the games, at most room.GamesMax and the empty one.
type menus struct {
	catalogue room.Catalogue

	mu      sync.Mutex
	encoded map[string][]byte
}

// of returns the members of a game's menu, shared.
func (m *menus) of(game string) []byte {
	if _, listed := m.catalogue.Game(game); !listed {
		game = ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	menu := m.encoded[game]
	if menu == nil {
		menu = wire.MenuOf(m.catalogue, game).AppendMembers(nil)
		m.encoded[game] = menu
	}
	return menu
}
