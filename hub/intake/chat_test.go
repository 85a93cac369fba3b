package intake_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

func (b *bench) comment(t *testing.T, c intake.Comment) answers {
	t.Helper()
	got := make(answers, 10)
	b.Comment(c, func(v intake.Verdict) { got <- v })
	return got
}

func says(roomID, text string) intake.Comment {
	return intake.Comment{Room: roomID, User: ann, Text: text}
}

// TestJoinComment: a join word is durable before it is shown; where the game lists
// none, any comment may be one.
func TestJoinComment(t *testing.T) {
	t.Parallel()
	for _, c := range []intake.Comment{says("r1", "5"), says("wild", "hello")} {
		b := newBench(t, nil)
		got := b.comment(t, c)
		got.none(t)
		entry := b.journal.entries()[0].entry
		want := journal.Entry{Comment: &journal.Comment{
			Room: c.Room, Game: b.rooms[c.Room].Game,
			Comment: room.Comment{User: ann, Text: c.Text, Join: true, At: entry.Comment.Comment.At},
		}}
		if diff := cmp.Diff(want, entry); diff != "" {
			t.Errorf("journaled (-want +got):\n%s", diff)
		}
		b.journal.answer(t, nil)
		if v := got.verdict(t); v.Outcome != intake.Accepted {
			t.Errorf("%+v", v)
		}
		if len(b.owner.chat) != 0 {
			t.Errorf("also told as chat: %v", b.owner.chat)
		}
	}
}

func TestChatComment(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.owner.noChat = errors.New("not now")
	if v := b.comment(t, says("r1", "hello")).verdict(t); v.Outcome != intake.Accepted {
		t.Errorf("%+v", v)
	}
	if diff := cmp.Diff([]string{"TinyLoveWar:hello"}, b.owner.chat); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(b.journal.entries()) != 0 || b.Stats().ChatDropped != 1 {
		t.Errorf("%d journaled, %+v", len(b.journal.entries()), b.Stats())
	}
}

func TestCommentRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		comment intake.Comment
		refuse  error
		code    wire.Code
	}{
		{comment: says("r1", ""), code: wire.CodeBadRequest},
		{comment: says("r1", strings.Repeat("🚀", 201)), code: wire.CodeBadRequest},
		{comment: says("r1", "a\x00"), code: wire.CodeBadRequest},
		{comment: says("r2", "5"), code: wire.CodeRoomClosed},
		{comment: says("r1", "5"), refuse: journal.ErrUnavailable, code: wire.CodeUnavailable},
		{comment: says("r1", "5"), refuse: journal.ErrTooLarge, code: wire.CodeUnavailable},
	} {
		b := newBench(t, nil)
		b.journal.refuse = tt.refuse
		if v := b.comment(t, tt.comment).verdict(t); v.Outcome != intake.Rejected || v.Code != tt.code {
			t.Errorf("%+v: %+v, want %s", tt.comment, v, tt.code)
		}
		if b.Stats().InFlight != 0 {
			t.Error("left in flight")
		}
	}
	b := newBench(t, nil)
	if v := b.comment(t, says("r1", strings.Repeat("🚀", 200))).verdict(t); v.Outcome != intake.Accepted {
		t.Errorf("200 characters: %+v", v)
	}
	got := b.comment(t, says("r1", "5"))
	b.Close()
	b.journal.answer(t, journal.ErrUnknown)
	if v := got.verdict(t); v.Outcome != intake.Unknown {
		t.Errorf("%+v", v)
	}
	if v := b.comment(t, says("r1", "5")).verdict(t); v.Code != wire.CodeUnavailable {
		t.Errorf("after Close: %+v", v)
	}
	if err := b.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLike(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for count, want := range map[int]wire.Code{0: wire.CodeBadRequest, 1001: wire.CodeBadRequest, 1000: ""} {
		if v := b.Like(intake.Like{Room: "r1", User: ann, Count: count}); v.Code != want {
			t.Errorf("%d likes: %+v", count, v)
		}
	}
	if v := b.Like(intake.Like{Room: "r2", User: ann, Count: 1}); v.Code != wire.CodeRoomClosed {
		t.Errorf("%+v", v)
	}
	if diff := cmp.Diff([]string{"TinyLoveWar:like:ann"}, b.owner.chat); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
