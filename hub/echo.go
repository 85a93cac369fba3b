package hub

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// This is the one file that knows Echo. Echo v4 ends on 2026-12-31; leaving it is
// this file's work: it routes, finds the client's address, bounds bodies, catches
// panics and turns whatever a handler returns into an answer. Handlers see net/http
// only; path parameters are in r.PathValue, and r.RemoteAddr is the client's
// address (behind trusted proxies: the one that they report) without a port.

// handler answers one request, or returns what went wrong: a *problem is written
// as it is, any other error is logged and answered 500. After an error nothing may
// have been written.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is one line of the routing table.
type route struct {
	method string
	path   string // with ":name" for a parameter
	body   int64  // most bytes of a request body; 0: none is read
	handle handler
}

// router is what routes are served with.
type router struct {
	routes  []route
	proxies []netip.Prefix // whose X-Forwarded-For is believed
	log     *slog.Logger
	// seen hears of every answered request. status 101 is an upgrade. May be nil.
	seen func(route, method string, status int, took time.Duration)
}

// handler builds the http.Handler. It starts nothing.
func (rt router) handler() http.Handler {
	e := echo.New()
	e.Logger.SetOutput(io.Discard) // Echo's own logger writes to stdout
	e.IPExtractor = ipExtractor(rt.proxies)
	e.HTTPErrorHandler = func(err error, c echo.Context) { // errors of the router alone
		if c.Response().Committed {
			return
		}
		var he *echo.HTTPError
		p := newProblem(http.StatusInternalServerError, codeInternal, "the request could not be routed")
		if errors.As(err, &he) && he.Code == http.StatusNotFound {
			p = newProblem(http.StatusNotFound, codeNotFound, "there is nothing at this path")
		}
		if errors.As(err, &he) && he.Code == http.StatusMethodNotAllowed {
			p = newProblem(http.StatusMethodNotAllowed, codeMethodNotAllowed,
				"this method is not allowed here: see the Allow header")
		}
		writeProblem(c.Response(), p)
	}
	for _, r := range rt.routes {
		e.Add(r.method, r.path, rt.serve(r))
		if r.method == http.MethodGet { // RFC 9110 9.1: GET and HEAD go together
			e.Add(http.MethodHead, r.path, rt.serve(r))
		}
	}
	return e
}

// serve wraps one route's handler.
func (rt router) serve(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		req := c.Request().WithContext(c.Request().Context()) // a copy: the original may be the embedder's
		for i, name := range c.ParamNames() {
			if strings.Contains(c.ParamValues()[i], "/") { // Echo lets a last parameter take the rest of the path
				return echo.ErrNotFound
			}
			value, err := url.PathUnescape(c.ParamValues()[i])
			if err != nil {
				value = c.ParamValues()[i] // a stray %: every name's check refuses it
			}
			req.SetPathValue(name, value)
		}
		req.RemoteAddr = c.RealIP()
		req.Body = boundBody(c.Response(), req.Body, r.body)
		rt.answer(r, c.Response(), req)
		if rt.seen != nil {
			rt.seen(r.path, r.method, c.Response().Status, time.Since(start))
		}
		return nil
	}
}

// answer calls the handler and writes what it returns. A panic is a bug of ours in
// one request: it is logged with its stack and answered 500, and the hub goes on.
func (rt router) answer(r route, w *echo.Response, req *http.Request) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler { //nolint:errorlint,err113 // net/http compares so, too: a panic value, not an error chain
			panic(v)
		}
		rt.log.Error("panic in a handler", slog.String("route", r.path),
			slog.String("panic", fmt.Sprint(v)), slog.String("stack", string(debug.Stack())))
		if !w.Committed {
			writeProblem(w, newProblem(http.StatusInternalServerError, codeInternal, "the hub has failed on this request"))
		}
	}()
	err := r.handle(w, req)
	if err == nil {
		return
	}
	var p *problem
	switch {
	case !errors.As(err, &p):
		rt.log.Error("request failed", slog.String("route", r.path), slog.Any("error", err))
		p = newProblem(http.StatusInternalServerError, codeInternal, "the hub has failed on this request")
	case error(p) != err: //nolint:errorlint // is there a cause behind it that the client is not told?
		rt.log.Warn("request refused", slog.String("route", r.path), slog.Any("error", err))
	}
	if !w.Committed {
		writeProblem(w, p)
	}
}

// ipExtractor believes X-Forwarded-For only of the proxies given: anybody can send
// the header, and the limit of upgrades per address hangs on it.
func ipExtractor(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		a := p.Masked().Addr()
		trust = append(trust, echo.TrustIPRange(&net.IPNet{
			IP:   a.AsSlice(),
			Mask: net.CIDRMask(p.Bits(), a.BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}
