package zegotest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// streamEvery is how often a stream looks, at most: a page needs no more, and a
	// busy server has thousands of changes a second.
	streamEvery = 50 * time.Millisecond
	// streamMax ends a stream; browsers connect again with the last id. So a server
	// that shuts down waits for no page longer than this.
	streamMax = 10 * time.Minute
	// streamPage is how many calls one look takes.
	streamPage = 256
	// streamOpen is how many calls that have not ended a stream follows; of more it
	// tells the arrival only.
	streamOpen = 1024
)

// stream is what one page has seen.
type stream struct {
	since uint64   // the newest call told
	open  []uint64 // calls told that had not ended, ascending
}

// adminStream tells calls as they arrive and as they end, until the reader goes.
func (s *Server) adminStream(w http.ResponseWriter, r *http.Request) {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("since")
	}
	var st stream
	if last != "" {
		var err error
		if st.since, err = strconv.ParseUint(last, 10, 64); err != nil {
			writeError(w, http.StatusBadRequest, errors.New("since must be a number"))
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), streamMax)
	defer cancel()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	if err := out.Flush(); err != nil {
		return
	}
	for {
		changed := s.Changed()
		for {
			calls := s.look(&st)
			if len(calls) == 0 {
				break
			}
			if st.tell(w, calls) != nil || out.Flush() != nil {
				return
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
		if !pause(ctx, streamEvery) {
			return
		}
	}
}

// look returns calls that have ended since they were told, and then new ones.
func (s *Server) look(st *stream) []Arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	var calls []Arrival
	st.open = slices.DeleteFunc(st.open, func(seq uint64) bool {
		a := s.arrivals.at(seq)
		if a != nil && a.Done {
			calls = append(calls, a.clone())
		}
		return a == nil || a.Done
	})
	for _, a := range s.arrivals.after(st.since, streamPage) {
		calls = append(calls, a.clone())
		st.since = a.Seq
		if !a.Done && len(st.open) < streamOpen {
			st.open = append(st.open, a.Seq)
		}
	}
	return calls
}

// tell writes the calls as events. The id is where a page that connects again has to
// begin: before the oldest call that had not ended.
func (st *stream) tell(w http.ResponseWriter, calls []Arrival) error {
	id := st.since
	if len(st.open) > 0 {
		id = st.open[0] - 1
	}
	for _, a := range calls {
		text, err := json.Marshal(a)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "event: call\nid: %d\ndata: %s\n\n", id, text); err != nil {
			return err
		}
	}
	return nil
}
