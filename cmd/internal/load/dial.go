package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it; nothing depends on its strength
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
)

// visit is one viewer's wish to connect.
type visit struct {
	node  *url.URL
	room  string
	token string
	from  client.Place
	// dialer has the source address and buffers.
	dialer *net.Dialer
	tls    *tls.Config
}

// target is the host to dial, with its port.
func (v *visit) target() string {
	if v.node.Port() != "" {
		return v.node.Host
	}
	if v.node.Scheme == "https" {
		return net.JoinHostPort(v.node.Hostname(), "443")
	}
	return net.JoinHostPort(v.node.Hostname(), "80")
}

// dial connects and upgrades. A refusal is a [*client.RefusedError]. ctx bounds it.
func (v *visit) dial(ctx context.Context) (_ *conn, err error) {
	raw, err := v.dialer.DialContext(ctx, "tcp", v.target())
	if err != nil {
		return nil, err
	}
	if v.node.Scheme == "https" {
		raw = tls.Client(raw, v.tls)
	}
	c := &conn{net: raw}
	stop := context.AfterFunc(ctx, c.cut) // joined below
	defer func() {
		if !stop() {
			err = errors.Join(err, context.Cause(ctx))
		}
		if err != nil {
			c.cut()
		}
	}()
	if err := c.upgrade(v); err != nil {
		return nil, err
	}
	return c, nil
}

// acceptGUID is RFC 6455's, section 1.3.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// upgrade asks for the WebSocket and reads the answer.
func (c *conn) upgrade(v *visit) error {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	key := base64.StdEncoding.EncodeToString(nonce)
	where := url.URL{Path: v.node.JoinPath("/").Path + "v1/rooms/" + v.room + "/ws"}
	if v.from != (client.Place{}) {
		where.RawQuery = url.Values{"since": {strconv.FormatUint(v.from.Seq, 10)}, "epoch": {v.from.Epoch}}.Encode()
	}
	request := "GET " + where.RequestURI() + " HTTP/1.1\r\nHost: " + v.node.Host +
		"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key +
		"\r\nSec-WebSocket-Protocol: " + wire.Subprotocol + "\r\nAuthorization: Bearer " + v.token + "\r\n\r\n"
	if _, err := io.WriteString(c.net, request); err != nil {
		return err
	}
	in := bufio.NewReaderSize(c.net, bufferStart)
	answer, err := http.ReadResponse(in, &http.Request{Method: http.MethodGet})
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // only read
	sum := sha1.Sum([]byte(key + acceptGUID))  //nolint:gosec // see the import
	switch {
	case answer.StatusCode != http.StatusSwitchingProtocols:
		return refusal(answer)
	case answer.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]):
		return errors.New("load: the answer to the upgrade is not one of a WebSocket server")
	}
	// What came right behind the answer.
	early, _ := in.Peek(in.Buffered()) // what is buffered can be peeked at
	c.buf = slices.Clone(early)
	c.w = len(early)
	return nil
}

// refusal reads an answer that was no upgrade; the body may be anything.
func refusal(answer *http.Response) error {
	refused := &client.RefusedError{Status: answer.StatusCode, Detail: answer.Status}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		refused.RetryAfter = time.Duration(seconds) * time.Second
	}
	var problem struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if err == nil && strings.HasPrefix(answer.Header.Get("Content-Type"), "application/problem+json") &&
		json.Unmarshal(bytes.TrimSpace(body), &problem) == nil {
		refused.Code, refused.Detail = problem.Code, problem.Detail
	}
	return refused
}
