package web_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/giftwire/giftwire/web"
)

func ask(t *testing.T, method, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	web.Handler().ServeHTTP(w, r)
	return w
}

func TestFiles(t *testing.T) {
	for _, tt := range []struct {
		method, path string
		status       int
		kind, origin string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", ""},
		{"HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/index.html", 200, "text/html; charset=utf-8", ""},
		{"GET", "/giftwire.js", 200, "text/javascript; charset=utf-8", "*"},
		{"GET", "/giftwire.d.ts", 200, "text/plain; charset=utf-8", "*"},
		{"GET", "/giftwire/room.js", 200, "text/javascript; charset=utf-8", "*"},
		{"GET", "/demo/main.js", 200, "text/javascript; charset=utf-8", ""},
		{"GET", "/demo/css/base.css", 200, "text/css; charset=utf-8", ""},
		{"GET", "/demo/art/mark.svg", 200, "image/svg+xml", ""},
		{"GET", "/vendor/uplot/LICENSE", 200, "text/plain; charset=utf-8", ""},
		{"GET", "/demo", 404, "", ""},
		{"GET", "/demo/", 404, "", ""},
		{"GET", "/demo//main.js", 404, "", ""},
		{"GET", "/../web.go", 404, "", ""},
		{"GET", "/static/index.html", 404, "", ""},
		{"GET", "/picture.png", 404, "", ""},
		{"GET", "/node_modules/ws/index.js", 404, "", ""},
		{"POST", "/", 405, "", ""},
		{"OPTIONS", "/", 405, "", ""},
	} {
		resp := ask(t, tt.method, tt.path, nil)
		h := resp.Header()
		if resp.Code != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, resp.Code, tt.status)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s %s: %v", tt.method, tt.path, h)
		}
		if tt.status != 200 {
			continue
		}
		if h.Get("Content-Type") != tt.kind || h.Get("Access-Control-Allow-Origin") != tt.origin || h.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s %s: %v", tt.method, tt.path, h)
		}
	}
}

// What a browser has already is not sent again, and what has changed has another tag.
func TestTags(t *testing.T) {
	page, script := ask(t, "GET", "/", nil), ask(t, "GET", "/giftwire.js", nil)
	tag := page.Header().Get("ETag")
	if len(tag) < 10 || strings.HasPrefix(tag, "W/") || tag == script.Header().Get("ETag") || tag != ask(t, "HEAD", "/", nil).Header().Get("ETag") {
		t.Errorf("tags %q and %q", tag, script.Header().Get("ETag"))
	}
	for _, tt := range []struct {
		tags   string
		status int
	}{
		{tag, 304},
		{`"other", ` + tag, 304},
		{"*", 304},
		{`"other"`, 200},
	} {
		resp := ask(t, "GET", "/", http.Header{"If-None-Match": {tt.tags}})
		if resp.Code != tt.status || resp.Header().Get("ETag") != tag || resp.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("If-None-Match %s: %d %v, want %d", tt.tags, resp.Code, resp.Header(), tt.status)
		}
		if body := resp.Body.Len(); tt.status == 304 && body > 0 {
			t.Errorf("304 with %d bytes", body)
		}
	}
}

// Every file of the folder is served, and is one that a browser understands.
func TestAllFilesAreServed(t *testing.T) {
	err := fs.WalkDir(os.DirFS("static"), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if resp := ask(t, "GET", "/"+name, nil); resp.Code != 200 {
			t.Errorf("%s: %d", name, resp.Code)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The house's limit holds for the page, too.
func TestFilesOfThePageAreShort(t *testing.T) {
	const linesMax = 400
	err := fs.WalkDir(os.DirFS("static"), "demo", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile("static/" + name)
		if lines := strings.Count(string(text), "\n"); lines > linesMax {
			t.Errorf("%s has %d lines, more than %d", name, lines, linesMax)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
