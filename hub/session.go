package hub

import (
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/wire"
)

// session is one viewer's connection: it reads frames and hands them on. What is told
// to the viewer goes through its member's outbox.
type session struct {
	lobby  *lobby
	link   *link
	room   string
	who    auth.Identity
	member *audience.Member

	nextPing  time.Time    // owned by the sweeper
	postponed atomic.Int64 // likes that wait for the sweeper, at most room.LikeMax

	// Owned by run.
	abuses []time.Time // malformed frames of the last abuseTime
}

const (
	// abuseMax malformed frames within abuseTime are borne, the next one is not.
	abuseMax  = 20
	abuseTime = 10 * time.Second
	// floodPause is how long the reader rests after each frame past the connection's
	// limit, so that a flood is slowed by TCP to 200 refused frames a second.
	floodPause = 5 * time.Millisecond
	// bufferStart is a reading buffer's first size: one fits most frames.
	bufferStart = 1 << 10
)

// begin makes a session of an upgraded connection. It returns at once.
func (l *lobby) begin(k *link, v visitor) {
	s := &session{
		lobby: l, link: k, room: v.room, who: v.who,
		nextPing: time.Now().Add(pingEvery),
	}
	if !l.sessions.admit() {
		l.owners.Unfollow(v.room)
		k.socket.Kill() // the hub drains since the checks: without a welcome the viewer tries elsewhere
		return
	}
	if err := s.enter(v); err != nil {
		l.owners.Unfollow(v.room)
		l.sessions.turnAway()
		k.socket.Kill() // the hub has ended since the checks
		return
	}
	switch closed, killed := l.sessions.start(s, s.run); {
	case killed:
		k.socket.Kill()
	case closed:
		s.member.Bye(l.drainBye()) // who was in was told, perhaps before this one was
	}
}

// enter joins the room. The first events are in the outbox when it returns.
func (s *session) enter(v visitor) error {
	l, state := s.lobby, v.state
	member, err := l.house.Join(audience.Joining{
		Room: v.room, User: v.who.User.ID, Conn: s.link, Seq: state.Seq, Record: state.Record, Since: v.since,
		Welcome: func(at audience.Standing) []byte {
			return wire.Welcome{
				Room: v.room, UserID: v.who.User.ID, Node: l.face.node, Epoch: l.face.epoch,
				Seq: at.Seq, Resumed: at.Resumed, Viewers: at.Viewers,
				Game: wire.GameOf(v.config.Game, state.Playing(v.config.Game)),
			}.AppendWithMenu(nil, l.menus.of(v.config.Game))
		},
	})
	if err != nil {
		return err
	}
	s.member = member
	// What changed between the look and the join was told to those who were in.
	if _, open := l.rooms.Room(v.room); !open {
		member.Bye(wire.Bye{Code: wire.ByeRoomClosed})
	}
	if game := l.owners.Room(v.room).Playing(v.config.Game); game != state.Playing(v.config.Game) {
		member.Send(wire.GameOf(v.config.Game, game))
	}
	return nil
}

// run reads frames until the connection is over.
func (s *session) run() {
	defer s.lobby.sessions.remove(s)
	for {
		if err := s.next(); err != nil {
			s.member.Leave() // before the closing handshake, which may take seconds
			s.lobby.owners.Unfollow(s.room)
			s.link.fail(err)
			return
		}
	}
}

// next reads one message and handles it.
func (s *session) next() error {
	r, err := s.link.wait()
	if err != nil {
		return err
	}
	buf := s.lobby.buffers.Get().(*[]byte)
	defer s.lobby.buffers.Put(buf)
	if *buf, err = readAll(r, (*buf)[:0]); err != nil {
		return err
	}
	if !utf8.Valid(*buf) {
		return errBadUTF8
	}
	if s.member.Ending().IsZero() { // after bye the connection is only read to its end
		s.handle(*buf)
	}
	return nil
}

// readAll appends all of r to buf. The link bounds what r has.
func readAll(r io.Reader, buf []byte) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, bufferStart)
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}
