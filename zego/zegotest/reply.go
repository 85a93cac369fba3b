package zegotest

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/zego"
)

// envelope is every answer, in the order of ZEGO's examples.
type envelope struct {
	Code      *int   `json:",omitzero"`
	Message   string `json:"Message"`
	RequestID string `json:"RequestId"`
	Data      any    `json:",omitzero"`
	Padding   string `json:",omitzero"`
}

type (
	resultsData struct {
		Results []row
	}
	launchData struct {
		GameLaunchCode any
	}
)

// reply gives the answer as the call's script says. It ends with a panic of
// [http.ErrAbortHandler] where the connection is to be closed.
func (s *Server) reply(w http.ResponseWriter, r *http.Request, c *call, ans response) {
	start := c.at
	defer func() { s.finish(c, start) }()
	ans.rows = c.script.Rows.apply(ans.rows)
	s.mu.Lock()
	s.update(c, func(a *Arrival) {
		a.Outcome = Outcome{Processed: ans.processed, Code: ans.code, Status: ans.statusOf(c.script), Reply: c.script.Reply}
	})
	released := s.released
	s.mu.Unlock()

	if !pause(r.Context(), c.script.After) {
		panic(http.ErrAbortHandler)
	}
	if c.script.Reply == ReplyHang {
		select {
		case <-released:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	answered := c.script.Reply == ReplyAnswer || c.script.Reply == ReplyHang
	if c.script.Reply == ReplyDrop || (answered && ans.lost && ans.code == 0) {
		panic(http.ErrAbortHandler)
	}
	if err := s.write(w, r, c, ans); err != nil {
		panic(http.ErrAbortHandler) // the caller has gone, or is to find half an answer
	}
}

// statusOf is the HTTP status of the answer.
func (ans response) statusOf(script Fault) int {
	switch {
	case script.Reply == ReplyHTML && script.Status != 0:
		return script.Status
	case script.Reply == ReplyHTML:
		return http.StatusBadGateway
	case ans.status != 0:
		return ans.status
	default:
		return http.StatusOK
	}
}

// write writes the answer. An error closes the connection.
func (s *Server) write(w http.ResponseWriter, r *http.Request, c *call, ans response) error {
	status := ans.statusOf(c.script)
	if c.script.Reply == ReplyHTML || ans.status != 0 {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, err := fmt.Fprintf(w, "<html><body><h1>%d %s</h1></body></html>\n", status, http.StatusText(status))
		return err
	}
	env := envelope{Code: &ans.code, Message: ans.message, RequestID: s.requestID()}
	switch {
	case ans.code != zego.CodeOK:
	case ans.launch != 0 && s.cfg.Play.LaunchNumber:
		env.Data = launchData{ans.launch}
	case ans.launch != 0:
		env.Data = launchData{strconv.Itoa(ans.launch)}
	case ans.rows != nil:
		env.Data = resultsData{ans.rows}
	}
	switch c.script.Reply {
	case ReplyHuge:
		env.Padding = strings.Repeat("x", 2<<20)
	case ReplyNoCode:
		env.Code = nil
	default:
	}
	text, err := json.Marshal(env)
	if err != nil {
		return err
	}
	return writeText(w, r, c.script.Reply, text)
}

func writeText(w http.ResponseWriter, r *http.Request, reply Reply, text []byte) error {
	w.Header().Set("Content-Type", "application/json")
	switch reply {
	case ReplyWrongType:
		w.Header().Set("Content-Type", "text/html")
	case ReplyMalformed:
		text = []byte(`{"Code":0,"Message":"succeed,"RequestId":}`)
	case ReplyEmpty:
		text = nil
	case ReplyTruncated:
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		if _, err := w.Write(text[:len(text)/2]); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
		return io.ErrUnexpectedEOF
	case ReplyDrip:
		return drip(w, r, text)
	default:
	}
	_, err := w.Write(text)
	return err
}

// drip writes a byte a second.
func drip(w http.ResponseWriter, r *http.Request, text []byte) error {
	flush := http.NewResponseController(w)
	for i := range text {
		if !pause(r.Context(), time.Second) {
			return r.Context().Err()
		}
		if _, err := w.Write(text[i : i+1]); err != nil {
			return err
		}
		if err := flush.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// finish marks the call as ended in the log.
func (s *Server) finish(c *call, start time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := s.cfg.Now().Sub(start)
	s.update(c, func(a *Arrival) { a.Done, a.TookMS = true, took.Milliseconds() })
}

// apply changes the rows of an answer.
func (f RowFault) apply(rows []row) []row {
	if f == (RowFault{}) || rows == nil {
		return rows
	}
	if f.Omit < 0 || f.Omit > len(rows) {
		f.Omit = len(rows)
	}
	out := []row{}
	for _, r := range rows[f.Omit:] {
		out = append(out, r)
		if f.Doubled {
			out = append(out, r)
		}
		if f.Contradicted {
			other := r
			if other.Result = zego.ResultNotJoined; r.Result != zego.ResultOK {
				other.Result = zego.ResultOK
			}
			out = append(out, other)
		}
	}
	if f.Foreign {
		out = append(out, row{MsgID: "a-MsgId-that-nobody-sent", Msg: msgSuccess})
	}
	if f.Reversed {
		slices.Reverse(out)
	}
	return out
}
