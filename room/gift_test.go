package room_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/giftwire/giftwire/room"
)

func TestUserCheck(t *testing.T) {
	good := room.User{ID: "u1", Nickname: "Ann", Avatar: "https://a.example/x.png", Sex: room.Female}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*room.User)
		err    error // nil: fine
	}{
		{"no id", func(u *room.User) { u.ID = "" }, room.ErrBadUserID},
		{"id with underscore", func(u *room.User) { u.ID = "a_b" }, room.ErrBadUserID},
		{"no nickname", func(u *room.User) { u.Nickname = "" }, room.ErrBadUser},
		{"32 characters", func(u *room.User) { u.Nickname = strings.Repeat("😀", 32) }, nil},
		{"33 characters", func(u *room.User) { u.Nickname = strings.Repeat("a", 33) }, room.ErrBadUser},
		{"control character", func(u *room.User) { u.Nickname = "a\nb" }, room.ErrBadUser},
		{"invalid UTF-8", func(u *room.User) { u.Nickname = "a\xff" }, room.ErrBadUser},
		{"no avatar", func(u *room.User) { u.Avatar = "" }, room.ErrBadUser},
		{"avatar without host", func(u *room.User) { u.Avatar = "http://" }, room.ErrBadUser},
		{"ftp avatar", func(u *room.User) { u.Avatar = "ftp://a.example/x" }, room.ErrBadUser},
		{"script avatar", func(u *room.User) { u.Avatar = "javascript:alert(1)" }, room.ErrBadUser},
		{"1024 bytes", func(u *room.User) { u.Avatar = "http://a.example/" + strings.Repeat("x", 1007) }, nil},
		{"1025 bytes", func(u *room.User) { u.Avatar = "http://a.example/" + strings.Repeat("x", 1008) }, room.ErrBadUser},
		{"control in avatar", func(u *room.User) { u.Avatar = "http://a.example/\x7f" }, room.ErrBadUser},
		{"sex not told", func(u *room.User) { u.Sex = 0 }, nil},
		{"sex 3", func(u *room.User) { u.Sex = 3 }, room.ErrBadUser},
		{"sex -1", func(u *room.User) { u.Sex = -1 }, room.ErrBadUser},
	} {
		u := good
		tt.change(&u)
		if err := u.Check(); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
	}
}

// Content is what was sent under the id: what has a default is taken as asked.
func TestContent(t *testing.T) {
	g := room.Gift{
		GiftID: "g1", Count: 20, Value: 10, Num: 2, Receiver: "anchor",
		User: room.User{Nickname: "Ann"}, Asked: room.Asked{},
	}
	same := g
	same.User.Nickname, same.Receiver, same.Value, same.Num, same.At = "Anna", "other", 20, 1, 5
	if g.Content() != same.Content() {
		t.Error("nickname, anchor or catalogue changed the content")
	}
	for name, change := range map[string]func(*room.Gift){
		"gift": func(g *room.Gift) { g.GiftID = "g2" }, "count": func(g *room.Gift) { g.Count = 21 },
		"value": func(g *room.Gift) { g.Asked.Value = 10 }, "receiver": func(g *room.Gift) { g.Asked.Receiver = "anchor" },
	} {
		other := g
		change(&other)
		if g.Content() == other.Content() {
			t.Errorf("another %s is the same content", name)
		}
	}
}

// The names are labels of metrics and values on the wire, so they may not change.
func TestNames(t *testing.T) {
	got := []string{
		room.Pending.String(), room.Delivered.String(), room.Failed.String(), room.Unresolved.String(),
		room.GameUnknown.String(), room.GameRunning.String(), room.GameEnded.String(),
		room.ActionGifts.String(), room.ActionComments.String(), room.ActionLikes.String(), room.ActionQuery.String(),
		room.Unknown.String(), room.NotTaken.String(), room.Consumed.String(),
		room.ClassNone.String(), room.ClassRetry.String(), room.ClassNotStarted.String(), room.ClassNoGame.String(),
		room.ClassBadRequest.String(), room.ClassConfig.String(),
		room.ResultOther.String(), room.ResultDelivered.String(), room.ResultNotJoined.String(),
		room.ResultNoSuchGift.String(), room.ResultException.String(), room.ResultPending.String(),
	}
	want := "pending delivered failed unresolved unknown running ended gifts comments likes query " +
		"unknown not_taken consumed none retry not_started no_game bad_request config " +
		"other delivered not_joined no_such_gift exception pending"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}
