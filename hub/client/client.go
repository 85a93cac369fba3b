// Package client is a viewer's connection in Go: for load generators, tests, and
// services that watch rooms. Browsers have giftwire.js.
//
//	conn, err := client.Dial(ctx, client.Config{URL: "ws://127.0.0.1:8080", Room: "demo", Token: token})
//	...
//	err = conn.Send(ctx, wire.GiftFrame{ID: "c-17", GiftID: "g1", Count: 20})
//	for {
//		event, err := conn.Next(ctx)
//		...
//	}
//
// When the connection is lost, dial again with [Conn.Place] in Config.From: what was
// missed comes first. A gift without an accepted or rejected is sent again under the
// same id; that has no second effect.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/wire"
)

// Config says where to connect to, as whom, and since when.
type Config struct {
	// URL is the hub's base: ws, wss, http or https, with the path at which it is mounted.
	URL  string
	Room string
	// Token is a viewer token, sent in Authorization.
	Token string
	// AsBrowser sends the token as a browser has to: as a sub-protocol.
	AsBrowser bool
	// From is where an earlier connection ended; the zero Place starts over.
	From Place
	// HTTP is used for the upgrade; nil: a client of its own.
	HTTP *http.Client
	// Header is sent with the upgrade, for example Origin. May be nil.
	Header http.Header
}

// Place is how far a viewer has heard a room.
type Place struct {
	Epoch string
	Seq   uint64
}

// RefusedError is a refused upgrade.
type RefusedError struct {
	Status     int           // HTTP status
	Code       string        // of the problem document, if there was one
	Detail     string        // for people
	RetryAfter time.Duration // 0: not told
}

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("client: refused with %d %s: %s", e.Status, e.Code, e.Detail)
}

// frameMax is the largest server frame that is read, in bytes: wire.FrameMax and one
// event that is larger by itself.
const frameMax = 4 << 20

// Conn is a connection. Next must be called again and again, also by who only sends:
// it is what answers the server's pings. Send is safe for concurrent use, Next is not.
type Conn struct {
	ws      *websocket.Conn
	pending []wire.Event // owned by Next

	mu    sync.Mutex // guards place
	place Place
}

// Dial connects and returns when the upgrade is done; the first event is welcome. A
// refusal is a [*RefusedError].
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	target, err := cfg.target()
	if err != nil {
		return nil, err
	}
	if cfg.HTTP == nil {
		// Without keep-alives: a connection that was refused must not linger.
		cfg.HTTP = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	}
	opts := &websocket.DialOptions{
		HTTPClient:   cfg.HTTP,
		HTTPHeader:   cfg.Header.Clone(),
		Subprotocols: []string{wire.Subprotocol},
	}
	if opts.HTTPHeader == nil {
		opts.HTTPHeader = make(http.Header)
	}
	if cfg.AsBrowser {
		opts.Subprotocols = append(opts.Subprotocols, wire.BearerPrefix+cfg.Token)
	} else {
		opts.HTTPHeader.Set("Authorization", "Bearer "+cfg.Token)
	}
	ws, resp, err := websocket.Dial(ctx, target, opts) //nolint:bodyclose // the library says that it need not be
	if err != nil {
		if resp != nil {
			return nil, refused(resp)
		}
		return nil, fmt.Errorf("client: %w", err)
	}
	ws.SetReadLimit(frameMax)
	return &Conn{ws: ws, place: cfg.From}, nil
}

func (cfg Config) target() (string, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return "", fmt.Errorf("client: %w", err)
	}
	u = u.JoinPath("v1", "rooms", cfg.Room, "ws")
	if cfg.From != (Place{}) {
		u.RawQuery = url.Values{"since": {strconv.FormatUint(cfg.From.Seq, 10)}, "epoch": {cfg.From.Epoch}}.Encode()
	}
	return u.String(), nil
}

// refused reads the answer that was no upgrade. The library has kept its first KiB.
func refused(resp *http.Response) error {
	e := &RefusedError{Status: resp.StatusCode, Detail: resp.Status}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	var problem struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}
	body, err := io.ReadAll(resp.Body)
	if err == nil && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") &&
		json.Unmarshal(body, &problem) == nil {
		e.Code, e.Detail = problem.Code, problem.Detail
	}
	return e
}

// Subprotocol is what the server has selected.
func (c *Conn) Subprotocol() string { return c.ws.Subprotocol() }

// Next returns the next event, waiting for it. After the last one it returns an error
// from which [CloseCode] reads how the server closed.
func (c *Conn) Next(ctx context.Context) (wire.Event, error) {
	for len(c.pending) == 0 {
		kind, frame, err := c.ws.Read(ctx)
		if err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
		if kind != websocket.MessageText {
			return nil, fmt.Errorf("client: %w: binary", wire.ErrBadFrame)
		}
		if c.pending, err = wire.Parse(frame); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
	}
	event := c.pending[0]
	c.pending = c.pending[1:]
	c.note(event)
	return event, nil
}

func (c *Conn) note(event wire.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := event.(type) {
	case wire.Welcome:
		c.place = Place{Epoch: e.Epoch, Seq: e.Seq}
	case wire.Gifts:
		c.place.Seq = e.Seq
	case wire.Lagged:
		c.place.Seq = e.To
	}
}

// Place is how far Next has come: what Config.From of the next connection should be.
func (c *Conn) Place() Place {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.place
}

// Send sends a frame.
func (c *Conn) Send(ctx context.Context, frame wire.Frame) error {
	if err := c.ws.Write(ctx, websocket.MessageText, frame.Append(nil)); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	return nil
}

// Close says goodbye and waits for the server's, a few seconds at most.
func (c *Conn) Close() error { return c.ws.Close(websocket.StatusNormalClosure, "") }

// Cut closes without a word.
func (c *Conn) Cut() error { return c.ws.CloseNow() }

// CloseCode is the status with which the server closed, from an error of Next; 0: it
// did not.
func CloseCode(err error) wire.CloseCode {
	var ce websocket.CloseError
	if !errors.As(err, &ce) {
		return 0
	}
	return wire.CloseCode(ce.Code)
}
