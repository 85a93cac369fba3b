package zego

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/giftwire/giftwire/room"
)

// ErrBadConfig is wrapped by every error of [New] and [NewVerifier].
var ErrBadConfig = errors.New("zego: bad config")

// Config is what a [Client] needs.
type Config struct {
	// BaseURL is scheme and host of the API, such as https://mini-game-api.zego.im.
	// ZEGO takes HTTPS only; http is for a simulator.
	BaseURL string
	// AppID and ServerSecret are the project's, from ZEGO's console. Required.
	AppID        uint32
	ServerSecret Secret
	// Transport makes the calls; nil means an own one, see [NewTransport]. It must
	// report to net/http/httptrace, as *http.Transport does, or else every call that
	// it fails is Unknown. It must not follow redirects or repeat a call on its own.
	Transport http.RoundTripper
	// Now is the clock that signs calls; nil means time.Now. For tests that move time.
	Now func() time.Time
}

// Client calls ZEGO's mini-game API. It is safe for concurrent use by many rooms,
// starts no goroutine of its own, keeps no state between calls but the transport's
// idle connections, and never repeats a call.
//
// Every method blocks until the answer is there or ctx ends, and no longer than
// [CallMax]. A nil error means that ZEGO answered Code 0: the call was consumed. A
// failed call is an [*Error].
type Client struct {
	base      string // scheme://host/
	appID     uint32
	secret    Secret
	transport http.RoundTripper
	own       *http.Transport // transport, if it is our own
	now       func() time.Time
}

var _ room.Sender = (*Client)(nil)

// New checks the config, all faults at once, in one error that wraps
// [ErrBadConfig]. It makes no call.
func New(cfg Config) (*Client, error) {
	c := &Client{appID: cfg.AppID, secret: cfg.ServerSecret, transport: cfg.Transport, now: cfg.Now}
	var faults []error
	base, err := checkBase(cfg.BaseURL)
	if err != nil {
		faults = append(faults, err)
	}
	c.base = base
	if cfg.AppID == 0 {
		faults = append(faults, fmt.Errorf("%w: AppID is missing", ErrBadConfig))
	}
	if cfg.ServerSecret.IsZero() {
		faults = append(faults, fmt.Errorf("%w: ServerSecret is missing", ErrBadConfig))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if c.transport == nil {
		c.own = NewTransport()
		c.transport = c.own
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// checkBase returns the base URL with the path "/". What was given is not repeated
// in the error: it may hold a password.
func checkBase(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return "", fmt.Errorf("%w: BaseURL is missing", ErrBadConfig)
	case err != nil:
		return "", fmt.Errorf("%w: BaseURL is not a URL", ErrBadConfig)
	case u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("%w: BaseURL must begin with https:// or http://", ErrBadConfig)
	case u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%w: BaseURL must be scheme and host, nothing else", ErrBadConfig)
	}
	return u.Scheme + "://" + u.Host + "/", nil
}

// String names the client without its secret.
func (c *Client) String() string {
	return fmt.Sprintf("zego.Client(%s, AppId %d)", c.base, c.appID)
}

// CloseIdleConnections closes the idle connections of the client's own transport.
// One that was given is left alone.
func (c *Client) CloseIdleConnections() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// SendDanmakuGifts hands over one merged list of gifts. All of a consumed list is
// recorded at ZEGO under its MsgIds for 24 h; each row tells one gift's result.
func (c *Client) SendDanmakuGifts(ctx context.Context, req GiftsRequest) (*GiftsResponse, error) {
	body, err := req.encode()
	if err != nil {
		return nil, badRequest(ActionGifts, err)
	}
	ans, err := c.call(ctx, ActionGifts, body)
	if err != nil {
		return nil, err
	}
	results, err := ans.results()
	if err != nil {
		return nil, err
	}
	return &GiftsResponse{Response: ans.Response, Results: results}, nil
}

// SendDanmakuComments hands over comments; by them viewers join the game. There is
// no result per comment.
func (c *Client) SendDanmakuComments(ctx context.Context, req CommentsRequest) (*Response, error) {
	body, err := req.encode()
	if err != nil {
		return nil, badRequest(ActionComments, err)
	}
	return c.callPlain(ctx, ActionComments, body)
}

// SendDanmakuLikes hands over likes. ZEGO discards those of viewers who have not
// joined; there is no result per like.
func (c *Client) SendDanmakuLikes(ctx context.Context, req LikesRequest) (*Response, error) {
	body, err := req.encode()
	if err != nil {
		return nil, badRequest(ActionLikes, err)
	}
	return c.callPlain(ctx, ActionLikes, body)
}

// DescribeDanmakuMsgResults asks what became of gifts sent earlier. An absent row
// means that ZEGO has not consumed the gift so far, and proves nothing while a call
// that carries it may be under way.
func (c *Client) DescribeDanmakuMsgResults(ctx context.Context, req ResultsRequest) (*ResultsResponse, error) {
	body, err := req.encode()
	if err != nil {
		return nil, badRequest(ActionQuery, err)
	}
	ans, err := c.call(ctx, ActionQuery, body)
	if err != nil {
		return nil, err
	}
	results, err := ans.results()
	if err != nil {
		return nil, err
	}
	return &ResultsResponse{Response: ans.Response, Results: results}, nil
}

// DescribeGameLaunchCode fetches a code to start a game with. Do not call it while
// a game runs: ZEGO may end that game. Codes of interest: [CodeRoomOccupied],
// [CodeLaunchTooOften].
func (c *Client) DescribeGameLaunchCode(ctx context.Context, req LaunchCodeRequest) (*LaunchCodeResponse, error) {
	body, err := req.encode()
	if err != nil {
		return nil, badRequest(ActionLaunch, err)
	}
	ans, err := c.call(ctx, ActionLaunch, body)
	if err != nil {
		return nil, err
	}
	code, err := ans.launchCode()
	if err != nil {
		return nil, err
	}
	return &LaunchCodeResponse{Response: ans.Response, LaunchCode: code}, nil
}

func (c *Client) callPlain(ctx context.Context, action Action, body []byte) (*Response, error) {
	ans, err := c.call(ctx, action, body)
	if err != nil {
		return nil, err
	}
	return &ans.Response, nil
}
