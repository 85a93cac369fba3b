package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// newScripted is a store whose server says what the test wants.
func newScripted(t *testing.T) *Store {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	store, err := connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// on answers requests.
func (s *Store) on(t *testing.T, subject string, answer func(*nats.Msg)) {
	t.Helper()
	if _, err := s.nc.Subscribe(subject, answer); err != nil {
		t.Fatal(err)
	}
}

// A batch says of each record which one came before it. One that was lost on the way is
// noticed, and read again: it is no record that has left retention.
func TestGapInABatch(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	type sent struct{ seq, before uint64 }
	batches := [][]sent{
		{{5, 0}, {9, 7}}, // 7 was lost
		{{7, 0}, {9, 7}},
	}
	asked := 0
	s.on(t, "$JS.API.DIRECT.GET.GIFTS", func(m *nats.Msg) {
		batch := batches[min(asked, len(batches)-1)]
		asked++
		for _, r := range batch {
			out := nats.NewMsg(m.Reply)
			out.Header.Set("Nats-Subject", "gw.gifts.0")
			out.Header.Set("Nats-Sequence", fmt.Sprint(r.seq))
			out.Header.Set("Nats-Last-Sequence", fmt.Sprint(r.before))
			out.Header.Set("Nats-Time-Stamp", "2026-11-23T00:00:00Z")
			out.Data = []byte("x")
			if err := s.nc.PublishMsg(out); err != nil {
				t.Error(err)
			}
		}
		end := nats.NewMsg(m.Reply)
		end.Header.Set("Status", "204")
		if err := s.nc.PublishMsg(end); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []uint64
	err := s.Read(ctx, Span{Stream: "GIFTS", From: 1, UpTo: 9}, func(m Message) error {
		got = append(got, m.Seq)
		return nil
	})
	if diff := cmp.Diff([]uint64{5, 7, 9}, got); err != nil || diff != "" {
		t.Errorf("%v, read (-want +got):\n%s", err, diff)
	}
}

// Records that the store says it has lost end the audit, by their sequences: what is left
// would be judged wrongly.
func TestLostRecords(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		lost string
		want string // part of the error; empty: none
	}{
		"none": {"", ""},
		"an empty list": {
			`,"lost":{"msgs":[],"bytes":0}`, "",
		},
		"two":  {`,"lost":{"msgs":[7,9],"bytes":100}`, "GIFTS has lost 2 records, the first at [7 9]"},
		"many": {`,"lost":{"msgs":[1,2,3,4,5,6,7,8,9,10,11,12],"bytes":100}`, "12 records, the first at [1 2 3 4 5 6 7 8 9 10]"},
	} {
		s := newScripted(t)
		s.on(t, "$JS.API.STREAM.INFO.GIFTS", func(m *nats.Msg) {
			if err := m.Respond([]byte(`{"config":{"allow_direct":true},"state":{"first_seq":1,"last_seq":12` + tc.lost + `}}`)); err != nil {
				t.Error(err)
			}
		})
		_, err := s.Info(t.Context(), "GIFTS")
		if (tc.want == "") != (err == nil) || err != nil && (!errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}
