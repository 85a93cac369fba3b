package spectest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Watch is a handler between a test's client and the hub that checks every
// exchange. The zero value is not usable: fill Docs, Next and Fault.
type Watch struct {
	Docs *Docs
	Next http.Handler
	// Fault hears what does not fit the document; t.Error's signature.
	Fault func(args ...any)

	mu   sync.Mutex
	seen map[string]bool // "operation status"
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
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = make(map[string]bool)
	}
	w.seen[fmt.Sprintf("%s %d", op, rec.status)] = true
}

// Seen reports whether the operation was answered with the status, as in
// [Docs.Operations].
func (w *Watch) Seen(operationStatus string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[operationStatus]
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
