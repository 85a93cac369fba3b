package hub

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// problem is an answer that says no: RFC 9457, media type
// application/problem+json, with a code that programs can switch on. Handlers
// return it as an error; writeProblem is the one place that writes it.
type problem struct {
	status int
	code   string
	detail string        // for people; never holds a token, secret or payload
	retry  time.Duration // 0: no Retry-After
	header http.Header   // more headers, may be nil
}

// The codes of problems. They are part of the API: hub/spec/openapi.json lists
// them, and a test holds the two together.
const (
	codeBadRequest       = "bad_request"
	codeBadRoom          = "bad_room"
	codeBadCursor        = "bad_cursor"
	codeTokenInQuery     = "token_in_query" //nolint:gosec // a code, not a credential
	codeUnauthorized     = "unauthorized"
	codeBadSignature     = "bad_signature"
	codeWrongRoom        = "wrong_room"
	codeForeignOrigin    = "foreign_origin"
	codeNotFound         = "not_found"
	codeRoomNotFound     = "room_not_found"
	codeGiftNotFound     = "gift_not_found"
	codeMethodNotAllowed = "method_not_allowed"
	codeGameRunning      = "game_running"
	codeNoAnchor         = "no_anchor"
	codeRoomOccupied     = "room_occupied"
	codeCursorGone       = "cursor_gone"
	codeTooLarge         = "too_large"
	codeUnsupportedMedia = "unsupported_media_type"
	codeUpgradeRequired  = "upgrade_required"
	codeRateLimited      = "rate_limited"
	codeFull             = "full"

	codeTooManyConnections = "too_many_connections"
	codeInternal           = "internal"
	codeGameRefused        = "game_refused"
	codeUnavailable        = "unavailable"
	codeUnknownOutcome     = "unknown_outcome"
	codeDraining           = "draining"
	codeGameSilent         = "game_silent"
)

// Error makes a problem an error, so that handlers can return it.
func (p *problem) Error() string {
	return fmt.Sprintf("hub: %d %s: %s", p.status, p.code, p.detail)
}

// newProblem is a problem without headers; detail is formatted.
func newProblem(status int, code, detail string, args ...any) *problem {
	return &problem{status: status, code: code, detail: fmt.Sprintf(detail, args...)}
}

// after asks the client to come back no sooner than in d.
func (p *problem) after(d time.Duration) *problem {
	p.retry = d
	return p
}

// with adds a header.
func (p *problem) with(name, value string) *problem {
	if p.header == nil {
		p.header = make(http.Header, 1)
	}
	p.header.Set(name, value)
	return p
}

// problemBody is the document. Type is about:blank, so title is the status phrase (RFC
// 9457, section 4.2.1), and code says what was wrong.
type problemBody struct {
	Type       string `json:"type"`
	Status     int    `json:"status"`
	Title      string `json:"title"`
	Detail     string `json:"detail"`
	Code       string `json:"code"`
	RetryAfter int64  `json:"retry_after_ms,omitzero"`
}

// writeProblem writes the answer. Nothing has been written before.
func writeProblem(w http.ResponseWriter, p *problem) {
	body, err := json.Marshal(problemBody{
		Type:       "about:blank",
		Status:     p.status,
		Title:      http.StatusText(p.status),
		Detail:     p.detail,
		Code:       p.code,
		RetryAfter: p.retry.Milliseconds(),
	}, json.Deterministic(true))
	if err != nil { // only a detail that is not UTF-8 can do this
		body = []byte(`{"type":"about:blank","status":500,"title":"Internal Server Error","detail":"","code":"internal"}`)
		p = newProblem(http.StatusInternalServerError, codeInternal, "")
	}
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if p.retry > 0 {
		// Whole seconds, rounded up: a client that comes back a moment early is refused again.
		h.Set("Retry-After", strconv.FormatInt(int64((p.retry+time.Second-1)/time.Second), 10))
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(body) // the client is gone if this fails; net/http ends the connection
}

// writeJSON writes a good answer.
func writeJSON(w http.ResponseWriter, status int, answer any) error {
	body, err := json.Marshal(answer, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("hub: encode answer: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // as in writeProblem
	return nil
}
