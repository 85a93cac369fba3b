package journal

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
)

// answers has the subject answered, one answer after the other, the last one for all
// that follow.
func (r *replicas) answers(subject string, answers ...string) (asked *int) {
	r.t.Helper()
	asked = new(int)
	_, err := r.nc.Subscribe(subject, func(m *nats.Msg) {
		answer := answers[min(*asked, len(answers)-1)]
		*asked++
		r.said(m.Respond([]byte(answer)))
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return asked
}

// lastIs is the answer of a leader for which the record is the last one.
func lastIs(t *testing.T, seq uint64, rec OutcomeRecord) string {
	t.Helper()
	data, err := encodeOutcome(rec, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"message":{"subject":"gw.out.0","seq":%d,"time":"2026-11-23T00:00:00Z","data":%q}}`,
		seq, base64.StdEncoding.EncodeToString(data))
}

// newDeposed is a journal on a cluster whose answers are scripted.
func newDeposed(t *testing.T) (*replicas, *Partition) {
	t.Helper()
	r := newReplicas(t)
	r.j.cfg = Config{Node: "n1", Unanswered: time.Second, Logger: slog.New(slog.DiscardHandler), QueueBytes: sizeMin}
	return r, &Partition{j: r.j, pub: newPublisher(r.j, 0)}
}

const wrongLast = `{"error":{"code":400,"err_code":10071,"description":"wrong last sequence"}}`

// TestADeposedLeaderFencesNobody: a server that was leading and does not know yet that it
// is not, names an older record than the one that is expected. That is no rival's.
func TestADeposedLeaderFencesNobody(t *testing.T) {
	rec := OutcomeRecord{Kind: KindMark, Node: "n1", Incarnation: "i", Term: 3, Number: 4}
	older := OutcomeRecord{Kind: KindRelease, Node: "n0", Incarnation: "h", Term: 2, Number: 9}
	r, p := newDeposed(t)
	published := r.answers("gw.out.0", wrongLast, `{"stream":"OUTCOMES","seq":8}`)
	last := OutcomeRecord{Kind: KindMark, Node: "n1", Incarnation: "i", Term: 3, Number: 3}
	asked := r.answers("$JS.API.STREAM.MSG.GET.OUTCOMES", lastIs(t, 5, older), lastIs(t, 7, last))
	r.answers("$JS.API.STREAM.INFO.OUTCOMES", `{"config":{"name":"OUTCOMES"},"state":{"first_seq":1,"last_seq":7}}`)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	seq, err := p.AppendOutcome(ctx, 7, rec)
	if seq != 8 || err != nil || *published != 2 || *asked != 2 {
		t.Errorf("stored as %d, %v, after %d publishes and %d questions; want 8 after 2 and 2", seq, err, *published, *asked)
	}
}

// TestARivalFences: the same with a newer record of another writer, and with a log that
// has aged out.
func TestARivalFences(t *testing.T) {
	rec := OutcomeRecord{Kind: KindMark, Node: "n1", Incarnation: "i", Term: 3, Number: 4}
	rival := OutcomeRecord{Kind: KindTakeover, Node: "n2", Incarnation: "k", Term: 4, Number: 1}
	for name, last := range map[string]string{
		"a rival": lastIs(t, 9, rival), "aged out": `{"error":{"code":404,"err_code":10037,"description":"no message found"}}`,
	} {
		r, p := newDeposed(t)
		r.answers("gw.out.0", wrongLast)
		r.answers("$JS.API.STREAM.MSG.GET.OUTCOMES", last)
		r.answers("$JS.API.STREAM.INFO.OUTCOMES", `{"config":{"name":"OUTCOMES"},"state":{"first_seq":9,"last_seq":9}}`)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if seq, err := p.AppendOutcome(ctx, 7, rec); !errors.Is(err, ErrFenced) {
			t.Errorf("%s: stored as %d, %v; want ErrFenced", name, seq, err)
		}
		cancel()
	}
}

// TestTheEndOfGiftsIsSure: a new owner does not believe a leader that has been deposed
// where GIFTS ends; what it stores itself is behind everything that was acknowledged. A
// full stream has to be believed.
func TestTheEndOfGiftsIsSure(t *testing.T) {
	for name, tc := range map[string]struct {
		publish string
		want    uint64
	}{
		"it stores": {`{"stream":"GIFTS","seq":41}`, 41},
		"full":      {`{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}`, 5},
	} {
		r, p := newDeposed(t)
		published := r.answers("gw.gifts.0", tc.publish)
		r.answers("$JS.API.STREAM.MSG.GET.GIFTS", `{"message":{"subject":"gw.gifts.0","seq":5,"time":"2026-11-23T00:00:00Z","data":""}}`)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if seq, err := p.EndOfGifts(ctx); seq != tc.want || err != nil || *published != 1 {
			t.Errorf("%s: %d, %v, with %d records stored; want %d", name, seq, err, *published, tc.want)
		}
		cancel()
	}
}

// TestTheMemoryIsWhole: the ids that a new owner loads end where they end for sure, not
// where a deposed leader says.
func TestTheMemoryIsWhole(t *testing.T) {
	row := func(seq, prev uint64, id ID) reply {
		return reply{seq: seq, prev: prev, data: string(encodeIDs([]ID{id}))}
	}
	first, second := ID{Key: 1, Seq: 2, End: 1}, ID{Key: 3, Seq: 4, End: 9}
	r, p := newDeposed(t)
	r.answers("gw.ids.0", `{"stream":"IDS","seq":9}`)
	r.answers("$JS.API.STREAM.MSG.GET.IDS", `{"message":{"subject":"gw.ids.0","seq":5,"time":"2026-11-23T00:00:00Z","data":""}}`)
	r.directSays(
		[]reply{row(5, 0, first), end(5)},
		[]reply{notFound},
		[]reply{row(7, 0, second), {seq: 9, prev: 7, data: string(encodeIDs(nil))}, end(9)},
	)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []ID
	err := p.LoadIDs(ctx, func(_ int64, ids []ID) error {
		got = append(got, ids...)
		return nil
	})
	if diff := cmp.Diff([]ID{first, second}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
