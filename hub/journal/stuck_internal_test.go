package journal

import (
	"context"
	"errors"
	"slices"
	"strings"
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
	stuck   []string // ids
	ids     []string // of the attempts, without repeats in a row
	marks   int
	deny    int             // marks that are not answered, the first ones
	forget  int             // ids of marks that are in process for ever, the first ones
	markIDs map[string]bool // that were answered
}

func (f *forgetful) PublishMsg(_ context.Context, m *nats.Msg, _ ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	id := m.Header.Get(jetstream.MsgIDHeader)
	if !strings.HasPrefix(id, "i.0.") {
		return f.mark(id)
	}
	if len(f.ids) == 0 || f.ids[len(f.ids)-1] != id {
		f.ids = append(f.ids, id)
	}
	if slices.Contains(f.stuck, id) {
		return nil, &jetstream.APIError{Code: 409, ErrorCode: codeInProcess}
	}
	return &jetstream.PubAck{Stream: streamGifts, Sequence: 12}, nil
}

// mark denies marks at first: by no answer, or, if there is to be another id, by the
// old one's being in process.
func (f *forgetful) mark(id string) (*jetstream.PubAck, error) {
	if f.marks++; f.marks <= f.deny {
		return nil, jetstream.ErrNoStreamResponse
	}
	if f.markIDs[id] = true; len(f.markIDs) <= f.forget {
		return nil, &jetstream.APIError{Code: 409, ErrorCode: codeInProcess}
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
			tc.leader.markIDs = make(map[string]bool)
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

// Repeats of a mark have one id, so that a leader without peers takes it in once; another
// one if that is in process for ever.
func TestRepeatsOfAMarkHaveOneID(t *testing.T) {
	r := newReplicas(t)
	leader := &forgetful{forget: 1, markIDs: make(map[string]bool)}
	r.j.js, r.j.tuning.inProcess = leader, 30*time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	seq, err := r.j.Log0().save(ctx, "gw.gifts.0", []byte("x"), nil)
	if err != nil || seq != 9 || len(leader.markIDs) != 2 || leader.marks < 4 {
		t.Errorf("came to %d, %v, after %d attempts with %d ids; want several, and 2", seq, err, leader.marks, len(leader.markIDs))
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
