// Package web has what browsers get from the binary: the demo page and giftwire.js.
package web

import (
	"embed"
	"net/http"
)

//go:embed static
var static embed.FS

// policy lets the page load its own files and connect to where it came from, nothing
// else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the page and its files.
func Handler() http.Handler {
	files := http.FileServerFS(static)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		r2 := r.Clone(r.Context())
		r2.URL.Path = "/static" + r.URL.Path
		files.ServeHTTP(w, r2)
	})
}
