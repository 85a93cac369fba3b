package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// crowd is a lobby over loopback TCP with idle viewers in the room r1, whose sides
// are bare sockets: what is measured is the server's share.
type crowd struct {
	house *audience.House
	conns []net.Conn
	stop  func()
}

type oneRoom struct{}

func (oneRoom) Room(string) (intake.Room, bool) { return intake.Room{Game: "g"}, true }

type noGifts struct{}

func (noGifts) Follow(context.Context, string) (owner.RoomState, error) {
	return owner.RoomState{}, nil
}

func (n noGifts) Ask(ctx context.Context, roomID string) (owner.RoomState, error) {
	return n.Follow(ctx, roomID)
}
func (noGifts) Unfollow(string)             {}
func (noGifts) Room(string) owner.RoomState { return owner.RoomState{} }

func newCrowd(b *testing.B, viewers int) *crowd {
	b.Helper()
	signer, err := auth.NewHS256(auth.HS256Config{Secret: []byte("0123456789abcdef0123456789abcdef")})
	if err != nil {
		b.Fatal(err)
	}
	house, err := audience.New(audience.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	var f faults
	limits := Limits{Viewer: ViewerLimits{Upgrades: Rate{PerSecond: 1e6, Burst: 1e6}}}
	limits.fill(&f)
	if len(f) > 0 {
		b.Fatal(errors.Join(f...))
	}
	l := newLobby(lobbyConfig{
		face: face{node: "n1", epoch: "e1"}, auth: signer, house: house, rooms: oneRoom{}, owners: noGifts{},
		limits: limits.Viewer, closed: func() *problem { return nil }, log: slog.New(slog.DiscardHandler),
	})
	srv := httptest.NewServer(router{routes: l.routes(), log: slog.New(slog.DiscardHandler)}.handler())
	viewersPart := begin(context.WithoutCancel(b.Context()), "viewers", l.run, func(err error) { b.Error(err) })
	c := &crowd{house: house}
	c.stop = func() {
		if err := viewersPart.end(); err != nil {
			b.Error(err)
		}
		for _, conn := range c.conns {
			_ = conn.Close() // the server has gone
		}
		srv.Close()
	}
	for i := range viewers {
		token, err := signer.Token(auth.Identity{User: room.User{ID: fmt.Sprintf("u%d", i)}, Can: auth.CanAll, Expires: time.Now().Add(time.Hour)})
		if err != nil {
			b.Fatal(err)
		}
		conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", strings.TrimPrefix(srv.URL, "http://"))
		if err != nil {
			b.Fatal(err)
		}
		c.conns = append(c.conns, conn)
		_, err = fmt.Fprintf(conn, "GET /v1/rooms/r1/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer %s\r\n\r\n", token)
		if err != nil {
			b.Fatal(err)
		}
	}
	for house.Stats().Events < uint64(viewers) {
		runtime.Gosched()
	}
	return c
}

// settled reads the heap and the goroutines when everything rests.
func settled() (heap uint64, goroutines int) {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
		<-time.After(100 * time.Millisecond)
	}
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse, runtime.NumGoroutine()
}

// BenchmarkIdleViewer reports what a connected viewer costs that does nothing: heap
// and stacks of the server (the client's side is a bare socket).
func BenchmarkIdleViewer(b *testing.B) {
	const viewers = 2000
	for b.Loop() {
		heap, goroutines := settled()
		c := newCrowd(b, viewers)
		fullHeap, fullGoroutines := settled()
		b.ReportMetric(float64(fullHeap-heap)/viewers/1024, "KiB/viewer")
		b.ReportMetric(float64(fullGoroutines-goroutines)/viewers, "goroutines/viewer")
		c.stop()
	}
}

// BenchmarkFanOutTCP tells a room of 500 viewers on loopback of one flush of a gift;
// an op is one delivery, written to the system.
func BenchmarkFanOutTCP(b *testing.B) {
	const viewers = 500
	c := newCrowd(b, viewers)
	defer c.stop()
	for _, conn := range c.conns { // somebody has to read
		go func() { // ends with the connection
			buf := make([]byte, 64<<10)
			for {
				if _, err := conn.Read(buf); err != nil {
					return
				}
			}
		}()
	}
	gift := &room.Gift{ClientID: "c", Room: "r1", User: room.User{ID: "giver", Nickname: "Giver", Avatar: "https://e.example/a.png"}}
	b.ReportAllocs()
	b.ResetTimer()
	var seq uint64
	for n := 0; n < b.N; n += viewers {
		seq++
		before := c.house.Stats().Events
		c.house.Decided(owner.News{Room: "r1", Seq: seq, Decisions: []room.Decision{{Gift: gift, Status: room.Delivered}}})
		for c.house.Stats().Events < before+viewers {
			runtime.Gosched()
		}
	}
	if dropped := c.house.Stats().LaggedGifts; dropped > 0 {
		b.Errorf("%d deliveries were dropped", dropped)
	}
}
