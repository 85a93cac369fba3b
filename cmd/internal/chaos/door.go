//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
	"github.com/giftwire/giftwire/zego"
)

// bodyMax bounds what is read of a call, as the simulator does.
const bodyMax = 1 << 20

// door stands before the simulated ZEGO. It notes every call when all of it has
// arrived, on this process's monotonic clock, so that the budget is judged without the
// simulator's help; it can be closed, and it can make a node's clock look wrong.
type door struct {
	inside http.Handler
	secret zego.Secret

	mu       sync.Mutex // guards the following
	arrivals []verdict.Arrival
	skew     map[string]time.Duration // by room: how wrong its calls' clock is
	poison   map[string]string        // by room: the user whose gifts ZEGO cannot read
	address  string
	server   *http.Server
	ended    chan struct{}
}

// open listens, at the same address every time.
func (d *door) open(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	address := d.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server, ended := &http.Server{Handler: d}, make(chan struct{}) //nolint:gosec // the node is no stranger
	d.address, d.server, d.ended = l.Addr().String(), server, ended
	go func() { // joined by close
		defer close(ended)
		_ = server.Serve(l) // it ends when it is closed
	}()
	return nil
}

// close refuses connections and cuts those that stand.
func (d *door) close() {
	d.mu.Lock()
	server, ended := d.server, d.ended
	d.server = nil
	d.mu.Unlock()
	if server == nil {
		return
	}
	_ = server.Close() // cut off on purpose
	<-ended
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		}
		return // the caller has gone: no call has arrived
	}
	now := time.Now()
	var body struct {
		RoomID string `json:"RoomId"`
	}
	_ = json.Unmarshal(text, &body) // the simulator judges bodies; here only the room counts
	action := zego.Action(r.URL.Query().Get("Action"))
	d.mu.Lock()
	d.arrivals = append(d.arrivals, verdict.Arrival{
		At: now, Room: body.RoomID, Action: string(action), Limit: action.PerSecond(), From: hostOf(r.RemoteAddr),
	})
	skew, poison := d.skew[body.RoomID], d.poison[body.RoomID]
	d.mu.Unlock()
	if action == zego.ActionGifts && poison != "" && bytes.Contains(text, []byte(`"`+poison+`"`)) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"Code":7200004,"Message":"one of them is poisoned","RequestId":"1"}`) // the node may have gone
		return
	}
	if skew != 0 {
		r.URL.RawQuery = d.restamp(r.URL.Query(), skew)
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	d.inside.ServeHTTP(w, r)
}

// hostOf is an address without its port.
func hostOf(address string) string {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return name
}

// restamp makes a call what a node whose clock is wrong would have sent.
func (d *door) restamp(q url.Values, skew time.Duration) string {
	seconds, err1 := strconv.ParseInt(q.Get("Timestamp"), 10, 64)
	app, err2 := strconv.ParseUint(q.Get("AppId"), 10, 32)
	if err1 != nil || err2 != nil {
		return q.Encode() // malformed already: ZEGO will say so
	}
	stamp := zego.Stamp{AppID: uint32(app), Nonce: q.Get("SignatureNonce"), Unix: seconds + int64(skew/time.Second)}
	q.Set("Timestamp", strconv.FormatInt(stamp.Unix, 10))
	q.Set("Signature", stamp.SignRequest(d.secret))
	return q.Encode()
}

// mistime makes the clock look wrong in a room's calls; 0: right again.
func (d *door) mistime(room string, skew time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.skew[room] = skew
}

// spoil makes one user's gifts unreadable for ZEGO: 7200004 for the whole list.
func (d *door) spoil(room, user string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.poison[room] = user
}

// seen returns the calls so far.
func (d *door) seen() []verdict.Arrival {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]verdict.Arrival(nil), d.arrivals...)
}

// seenSince returns the calls since a moment.
func (d *door) seenSince(at time.Time) []verdict.Arrival {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := len(d.arrivals)
	for i > 0 && !d.arrivals[i-1].At.Before(at) {
		i--
	}
	return append([]verdict.Arrival(nil), d.arrivals[i:]...)
}
