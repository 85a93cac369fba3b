package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/room"
)

// testGift is a gift as the journal has it: 20 rockets of u1.
func testGift(clientID string) *room.Gift {
	return &room.Gift{
		MsgID: room.NewMsgID(1, "r1", "u1", clientID), ClientID: clientID, Room: "r1", Game: "TinyLoveWar",
		User: room.User{ID: "u1", Nickname: "Ann", Avatar: DefaultAvatar}, GiftID: "g1", Count: 20, Value: 10, Num: 2,
		Receiver: "anchor1", At: 1795449600000,
	}
}

// rowsOf is a ledger of n delivered gifts, three to a record.
func rowsOf(n int) []owner.Row {
	rows := make([]owner.Row, n)
	for i := range rows {
		rows[i] = owner.Row{
			Cursor:   owner.Cursor{Seq: uint64(10 + i/3), Index: i % 3},
			Decision: room.Decision{Gift: testGift(fmt.Sprintf("c%d", i)), Status: room.Delivered, Reason: room.ReasonOK, At: 1},
		}
	}
	return rows
}

// pageOf answers as an owner with these rows does.
func pageOf(rows []owner.Row) func(owner.Cursor, int) (owner.Page, error) {
	return func(after owner.Cursor, limit int) (owner.Page, error) {
		page := owner.Page{Next: after}
		for _, r := range rows {
			if r.Cursor.Seq < after.Seq || r.Cursor.Seq == after.Seq && r.Cursor.Index <= after.Index || len(page.Rows) == limit {
				continue
			}
			page.Rows, page.Next = append(page.Rows, r), r.Cursor
		}
		return page, nil
	}
}

func TestOutcomesPageThrough(t *testing.T) {
	tp := newTestPlatform(t)
	tp.ledgers.ledger = pageOf(rowsOf(11))
	var ids []string
	after := ""
	for range 4 {
		_, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/r1/outcomes?limit=4&after="+after, "")
		page := decoded[outcomesBody](t, text)
		for _, o := range page.Outcomes {
			ids = append(ids, o.Gift.ID)
		}
		if len(page.Outcomes) == 0 && page.Next != after {
			t.Errorf("next of an empty page is %q, want the cursor asked for", page.Next)
		}
		after = page.Next
	}
	var want []string
	for i := range 11 {
		want = append(want, fmt.Sprintf("c%d", i))
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	tp.ledgers.ledger = pageOf(rowsOf(12)) // one more is decided
	_, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/r1/outcomes?after="+after, "")
	if page := decoded[outcomesBody](t, text); len(page.Outcomes) != 1 || page.Outcomes[0].Gift.ID != "c11" {
		t.Errorf("after the end: %s", text)
	}
}

func TestOutcomesRow(t *testing.T) {
	tp := newTestPlatform(t)
	rows := rowsOf(1)
	rows[0].Decision = room.Decision{Gift: testGift("c-17"), Status: room.Failed, Code: 10003, Reason: room.ReasonNotJoined, Message: "m"}
	tp.ledgers.ledger = pageOf(rows)
	_, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/gone/outcomes", "") // the ledger of a deleted room stays
	c := formatCursor("gone", "epoch", rows[0].Cursor)
	want := `{"outcomes":[{"cursor":"` + c + `","msg_id":"` + testGift("c-17").MsgID.String() + `","id":"c-17","room":"r1",` +
		`"user_id":"u1","gift_id":"g1","count":20,"value":10,"num":2,"receiver_id":"anchor1","at":1795449600000,` +
		`"status":"failed","code":10003,"reason":"not_joined_or_refused"}],"next":"` + c + `"}`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestOutcomesLimitsAndCursors(t *testing.T) {
	tp := newTestPlatform(t)
	asked := 0
	tp.ledgers.ledger = func(_ owner.Cursor, limit int) (owner.Page, error) {
		asked = limit
		return owner.Page{}, nil
	}
	for query, want := range map[string]int{"": 100, "limit=1": 1, "limit=1000": 1000} {
		status, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/r1/outcomes?"+query, "")
		if status != http.StatusOK || asked != want {
			t.Errorf("%q: %d, limit %d, want %d", query, status, asked, want)
		}
		if next := decoded[outcomesBody](t, text).Next; next == "" {
			t.Errorf("%q: an empty ledger has no next", query)
		}
	}
	for _, query := range []string{"limit=0", "limit=-1", "limit=1001", "limit=ten"} {
		status, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/r1/outcomes?"+query, "")
		wantProblem(t, status, text, http.StatusBadRequest, codeBadRequest)
	}
	for cursor, want := range map[string]int{
		"17": 400, "AAAA": 400, formatCursor("r2", "epoch", owner.Cursor{Seq: 1}): 400,
		formatCursor("r1", "older", owner.Cursor{Seq: 1}): 410,
	} {
		status, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/r1/outcomes?after="+cursor, "")
		wantProblem(t, status, text, want, map[int]string{400: codeBadCursor, 410: codeCursorGone}[want])
	}
}

func TestOutcomesErrorsOfTheOwner(t *testing.T) {
	tp := newTestPlatform(t)
	for _, tt := range []struct {
		err    error
		status int
		code   string
	}{
		{fmt.Errorf("x: %w", owner.ErrCursorGone), 410, codeCursorGone},
		{owner.ErrNotReady, 503, codeUnavailable},
		{context.DeadlineExceeded, 503, codeUnavailable},
		{errors.New("a record has no entry"), 500, codeInternal},
	} {
		tp.ledgers.ledger = func(owner.Cursor, int) (owner.Page, error) { return owner.Page{}, tt.err }
		status, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/r1/outcomes", "")
		wantProblem(t, status, text, tt.status, tt.code)
	}
}

func TestTimeline(t *testing.T) {
	tp := newTestPlatform(t)
	g := testGift("c-17")
	tl := owner.Timeline{Gift: g, Node: "n1", StoredAt: g.At + 1}
	tl.Decision = &room.Decision{
		Gift: g, Status: room.Delivered, Reason: room.ReasonOK, At: g.At + 300,
		Attempts: []room.Attempt{
			{N: 1, StartedAt: g.At + 100, EndedAt: g.At + 200, Outcome: room.Unknown, Message: "timeout"},
			{N: 2, Query: true, StartedAt: g.At + 250, EndedAt: g.At + 290, Outcome: room.Consumed, HasRow: true, RequestID: "abc"},
		},
	}
	tp.ledgers.timelines = map[room.MsgID]owner.Timeline{g.MsgID: tl}
	status, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/r1/gifts/"+g.MsgID.String(), "")
	want := `{"msg_id":"` + g.MsgID.String() + `","id":"c-17","room":"r1","user_id":"u1","gift_id":"g1","count":20,"value":10,"num":2,` +
		`"receiver_id":"anchor1","at":1795449600000,"status":"delivered","code":0,"reason":"ok","events":[` +
		`{"at":1795449600000,"event":"received","node":"n1"},{"at":1795449600001,"event":"durable"},` +
		`{"at":1795449600100,"event":"attempt","n":1},{"at":1795449600200,"event":"answer","n":1,"taken":"unknown","code":0,"message":"timeout"},` +
		`{"at":1795449600250,"event":"attempt","n":2,"query":true},{"at":1795449600290,"event":"answer","n":2,"taken":"consumed","code":0,"result":0,"request_id":"abc"},` +
		`{"at":1795449600300,"event":"outcome","status":"delivered","code":0,"reason":"ok"}]}`
	if diff := cmp.Diff(want, text); status != http.StatusOK || diff != "" {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
}

func TestTimelineOfAPendingGift(t *testing.T) {
	tp := newTestPlatform(t)
	g := testGift("c1")
	tp.ledgers.timelines = map[room.MsgID]owner.Timeline{g.MsgID: {
		Gift: g, Node: "n1", StoredAt: g.At, Attempts: []room.Attempt{{N: 1, StartedAt: g.At + 5}}, // in flight
	}}
	_, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/r1/gifts/"+g.MsgID.String(), "")
	if !strings.Contains(text, `"status":"pending"`) || strings.Contains(text, `"code"`) || strings.Contains(text, `"answer"`) {
		t.Errorf("pending gift: %s", text)
	}
	other := room.NewMsgID(1, "r1", "u1", "c2").String()
	status, text, _ := tp.call(t, http.MethodGet, "/v1/rooms/r1/gifts/"+other, "")
	wantProblem(t, status, text, http.StatusNotFound, codeGiftNotFound)
	for _, id := range []string{"c1", strings.ToUpper(other), strings.ReplaceAll(other, "-", ""), "{" + other + "}"} {
		status, text, _ = tp.call(t, http.MethodGet, "/v1/rooms/r1/gifts/"+id, "")
		wantProblem(t, status, text, http.StatusBadRequest, codeBadRequest)
	}
}
