package hub

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// peerRooms is the environment variable that makes this test binary a server for
// cmd/bench-peers: the number of its rooms. So the whole of a viewer's way is measured
// (router, checks, session, audience, socket) without an opening for it in the hub's
// own interface. Its protocol is that of the other servers there.
const peerRooms = "GIFTWIRE_PEER_ROOMS"

// peerProfile is the environment variable that names the file to which such a server
// writes a profile of its processor time. The next server writes over it.
const peerProfile = "GIFTWIRE_PEER_PROFILE"

// anyone takes every token for the name of a user.
type anyone struct{}

// Authenticate implements auth.Authenticator.
func (anyone) Authenticate(_ context.Context, token string) (auth.Identity, error) {
	return auth.Identity{User: room.User{ID: token}, Can: auth.CanAll, Expires: time.Now().Add(time.Hour)}, nil
}

// peer is a lobby that serves bench-peers.
type peer struct {
	house *audience.House
	rooms int
	seq   uint64

	beat                *time.Ticker
	first, small, times int // of beat: the rooms that are told in turn, and how often
}

// servePeer serves until in ends.
func servePeer(rooms string, in io.Reader, out io.Writer) error {
	p := &peer{beat: time.NewTicker(time.Hour)}
	p.beat.Stop()
	var err error
	if p.rooms, err = strconv.Atoi(rooms); err != nil {
		return err
	}
	if p.house, err = audience.New(audience.Limits{}); err != nil {
		return err
	}
	var f faults
	limits := Limits{Viewer: ViewerLimits{Upgrades: Rate{PerSecond: 1e6, Burst: 1e6}}}
	limits.fill(&f)
	l := newLobby(lobbyConfig{
		face: face{node: "n1", epoch: "e1"}, auth: anyone{}, house: p.house, rooms: oneRoom{}, owners: noGifts{},
		limits: limits.Viewer, closed: func() *problem { return nil }, log: slog.New(slog.DiscardHandler),
	})
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler:           router{routes: l.routes(), log: slog.New(slog.DiscardHandler)}.handler(),
		ReadHeaderTimeout: time.Minute,
	}
	viewers := begin(context.Background(), "viewers", l.run, func(error) {})
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }() // joined below
	if _, err = fmt.Fprintln(out, listener.Addr()); err == nil {
		err = p.obey(in, out)
	}
	err = errors.Join(err, viewers.end(), srv.Close())
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// obey does what the lines say.
func (p *peer) obey(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	said := make(chan string)
	go func() { // ends with the lines, all of which are taken below
		defer close(said)
		for lines.Scan() {
			said <- lines.Text()
		}
	}()
	for {
		select {
		case line, ok := <-said:
			if !ok {
				return lines.Err()
			}
			if err := p.do(line, out); err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
		case <-p.beat.C:
			if err := p.next(out); err != nil {
				return err
			}
		}
	}
}

func (p *peer) do(line string, out io.Writer) (err error) {
	var n, r, every int
	switch verb, args, _ := strings.Cut(line, " "); verb {
	case "tell":
		_, err = fmt.Sscan(args, &n)
		for range n {
			p.tell(0, p.rooms)
		}
	case "one":
		_, err = fmt.Sscan(args, &r, &n)
		for range n {
			p.tell(r, r+1)
		}
	case "beat":
		if _, err = fmt.Sscan(args, &p.first, &p.small, &p.times, &every); err == nil {
			p.beat.Reset(time.Duration(every) * time.Microsecond)
		}
	case "rest":
		runtime.GC()
		debug.FreeOSMemory()
		_, err = fmt.Fprintln(out, runtime.NumGoroutine())
	default:
		err = errors.New("not understood")
	}
	return err
}

// next is one beat.
func (p *peer) next(out io.Writer) error {
	p.times--
	p.tell(p.first+p.times%p.small, p.first+p.times%p.small+1)
	if p.times > 0 {
		return nil
	}
	p.beat.Stop()
	_, err := fmt.Fprintln(out, "beaten")
	return err
}

// peerMessage is how long an event is, as in bench-peers.
const peerMessage = 300

// tell tells rooms of one flush. The time of it is in the giver's nickname, behind
// a character that is nowhere else.
func (p *peer) tell(first, last int) {
	p.seq++
	for r := first; r < last; r++ {
		now := time.Now()
		gift := &room.Gift{
			Room: "r" + strconv.Itoa(r), GiftID: "g1", Value: 10, Num: 2, Count: 20, Receiver: "anchor1", At: now.UnixMilli(),
			User: room.User{ID: "giver", Nickname: "~" + strconv.FormatInt(now.UnixNano(), 10)},
		}
		binary.BigEndian.PutUint64(gift.MsgID[:], p.seq)
		// The frame of the event without an avatar, of a seq with as many digits.
		const bare = len(`{"type":"gifts","seq":,"gifts":[{"msg_id":"00000000-0000-0000-0000-000000000000","user_id":"giver",` +
			`"nickname":"~1700000000000000000","avatar":"","gift_id":"g1","value":10,"num":2,"count":20,"receiver_id":"anchor1","at":1700000000000}]}`)
		gift.User.Avatar = strings.Repeat("a", peerMessage-bare-len(strconv.FormatUint(p.seq, 10)))
		p.house.Decided(owner.News{Room: gift.Room, Seq: p.seq, Decisions: []room.Decision{{Gift: gift, Status: room.Delivered}}})
	}
}

// beAPeer runs the server if this process is to be one, and reports whether it was.
func beAPeer() bool {
	rooms := os.Getenv(peerRooms)
	if rooms == "" {
		return false
	}
	err := profiled(os.Getenv(peerProfile), func() error { return servePeer(rooms, os.Stdin, os.Stdout) })
	if err != nil {
		panic(err)
	}
	return true
}

// profiled does it, and writes where its processor time went to the file if one is named.
func profiled(path string, do func() error) (err error) {
	if path == "" {
		return do()
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return do()
}

// TestPeer: bench-peers finds here the server that it expects.
func TestPeer(t *testing.T) {
	t.Parallel()
	in, say := io.Pipe()
	hear, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- servePeer("2", in, out) }() // joined below
	lines := bufio.NewScanner(hear)
	if !lines.Scan() {
		t.Fatal("no address")
	}
	g := &rawGuest{t, dialPeer(t, lines.Text())}
	g.head()
	if first := g.until(finText); !strings.Contains(first, `"welcome"`) {
		t.Errorf("first %s", first)
	}
	if _, err := io.WriteString(say, "tell 1\n"); err != nil {
		t.Fatal(err)
	}
	if event := g.until(finText); len(event) != peerMessage+len("[]") || strings.Count(event, "~") != 1 {
		t.Errorf("%d bytes: %s", len(event), event)
	}
	if _, err := io.WriteString(say, "rest\n"); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() {
		t.Error("no number of goroutines")
	} else if n, err := strconv.Atoi(lines.Text()); err != nil || n < 1 {
		t.Errorf("%q goroutines", lines.Text())
	}
	if err := say.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func dialPeer(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed already
	_, err = fmt.Fprint(conn, "GET /v1/rooms/r1/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer u1\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
