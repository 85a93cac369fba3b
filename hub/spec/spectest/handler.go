package spectest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Watch is a handler between a test's client and the hub that checks every
// exchange.
type Watch struct {
	Docs *Docs
	Next http.Handler
	// Fault hears what does not fit the document; t.Error's signature.
	Fault func(args ...any)
	// Coverage, if set, notes what was answered.
	Coverage *Coverage
}

// Coverage notes which operations were answered with which status.
type Coverage struct {
	mu   sync.Mutex
	seen map[string]bool // "operation status"
}

// NewCoverage has seen nothing.
func NewCoverage() *Coverage { return &Coverage{seen: make(map[string]bool)} }

// Seen reports whether an operation was answered with a status, written as in
// [Docs.Operations].
func (c *Coverage) Seen(operationStatus string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[operationStatus]
}

func (c *Coverage) note(operation string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[fmt.Sprintf("%s %d", operation, status)] = true
}

// ServeHTTP passes the request on and judges the exchange afterwards.
func (w *Watch) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var request bytes.Buffer
	path := r.URL.EscapedPath()
	r.Body = tee{Reader: io.TeeReader(r.Body, &request), Closer: r.Body}
	rec := &recorder{ResponseWriter: rw}
	w.Next.ServeHTTP(rec, r)
	x := Exchange{
		Method: r.Method, Path: path, Request: request.Bytes(),
		Status: rec.status, Header: rw.Header(), Answer: rec.body.Bytes(),
	}
	op, err := w.Docs.Exchange(x)
	if err != nil {
		w.Fault(fmt.Sprintf("%s %s: %v", r.Method, path, err))
	}
	if w.Coverage != nil {
		w.Coverage.note(op, rec.status)
	}
}

type tee struct {
	io.Reader
	io.Closer
}

// recorder keeps what passes.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// Unwrap lets the hub hijack the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// WriteHeader keeps the first status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write keeps a copy.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}
