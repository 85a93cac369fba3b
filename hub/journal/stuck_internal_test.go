package journal

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// forgetful is a stream's leader that has forgotten that an id is in process no more, and
// stores everything else.
type forgetful struct {
	jetstream.JetStream
	stuck []string // ids
	ids   []string // of the attempts, without repeats in a row
	marks int
	deny  int // marks that are not stored, the first ones
}

func (f *forgetful) PublishMsg(_ context.Context, m *nats.Msg, _ ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	id := m.Header.Get(jetstream.MsgIDHeader)
	if len(f.ids) == 0 || f.ids[len(f.ids)-1] != id {
		f.ids = append(f.ids, id)
	}
	if slices.Contains(f.stuck, id) {
		return nil, &jetstream.APIError{Code: 409, ErrorCode: codeInProcess}
	}
	return &jetstream.PubAck{Stream: streamGifts, Sequence: 12}, nil
}

func (f *forgetful) Publish(context.Context, string, []byte, ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	if f.marks++; f.marks <= f.deny {
		return nil, jetstream.ErrNoStreamResponse
	}
	return &jetstream.PubAck{Stream: streamGifts, Sequence: 9}, nil
}

// A record whose id is in process for ever gets another id, when a mark that is stored
// behind it proves that it is in no log; else its sequence is told.
func TestAnIDInProcessForEver(t *testing.T) {
	theirs := reply{seq: 7, id: "i.0.10"} // not the name and a dot
	for name, tc := range map[string]struct {
		leader forgetful
		log    []reply
		want   uint64
		ids    []string
		marks  int
	}{
		"it is nowhere": {
			forgetful{stuck: []string{"i.0.1"}},
			[]reply{theirs, {seq: 9, prev: 7}, end(9)},
			12,
			[]string{"i.0.1", "i.0.1.1"},
			1,
		},
		"it is stored": {
			forgetful{stuck: []string{"i.0.1"}},
			[]reply{{seq: 6, id: "i.0.1"}, {seq: 9, prev: 6}, end(9)},
			6,
			[]string{"i.0.1"},
			1,
		},
		"its next one is stuck, and stored": {
			forgetful{stuck: []string{"i.0.1", "i.0.1.1"}},
			nil, 8,
			[]string{"i.0.1", "i.0.1.1"},
			2,
		},
		"nobody stores a mark at first": {
			forgetful{stuck: []string{"i.0.1"}, deny: 3},
			[]reply{theirs, {seq: 9, prev: 7}, end(9)},
			12,
			[]string{"i.0.1", "i.0.1.1"},
			4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplicas(t)
			cfg, err := Config{Dir: "unused", Node: "n1"}.withDefaults()
			if err != nil {
				t.Fatal(err)
			}
			if tc.log != nil {
				r.directSays(tc.log)
			} else {
				r.directSays([]reply{{seq: 9}, end(9)}, []reply{{seq: 8, id: "i.0.1.1"}, {seq: 9, prev: 8}, end(9)})
			}
			r.leaderSays(9, 9, 0)
			r.j.cfg, r.j.js, r.j.tuning.inProcess = cfg, &tc.leader, 30*time.Millisecond
			p := newPublisher(r.j, 0)
			r.j.publishers = []*publisher{p}
			p.batch = []pending{{data: []byte(`{}`)}}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			seq, err := p.store(ctx)
			if err != nil || seq != tc.want || tc.leader.marks != tc.marks {
				t.Errorf("came to %d, %v, after %d marks; want %d after %d", seq, err, tc.leader.marks, tc.want, tc.marks)
			}
			if d := cmp.Diff(tc.ids, tc.leader.ids); d != "" {
				t.Error(d)
			}
		})
	}
}

// An id is stuck only if nothing else is said of it in between.
func TestAnIDInProcessForAWhile(t *testing.T) {
	var s stuckID
	stuck := &jetstream.APIError{ErrorCode: codeInProcess}
	s.heard(stuck)
	s.since = s.since.Add(-time.Minute)
	if s.heard(stuck) < time.Minute {
		t.Error("a minute of the same answer is less")
	}
	if s.heard(context.DeadlineExceeded) != 0 || s.heard(stuck) > time.Second {
		t.Error("it goes on counting over another answer")
	}
	if s.heard(errors.New("x")) != 0 || s.heard(nil) != 0 {
		t.Error("another answer counts")
	}
}
