package hub

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/socket"
	"github.com/giftwire/giftwire/hub/wire"
)

const wsPath = "/v1/rooms/:room/ws"

// routes is the viewers' part of the routing table.
func (l *lobby) routes() []route {
	return []route{
		{http.MethodGet, wsPath, 0, l.crossed(l.knock)},
		{http.MethodOptions, wsPath, 0, l.crossed(l.preflight)},
	}
}

// visitor is a viewer who has passed all checks.
type visitor struct {
	room   string
	config intake.Room
	who    auth.Identity
	since  *uint64 // the last gifts event heard, in this epoch; nil: start over
	state  owner.RoomState
}

// followMax is how long a viewer who comes waits for the room's owner: longer than a
// takeover takes (P12: 3 s after a node was killed).
const followMax = 4 * time.Second

// knock checks a viewer and upgrades the connection. A request that asks for no
// upgrade, which is how a browser learns what was wrong, passes the same checks.
func (l *lobby) knock(w http.ResponseWriter, r *http.Request) error {
	v, err := l.admit(r)
	if err != nil {
		return err
	}
	leave, err := l.seats.take(v.room, v.who.User.ID)
	if err != nil {
		return err
	}
	if err := l.follow(r.Context(), &v); err != nil {
		leave()
		return err
	}
	if err := upgradable(r); err != nil {
		leave()
		l.owners.Unfollow(v.room)
		return err
	}
	k, err := accept(w, r, l.limits.Frames.limit().Bucket(), socket.Setup{Spawn: l.house.Start, Ended: leave})
	if err != nil { // the library has answered
		l.owners.Unfollow(v.room)
		l.log.Debug("upgrade failed", slog.String("room", v.room), slog.Any("error", err))
		return nil
	}
	l.begin(k, v)
	return nil
}

// admit makes the checks, in this order: what is asked for, who asks, whether they
// may, whether it is there, whether there is room.
func (l *lobby) admit(r *http.Request) (visitor, error) {
	var v visitor
	var err error
	if v.room, err = roomName(r); err != nil {
		return v, err
	}
	if v.since, err = l.resumePoint(r.URL.RawQuery); err != nil {
		return v, err
	}
	if v.who, err = l.identify(r); err != nil {
		return v, err
	}
	if v.who.Room != "" && v.who.Room != v.room {
		return v, newProblem(http.StatusForbidden, codeWrongRoom, "the token is for another room")
	}
	if !l.sameOrigin(r) {
		return v, newProblem(http.StatusForbidden, codeForeignOrigin, "pages of this origin may not connect")
	}
	// Before the room is looked for, which may be a question to NATS.
	if retry, ok := l.upgrades.Allow(addressOf(r.RemoteAddr), time.Now()); !ok {
		return v, newProblem(http.StatusTooManyRequests, codeRateLimited, "too many connections from this address").after(retry)
	}
	closed := l.closed()
	config, open := l.rooms.Room(v.room)
	if !open && closed == nil && l.find != nil {
		config, open = l.find(r.Context(), v.room)
	}
	if !open && closed == nil { // while it starts, no room is known
		return v, noSuchRoom(v.room)
	}
	v.config = config
	if closed != nil {
		return v, closed
	}
	return v, nil
}

// follow begins to hear of the visitor's room, and learns its state.
func (l *lobby) follow(ctx context.Context, v *visitor) error {
	ctx, cancel := context.WithTimeout(ctx, followMax)
	defer cancel()
	state, err := l.owners.Follow(ctx, v.room)
	if err == nil && v.since != nil && *v.since > state.Seq {
		// Another node may have told this viewer what has not come here yet; to start over
		// would be to tell it again.
		if state, err = l.owners.Ask(ctx, v.room); err != nil {
			l.owners.Unfollow(v.room)
		}
	}
	if err != nil {
		l.log.Debug("room cannot be followed", slog.String("room", v.room), slog.Any("error", err))
		return newProblem(http.StatusServiceUnavailable, codeUnavailable,
			"nobody answers for room %s at the moment", v.room).after(retrySoon)
	}
	v.state = state
	if v.since != nil {
		l.memoir.recall(ctx, v.room, *v.since, state)
	}
	return nil
}

// resumePoint reads since and epoch, and refuses tokens in the query, which would
// stand in access logs. Another epoch is no mistake: the viewer starts over.
func (l *lobby) resumePoint(raw string) (*uint64, error) {
	if hasToken(raw) {
		return nil, newProblem(http.StatusBadRequest, codeTokenInQuery,
			"send the token as Authorization: Bearer, or as the sub-protocol bearer.TOKEN, never in the URL")
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, codeBadRequest, "the query cannot be read: is it escaped well?")
	}
	if !q.Has("since") {
		return nil, nil //nolint:nilnil // starting over is what an absent point means
	}
	since, err := strconv.ParseUint(q.Get("since"), 10, 64)
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, codeBadRequest, "since must be the seq of the last event seen")
	}
	if q.Get("epoch") != l.face.epoch {
		return nil, nil //nolint:nilnil // as above
	}
	return &since, nil
}

// hasToken finds the parameters that must not be there, also in a query that cannot be
// parsed: an access log has it as it came.
func hasToken(raw string) bool {
	for part := range strings.FieldsFuncSeq(raw, func(c rune) bool { return c == '&' || c == ';' }) {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		switch strings.ToLower(name) {
		case "token", "access_token", "jwt":
			return true
		}
	}
	return false
}

// identify finds the token and checks it.
func (l *lobby) identify(r *http.Request) (auth.Identity, error) {
	unauthorized := func(why string) error {
		return newProblem(http.StatusUnauthorized, codeUnauthorized, "%s", why).with("WWW-Authenticate", `Bearer realm="giftwire"`)
	}
	token, ok := tokenOf(r)
	if !ok {
		return auth.Identity{}, unauthorized("send a viewer token as Authorization: Bearer, or as the sub-protocol bearer.TOKEN")
	}
	who, err := l.auth.Authenticate(r.Context(), token)
	switch {
	case errors.Is(err, auth.ErrBadToken):
		return auth.Identity{}, unauthorized(err.Error())
	case err != nil:
		l.log.Error("tokens cannot be checked", slog.Any("error", err))
		return auth.Identity{}, newProblem(http.StatusServiceUnavailable, codeUnavailable, "tokens cannot be checked at the moment").after(retrySoon)
	}
	return who, nil
}

// tokenOf finds the token: in Authorization, which native clients send, or among the
// sub-protocols, which is all that a browser can set.
func tokenOf(r *http.Request) (string, bool) {
	if headers := r.Header.Values("Authorization"); len(headers) > 0 {
		return auth.Bearer(headers[0])
	}
	for _, p := range tokens(r.Header, "Sec-WebSocket-Protocol") {
		if token, ok := strings.CutPrefix(p, wire.BearerPrefix); ok && token != "" {
			return token, true
		}
	}
	return "", false
}

// tokens lists the comma-separated values of a header.
func tokens(h http.Header, name string) []string {
	var all []string
	for _, line := range h.Values(name) {
		for t := range strings.SplitSeq(line, ",") {
			all = append(all, strings.TrimSpace(t))
		}
	}
	return all
}

// addressOf is whose upgrades are counted together. A host has at least an IPv6 /64.
func addressOf(remote string) netip.Prefix {
	addr, err := netip.ParseAddr(remote)
	if err != nil {
		return netip.Prefix{} // not an address: all such together
	}
	addr = addr.Unmap()
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{} // cannot be: the bits fit the address
	}
	return prefix
}

// upgradable refuses a request that is no good WebSocket upgrade (RFC 6455, section
// 4.2.1), which includes one that asks for none.
func upgradable(r *http.Request) error {
	has := func(name, token string) bool {
		for _, t := range tokens(r.Header, name) {
			if strings.EqualFold(t, token) {
				return true
			}
		}
		return false
	}
	required := func(detail string) *problem {
		return newProblem(http.StatusUpgradeRequired, codeUpgradeRequired, "%s", detail).
			with("Upgrade", "websocket").with("Connection", "Upgrade").with("Sec-WebSocket-Version", "13")
	}
	if r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1) || !has("Connection", "upgrade") || !has("Upgrade", "websocket") {
		return required("all is well: come back with a WebSocket upgrade")
	}
	if r.Header.Get("Sec-WebSocket-Version") != "13" {
		return required("WebSocket version 13 is spoken here")
	}
	keys := r.Header.Values("Sec-WebSocket-Key")
	if len(keys) != 1 {
		return newProblem(http.StatusBadRequest, codeBadRequest, "an upgrade has one Sec-WebSocket-Key")
	}
	if key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0])); err != nil || len(key) != 16 {
		return newProblem(http.StatusBadRequest, codeBadRequest, "Sec-WebSocket-Key must be 16 bytes in base64")
	}
	return nil
}

// crossed lets pages of other origins read the answers of a plain request, and so
// learn why an upgrade was refused.
func (l *lobby) crossed(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); origin != "" && l.sameOrigin(r) {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "Retry-After")
		}
		return next(w, r)
	}
}

// preflight answers a browser that asks whether a page may send Authorization. The
// browser stops by itself where the origin is not allowed.
func (l *lobby) preflight(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", http.MethodGet)
	h.Set("Access-Control-Allow-Headers", "Authorization")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// sameOrigin reports whether the request comes from no page, from a page of the
// server's own host, or from one of an allowed origin.
func (l *lobby) sameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	if len(origins) > 1 {
		return false
	}
	for _, allowed := range l.origins {
		if strings.EqualFold(origins[0], allowed) {
			return true
		}
	}
	u, err := url.Parse(origins[0])
	if err != nil || u.Host == "" { // also "null", of a page that hides where it is from
		return false
	}
	return strings.EqualFold(hostPort(u.Scheme, u.Host), hostPort(u.Scheme, r.Host))
}

// hostPort completes a host by the scheme's default port: browsers leave it out, other
// clients may not.
func hostPort(scheme, host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	port := "80"
	if scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
