package hub

import (
	"io"
	"net/http"
	"net/http/pprof"
	"os"
	"path/filepath"
)

// adminRoutes is the routing table of the admin handler. None of its paths is served
// by the public one. It has no key: it belongs on a listener that only operators reach.
func adminRoutes(ready handler, metrics http.Handler) []route {
	plain := func(h http.HandlerFunc) handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			h(w, r)
			return nil
		}
	}
	return []route{
		{http.MethodGet, "/healthz", 0, serveAlive},
		{http.MethodGet, "/readyz", 0, ready},
		{http.MethodGet, "/metrics", 0, plain(metrics.ServeHTTP)},
		// net/http/pprof registers itself in http.DefaultServeMux too; nothing of ours
		// serves that.
		{http.MethodGet, "/debug/pprof/", 0, plain(pprof.Index)},
		{http.MethodGet, "/debug/pprof/:profile", 0, plain(pprof.Index)},
		{http.MethodGet, "/debug/pprof/cmdline", 0, plain(commandName)},
		{http.MethodGet, "/debug/pprof/profile", 0, plain(pprof.Profile)},
		{http.MethodGet, "/debug/pprof/symbol", 0, plain(pprof.Symbol)},
		{http.MethodPost, "/debug/pprof/symbol", bodyMax, plain(pprof.Symbol)},
		{http.MethodGet, "/debug/pprof/trace", 0, plain(pprof.Trace)},
	}
}

// commandName stands in for pprof.Cmdline, whose answer has every flag, and so the
// secrets among them. `go tool pprof` only shows it.
func commandName(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, filepath.Base(os.Args[0])) // the client has gone: nothing is left to tell
}
