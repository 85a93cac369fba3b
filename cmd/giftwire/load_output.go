package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/giftwire/giftwire/cmd/internal/load"
)

// loadFiles are where reports go.
type loadFiles struct {
	json, html *os.File // nil: not wanted
	jsonToOut  bool
}

// create makes the files.
func (r *loadRun) create() (*loadFiles, error) {
	f := &loadFiles{jsonToOut: r.JSON == "-"}
	var err1, err2 error
	if r.JSON != "" && !f.jsonToOut {
		if f.json, err1 = os.Create(r.JSON); err1 != nil {
			err1 = fmt.Errorf("--json: %w", err1)
		}
	}
	if r.HTML != "" {
		if f.html, err2 = os.Create(r.HTML); err2 != nil {
			err2 = fmt.Errorf("--html: %w", err2)
		}
	}
	return f, errors.Join(err1, err2)
}

// close closes the files.
func (f *loadFiles) close() error {
	var errs []error
	for _, one := range []*os.File{f.json, f.html} {
		if one != nil {
			errs = append(errs, one.Close())
		}
	}
	return errors.Join(errs...)
}

// write writes the report wherever it is wanted: as text unless standard output has the
// JSON.
func (f *loadFiles) write(r *load.Report, out io.Writer) error {
	var errs []error
	asJSON := func(to io.Writer) {
		err := json.MarshalWrite(to, r, json.Deterministic(true), jsontext.WithIndent("  "))
		if err == nil {
			_, err = io.WriteString(to, "\n")
		}
		errs = append(errs, err)
	}
	if f.jsonToOut {
		asJSON(out)
	} else {
		errs = append(errs, r.WriteText(out))
	}
	if f.json != nil {
		asJSON(f.json)
	}
	if f.html != nil {
		errs = append(errs, r.WriteHTML(f.html))
	}
	return errors.Join(append(errs, f.close())...)
}

// loadScreen shows how a run goes: one line that is written again and again on a
// terminal, else a line every few seconds.
type loadScreen struct {
	to       io.Writer
	terminal bool
	width    int // of the terminal; 0: no bound
	last     time.Time
	phase    string
}

// screenEvery is how far apart plain lines are.
const screenEvery = 5 * time.Second

func newLoadScreen(to io.Writer) *loadScreen {
	s := &loadScreen{to: to}
	if f, ok := to.(*os.File); ok {
		s.width, s.terminal = terminalWidth(f)
	}
	return s
}

// show is told of the progress.
func (s *loadScreen) show(p load.Progress) {
	if s.terminal {
		_, _ = fmt.Fprintf(s.to, "\r%s\x1b[K", p.Line(s.width-1)) // nowhere to tell
		return
	}
	if now := time.Now(); now.Sub(s.last) >= screenEvery || p.Phase != s.phase {
		s.last, s.phase = now, p.Phase
		_, _ = fmt.Fprintln(s.to, p.Line(0)) // nowhere to tell
	}
}

// clear takes the line away.
func (s *loadScreen) clear() {
	if s.terminal {
		_, _ = fmt.Fprint(s.to, "\r\x1b[K") // nowhere to tell
	}
}
