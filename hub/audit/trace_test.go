package audit

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (t *tape) trace(id string) *Timeline {
	t.tb.Helper()
	got, err := Trace(t.tb.Context(), t, id, Options{})
	if err != nil {
		t.tb.Fatalf("trace %s: %v", id, err)
	}
	return got
}

func TestTrace(t *testing.T) {
	t.Parallel()
	e := newEvening(t)
	code, result := 0, 10003
	d := &e.entry(2).Decisions[0]
	d.Code, d.Reason, d.Message = 10003, "not_joined_or_refused", "not joined"
	d.Attempts = []attempt{
		{N: 1, StartedAt: 10, EndedAt: 20, Outcome: "unknown", Message: "timeout"},
		{N: 2, Query: true, StartedAt: 30, EndedAt: 40, Outcome: "consumed", Result: &result, RequestID: "q"},
		{N: 3, StartedAt: 50},
	}
	for name, tt := range map[string]struct {
		gift stored
		want *Timeline
	}{
		"failed": {e.bob, &Timeline{
			Status: failed, Code: &d.Code, Reason: "not_joined_or_refused", Events: []Event{
				{At: 1, Event: "received", Node: "n1"},
				{At: e.bob.at.UnixMilli(), Event: "durable"},
				{At: 10, Event: "attempt", N: 1},
				{At: 20, Event: "answer", N: 1, Taken: "unknown", Code: &code, Message: "timeout"},
				{At: 30, Event: "attempt", N: 2, Query: true},
				{At: 40, Event: "answer", N: 2, Taken: "consumed", Code: &code, Result: &result, RequestID: "q"},
				{At: 50, Event: "attempt", N: 3},
				{At: d.At, Event: "outcome", Status: failed, Code: &d.Code, Reason: "not_joined_or_refused", Message: "not joined"},
			},
			Records: []string{"GIFTS 2/0: accepted, by node n1", "OUTCOMES 3: failed"},
		}},
		"pending": {e.dan, &Timeline{
			Status: pending, Events: []Event{
				{At: 1, Event: "received", Node: "n1"},
				{At: e.dan.at.UnixMilli(), Event: "durable"},
			},
			Records: []string{"GIFTS 5/0: accepted, by node n1"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := tt.gift
			tt.want.describeForTest(g)
			if diff := cmp.Diff(tt.want, e.trace(g.MsgID.String())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func (t *Timeline) describeForTest(g stored) {
	t.MsgID, t.ID, t.Room, t.UserID, t.GiftID = g.MsgID.String(), g.ClientID, g.Room, g.User.ID, "g1"
	t.Count, t.Value, t.Num, t.ReceiverID, t.At = 20, 10, 2, "anchor1", 1
}

// Repeats and contradictions are told, and the first outcome stands.
func TestTraceTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	e := newEvening(t)
	e.decide(failed, e.ann)
	got := e.trace(e.ann.MsgID.String())
	want := []string{
		"GIFTS 1/0: accepted, by node n1", "GIFTS 3/0: repeated with other content, which does not count, by node n1",
		"OUTCOMES 2: delivered", "OUTCOMES 7: decided again, as failed: the first outcome stands",
	}
	if diff := cmp.Diff(want, got.Records); diff != "" || got.Status != delivered || got.Count != 20 {
		t.Errorf("%s with count %d, records (-want +got):\n%s", got.Status, got.Count, diff)
	}
	e.purge(streamGifts, 0, 99)
	if got := e.trace(e.bob.MsgID.String()); got.Status != failed || got.Records[0] != "GIFTS 2/0: its own record has left retention" {
		t.Errorf("%+v, want failed, though GIFTS is gone", got)
	}
}

func TestTraceOfNothing(t *testing.T) {
	t.Parallel()
	e := newEvening(t)
	for id, want := range map[string]error{
		"00000000-0000-5000-8000-000000000000": ErrNotFound,
		"r1":                                   ErrBadID,
		"":                                     ErrBadID,
		"DDECA273-24D2-52A0-A451-FC9A8DD611E1": ErrBadID,
		"ddeca27324d252a0a451fc9a8dd611e1":     ErrBadID,
		"ddeca273-24d2-52a0-a451-fc9a8dd611ez": ErrBadID,
		time.Now().Format("2006-01-02T15:04:05.000000000000"): ErrBadID,
	} {
		if _, err := Trace(t.Context(), e, id, Options{}); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", id, err, want)
		}
	}
}
