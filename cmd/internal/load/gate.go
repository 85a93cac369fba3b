package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"os"
	"syscall"
	"time"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/room"
)

// gate is how a worker's viewers come to the hub: nodes, source addresses and tokens.
type gate struct {
	nodes   []*url.URL
	dialers []*net.Dialer // one a source address
	slow    []*net.Dialer // the same for slow readers, with a small receive buffer
	tls     *tls.Config
	signer  *auth.HS256 // nil: tokens are asked of dev
	dev     *platform
	ttl     time.Duration
}

// slowBuffer is the receive buffer of slow readers in bytes, the least that Linux gives,
// so that what they do not read stays with the hub.
const slowBuffer = 4 << 10

func newGate(p *Plan) (*gate, error) {
	t := &p.Config.Target
	g := &gate{
		tls: &tls.Config{MinVersion: tls.VersionTLS12},
		// Long enough for every phase and its bounds.
		ttl: p.Config.Times.Connect + p.Config.Times.Load + p.Config.Times.Settle + time.Hour,
	}
	for _, text := range t.URLs {
		u, err := url.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("load: %w", err)
		}
		g.nodes = append(g.nodes, u)
	}
	sources := p.Config.Crowd.Sources
	for i := range max(1, len(sources)) {
		plain, slow := &net.Dialer{}, &net.Dialer{}
		if len(sources) > 0 {
			at := net.TCPAddrFromAddrPort(netip.AddrPortFrom(sources[i], 0))
			plain.LocalAddr, slow.LocalAddr = at, at
		}
		plain.Control = func(_, _ string, raw syscall.RawConn) error { return shape(raw, len(sources) > 0, 0) }
		slow.Control = func(_, _ string, raw syscall.RawConn) error { return shape(raw, len(sources) > 0, slowBuffer) }
		g.dialers, g.slow = append(g.dialers, plain), append(g.slow, slow)
	}
	if t.JWTSecret == "" {
		g.dev = newPlatform(t)
		return g, nil
	}
	var err error
	g.signer, err = auth.NewHS256(auth.HS256Config{Secret: []byte(t.JWTSecret), Audience: t.JWTAudience})
	return g, err
}

// token makes or fetches a viewer's token, good for one room.
func (g *gate) token(ctx context.Context, user, roomID string) (string, error) {
	if g.signer == nil {
		return g.dev.token(ctx, user, roomID)
	}
	return g.signer.Token(auth.Identity{
		User: room.User{ID: user}, Room: roomID, Can: auth.CanAll, Expires: time.Now().Add(g.ttl),
	})
}

// visit is what a viewer's next connection is to be: from its own address, to the node
// it was given first, later to any.
func (g *gate) visit(v *viewer) *visit {
	node := g.nodes[spread(v.index, 1)%uint64(len(g.nodes))]
	if v.state().number > 0 {
		node = g.nodes[rand.IntN(len(g.nodes))]
	}
	dialers := g.dialers
	if v.slow {
		dialers = g.slow
	}
	return &visit{
		node: node, room: v.board.room, token: v.token, from: v.chain.place,
		dialer: dialers[spread(v.index, 2)%uint64(len(dialers))], tls: g.tls,
	}
}

// spread deals viewers out evenly, whatever else goes by their number (SplitMix64's
// finish).
func spread(index int, salt uint64) uint64 {
	x := uint64(index)*0x9E3779B97F4A7C15 + salt //nolint:gosec // an index is not below zero
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// system is an error of the network in few words.
func system(err error) string {
	var number syscall.Errno
	switch {
	case errors.As(err, &number):
		return number.Error()
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, net.ErrClosed):
		return "closed here"
	}
	text := err.Error()
	return text[:min(len(text), 80)]
}
