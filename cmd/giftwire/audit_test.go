package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/audit"
	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// finished runs giftwire to its end.
func finished(tb testing.TB, args ...string) (status int, out, errs string) {
	tb.Helper()
	p := start(tb, args...)
	status = p.wait(tb)
	p.mu.Lock()
	defer p.mu.Unlock()
	return status, p.out.String(), p.log.String()
}

// audited is the report of an audit that could read.
func audited(tb testing.TB, want int, args ...string) *audit.Report {
	tb.Helper()
	status, out, errs := finished(tb, append([]string{"audit", "--json"}, args...)...)
	r := new(audit.Report)
	if err := json.Unmarshal([]byte(out), r); err != nil || status != want {
		tb.Fatalf("audit: exit %d, want %d; %v in %q, %q", status, want, err, out, errs)
	}
	return r
}

// hold lets ZEGO hang on gifts; the function it returns ends that.
func (w *world) hold(f zegotest.Fault) (release func()) {
	rule := w.sim.Fail(zegotest.Rule{Action: zego.ActionGifts, Fault: f})
	return func() {
		w.sim.Clear(rule)
		w.sim.Release()
	}
}

// After kills under load, answers lost and gifts that ZEGO does not get, the audit of the
// folder has every gift that was accepted, once, in number and in value (P5).
func TestAuditAfterKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.serve(t)
	n.put(t, "r1")
	var delivered []room.MsgID
	place := client.Place{}
	for round := range 3 {
		ann := n.watch(t, "r1", "ann", place)
		ann.join()
		// ZEGO processes these, and its answers never come.
		release := w.hold(zegotest.HangAfter())
		for i := range 10 {
			id := fmt.Sprintf("c%d-%d", round, i)
			ann.give(id, 20)
			delivered = append(delivered, ann.accepted(id))
		}
		n.kill()
		release()
		place = ann.conn.Place()
		n = w.serve(t)
		again := n.watch(t, "r1", "ann", place)
		id := fmt.Sprintf("c%d-0", round)
		again.give(id, 20) // the same again, on a node that has restarted
		if got := again.accepted(id); got != delivered[10*round] {
			t.Errorf("%s after the restart is %s, before it was %s", id, got, delivered[10*round])
		}
		left := n.watch(t, "r1", "bob", client.Place{}) // has not joined
		left.give(fmt.Sprint("b", round), 66)
		left.result(fmt.Sprint("b", round))
	}
	n.settled(t, "r1")
	if status, _, errs := finished(t, "audit", "--data", w.data); status != exitSettings || !strings.Contains(errs, "in use by a running giftwire") {
		t.Errorf("audit beside the running node: exit %d, %q; want 2 and why", status, errs)
	}
	cat := n.watch(t, "r1", "cat", client.Place{})
	cat.join()
	w.hold(zegotest.HangBefore())
	var open []room.MsgID
	for i := range 7 {
		cat.give(fmt.Sprint("p", i), 10)
		open = append(open, cat.accepted(fmt.Sprint("p", i)))
	}
	status, timeline := get(t.Context(), "http://"+n.public+"/v1/rooms/r1/gifts/"+delivered[3].String(), testAPIKey)
	if status != http.StatusOK {
		t.Fatalf("timeline: %d %s", status, timeline)
	}
	n.kill()

	r := audited(t, exitOK, "--data", w.data)
	wantGifts := audit.Tally{Accepted: 40, Delivered: 30, Failed: 3, Pending: 7}
	wantValue := audit.Tally{Accepted: 600 + 198 + 70, Delivered: 600, Failed: 198, Pending: 70}
	if r.Total.Gifts != wantGifts || r.Total.Value != wantValue || !r.Holds {
		t.Errorf("%+v, want %+v and %+v; problems %v", r.Total, wantGifts, wantValue, r.Problems)
	}
	for _, id := range delivered {
		w.effect(t, id)
	}
	traces(t, w.data, delivered[3], string(timeline), open[0])
	status, out, errs := finished(t, "audit", "--data", w.data)
	if status != exitOK || !strings.Contains(out, "total        40         30       3           0        7") || !strings.Contains(out, "It holds") || errs != "" {
		t.Errorf("audit for people: exit %d, %q\n%s", status, errs, out)
	}
	// The folder is as it was: the next node goes on with it.
	w.sim.ClearAll()
	w.sim.Release()
	n = w.serve(t)
	until(t, "37 delivered gifts", func(ctx ctx) bool { return n.counters(ctx, t, "r1").Delivered == 37 })
	if status, _ := n.terminate(t); status != exitOK {
		t.Errorf("SIGTERM: exit %d", status)
	}
	if r := audited(t, exitOK, "--data", w.data); r.Total.Gifts.Delivered != 37 || r.Total.Gifts.Pending != 0 {
		t.Errorf("%+v, want 37 delivered", r.Total.Gifts)
	}
}

// traces checks giftwire trace of a decided gift, whose timeline the platform API has
// told, and of an open one.
func traces(t *testing.T, data string, decided room.MsgID, timeline string, open room.MsgID) {
	t.Helper()
	status, out, errs := finished(t, "trace", decided.String(), "--json", "--data", data)
	var got, want map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != exitOK {
		t.Fatalf("trace: exit %d, %v in %q, %q", status, err, out, errs)
	}
	if err := json.Unmarshal([]byte(timeline), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trace of a decided gift (-platform API +trace):\n%s", diff)
	}
	status, out, _ = finished(t, "trace", open.String(), "--data", data)
	if status != exitOK || !strings.Contains(out, "pending") || !strings.Contains(out, "durable") || !strings.Contains(out, "user cat") {
		t.Errorf("trace of an open gift: exit %d\n%s", status, out)
	}
	for _, tt := range []struct {
		id, want string
		status   int
	}{
		{"00000000-0000-5000-8000-000000000000", "no retained record has the gift", exitFailed},
		{"r1", "MSG_ID: not a MsgId", exitSettings},
	} {
		if status, _, errs := finished(t, "trace", tt.id, "--data", data); status != tt.status || !strings.Contains(errs, tt.want) {
			t.Errorf("trace %s: exit %d, %q; want %d and %q", tt.id, status, errs, tt.status, tt.want)
		}
	}
}

// natsServer is a NATS of one's own.
func natsServer(tb testing.TB) (url string) {
	tb.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: tb.TempDir(), SyncAlways: true,
	})
	if err != nil {
		tb.Fatal(err)
	}
	go s.Start()
	tb.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(patience) {
		tb.Fatal("the NATS server is not ready")
	}
	return s.ClientURL()
}

// On a NATS of one's own the audit reads beside the running node, and finds what somebody
// has done to the streams.
func TestAuditOfNATS(t *testing.T) {
	t.Parallel()
	w, url := newWorld(t), natsServer(t)
	n := w.serve(t, "--nats-url", url, "--partitions", "4")
	rooms := []string{"r1", "r2", "r3", "r4", "r5", "r6"}
	for _, name := range rooms {
		n.put(t, name)
		ann := n.watch(t, name, "ann", client.Place{})
		ann.join()
		for i := range 5 {
			ann.give(fmt.Sprint("c", i), 20)
			ann.accepted(fmt.Sprint("c", i))
		}
		for i := range 5 {
			ann.result(fmt.Sprint("c", i))
		}
	}
	want := audit.Tally{Accepted: 30, Delivered: 30}
	r := audited(t, exitOK, "--nats-url", url)
	if r.Total.Gifts != want || r.Total.Value != (audit.Tally{Accepted: 600, Delivered: 600}) || len(r.Partitions) != 4 {
		t.Errorf("beside the running node: %+v in %d partitions, want %+v in 4", r.Total, len(r.Partitions), want)
	}
	if status, _ := n.terminate(t); status != exitOK {
		t.Errorf("SIGTERM: exit %d", status)
	}
	twice := tamper(t, url)
	r = audited(t, exitFailed, "--nats-url", url)
	if r.Counts[audit.DecidedTwice] != 1 || r.Counts[audit.Unreadable] != 1 || r.Total.Gifts.Delivered != 31 {
		t.Errorf("after tampering: %v", r.Problems)
	}
	status, out, errs := finished(t, "audit", "--nats-url", url)
	if status != exitFailed || !strings.Contains(out, "decided_twice gift "+twice) || !strings.Contains(out, "unreadable") || !strings.Contains(errs, "the audit found") {
		t.Errorf("after tampering: exit %d, %q\n%s", status, errs, out)
	}
	if status, out, _ := finished(t, "trace", twice, "--nats-url", url); status != exitOK || !strings.Contains(out, "decided again, as delivered") {
		t.Errorf("trace of a gift that was decided twice: exit %d\n%s", status, out)
	}
	if status, _, errs := finished(t, "audit", "--nats-url", "nats://127.0.0.1:1"); status != exitSettings || !strings.Contains(errs, "could not read the journal") {
		t.Errorf("without a server: exit %d, %q", status, errs)
	}
}

// tamper writes garbage into GIFTS, and a gift's decision once more into OUTCOMES as its
// owner would. It returns the gift's id.
func tamper(t *testing.T, url string) (id string) {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "gw.gifts.2", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "OUTCOMES")
	if err != nil {
		t.Fatal(err)
	}
	for seq := stream.CachedInfo().State.LastSeq; seq > 0; seq-- {
		msg, err := stream.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		var rec map[string]any
		if err := json.Unmarshal(msg.Data, &rec); err != nil {
			t.Fatal(err)
		}
		if rec["kind"] != "decisions" {
			continue
		}
		entry := rec["rooms"].([]any)[0].(map[string]any)
		decision := entry["decisions"].([]any)[0].(map[string]any)
		id = decision["gift"].(map[string]any)["msg_id"].(string)
		last, err := stream.GetLastMsgForSubject(t.Context(), msg.Subject)
		if err != nil {
			t.Fatal(err)
		}
		var before map[string]any
		if err := json.Unmarshal(last.Data, &before); err != nil {
			t.Fatal(err)
		}
		rec["prev"], rec["number"], rec["term"], rec["incarnation"] = last.Sequence, before["number"].(float64)+1, before["term"], before["incarnation"]
		entry["number"], entry["prev"] = entry["number"].(float64)+1, seq
		entry["seq"] = entry["seq"].(float64) + 1
		entry["decisions"] = []any{decision}
		totals := entry["totals"].(map[string]any)
		totals["delivered"], totals["delivered_count"] = totals["delivered"].(float64)+1, totals["delivered_count"].(float64)+20
		data, err := json.Marshal(rec)
		if err == nil {
			_, err = js.Publish(t.Context(), msg.Subject, data)
		}
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	t.Fatal("no decisions in OUTCOMES")
	return ""
}

// A journal that nobody gave into holds; a folder that is none cannot be read.
func TestAuditOfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.serve(t)
	if status, _ := n.terminate(t); status != exitOK {
		t.Fatalf("SIGTERM: exit %d", status)
	}
	if r := audited(t, exitOK, "--data", w.data); r.Total.Gifts != (audit.Tally{}) || r.Total.OutcomeRecords == 0 {
		t.Errorf("%+v, want records and no gifts", r.Total)
	}
	if status, _, errs := finished(t, "audit", "--data", t.TempDir()); status != exitSettings || !strings.Contains(errs, "no streams of giftwire") {
		t.Errorf("an empty folder: exit %d, %q", status, errs)
	}
}

// A node that has purged what was decided, because its streams were full, has lost
// nothing: the audit holds with what is left.
func TestAuditAfterPurges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.serve(t, "--gifts-bytes", "1MiB", "--ledger-bytes", "2MiB", "--limit-backlog-node", "80")
	n.put(t, "r1")
	n.watch(t, "r1", "ann", client.Place{}).join()
	sent := 0
	until(t, "purge", func(ctx ctx) bool {
		var gifts []string
		for range 50 {
			sent++
			gifts = append(gifts, fmt.Sprintf(`{"id":"c%d","user":{"user_id":"ann"},"gift_id":"g1","count":10}`, sent))
		}
		// Refused once the streams are full, until the next snapshot makes room.
		ask(ctx, http.MethodPost, "http://"+n.public+"/v1/rooms/r1/gifts", testAPIKey, `{"gifts":[`+strings.Join(gifts, ",")+`]}`)
		return strings.Contains(n.logged(), "decided history purged")
	})
	c := n.settled(t, "r1")
	n.kill()
	r := audited(t, exitOK, "--data", w.data)
	if got := r.Total.Gifts; !r.Holds || got.Accepted >= int64(c.Accepted) || got.Accepted == 0 || got.Pending != 0 {
		t.Errorf("%+v of %d that were accepted, want fewer, all decided; problems %v", r.Total, c.Accepted, r.Problems)
	}
}
