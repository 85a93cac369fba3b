package hub

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of request bodies (PROTOCOL.md section 2).
const (
	// bodyMax bounds a body of the platform API other than gifts.
	bodyMax = 64 << 10
	// giftsBodyMax bounds the body of POST gifts: 1000 gifts with the longest names
	// and URLs are below 2 MiB.
	giftsBodyMax = 4 << 20
	// bodyTime is how long a client may take to send a body. 4 MiB in 30 s is 1.1
	// Mbit/s; without it a drip would hold a goroutine and its buffer for ever where
	// the embedder's server has no ReadTimeout.
	bodyTime = 30 * time.Second
)

// errNull is what a null in a body is answered with: no member of ours may be
// null, and taking it for "absent" would hide a client's mistake.
var errNull = errors.New("null is not allowed")

// readJSON decodes the body of r, which the router has bounded, into v. It is
// strict as the frames are: one JSON value, no unknown or duplicate members, exact
// case, no null, valid UTF-8. Errors are problems: 400, 413, 415.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	if err := checkEncoding(r.Header); err != nil {
		return err
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v, strictJSON()); err != nil {
		return newProblem(http.StatusBadRequest, codeBadRequest, "%s", explainJSON(err))
	}
	return nil
}

// boundedBody is a request's body that gives at most some bytes.
type boundedBody struct {
	io.ReadCloser

	whole io.Reader
}

// boundBody bounds a body: past limit bytes, reading it is an *http.MaxBytesError.
func boundBody(w http.ResponseWriter, body io.ReadCloser, limit int64) io.ReadCloser {
	return &boundedBody{http.MaxBytesReader(w, body, limit), body}
}

// drainMax is how much of a body that is too large is read all the same: a client that
// is still sending when the connection closes sees a broken pipe and not the answer.
const drainMax = 16 << 20

// drain reads on where the bound was met.
func (b *boundedBody) drain() {
	_, _ = io.CopyN(io.Discard, b.whole, drainMax) // as far as it comes
}

// readBody reads all of a bounded body within bodyTime.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// A writer that has no deadlines (a test's recorder, a proxy) needs none from us;
	// net/http sets its own deadline again before the next request.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		if b, ok := r.Body.(*boundedBody); ok {
			b.drain()
		}
		return nil, newProblem(http.StatusRequestEntityTooLarge, codeTooLarge,
			"the body is larger than %d bytes", large.Limit)
	case err != nil:
		return nil, newProblem(http.StatusBadRequest, codeBadRequest, "the body could not be read to its end")
	}
	return body, nil
}

// checkEncoding refuses what cannot be JSON in UTF-8. The Content-Type is not looked at:
// curl and fetch call JSON a form or text unless they are told otherwise, and no
// browser can be tricked into a call that needs an API key.
func checkEncoding(h http.Header) error {
	refuse := func(what string) error {
		return newProblem(http.StatusUnsupportedMediaType, codeUnsupportedMedia,
			"%s is not supported: send JSON, UTF-8, without Content-Encoding", what)
	}
	if enc := h.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return refuse("this Content-Encoding")
	}
	_, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if cs := params["charset"]; err == nil && cs != "" && !strings.EqualFold(cs, "utf-8") && !strings.EqualFold(cs, "us-ascii") {
		return refuse("this charset")
	}
	return nil
}

// strictJSON are the options of every body that is read here. Duplicate names,
// wrong case, invalid UTF-8 and trailing data are refused by the package's
// defaults.
func strictJSON() json.Options {
	return json.JoinOptions(
		json.RejectUnknownMembers(true),
		json.WithUnmarshalers(json.UnmarshalFromFunc(func(dec *jsontext.Decoder, _ any) error {
			if dec.PeekKind() == 'n' {
				return errNull
			}
			return errors.ErrUnsupported // not ours: decode as usual
		})),
	)
}

// explainJSON says in the client's terms what is wrong with its JSON: where, and
// what was expected, without Go types and without the value.
func explainJSON(err error) string {
	var sem *json.SemanticError
	var syn *jsontext.SyntacticError
	switch {
	case errors.As(err, &syn) && errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Sprintf("the member at %s is there twice", at(syn.JSONPointer))
	case errors.As(err, &syn) && errors.Is(err, io.ErrUnexpectedEOF):
		return "the body is not valid JSON: it is empty or ends too early"
	case errors.As(err, &syn):
		return fmt.Sprintf("the body is not valid JSON at byte %d", syn.ByteOffset)
	case errors.As(err, &sem) && errors.Is(err, json.ErrUnknownName):
		return fmt.Sprintf("%s is not a known member", at(sem.JSONPointer))
	case errors.As(err, &sem) && errors.Is(err, errNull):
		return fmt.Sprintf("%s must not be null", at(sem.JSONPointer))
	case errors.As(err, &sem):
		return fmt.Sprintf("%s must be %s", at(sem.JSONPointer), wanted(sem.GoType))
	default:
		return "the body is not valid JSON"
	}
}

// at names a place; a client may have put anything into a name, so it is cut.
func at(p jsontext.Pointer) string {
	s := strings.ToValidUTF8(string(p), "?")
	if len(s) > 96 {
		s = strings.ToValidUTF8(s[:96], "") + "..."
	}
	if s == "" {
		return "the body"
	}
	return fmt.Sprintf("%q", s)
}

// wanted names a Go type as JSON does.
func wanted(t reflect.Type) string {
	if t == nil {
		return "another type"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint32:
		return "a whole number in its range"
	case reflect.Slice:
		return "an array"
	case reflect.Struct:
		return "an object"
	default:
		return "another type"
	}
}
