//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// platformUser is who the platform's gifts are from, in every room.
const platformUser = "platform0"

// platform is a server that charges first and then hands gifts over by the HTTP API:
// each through two nodes at once under the same id, again until one has it, and now and
// then under a known id with another content, which must never be given.
type platform struct {
	nodes []*machine
	rooms []string
	draw  *rand.Rand // of the one goroutine of run

	on   atomic.Bool
	stop context.CancelFunc
	done sync.WaitGroup

	mu    sync.Mutex // guards the following
	gifts []*handed
	odd   []string // what it was told and should not have been
	asked int      // under a known id, with another content
	told  map[string]int
}

// handed is one gift of the platform.
type handed struct {
	room, id string
	count    int
	msgIDs   []string // of every accepted
	done     bool
}

// platformPace is between two gifts of the platform, each two requests.
const platformPace = 60 * time.Millisecond

func newPlatform(nodes []*machine, rooms []string, seed uint64) *platform {
	return &platform{nodes: nodes, rooms: rooms, draw: rand.New(rand.NewPCG(seed, 77)), told: make(map[string]int)} //nolint:gosec // a run is repeated by its seed
}

// run hands gifts over until close.
func (p *platform) run(ctx context.Context) {
	ctx, p.stop = context.WithCancel(ctx)
	p.done.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			if pause(ctx, platformPace) != nil || !p.on.Load() {
				continue
			}
			h := &handed{room: p.rooms[p.draw.IntN(len(p.rooms))], id: fmt.Sprint("p-", n), count: 10 * (1 + p.draw.IntN(30))}
			p.mu.Lock()
			p.gifts = append(p.gifts, h)
			p.mu.Unlock()
			first, probe := p.draw.IntN(len(p.nodes)), p.draw.IntN(4) == 0
			p.done.Go(func() { p.hand(ctx, h, first, probe) })
		}
	})
}

func (p *platform) giving(on bool) { p.on.Store(on) }

func (p *platform) close() {
	if p.stop != nil {
		p.stop()
	}
	p.done.Wait()
}

// hand hands one gift over, at two nodes at a time, until one has it.
func (p *platform) hand(ctx context.Context, h *handed, first int, probe bool) {
	for n := first; ctx.Err() == nil; n++ {
		var both sync.WaitGroup
		for i := range 2 {
			node := p.nodes[(n+i)%len(p.nodes)].url()
			both.Go(func() { p.post(ctx, node, h, h.count) })
		}
		both.Wait()
		p.mu.Lock()
		accepted := len(h.msgIDs) > 0
		p.mu.Unlock()
		if accepted {
			break
		}
		_ = pause(ctx, 200*time.Millisecond) // ctx is looked at above
	}
	if probe && ctx.Err() == nil {
		p.mu.Lock()
		p.asked++
		p.mu.Unlock()
		p.post(ctx, p.nodes[(first+2)%len(p.nodes)].url(), h, h.count+10)
	}
	p.mu.Lock()
	h.done = true
	p.mu.Unlock()
}

// post is one request. Another content than the gift's may be refused, or, by a node that
// does not know the id, taken under the same MsgId: then the first content stands.
func (p *platform) post(ctx context.Context, node string, h *handed, count int) {
	body := fmt.Sprintf(`{"gifts":[{"id":%q,"user":{"user_id":%q},"gift_id":"g1","count":%d}]}`, h.id, platformUser, count)
	status, text, err := ask(ctx, request{method: http.MethodPost, url: node + "/v1/rooms/" + h.room + "/gifts", key: apiKey, body: body})
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil:
		p.told["no answer"]++
		return
	case status != http.StatusAccepted:
		p.told[fmt.Sprint(status)]++
		if status != http.StatusServiceUnavailable {
			p.oddity("%s/%s: %d %s", h.room, h.id, status, text)
		}
		return
	}
	var out struct {
		Results []struct {
			Status string `json:"status"`
			MsgID  string `json:"msg_id"`
			Code   string `json:"code"`
		} `json:"results"`
	}
	if err := json.Unmarshal(text, &out); err != nil || len(out.Results) != 1 {
		p.oddity("%s/%s: %s: %v", h.room, h.id, text, err)
		return
	}
	r := out.Results[0]
	p.told[strings.TrimSpace(r.Status+" "+r.Code)]++
	switch {
	case r.Status == "accepted":
		h.msgIDs = append(h.msgIDs, r.MsgID)
	case r.Code == "conflict" && count != h.count, r.Code == "unavailable", r.Code == "busy":
	default:
		p.oddity("%s/%s of %d, asked for %d: %+v", h.room, h.id, h.count, count, r)
	}
}

// oddityMax bounds what is spelled out.
const oddityMax = 10

func (p *platform) oddity(format string, args ...any) {
	if len(p.odd) < oddityMax {
		p.odd = append(p.odd, fmt.Sprintf(format, args...))
	}
}

// settled waits until every gift was handed over.
func (p *platform) settled(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return until(ctx, "platform's answers", func() (bool, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return !slices.ContainsFunc(p.gifts, func(h *handed) bool { return !h.done }), nil
	})
}

// unbooked counts the gifts that are not in the ledger yet.
func (p *platform) unbooked(ledger []verdict.Row) int {
	booked := make(map[string]bool, len(ledger))
	for _, row := range ledger {
		booked[row.MsgID] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, h := range p.gifts {
		if len(h.msgIDs) > 0 && !booked[h.msgIDs[0]] {
			n++
		}
	}
	return n
}

// testify enters the platform's gifts. It has no results but the ledger's; what ZEGO gave
// must have the content that was accepted first.
func (p *platform) testify(e *verdict.Evidence, given []zegotest.Effect) error {
	status, counts := make(map[string]string), make(map[string]int)
	for _, row := range e.Ledger {
		status[row.MsgID] = row.Status
	}
	for _, effect := range given {
		counts[effect.MsgID] = effect.Value * effect.Num
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.gifts {
		g := verdict.Gift{Room: h.room, User: platformUser, ID: h.id, Accepted: h.msgIDs}
		if len(h.msgIDs) > 0 {
			if s := status[h.msgIDs[0]]; s != "" {
				g.Results = []verdict.Result{{MsgID: h.msgIDs[0], Status: s}}
			}
			if n := counts[h.msgIDs[0]]; n != 0 && n != h.count {
				p.oddity("%s/%s: accepted with %d, ZEGO gave %d", h.room, h.id, h.count, n)
			}
		}
		e.Gifts = append(e.Gifts, g)
	}
	if len(p.odd) > 0 {
		return fmt.Errorf("the platform was told:\n%s", strings.Join(p.odd, "\n"))
	}
	return nil
}
