package journal

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// replicas is a stream whose answers are scripted: what replicas and leaders of a
// cluster say in bad moments, which a test cannot wait for.
type replicas struct {
	t  *testing.T
	nc *nats.Conn
	j  *Journal
}

func newReplicas(t *testing.T) *replicas {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	tuning := defaultTuning()
	tuning.direct, tuning.leader = 50*time.Millisecond, 50*time.Millisecond
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	j := &Journal{link: link{nc: nc, js: js}, tuning: tuning, layout: layout{partitions: 1}, incarnation: "i"}
	j.life.closed = make(chan struct{})
	return &replicas{t: t, nc: nc, j: j}
}

// reply is one message of an answer.
type reply struct {
	status    string
	seq, prev uint64 // of a record; of an end: prev is the last one
	upTo      uint64
	data      string
	id        string // of its publish
}

func record(seq, prev uint64) reply {
	return reply{seq: seq, prev: prev, data: fmt.Sprint("record ", seq)}
}

func end(last uint64) reply { return reply{status: "204", prev: last} }

var notFound = reply{status: "404"}

// said checks that an answer got out. After the test's end it may not: a read that has
// all it asked for does not wait for what more there is.
func (r *replicas) said(err error) {
	if err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		r.t.Error(err)
	}
}

// directSays answers one request after the other; the last answer is for all that
// follow.
func (r *replicas) directSays(answers ...[]reply) (asked *int) {
	r.t.Helper()
	asked = new(int)
	_, err := r.nc.Subscribe("$JS.API.DIRECT.GET.*", func(m *nats.Msg) {
		a := answers[min(*asked, len(answers)-1)]
		*asked++
		for _, say := range a {
			out := nats.NewMsg(m.Reply)
			if say.status != "" {
				out.Header.Set("Status", say.status)
				out.Header.Set("Nats-UpTo-Sequence", fmt.Sprint(say.upTo))
			} else {
				out.Header.Set("Nats-Subject", "gw.x.0")
				out.Header.Set("Nats-Sequence", fmt.Sprint(say.seq))
				out.Header.Set("Nats-Time-Stamp", "2026-11-23T00:00:00.000000001Z")
				out.Header.Set("Nats-Msg-Id", say.id)
				out.Data = []byte(say.data)
			}
			out.Header.Set("Nats-Last-Sequence", fmt.Sprint(say.prev))
			r.said(r.nc.PublishMsg(out))
		}
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return asked
}

// leaderSays answers reads from the leader: a record at seq, or none for 0, and
// none for the first times in any case. last is the stream's newest sequence.
func (r *replicas) leaderSays(seq, last uint64, lagging int) {
	r.t.Helper()
	_, err := r.nc.Subscribe("$JS.API.STREAM.INFO.*", func(m *nats.Msg) {
		known := last
		if lagging > 0 {
			known = 0
		}
		r.said(m.Respond(fmt.Appendf(nil, `{"config":{"name":"X"},"state":{"first_seq":1,"last_seq":%d}}`, known)))
	})
	if err != nil {
		r.t.Fatal(err)
	}
	_, err = r.nc.Subscribe("$JS.API.STREAM.MSG.GET.*", func(m *nats.Msg) {
		answer := `{"error":{"code":404,"err_code":10037,"description":"no message found"}}`
		if lagging--; seq != 0 && lagging < 0 {
			answer = fmt.Sprintf(`{"message":{"subject":"gw.x.0","seq":%d,"time":"2026-11-23T00:00:00Z","data":%q}}`,
				seq, base64.StdEncoding.EncodeToString([]byte("x")))
		}
		r.said(m.Respond([]byte(answer)))
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *replicas) read(after, upTo uint64) ([]uint64, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	var seqs []uint64
	err := r.j.readThrough(ctx, span{stream: "X", subject: "gw.x.0", after: after, upTo: upTo}, func(m message) error {
		seqs = append(seqs, m.seq)
		return nil
	})
	return seqs, err
}

// TestReadingOnUntilSeen: whatever replicas leave out, each record up to the end
// comes once and in order.
func TestReadingOnUntilSeen(t *testing.T) {
	all := []reply{record(5, 0), record(7, 5), record(9, 7), end(9)}
	for name, answers := range map[string][][]reply{
		"all at once":             {all},
		"a replica is behind":     {{record(5, 0), end(5)}, {notFound}, {notFound}, {record(7, 0), record(9, 7), end(9)}},
		"nothing at first":        {{notFound}, {notFound}, {end(0)}, all},
		"no end, and again":       {{record(5, 0)}, {record(7, 0), record(9, 7), end(9)}},
		"no answer, and again":    {{}, all},
		"no replica, and again":   {{{status: "503"}}, all},
		"a lost one in the midst": {{record(5, 0), record(9, 7), end(9)}, {record(7, 0), record(9, 7), end(9)}},
		"a lost one at the end":   {{record(5, 0), end(7)}, {record(7, 0), record(9, 7), end(9)}},
		"more than was asked for": {{record(5, 0), record(7, 5), record(9, 7), record(11, 9), end(11)}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplicas(t)
			r.directSays(answers...)
			r.leaderSays(9, 9, 0)
			seqs, err := r.read(4, 9)
			if d := cmp.Diff([]uint64{5, 7, 9}, seqs); err != nil || d != "" {
				t.Errorf("read %v, %v", seqs, err)
			}
		})
	}
}

func TestWhatIsGoneIsTold(t *testing.T) {
	for name, answers := range map[string][][]reply{
		"the leader has it not":   {{notFound}},
		"a later one comes first": {{record(5, 0), record(11, 5), end(11)}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplicas(t)
			r.directSays(answers...)
			r.leaderSays(0, 11, 0)
			if seqs, err := r.read(4, 9); !errors.Is(err, ErrGone) {
				t.Errorf("read %v, %v", seqs, err)
			}
		})
	}
	t.Run("not by a leader that has just begun", func(t *testing.T) {
		r := newReplicas(t)
		empty := make([][]reply, 12) // until the leader is asked
		for i := range empty {
			empty[i] = []reply{notFound}
		}
		r.directSays(append(empty, []reply{record(5, 0), record(9, 5), end(9)})...)
		r.leaderSays(9, 9, 2)
		if seqs, err := r.read(4, 9); err != nil || len(seqs) != 2 {
			t.Errorf("read %v, %v", seqs, err)
		}
	})
	t.Run("the request is refused", func(t *testing.T) {
		r := newReplicas(t)
		r.directSays([]reply{{status: "408"}})
		if _, err := r.read(4, 9); err == nil || !strings.Contains(err.Error(), "408") {
			t.Errorf("read: %v", err)
		}
	})
	t.Run("nothing is asked for", func(t *testing.T) {
		r := newReplicas(t)
		if seqs, err := r.read(9, 9); err != nil || len(seqs) != 0 {
			t.Errorf("read %v, %v", seqs, err)
		}
	})
}

// TestASnapshotIsWhole: it is not read from a replica that is behind, nor with a
// hole.
func TestASnapshotIsWhole(t *testing.T) {
	r := newReplicas(t)
	asked := r.directSays(
		[]reply{record(3, 0), {status: "204", prev: 3, upTo: 8}},
		[]reply{notFound},
		[]reply{record(3, 0), {status: "204", prev: 9, upTo: 9}}, // one was lost on the way
		[]reply{record(3, 0), record(9, 3), {status: "204", prev: 9, upTo: 9}},
	)
	r.leaderSays(9, 9, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []string
	err := r.j.Log0().LoadChunks(ctx, func(_ string, data []byte) error {
		got = append(got, string(data))
		return nil
	})
	if d := cmp.Diff([]string{"record 3", "record 9"}, got); err != nil || d != "" || *asked != 4 {
		t.Errorf("loaded %v after %d requests, %v", got, *asked, err)
	}
}

// Log0 is partition 0 of a journal without publishers.
func (j *Journal) Log0() *Partition { return &Partition{j: j} }

// TestLeaderAnswers: what is no answer is asked again; a refusal is an error.
func TestLeaderAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		answers []string
		wantSeq uint64
		wantErr bool
	}{
		"a record":          {[]string{`{"message":{"seq":4,"time":"2026-11-23T00:00:00Z"}}`}, 4, false},
		"none":              {[]string{`{"error":{"code":404,"err_code":10037}}`}, 0, false},
		"no leader, and on": {[]string{`{"error":{"code":503,"err_code":10008}}`, `{"message":{"seq":4,"time":"2026-11-23T00:00:00Z"}}`}, 4, false},
		"silence, and on":   {[]string{"", `{"message":{"seq":4,"time":"2026-11-23T00:00:00Z"}}`}, 4, false},
		"no stream":         {[]string{`{"error":{"code":404,"err_code":10059}}`}, 0, true},
		"not JSON":          {[]string{`<html>`}, 0, true},
		"neither":           {[]string{`{}`}, 0, true},
		"bad headers":       {[]string{`{"message":{"seq":4,"time":"2026-11-23T00:00:00Z","hdrs":"eA=="}}`}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplicas(t)
			n := 0
			_, err := r.nc.Subscribe("$JS.API.STREAM.MSG.GET.X", func(m *nats.Msg) {
				answer := tc.answers[min(n, len(tc.answers)-1)]
				if n++; answer != "" {
					_ = m.Respond([]byte(answer))
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			m, err := r.j.leaderLast(ctx, "X", "gw.x.0")
			if m.seq != tc.wantSeq || (err != nil) != tc.wantErr {
				t.Errorf("read %+v, %v", m, err)
			}
		})
	}
}
