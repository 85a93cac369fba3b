package journal

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/internal/natstest"
)

// placing is a cluster that finds no place for three replicas.
type placing struct {
	jetstream.JetStream
	code jetstream.ErrorCode
	made []int // replicas asked for
}

type placed struct {
	jetstream.Stream
	cfg jetstream.StreamConfig
}

func (s placed) CachedInfo() *jetstream.StreamInfo { return &jetstream.StreamInfo{Config: s.cfg} }

func (p *placing) CreateStream(_ context.Context, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	p.made = append(p.made, cfg.Replicas)
	if cfg.Replicas > 1 {
		return nil, &jetstream.APIError{Code: 400, ErrorCode: p.code}
	}
	return placed{cfg: cfg}, nil
}

// TestAutomaticReplicas: one copy only where there cannot be three.
func TestAutomaticReplicas(t *testing.T) {
	s := natstest.Start(t, func(o *server.Options) { o.JetStream = false })
	for name, tc := range map[string]struct {
		urls string // of servers, dead ones too
		code jetstream.ErrorCode
		want int // 0: refused
	}{
		"not clustered":            {s.URL(), codeReplicasNotSupported, 1},
		"a cluster of one":         {s.URL(), codeNoPeers, 1},
		"three servers, two dead":  {s.URL() + ",nats://127.0.0.1:1,nats://127.0.0.1:2", codeNoPeers, 0},
		"three servers, no space":  {s.URL() + ",nats://127.0.0.1:1,nats://127.0.0.1:2", codeInsufficient, 0},
		"something else is wrong":  {s.URL(), 10047, 0},
		"three servers, one alone": {s.URL() + ",nats://127.0.0.1:1,nats://127.0.0.1:2", codeReplicasNotSupported, 1},
	} {
		t.Run(name, func(t *testing.T) {
			nc, err := nats.Connect(tc.urls, nats.DontRandomize())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			js := &placing{code: tc.code}
			j := &Journal{link: link{nc: nc, js: js}, tuning: tuning{replicas: 300 * time.Millisecond}}
			j.cfg.NATSURL, j.cfg.Logger = tc.urls, slog.New(slog.DiscardHandler)
			err = j.create(t.Context(), jetstream.StreamConfig{Name: "X"})
			if (err == nil) != (tc.want != 0) || j.layout.replicas != tc.want {
				t.Errorf("%d replicas, asked for %v: %v", j.layout.replicas, js.made, err)
			}
		})
	}
}
