package journal

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/nats-io/nats-server/v2/server"
)

// scripted is a store that answers as told. Attempts beyond the script are stored.
type scripted struct {
	jetstream.JetStream
	script []func(ctx context.Context) error // nil: stored
	ids    []string
	bodies []string
}

func (s *scripted) PublishMsg(ctx context.Context, m *nats.Msg, _ ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	n := len(s.ids)
	s.ids = append(s.ids, m.Header.Get(jetstream.MsgIDHeader))
	s.bodies = append(s.bodies, string(m.Data))
	if n < len(s.script) {
		if err := s.script[n](ctx); err != nil {
			return nil, err
		}
	}
	return &jetstream.PubAck{Stream: streamGifts, Sequence: 7}, nil
}

func says(err error) func(context.Context) error { return func(context.Context) error { return err } }

func refuses(code jetstream.ErrorCode, text string) func(context.Context) error {
	return says(&jetstream.APIError{Code: 503, ErrorCode: code, Description: text})
}

// hangs is an answer that never comes.
func hangs(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestWhatAPublishComesTo is the table of answers: only a record that surely
// reached no store is given up.
func TestWhatAPublishComesTo(t *testing.T) {
	isFull := refuses(codeStoreFailed, server.ErrMaxBytes.Error())
	closing := refuses(codeStoreFailed, server.ErrStoreClosed.Error())
	away := says(jetstream.ErrNoStreamResponse)
	for name, tc := range map[string]struct {
		script   []func(context.Context) error
		want     error
		attempts int           // 0: any
		took     time.Duration // 0: any
	}{
		"stored":                               {nil, nil, 1, 0},
		"full":                                 {[]func(context.Context) error{isFull}, ErrUnavailable, 1, 0},
		"out of resources":                     {[]func(context.Context) error{refuses(codeInsufficient, "")}, ErrUnavailable, 1, 0},
		"too large for the server":             {[]func(context.Context) error{says(nats.ErrMaxPayload)}, ErrUnavailable, 1, 0},
		"lost, then stored":                    {[]func(context.Context) error{hangs}, nil, 2, time.Second + retryFirst},
		"lost, then full, then stored":         {[]func(context.Context) error{hangs, isFull, isFull}, nil, 4, 0},
		"lost, then nobody there, then":        {[]func(context.Context) error{hangs, away, away, away}, nil, 5, 0},
		"store closing is not a no":            {[]func(context.Context) error{closing}, nil, 2, retryFirst},
		"an unknown code is not a no":          {[]func(context.Context) error{refuses(10063, "")}, nil, 2, retryFirst},
		"id in process is not a no":            {[]func(context.Context) error{refuses(10158, "")}, nil, 2, retryFirst},
		"garbage is not a no":                  {[]func(context.Context) error{says(jetstream.ErrInvalidJSAck)}, nil, 2, retryFirst},
		"nobody there for a moment":            {[]func(context.Context) error{away, away}, nil, 3, 3 * retryFirst},
		"nobody there for longer":              {repeat(away, 100), ErrUnavailable, 0, 0},
		"no connection for longer":             {repeat(says(nats.ErrReconnectBufExceeded), 100), ErrUnavailable, 0, 0},
		"the connection breaks, for a while":   {repeat(says(nats.ErrDisconnected), 20), nil, 21, 0},
		"the connection is closed, for good":   {repeat(says(nats.ErrConnectionClosed), 1e6), ErrUnknown, 0, time.Minute},
		"no answer until the end":              {repeat(hangs, 1e6), ErrUnknown, 0, time.Minute},
		"no connection, and then the end":      {repeat(away, 1e6), ErrUnavailable, 0, 0},
		"lost, and nobody there until the end": {append([]func(context.Context) error{hangs}, repeat(away, 1e6)...), ErrUnknown, 0, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, err := Config{Dir: "unused", Node: "n1"}.withDefaults()
				if err != nil {
					t.Fatal(err)
				}
				js := &scripted{script: tc.script}
				j := &Journal{cfg: cfg, tuning: defaultTuning(), link: link{js: js}, layout: layout{partitions: 1}, incarnation: "i"}
				p := newPublisher(j, 0)
				p.batch = []pending{{data: []byte(`{}`)}}
				// The time that a publish in flight gets.
				hard, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				begun := time.Now()
				seq, err := p.store(hard)
				if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) || (err == nil) != (seq == 7) {
					t.Errorf("came to %d, %v; want %v", seq, err, tc.want)
				}
				if tc.attempts != 0 && len(js.ids) != tc.attempts {
					t.Errorf("%d attempts, want %d", len(js.ids), tc.attempts)
				}
				if took := time.Since(begun); tc.took != 0 && took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
				if errors.Is(err, ErrUnavailable) && time.Since(begun) > cfg.Unanswered+retryMost {
					t.Errorf("refused after %v", time.Since(begun))
				}
				for i := range js.ids {
					if js.ids[i] != "i.0.1" || js.bodies[i] != js.bodies[0] {
						t.Errorf("attempt %d has id %s, body %s", i+1, js.ids[i], js.bodies[i])
					}
				}
				if n := j.health.stalled.Load(); n != 0 {
					t.Errorf("%d stalled afterwards", n)
				}
			})
		})
	}
}

func repeat(f func(context.Context) error, n int) []func(context.Context) error {
	all := make([]func(context.Context) error, n)
	for i := range all {
		all[i] = f
	}
	return all
}
