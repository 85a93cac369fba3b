package zegotest_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// TestZEGOsExample: the documented request gets the documented answer, RequestId
// aside (ZEGO.md 1.1.1). Value 5 is another game's agreement, so it is a setting.
func TestZEGOsExample(t *testing.T) {
	w := newWorld(t, func(cfg *zegotest.Config) {
		cfg.Games = []room.GameSpec{{
			ID: "TinyLoveWar", Gifts: []room.GiftSpec{{ID: "g1", Tiers: []room.Tier{{Value: 5}}}},
		}}
	})
	w.Join("room123", "TinyLoveWar", "user1")
	got := w.post(t, zego.ActionGifts, `{"RoomId":"room123","MiniGameId":"TinyLoveWar","GiftList":[
  {"UserInfo":{"UserId":"user1","Nickname":"test1","Avatar":"http://","Sex":1},
   "GiftInfo":{"GiftId":"g1","Value":5,"Num":2},
   "Timestamp":12312312,"ReceiverId":"anchor111","MsgId":"445623452643416236"}]}`)
	id := regexp.MustCompile(`"RequestId":"(\d{19})"`)
	want := `{"Code":0,"Message":"succeed","RequestId":"abcd123",` +
		`"Data":{"Results":[{"Result":0,"Msg":"success","MsgId":"445623452643416236"}]}}`
	if text := id.ReplaceAllString(got.text, `"RequestId":"abcd123"`); got.status != 200 || text != want {
		t.Errorf("%d %s, want %s", got.status, text, want)
	}
	if n := w.Effects("445623452643416236"); n != 1 {
		t.Errorf("%d effects", n)
	}
}

// TestRockets: 20 are two soldiers, 66 a general, a value of 30 is an error.
func TestRockets(t *testing.T) {
	w := newWorld(t)
	w.join(t, "r1", "u1")
	got, err := w.give(t, "r1", gift("a", "u1", 10, 2), gift("b", "u1", 66, 1), gift("c", "u1", 30, 1))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a=0", "b=0", "c=10004"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	tally := w.Tally()
	if tally.Delivered != 2 || tally.Failed != 1 || tally.Consumed != 3 || tally.DeliveredCount != 86 || tally.Doubled != 0 {
		t.Errorf("%+v", tally)
	}
	want := []zegotest.Effect{
		{Seq: 1, At: w.clock.Now(), Room: "r1", Game: game, MsgID: "a", User: "u1", Nickname: "nick u1", Gift: "g1", Value: 10, Num: 2, Receiver: "anchor1", Times: 1},
		{Seq: 2, At: w.clock.Now(), Room: "r1", Game: game, MsgID: "b", User: "u1", Nickname: "nick u1", Gift: "g1", Value: 66, Num: 1, Receiver: "anchor1", Times: 1},
	}
	if diff := cmp.Diff(want, w.Ledger(0, 10)); diff != "" {
		t.Error(diff)
	}
}

func TestGiftTable(t *testing.T) {
	plain := func(id, giftID string, value int) zego.Gift {
		g := gift(id, "u1", value, 1)
		g.Info.GiftID = giftID
		return g
	}
	w := newWorld(t)
	w.join(t, "r1", "u1")
	got, err := w.give(t, "r1", plain("a", "g2", 1), plain("b", "g2", 2), plain("c", "g3", 1), plain("d", "g1", 1))
	if want := []string{"a=0", "b=10004", "c=10004", "d=10004"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
	// Value is 1 where it is left out.
	ans := w.post(t, zego.ActionGifts, `{"RoomId":"r1","MiniGameId":"TinyLoveWar","GiftList":[
		{"UserInfo":{"UserId":"u1","Nickname":"n","Avatar":"https://x"},"GiftInfo":{"GiftId":"g2","Num":3},"Timestamp":1,"MsgId":"e"}]}`)
	if ans.Code != 0 || ans.Data.Results[0].Result != 0 || w.Ledger(1, 9)[0].Value != 1 {
		t.Errorf("%+v", ans)
	}

	all := newWorld(t, func(cfg *zegotest.Config) { cfg.Body.WrongValueFailsAll = true })
	all.join(t, "r1", "u1")
	var failed *zego.Error
	if _, err := all.give(t, "r1", gift("a", "u1", 10, 1), gift("b", "u1", 30, 1)); !errors.As(err, &failed) || failed.Code != 7208000 {
		t.Errorf("whole list: %v", err)
	}
	if all.Effects("a") != 0 || all.Tally().Consumed != 0 {
		t.Error("a refused list was consumed")
	}

	anything := newWorld(t, func(cfg *zegotest.Config) { cfg.Games = nil })
	anything.join(t, "r1", "u1")
	if got, err := anything.give(t, "r1", gift("a", "u1", 12345, 1)); err != nil || got[0] != "a=0" {
		t.Errorf("without a table: %v %v", got, err)
	}
}

func TestJoining(t *testing.T) {
	w := newWorld(t, func(cfg *zegotest.Config) { cfg.Play.JoinDelay = time.Second })
	say := func(userID, text string) {
		t.Helper()
		_, err := w.client.SendDanmakuComments(t.Context(), zego.CommentsRequest{
			RoomID: "r1", MiniGameID: game, Comments: []zego.Comment{{User: user(userID), Content: text}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	result := func(id, userID string) string {
		t.Helper()
		got, err := w.give(t, "r1", gift(id, userID, 10, 1))
		if err != nil {
			t.Fatal(err)
		}
		return got[0]
	}
	if got := result("a", "u1"); got != "a=10003" {
		t.Errorf("not joined: %s", got)
	}
	say("u1", "hello")
	w.clock.advance(time.Minute)
	if got := result("b", "u1"); got != "b=10003" {
		t.Errorf("no join word: %s", got)
	}
	say("u1", "6")
	w.clock.advance(999 * time.Millisecond)
	if got := result("c", "u1"); got != "c=10003" {
		t.Errorf("join not yet working: %s", got)
	}
	w.clock.advance(time.Millisecond)
	if got := result("d", "u1"); got != "d=0" {
		t.Errorf("joined: %s", got)
	}
	say("u1", "5")
	if team, ok := w.Team("r1", game, "u1"); team != "red" || !ok {
		t.Errorf("the first join of a round holds, got %q %v", team, ok)
	}
	if _, ok := w.Team("r1", game, "u2"); ok {
		t.Error("a viewer who has not joined has a team")
	}
	if got := result("e", "u2"); got != "e=10003" {
		t.Errorf("another user: %s", got)
	}
	got, err := w.give(t, "r2", gift("f", "u1", 10, 1))
	if err != nil || got[0] != "f=10003" {
		t.Errorf("another room: %v %v", got, err)
	}
	if s, _ := w.Room("r1"); s.Joined != 1 || s.Tally.Comments != 3 || s.Tally.Joins != 1 {
		t.Errorf("%+v", s)
	}

	exempt := newWorld(t, func(cfg *zegotest.Config) { cfg.Play.NoJoinNeeded = []string{game} })
	if got, err := exempt.give(t, "r1", gift("a", "u1", 10, 1)); err != nil || got[0] != "a=0" {
		t.Errorf("a game that asks for no join: %v %v", got, err)
	}
	open := newWorld(t, func(cfg *zegotest.Config) { cfg.Games[0].Join = nil })
	open.join(t, "r1", "u1")
	if got, err := open.give(t, "r1", gift("a", "u1", 10, 1)); err != nil || got[0] != "a=0" {
		t.Errorf("a game without join words: %v %v", got, err)
	}
}

func TestRounds(t *testing.T) {
	for _, keep := range []bool{false, true} {
		w := newWorld(t, func(cfg *zegotest.Config) {
			cfg.Play.Fresh = zegotest.NotStarted
			cfg.Play.KeepJoins = keep
		})
		w.join(t, "r1", "u1")
		var failed *zego.Error
		if _, err := w.give(t, "r1", gift("a", "u1", 10, 1)); !errors.As(err, &failed) || failed.Code != 7206001 || failed.Outcome != room.NotTaken {
			t.Errorf("not started: %v", err)
		}
		if round := w.StartGame("r1", game); round != "1" {
			t.Errorf("round %q", round)
		}
		if got, err := w.give(t, "r1", gift("a", "u1", 10, 1)); err != nil || got[0] != "a=0" {
			t.Errorf("the id that was not recorded: %v %v", got, err)
		}
		if !w.SettleGame("r1", zego.Settlement{WinTeam: 1}) || w.SettleGame("nobody", zego.Settlement{}) {
			t.Error("settling")
		}
		if got, err := w.give(t, "r1", gift("b", "u1", 10, 1)); err != nil || got[0] != "b=10003" {
			t.Errorf("ended: %v %v", got, err)
		}
		w.StartGame("r1", game)
		want := "c=10003"
		if keep {
			want = "c=0"
		}
		if got, err := w.give(t, "r1", gift("c", "u1", 10, 1)); err != nil || got[0] != want {
			t.Errorf("next round, joins kept %v: %v %v", keep, got, err)
		}
		w.SetState("r1", zegotest.NotStarted)
		if _, err := w.give(t, "r1", gift("d", "u1", 10, 1)); !errors.As(err, &failed) || failed.Code != 7206001 {
			t.Errorf("set back: %v", err)
		}
	}
}

func TestLikes(t *testing.T) {
	w := newWorld(t)
	w.join(t, "r1", "u1")
	_, err := w.client.SendDanmakuLikes(t.Context(), zego.LikesRequest{RoomID: "r1", MiniGameID: game, Likes: []zego.Like{
		{User: user("u1"), Amount: 7}, {User: user("u2"), Amount: 5}, {User: user("u1"), Amount: 1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	// Amount is 1 where it is left out.
	w.post(t, zego.ActionLikes, `{"RoomId":"r1","MiniGameId":"TinyLoveWar","LikeList":[
		{"UserInfo":{"UserId":"u1","Nickname":"n","Avatar":"https://x"}}]}`)
	if tally := w.Tally(); tally.Likes != 9 || tally.Discarded != 5 {
		t.Errorf("%+v", tally)
	}
}

func TestQuery(t *testing.T) {
	w := newWorld(t, func(cfg *zegotest.Config) { cfg.Memory.QueryDelay = time.Second })
	w.join(t, "r1", "u1")
	if _, err := w.give(t, "r1", gift("a", "u1", 10, 1), gift("b", "u2", 10, 1)); err != nil {
		t.Fatal(err)
	}
	if got := w.query(t, "r1", "a", "b"); len(got) != 0 {
		t.Errorf("before the delay: %v", got)
	}
	w.clock.advance(time.Second)
	resp, err := w.client.DescribeDanmakuMsgResults(t.Context(), zego.ResultsRequest{
		RoomID: "r1", MiniGameID: game, MsgIDs: []string{"b", "a", "never"},
	})
	want := []zego.Result{
		{MsgID: "b", Result: 10003, Message: "the user has not joined the game", Timestamp: 1700000000123},
		{MsgID: "a", Result: 0, Message: "success", Timestamp: 1700000000123},
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, resp.Results); diff != "" {
		t.Error(diff)
	}
	if got := w.query(t, "r2", "a"); len(got) != 0 {
		t.Errorf("another room: %v", got)
	}
	days := func(n int) int {
		t.Helper()
		resp, err := w.client.DescribeDanmakuMsgResults(t.Context(), zego.ResultsRequest{
			RoomID: "r1", MiniGameID: game, MsgIDs: []string{"a"}, Days: n,
		})
		if err != nil {
			t.Fatal(err)
		}
		return len(resp.Results)
	}
	w.clock.advance(31 * 24 * time.Hour)
	if days(0) != 0 || days(31) != 0 || days(32) != 1 {
		t.Errorf("after 31 days: %d by default, %d of 31, %d of 32", days(0), days(31), days(32))
	}
	// Sent again, it is a new gift: two rows, told apart by Timestamp.
	again := gift("a", "u1", 10, 1)
	again.Timestamp = 1702678400123
	if got, err := w.give(t, "r1", again); err != nil || got[0] != "a=0" {
		t.Errorf("%v %v", got, err)
	}
	w.clock.advance(time.Second)
	if days(90) != 2 || w.Effects("a") != 2 || w.Tally().Doubled != 1 || len(w.Results("a")) != 2 {
		t.Errorf("%d rows, %d effects", days(90), w.Effects("a"))
	}
	if l := w.Ledger(0, 9); len(l) != 2 || l[0].Times != 1 || l[1].Times != 2 {
		t.Errorf("%+v", l)
	}
}

func TestLaunchCode(t *testing.T) {
	w := newWorld(t)
	ask := func(anchor string) (string, int) {
		t.Helper()
		resp, err := w.client.DescribeGameLaunchCode(t.Context(), zego.LaunchCodeRequest{
			RoomID: "r1", MiniGameID: game, AnchorID: anchor, Nickname: "Ann", Avatar: "https://x.example/a",
		})
		var failed *zego.Error
		switch {
		case err == nil:
			return resp.LaunchCode, 0
		case errors.As(err, &failed):
			return "", failed.Code
		}
		t.Fatal(err)
		return "", 0
	}
	first, _ := ask("anchor1")
	if !regexp.MustCompile(`^\d{9}$`).MatchString(first) {
		t.Errorf("code %q", first)
	}
	if _, code := ask("anchor1"); code != 7206005 {
		t.Errorf("at once again: %d", code)
	}
	if _, code := ask("anchor2"); code != 7206004 {
		t.Errorf("another anchor: %d", code)
	}
	w.clock.advance(5 * time.Second)
	if second, code := ask("anchor1"); code != 0 || second == first {
		t.Errorf("after 5 s: %q %d", second, code)
	}
	if s, _ := w.Room("r1"); s.State != "running" || s.Anchor != "anchor1" {
		t.Errorf("%+v", s)
	}
	w = newWorld(t, func(cfg *zegotest.Config) { cfg.Play.LaunchNumber, cfg.Play.LaunchEndsGame = true, true })
	w.StartGame("r1", game)
	if code, _ := ask("anchor1"); len(code) != 9 {
		t.Errorf("code as a number: %q", code)
	}
	if s, _ := w.Room("r1"); s.State != "ended" {
		t.Errorf("%+v", s)
	}
}

func TestUnknownGame(t *testing.T) {
	w := newWorld(t)
	for _, action := range zego.Actions() {
		body := strings.Replace(validBodies()[action], game, "Other", 1)
		if got := w.post(t, action, body); got.Code != 7202001 {
			t.Errorf("%s: %s", action, got.text)
		}
	}
}

func validBodies() map[zego.Action]string {
	const u = `{"UserId":"u1","Nickname":"n","Avatar":"https://x.example/1","Sex":2}`
	const head = `{"RoomId":"r1","MiniGameId":"TinyLoveWar",`
	return map[zego.Action]string{
		zego.ActionGifts: head + `"GiftList":[{"UserInfo":` + u + `,"GiftInfo":{"GiftId":"g1","Value":10,"Num":1},` +
			`"ReceiverId":"a1","Timestamp":1700000000123,"MsgId":"m1"}]}`,
		zego.ActionComments: head + `"CommentList":[{"UserInfo":` + u + `,"Content":"5"}]}`,
		zego.ActionLikes:    head + `"LikeList":[{"UserInfo":` + u + `,"Amount":1}]}`,
		zego.ActionQuery:    head + `"MsgIdList":["m1"],"Duration":90}`,
		zego.ActionLaunch:   head + `"AnchorId":"a1","Nickname":"n","Avatar":"https://x.example/1","Sex":1}`,
	}
}
