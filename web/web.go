// Package web has what browsers get from the binary: giftwire.js, which any app can
// import, and the demo page, which shows what giftwire does and works in full where
// `giftwire dev` serves it.
//
// An embedder who wants the client beside the hub mounts [Handler]; the page then says
// that it needs `giftwire dev`, because nobody gives it tokens:
//
//	mux.Handle("/assets/", http.StripPrefix("/assets", web.Handler()))
//	// import { connect } from "https://live.example.com/assets/giftwire.js";
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed static
var static embed.FS

// policy lets the page load its own files and connect to where it came from, nothing
// else; no script and no style stands in the page itself, and no text becomes markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// mediaType is the type by extension; empty: unknown. The system's table is not asked:
// machines have different ones, and browsers refuse modules of another type.
func mediaType(extension string) string {
	switch extension {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".ts", ".md", "": // .ts is video/mp2t elsewhere; LICENSE has no extension
		return "text/plain; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return ""
	}
}

// asset is one file as it is sent.
type asset struct {
	body      []byte
	kind, tag string
	// foreign: pages of other origins may load it as a module.
	foreign bool
}

// Handler serves the page at / and its files. Answers carry an ETag of the content and
// have to be asked for again each time (Cache-Control: no-cache), which costs 304
// without a body; so a new binary is a new page, and old files never meet new ones.
// giftwire.js and what belongs to it may be loaded from any origin. Only GET and HEAD
// are answered; folders are 404.
func Handler() http.Handler {
	assets := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
		}
		a, ok := assets[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		a.serve(w, r)
	})
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", a.tag)
	if a.foreign {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}

// load reads all files. What is embedded cannot fail to be read, and a file without a
// type is a mistake of whoever added it: a test loads them all.
func load() map[string]*asset {
	assets := make(map[string]*asset)
	err := fs.WalkDir(static, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		kind := mediaType(path.Ext(name))
		if kind == "" {
			return fmt.Errorf("web: no media type for %s", name)
		}
		sum := sha256.Sum256(body)
		short := strings.TrimPrefix(name, "static/")
		assets[short] = &asset{
			body: body, kind: kind, tag: strconv.Quote(base64.RawURLEncoding.EncodeToString(sum[:12])),
			foreign: strings.HasPrefix(short, "giftwire"),
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return assets
}
