package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// platform is the hub's HTTP API, as a run needs it.
type platform struct {
	nodes []string
	key   string
	http  *http.Client
}

const (
	// askTime bounds one request, askTries and askPause how often a node that cannot
	// answer now is asked again, in turn with the others.
	askTime  = 15 * time.Second
	askTries = 5
	askPause = 500 * time.Millisecond
	// answerMax bounds an answer: a page of 1,000 ledger rows of 600 bytes, with room.
	answerMax = 4 << 20
	// pageSize is how many rows of a ledger are asked for at once: the API's most.
	pageSize = 1000
)

func newPlatform(t *Target) *platform {
	return &platform{nodes: t.URLs, key: t.APIKey, http: &http.Client{
		Timeout:   askTime,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 16, MaxConnsPerHost: 16},
	}}
}

// close gives up idle connections.
func (p *platform) close() { p.http.CloseIdleConnections() }

// ask sends a request until a node answers it, and reads the answer into out unless it
// is nil. An answer that refuses is a [*client.RefusedError].
func (p *platform) ask(ctx context.Context, method, path string, query url.Values, body, out any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	var err error
	for try := range askTries {
		var again bool
		if again, err = p.once(ctx, p.nodes[try%len(p.nodes)]+path+"?"+query.Encode(), method, data, out); !again {
			return err
		}
		timer := time.NewTimer(askPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
	return err
}

// once sends a request to one node; again: it may be repeated.
func (p *platform) once(ctx context.Context, where, method string, body []byte, out any) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, method, where, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header.Set("Authorization", "Bearer "+p.key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := p.http.Do(r)
	if err != nil {
		return ctx.Err() == nil, err
	}
	defer func() { _ = answer.Body.Close() }() // only read
	if answer.StatusCode/100 != 2 {
		return answer.StatusCode == http.StatusServiceUnavailable || answer.StatusCode == http.StatusTooManyRequests,
			fmt.Errorf("%s %s: %w", method, r.URL.Path, refusal(answer))
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerMax))
	if err == nil && out != nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w", method, r.URL.Path, err)
	}
	return false, err
}

// putRoom makes a room.
func (p *platform) putRoom(ctx context.Context, room, game string) error {
	return p.ask(ctx, http.MethodPut, "/v1/rooms/"+room, nil, map[string]string{"mini_game_id": game, "anchor_id": "loadanchor"}, nil)
}

// deleteRoom deletes a room; its ledger stays.
func (p *platform) deleteRoom(ctx context.Context, room string) error {
	return p.ask(ctx, http.MethodDelete, "/v1/rooms/"+room, nil, nil, nil)
}

// roomCounters are a room's counters.
type roomCounters struct {
	Accepted   int64 `json:"accepted"`
	Delivered  int64 `json:"delivered"`
	Failed     int64 `json:"failed"`
	Unresolved int64 `json:"unresolved"`
	Pending    int64 `json:"pending"`
}

// minus is what was added since.
func (c roomCounters) minus(before roomCounters) roomCounters {
	return roomCounters{
		c.Accepted - before.Accepted, c.Delivered - before.Delivered, c.Failed - before.Failed,
		c.Unresolved - before.Unresolved, c.Pending - before.Pending,
	}
}

func (p *platform) counters(ctx context.Context, room string) (roomCounters, error) {
	var got struct {
		Counters roomCounters `json:"counters"`
	}
	err := p.ask(ctx, http.MethodGet, "/v1/rooms/"+room, nil, nil, &got)
	return got.Counters, err
}

// ledgerRow is one row of a room's ledger.
type ledgerRow struct {
	MsgID  string `json:"msg_id"`
	ID     string `json:"id"`
	UserID string `json:"user_id"`
	Status string `json:"status"`
	Code   int    `json:"code"`
	Reason string `json:"reason"`
}

// ledger reads a room's ledger after a cursor to its end, and returns the cursor there.
func (p *platform) ledger(ctx context.Context, room, after string, each func(ledgerRow)) (next string, err error) {
	for {
		query := url.Values{"limit": {strconv.Itoa(pageSize)}}
		if after != "" {
			query.Set("after", after)
		}
		var page struct {
			Outcomes []ledgerRow `json:"outcomes"`
			Next     string      `json:"next"`
		}
		if err := p.ask(ctx, http.MethodGet, "/v1/rooms/"+room+"/outcomes", query, nil, &page); err != nil {
			return after, err
		}
		for _, row := range page.Outcomes {
			each(row)
		}
		after = page.Next
		if len(page.Outcomes) == 0 {
			return after, nil
		}
	}
}

// token asks a `giftwire dev` for a viewer's token, good for one room.
func (p *platform) token(ctx context.Context, user, room string) (string, error) {
	var got struct {
		Token string `json:"token"`
	}
	err := p.ask(ctx, http.MethodPost, "/v1/dev/tokens", nil, map[string]string{"user_id": user, "room": room}, &got)
	return got.Token, err
}
