package zego_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// noCalls is a client whose calls fail the test.
func noCalls(t *testing.T) *zego.Client {
	t.Helper()
	return newClient(t, "http://x.example", func(cfg *zego.Config) {
		cfg.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
			t.Error("a call was made")
			return nil, errors.New("no calls")
		})
	})
}

// checkRefused wants a local refusal that names the field.
func checkRefused(t *testing.T, name string, err error, part string) {
	t.Helper()
	var e *zego.Error
	if !errors.As(err, &e) || e.Outcome != room.NotTaken || e.Class != room.ClassBadRequest || e.Code != 0 {
		t.Errorf("%s: %v, want not taken, bad request", name, err)
		return
	}
	if !strings.Contains(e.Message, part) || len(e.Message) > 256 {
		t.Errorf("%s: %q does not name %q", name, e.Message, part)
	}
}

func TestGiftsAreCheckedBeforeSending(t *testing.T) {
	long := strings.Repeat("x", 129)
	for _, tt := range []struct {
		name   string
		change func(*zego.GiftsRequest)
		part   string
	}{
		{"no room", func(r *zego.GiftsRequest) { r.RoomID = "" }, "RoomId"},
		{"long room", func(r *zego.GiftsRequest) { r.RoomID = strings.Repeat("é", 65) }, "RoomId"},
		{"control in room", func(r *zego.GiftsRequest) { r.RoomID = "a\nb" }, "RoomId"},
		{"no game", func(r *zego.GiftsRequest) { r.MiniGameID = "" }, "MiniGameId"},
		{"long game", func(r *zego.GiftsRequest) { r.MiniGameID = long }, "MiniGameId"},
		{"no gifts", func(r *zego.GiftsRequest) { r.Gifts = nil }, "GiftList"},
		{"51 gifts", func(r *zego.GiftsRequest) { r.Gifts = manyGifts(51) }, "GiftList"},
		{"id twice", func(r *zego.GiftsRequest) { r.Gifts = append(r.Gifts, r.Gifts[0]) }, "445623452643416236 twice"},
		{"no user", func(r *zego.GiftsRequest) { r.Gifts[0].User.UserID = "" }, "GiftList[0]"},
		{"user with a dash", func(r *zego.GiftsRequest) { r.Gifts[0].User.UserID = "u-1" }, "user id"},
		{"user with an accent", func(r *zego.GiftsRequest) { r.Gifts[0].User.UserID = "é" }, "user id"},
		{"long user", func(r *zego.GiftsRequest) { r.Gifts[0].User.UserID = strings.Repeat("u", 49) }, "user id"},
		{"no nickname", func(r *zego.GiftsRequest) { r.Gifts[0].User.Nickname = "" }, "nickname"},
		{"control in nickname", func(r *zego.GiftsRequest) { r.Gifts[0].User.Nickname = "a\x00" }, "nickname"},
		{"broken nickname", func(r *zego.GiftsRequest) { r.Gifts[0].User.Nickname = "a\xff" }, "nickname"},
		{"no avatar", func(r *zego.GiftsRequest) { r.Gifts[0].User.Avatar = "" }, "avatar"},
		{"avatar of ZEGO's example", func(r *zego.GiftsRequest) { r.Gifts[0].User.Avatar = "http://" }, "avatar"},
		{"ftp avatar", func(r *zego.GiftsRequest) { r.Gifts[0].User.Avatar = "ftp://x.example/a" }, "avatar"},
		{"long avatar", func(r *zego.GiftsRequest) {
			r.Gifts[0].User.Avatar = "http://x.example/" + strings.Repeat("a", 1008)
		}, "avatar"},
		{"no gift id", func(r *zego.GiftsRequest) { r.Gifts[0].Info.GiftID = "" }, "GiftId"},
		{"long gift id", func(r *zego.GiftsRequest) { r.Gifts[0].Info.GiftID = long }, "GiftId"},
		{"value 0", func(r *zego.GiftsRequest) { r.Gifts[0].Info.Value = 0 }, "Value"},
		{"value 100001", func(r *zego.GiftsRequest) { r.Gifts[0].Info.Value = 100_001 }, "Value"},
		{"num 0", func(r *zego.GiftsRequest) { r.Gifts[0].Info.Num = 0 }, "Num"},
		{"num -1", func(r *zego.GiftsRequest) { r.Gifts[0].Info.Num = -1 }, "Num"},
		{"num 100001", func(r *zego.GiftsRequest) { r.Gifts[0].Info.Num = 100_001 }, "Num"},
		{"long receiver", func(r *zego.GiftsRequest) { r.Gifts[0].ReceiverID = long }, "ReceiverId"},
		{"timestamp 0", func(r *zego.GiftsRequest) { r.Gifts[0].Timestamp = 0 }, "Timestamp"},
		{"no id", func(r *zego.GiftsRequest) { r.Gifts[0].MsgID = "" }, "MsgId"},
		{"long id", func(r *zego.GiftsRequest) { r.Gifts[0].MsgID = strings.Repeat("1", 65) }, "MsgId"},
		{"id with a dot", func(r *zego.GiftsRequest) { r.Gifts[0].MsgID = "a.b" }, "MsgId"},
		{"second entry", func(r *zego.GiftsRequest) {
			r.Gifts = manyGifts(2)
			r.Gifts[1].Info.Num = 0
		}, "GiftList[1]"},
		{"body of 65 KiB", func(r *zego.GiftsRequest) {
			r.Gifts = manyGifts(50)
			for i := range r.Gifts {
				r.Gifts[i].User.Avatar = "http://x.example/" + strings.Repeat("a", 1007)
				r.Gifts[i].ReceiverID = strings.Repeat("\"", 128) // two bytes each in JSON
			}
		}, "65536"},
	} {
		req := testGifts()
		tt.change(&req)
		_, err := noCalls(t).SendDanmakuGifts(t.Context(), req)
		checkRefused(t, tt.name, err, tt.part)
	}
}

func TestOtherCallsAreCheckedBeforeSending(t *testing.T) {
	comment := zego.Comment{User: testUser(), Content: "5"}
	like := zego.Like{User: testUser(), Amount: 1}
	c := noCalls(t)
	comments := func(list ...zego.Comment) error {
		_, err := c.SendDanmakuComments(t.Context(), zego.CommentsRequest{RoomID: "r", MiniGameID: "g", Comments: list})
		return err
	}
	likes := func(list ...zego.Like) error {
		_, err := c.SendDanmakuLikes(t.Context(), zego.LikesRequest{RoomID: "r", MiniGameID: "g", Likes: list})
		return err
	}
	query := func(days int, ids ...string) error {
		_, err := c.DescribeDanmakuMsgResults(t.Context(), zego.ResultsRequest{RoomID: "r", MiniGameID: "g", MsgIDs: ids, Days: days})
		return err
	}
	launch := func(change func(*zego.LaunchCodeRequest)) error {
		req := zego.LaunchCodeRequest{RoomID: "r", MiniGameID: "g", AnchorID: "a", Nickname: "A", Avatar: "http://x.example/"}
		change(&req)
		_, err := c.DescribeGameLaunchCode(t.Context(), req)
		return err
	}
	for _, tt := range []struct {
		name string
		err  error
		part string
	}{
		{"no comments", comments(), "CommentList"},
		{"51 comments", comments(slicesRepeat(comment, 51)...), "CommentList"},
		{"empty comment", comments(zego.Comment{User: testUser()}), "Content"},
		{"control in comment", comments(zego.Comment{User: testUser(), Content: "a\nb"}), "Content"},
		{"comment of nobody", comments(comment, zego.Comment{Content: "5"}), "CommentList[1]"},
		{"no likes", likes(), "LikeList"},
		{"51 likes", likes(slicesRepeat(like, 51)...), "LikeList"},
		{"no amount", likes(zego.Like{User: testUser()}), "Amount"},
		{"too many likes", likes(zego.Like{User: testUser(), Amount: zego.AmountMax + 1}), "Amount"},
		{"likes of nobody", likes(zego.Like{Amount: 1}), "LikeList[0]"},
		{"no ids", query(0), "MsgIdList"},
		{"51 ids", query(0, slicesRepeat("x", 51)...), "MsgIdList"},
		{"bad id", query(0, "a", "b c"), "MsgIdList[1]"},
		{"id twice", query(0, "a", "b", "a"), "a twice"},
		{"91 days", query(91, "a"), "Duration"},
		{"-1 days", query(-1, "a"), "Duration"},
		{"no anchor", launch(func(r *zego.LaunchCodeRequest) { r.AnchorID = "" }), "anchor"},
		{"anchor with a dash", launch(func(r *zego.LaunchCodeRequest) { r.AnchorID = "a-1" }), "anchor"},
		{"anchor without a face", launch(func(r *zego.LaunchCodeRequest) { r.Avatar = "" }), "avatar"},
		{"launch without a game", launch(func(r *zego.LaunchCodeRequest) { r.MiniGameID = "" }), "MiniGameId"},
	} {
		checkRefused(t, tt.name, tt.err, tt.part)
	}
}

func TestNicknamesAndCommentsAreCutBetweenGraphemes(t *testing.T) {
	const family = "👨‍👩‍👧‍👦" // 7 code points, one grapheme
	zalgo := "Z" + strings.Repeat("\u0301", 40)
	for _, tt := range []struct{ name, want string }{
		{"short", "short"},
		{strings.Repeat("a", 32), strings.Repeat("a", 32)},
		{strings.Repeat("a", 33), strings.Repeat("a", 32)},
		{strings.Repeat("汉", 40), strings.Repeat("汉", 32)},
		{strings.Repeat("a", 25) + family, strings.Repeat("a", 25) + family},
		{strings.Repeat("a", 26) + family, strings.Repeat("a", 26)},
		{strings.Repeat("a", 31) + "e\u0301x", strings.Repeat("a", 31)},
		{strings.Repeat("🇩🇪", 20), strings.Repeat("🇩🇪", 16)},
		{zalgo, zalgo[:1+31*2]},
	} {
		d := newDoor(t, says(okEmpty))
		req := testGifts()
		req.Gifts[0].User.Nickname = tt.name
		if _, err := newClient(t, d.URL).SendDanmakuGifts(t.Context(), req); err != nil {
			t.Errorf("%q: %v", tt.name, err)
			continue
		}
		if want := `"Nickname":"` + tt.want + `"`; !strings.Contains(d.seen()[0].body, want) {
			t.Errorf("%q: %s lacks %s", tt.name, d.seen()[0].body, want)
		}
		if utf8.RuneCountInString(tt.want) > 32 {
			t.Errorf("%q is too long itself", tt.want)
		}
		if req.Gifts[0].User.Nickname != tt.name {
			t.Error("the caller's request was changed")
		}
	}
	d := newDoor(t, says(okEmpty))
	_, err := newClient(t, d.URL).SendDanmakuComments(t.Context(), zego.CommentsRequest{
		RoomID: "r", MiniGameID: "g",
		Comments: []zego.Comment{{User: testUser(), Content: strings.Repeat("a", 252) + family}},
	})
	if err != nil || !strings.Contains(d.seen()[0].body, `"Content":"`+strings.Repeat("a", 252)+`"}`) {
		t.Errorf("comment: %v, %s", err, d.seen()[0].body)
	}
}

func TestLongestValuesPass(t *testing.T) {
	d := newDoor(t, says(okEmpty))
	req := zego.GiftsRequest{RoomID: strings.Repeat("é", 64), MiniGameID: strings.Repeat("g", 128), Gifts: []zego.Gift{{
		User: zego.User{
			UserID: strings.Repeat("u", 48), Nickname: strings.Repeat("🚀", 32),
			Avatar: "https://x.example/" + strings.Repeat("a", 1024-18),
		},
		Info:       zego.GiftInfo{GiftID: strings.Repeat("g", 128), Value: 100_000, Num: 100_000},
		ReceiverID: strings.Repeat("r", 128), Timestamp: 1<<63 - 1, MsgID: strings.Repeat("_", 64),
	}}}
	if _, err := newClient(t, d.URL).SendDanmakuGifts(t.Context(), req); err != nil {
		t.Error(err)
	}
}

func manyGifts(n int) []zego.Gift {
	gifts := slicesRepeat(testGift(), n)
	for i := range gifts {
		gifts[i].MsgID = "m" + strconv.Itoa(i)
	}
	return gifts
}

func slicesRepeat[T any](v T, n int) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = v
	}
	return list
}
