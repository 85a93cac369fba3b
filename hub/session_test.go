package hub

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/spec/spectest"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// welcomed lets a user in and hears the welcome.
func (st *stage) welcomed(user string, change ...func(*client.Config)) *guest {
	st.t.Helper()
	g := st.guest(user, change...)
	next[wire.Welcome](g)
	return g
}

func rocket(id string, count int) wire.GiftFrame {
	return wire.GiftFrame{ID: id, GiftID: "g1", Count: count}
}

// TestGiftsWay: a gift is accepted when it is stored, its result goes to all of the
// sender's connections, and everybody sees it delivered.
func TestGiftsWay(t *testing.T) {
	st := newStage(t)
	ann, too, bo := st.welcomed("ann"), st.welcomed("ann"), st.welcomed("bo")
	ann.send(rocket("c-17", 20))
	accepted := next[wire.Accepted](ann)
	id := room.NewMsgID(1, "r1", "ann", "c-17")
	if accepted.ID != "c-17" || accepted.MsgID != id {
		t.Errorf("%+v", accepted)
	}
	st.decide(0, room.Delivered)
	want := wire.Result{ID: "c-17", MsgID: id, Status: "delivered", Reason: room.ReasonOK, Message: "told"}
	for _, g := range []*guest{ann, too} {
		if diff := cmp.Diff(want, next[wire.Result](g)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", g.user, diff)
		}
	}
	for _, g := range []*guest{ann, too, bo} {
		event := next[wire.Gifts](g)
		if event.Seq != 1 || len(event.Gifts) != 1 || event.Gifts[0].Value != 10 || event.Gifts[0].Num != 2 ||
			event.Gifts[0].ReceiverID != "anchor1" || event.Gifts[0].UserID != "ann" {
			t.Errorf("%s: %+v", g.user, event)
		}
	}
	// Repeats: the same, and other content.
	too.send(rocket("c-17", 20))
	if got := next[wire.Accepted](too); got != accepted {
		t.Errorf("repeat: %+v", got)
	}
	if diff := cmp.Diff(want, next[wire.Result](too)); diff != "" {
		t.Errorf("repeat (-want +got):\n%s", diff)
	}
	too.send(rocket("c-17", 66))
	if got := next[wire.Rejected](too); got.Code != wire.CodeConflict || got.ID != "c-17" {
		t.Errorf("other content: %+v", got)
	}
	if n := len(st.journaled()); n != 1 {
		t.Errorf("%d entries were journaled", n)
	}
	// Another user's id is another gift.
	bo.send(rocket("c-17", 66))
	if got := next[wire.Accepted](bo); got.MsgID == id {
		t.Error("two users share a gift")
	}
}

// TestRejectedFrames: what is wrong with a frame is answered by rejected where it has
// an id, else by error.
func TestRejectedFrames(t *testing.T) {
	st := newStage(t, func(cfg *lobbyConfig) { cfg.limits.Gifts = Rate{PerSecond: 1000, Burst: 1000} })
	ann := st.welcomed("ann")
	tests := []struct {
		frame string
		id    string
		code  wire.Code
		says  string
	}{
		{`{"type":"gift","id":"c-1","gift_id":"g1","count":15}`, "c-1", wire.CodeBadCount, "10, 66"},
		{`{"type":"gift","id":"c-1","gift_id":"g1","count":30,"value":30}`, "c-1", wire.CodeBadCount, "10, 66"},
		{`{"type":"gift","id":"c-1","gift_id":"nope","count":10}`, "c-1", wire.CodeUnknownGift, ""},
		{`{"type":"gift","id":"c-1","gift_id":"g1","count":0}`, "c-1", wire.CodeBadRequest, "count"},
		{`{"type":"gift","id":"c-1","gift_id":"g1","count":100001}`, "c-1", wire.CodeBadRequest, "count"},
		{`{"type":"gift","id":"c-1","gift_id":"g1","count":"10"}`, "c-1", wire.CodeBadRequest, "count"},
		{`{"type":"gift","id":"c-1","gift_id":"g1","count":10,"value":0}`, "c-1", wire.CodeBadRequest, "value"},
		{`{"type":"gift","id":"c-1","gift_id":"g1","count":10,"receiver_id":"a-b"}`, "c-1", wire.CodeBadRequest, "receiver_id"},
		{`{"type":"gift","id":"c-1","gift_id":"g1","count":10,"nickname":"Boss"}`, "c-1", wire.CodeBadRequest, "not known"},
		{`{"type":"gift","id":"c-1","gift_id":"g1","count":10,"count":10}`, "c-1", wire.CodeBadRequest, "twice"},
		{`{"type":"gift","id":"c 1","gift_id":"g1","count":10}`, "", wire.CodeBadRequest, "id"},
		{`{"type":"gift","gift_id":"g1","count":10}`, "", wire.CodeBadRequest, "id"},
		{`{"type":"comment","id":"c-2","text":""}`, "c-2", wire.CodeBadRequest, "text"},
		{`{"type":"comment","id":"c-2","text":"` + strings.Repeat("🚀", 201) + `"}`, "c-2", wire.CodeBadRequest, "text"},
		{`{"type":"comment","id":"c-2","text":5}`, "c-2", wire.CodeBadRequest, "text"},
		{`{"type":"like","count":0}`, "", wire.CodeBadRequest, "count"},
		{`{"type":"like","count":1001}`, "", wire.CodeBadRequest, "count"},
		{`{"type":"like","id":"c-3"}`, "", wire.CodeBadRequest, "not known"},
		{`{"type":"ping","t":"x"}`, "", wire.CodeBadRequest, "t is a number"},
		{`{"type":"ping"`, "", wire.CodeBadRequest, "JSON"},
		{`{"type":"gifts"}`, "", wire.CodeBadRequest, "unknown type"},
		{`[{"type":"ping"}]`, "", wire.CodeBadRequest, "object"},
	}
	for _, tt := range tests {
		ann.send(rawJSON(tt.frame))
		var id, says string
		var code wire.Code
		if tt.id == "" {
			e := next[wire.Error](ann)
			id, code, says = e.ID, e.Code, e.Message
		} else {
			r := next[wire.Rejected](ann)
			id, code, says = r.ID, r.Code, r.Message
		}
		if id != tt.id || code != tt.code || !strings.Contains(says, tt.says) {
			t.Errorf("%s: %q %s %q", tt.frame, id, code, says)
		}
	}
	ann.send(wire.PingFrame{T: jsontext.Value("7")})
	if got := next[wire.Pong](ann); string(got.T) != "7" || time.Since(time.UnixMilli(got.Now)).Abs() > time.Minute {
		t.Errorf("%+v", got)
	}
	if n := len(st.journaled()); n != 0 {
		t.Errorf("%d entries were journaled", n)
	}
}

// rawJSON is a frame as it stands.
type rawJSON string

func (f rawJSON) Append(dst []byte) []byte { return append(dst, f...) }

// TestJournalsAnswer: not stored is rejected, not known is silence.
func TestJournalsAnswer(t *testing.T) {
	st := newStage(t)
	answers := []error{journal.ErrUnknown, fmt.Errorf("full: %w", journal.ErrUnavailable), nil}
	st.stored = func(journal.Entry) error {
		err := answers[0]
		answers = answers[1:]
		return err
	}
	ann := st.welcomed("ann")
	ann.send(rocket("c-1", 10))
	ann.send(rocket("c-1", 10))
	if got := next[wire.Rejected](ann); got.Code != wire.CodeUnavailable || got.RetryAfterMS < 1 {
		t.Errorf("%+v", got)
	}
	ann.send(rocket("c-1", 10))
	next[wire.Accepted](ann)
}

// TestResultIsFaster: the result of a gift may be there before the journal's answer;
// the viewer hears accepted first all the same, once.
func TestResultIsFaster(t *testing.T) {
	st := newStage(t)
	heard := make(chan struct{})
	st.stored = func(e journal.Entry) error {
		st.house.Decided(owner.News{Room: "r1", Seq: 1, Decisions: []room.Decision{{Gift: e.Gift, Status: room.Delivered, Reason: room.ReasonOK}}})
		<-heard
		return nil
	}
	ann := st.welcomed("ann")
	ann.send(rocket("c-1", 10))
	next[wire.Accepted](ann)
	next[wire.Result](ann)
	next[wire.Gifts](ann)
	close(heard)
	ann.send(wire.PingFrame{})
	next[wire.Pong](ann) // and no second accepted
}

func TestRights(t *testing.T) {
	st := newStage(t)
	for _, can := range []auth.Rights{0, auth.CanGift, auth.CanComment, auth.CanLike} {
		ann := st.welcomed("ann", func(cfg *client.Config) {
			cfg.Token = st.token("ann", func(id *auth.Identity) { id.Can = can })
		})
		ann.send(rocket("c-1", 10))
		if can.Has(auth.CanGift) {
			next[wire.Accepted](ann)
		} else if got := next[wire.Rejected](ann); got.Code != wire.CodeNotAllowed {
			t.Errorf("gift: %+v", got)
		}
		ann.send(wire.CommentFrame{ID: "c-2", Text: "hello"})
		if can.Has(auth.CanComment) {
			next[wire.Comments](ann)
		} else if got := next[wire.Rejected](ann); got.Code != wire.CodeNotAllowed || got.ID != "c-2" {
			t.Errorf("comment: %+v", got)
		}
		ann.send(wire.LikeFrame{Count: 3})
		if can.Has(auth.CanLike) {
			next[wire.Likes](ann)
		} else if got := next[wire.Error](ann); got.Code != wire.CodeNotAllowed {
			t.Errorf("like: %+v", got)
		}
		// A frame whose fields are wrong is told so, whatever the rights.
		ann.send(rocket("c-3", 0))
		if got := next[wire.Rejected](ann); got.Code != wire.CodeBadRequest {
			t.Errorf("bad gift: %+v", got)
		}
		if err := ann.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRates: what a user sends is counted per room, over connections, also over one
// that comes back.
func TestRates(t *testing.T) {
	st := newStage(t, func(cfg *lobbyConfig) {
		cfg.limits.Gifts = Rate{PerSecond: 0.01, Burst: 3}
		cfg.limits.Comments = Rate{PerSecond: 0.01, Burst: 2}
		cfg.limits.Likes = Rate{PerSecond: 0.01, Burst: 1}
	})
	ann, too := st.welcomed("ann"), st.welcomed("ann")
	ann.send(rocket("c-1", 10))
	next[wire.Accepted](ann)
	ann.send(rocket("c-1", 10)) // a repeat counts
	next[wire.Accepted](ann)
	too.send(rocket("c-2", 10))
	next[wire.Accepted](too)
	too.send(rocket("c-3", 10))
	if got := next[wire.Rejected](too); got.Code != wire.CodeRateLimited || got.RetryAfterMS < 50_000 {
		t.Errorf("%+v", got)
	}
	if err := errors.Join(ann.Close(), too.Close()); err != nil {
		t.Error(err)
	}
	ann = st.welcomed("ann")
	ann.send(rocket("c-3", 10))
	if got := next[wire.Rejected](ann); got.Code != wire.CodeRateLimited {
		t.Errorf("after coming back: %+v", got)
	}
	elsewhere := st.welcomed("ann", func(cfg *client.Config) { cfg.Room = "r2" })
	elsewhere.send(rocket("c-3", 10))
	next[wire.Accepted](elsewhere)
	st.welcomed("bo").send(rocket("c-1", 10))

	for range 3 {
		ann.send(wire.CommentFrame{ID: "t", Text: "5"})
	}
	if got := await[wire.Rejected](ann); got.Code != wire.CodeRateLimited || got.ID != "t" {
		t.Errorf("comment: %+v", got)
	}
	ann.send(wire.LikeFrame{Count: 1})
	ann.send(wire.LikeFrame{Count: room.LikeMax}) // this one waits
	ann.send(wire.LikeFrame{Count: 1})            // there is no room for this one
	if got := await[wire.Error](ann); got.Code != wire.CodeRateLimited {
		t.Errorf("like: %+v", got)
	}
}

// TestLikesThatComeTooFast are merged and counted a moment later.
func TestLikesThatComeTooFast(t *testing.T) {
	st := newStage(t, func(cfg *lobbyConfig) { cfg.limits.Likes = Rate{PerSecond: 2, Burst: 2} })
	ann := st.welcomed("ann")
	for range 40 {
		ann.send(wire.LikeFrame{Count: 3})
	}
	for got := (wire.Likes{}); got.Total < 120; {
		got = await[wire.Likes](ann)
	}
}

// TestChatWay: join words are journaled, other comments are handed on, everyone sees
// both; likes are added up.
func TestChatWay(t *testing.T) {
	st := newStage(t)
	ann, bo := st.welcomed("ann"), st.welcomed("bo")
	ann.send(wire.CommentFrame{ID: "j", Text: "5"})
	ann.send(wire.CommentFrame{ID: "k", Text: "hello"})
	ann.send(wire.LikeFrame{Count: 7})
	ann.send(wire.LikeFrame{Count: 1})
	var texts []string
	for len(texts) < 2 {
		for _, c := range await[wire.Comments](bo).Comments {
			texts = append(texts, c.UserID+" "+c.Text)
		}
	}
	if diff := cmp.Diff([]string{"ann 5", "ann hello"}, texts); diff != "" {
		t.Errorf("comments (-want +got):\n%s", diff)
	}
	var likes wire.Likes
	for sum := int64(0); sum < 8; sum += likes.Count {
		likes = await[wire.Likes](bo)
	}
	if likes.Total != 8 {
		t.Errorf("%+v", likes)
	}
	entries := st.journaled()
	if len(entries) != 1 || entries[0].Comment == nil || entries[0].Comment.Comment.Text != "5" || !entries[0].Comment.Comment.Join {
		t.Errorf("journaled %+v", entries)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if diff := cmp.Diff([]string{"r1 ann hello", "r1 ann like", "r1 ann like"}, st.chat); diff != "" {
		t.Errorf("handed on (-want +got):\n%s", diff)
	}
}

// TestGoldenEvents holds what wire encodes against the AsyncAPI document, and what it
// decodes.
func TestGoldenEvents(t *testing.T) {
	docs, err := spectest.Load()
	if err != nil {
		t.Fatal(err)
	}
	for pattern, check := range map[string]func([]byte) error{
		"events/*.json": docs.Event, "frames/*.json": docs.ClientFrame,
		"refused/*.json": func(frame []byte) error {
			if docs.ClientFrame(frame) == nil {
				return errors.New("the document allows what is refused")
			}
			return nil
		},
	} {
		files, err := filepath.Glob(filepath.Join("wire", "testdata", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(text); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}
