package zego

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/giftwire/giftwire/room"
)

const (
	// CallMax ends a call whose context does not end sooner: room.Limits allows no
	// longer CallTimeout.
	CallMax = time.Minute
	// answerMax bounds what is read of an answer. Fifty rows take about 10 KiB.
	answerMax = 1 << 20
	// drainMax is how much of an unwanted body is read so that its connection can be
	// used again.
	drainMax = 16 << 10
)

// NewTransport returns the transport of a [Client] that was given none: HTTP/1.1
// with connections kept alive, because a call then has a connection to itself and
// Go repeats no POST on it once a byte was written. Proxies are taken from the
// environment.
func NewTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		Protocols:   &protocols,
		// A room has at most one call of each of 4 actions in flight, mostly one, and a
		// call of 20 ms on a 100 ms tick is in flight a fifth of the time: 1024
		// connections carry some 5,000 busy rooms. Four times as many may be open while
		// ZEGO is slow; past it a call waits for a connection, unsent.
		MaxIdleConnsPerHost: 1024,
		MaxConnsPerHost:     4096,
		// Below the 60 to 75 s after which usual servers close an idle connection, so
		// that few calls meet a connection that is being closed: their outcome would be
		// unknown.
		IdleConnTimeout:     30 * time.Second,
		TLSHandshakeTimeout: 3 * time.Second,
		// Answers are small; an unpacked one would have to be bounded a second time.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// call makes one call and returns its answer if the Code is 0.
func (c *Client) call(ctx context.Context, action Action, body []byte) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, CallMax)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return nil, &Error{Action: action, Outcome: room.NotTaken, Message: "not sent: " + err.Error(), Err: err}
	}
	var seen connTrace
	req, signature, err := c.newRequest(seen.watch(ctx), action, body)
	if err != nil {
		return nil, badRequest(action, err)
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, c.failed(action, seen.outcome(), signature, err)
	}
	// What closing meets does not change what was read.
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		// Nothing of the body is kept: a proxy's error page may repeat the URL and so
		// the signature. It is read so that the connection can be used again; if that
		// fails, the connection is closed, and the outcome is the same.
		_, _ = io.CopyN(io.Discard, resp.Body, drainMax)
		status := fmt.Sprintf("HTTP status %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
		return nil, &Error{
			Action: action, Outcome: room.Unknown, Message: strings.TrimSpace(status), Status: resp.StatusCode,
		}
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, answerMax+1))
	if err != nil {
		e := c.failed(action, room.Unknown, signature, err)
		e.Status = resp.StatusCode
		return nil, e
	}
	return c.read(action, signature, text)
}

// newRequest signs a call: a fresh nonce and time for each.
func (c *Client) newRequest(ctx context.Context, action Action, body []byte) (*http.Request, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base, bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	stamp := Stamp{AppID: c.appID, Nonce: newNonce(), Unix: c.now().Unix()}
	signature := stamp.SignRequest(c.secret)
	// All of it is digits and letters: nothing needs escaping.
	req.URL.RawQuery = "Action=" + string(action) +
		"&AppId=" + strconv.FormatUint(uint64(stamp.AppID), 10) +
		"&SignatureNonce=" + stamp.Nonce +
		"&Timestamp=" + strconv.FormatInt(stamp.Unix, 10) +
		"&Signature=" + signature +
		"&SignatureVersion=" + SignatureVersion
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "giftwire")
	return req, signature, nil
}

// failed is a call that got no answer.
func (c *Client) failed(action Action, outcome room.Outcome, signature string, err error) *Error {
	err = withoutURL(err)
	what := "no answer: "
	if outcome == room.NotTaken {
		what = "not sent: "
	}
	return &Error{
		Action: action, Outcome: outcome,
		Message: clean(c.scrub(what+err.Error(), signature), messageMax), Err: err,
	}
}

// read understands an answer of status 200.
func (c *Client) read(action Action, signature string, text []byte) (*answer, error) {
	ans, err := parseAnswer(text)
	if err != nil {
		return nil, &Error{
			Action: action, Outcome: room.Unknown, Status: http.StatusOK,
			Message: clean(c.scrub(err.Error(), signature), messageMax), Err: err,
		}
	}
	ans.action = action
	ans.Message = clean(c.scrub(ans.Message, signature), messageMax)
	if ans.code == CodeOK {
		return ans, nil
	}
	info, _ := LookupCode(ans.code)
	return nil, &Error{
		Action: action, Outcome: room.NotTaken, Class: info.Class, Code: ans.code,
		Message: ans.Message, RequestID: ans.RequestID, Status: http.StatusOK,
	}
}

// scrubMin is the shortest secret that is looked for in foreign text, in bytes: a
// shorter one stands in ordinary words, and its absence would give it away. ZEGO's have
// 32.
const scrubMin = 8

// scrub takes the secret and the call's signature out of foreign text: a server
// may repeat the URL that it was asked.
func (c *Client) scrub(s, signature string) string {
	if secret := c.secret.reveal(); len(secret) >= scrubMin {
		s = strings.ReplaceAll(s, secret, "[redacted]")
	}
	return strings.ReplaceAll(s, signature, "[redacted]")
}

// connTrace knows whether a call can have left this machine. Its fields are written
// from the transport's goroutines.
type connTrace struct {
	sought atomic.Bool // a connection was asked for: the transport reports to us
	got    atomic.Bool // the call had a connection
}

func (t *connTrace) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { t.sought.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.got.Store(true) },
	})
}

// outcome of a call that the transport failed. Without a connection not one byte
// was written: refused, no such host, no TLS, or ctx ended while dialling. With one
// it is unknown, even where the error says that nothing was written: when ctx ends,
// the transport's writer may still be at work.
func (t *connTrace) outcome() room.Outcome {
	if t.sought.Load() && !t.got.Load() {
		return room.NotTaken
	}
	return room.Unknown
}
